"""The real switch on a configuration of the benches, and a load of real calls through it.

    async with BusySwitch(folder, legs_max=600, seed=1) as house, house.placing() as calls:
        ...

Ports are those of `config/bench.toml`: one at a time on a machine.
"""

import asyncio
import json
import os
import platform
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from switch.admin.control_client import ControlClient
from switch.clock import SystemClock
from switch.lab.load_calls import LoadCalls, LoadPhone
from switch.lab.load_media import LoadMedia
from switch.lab.load_program import SwitchProcess
from switch.lab.processor_time import descriptors, family, memory_kb

ROOT: Final = Path(__file__).parent.parent.parent
READY_S_MAX: Final = 300.0
"""A cold compile of the packet path. Measured: 1 to 4 minutes on a busy machine."""

END_S_MAX: Final = 60.0
SPARE_S_MAX: Final = 60.0
QUIET_S_MAX: Final = 90.0
"""Transactions linger for 32 s after the last call. RFC 3261, timers H and L."""

SWITCH_AT: Final = ("127.0.0.1", 5060)


class BusySwitch:
    """A switch in a process of its own, with a gateway and a trunk that can place many calls.

    Args:
        folder: an empty folder.
        legs_max: how many legs the load may have open at once.
        seed: of sounds and lengths.
        config: which configuration of the benches.
        edit: changes the whole text of it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        legs_max: int,
        seed: int,
        config: str = "bench.toml",
        edit: Callable[[str], str] = str,
    ) -> None:
        self.data = folder / "data"
        self.clock = SystemClock()
        self.media = LoadMedia(legs_max, Random(seed))
        self.process = 0
        self._config = folder / config
        self._config.write_text(edit((ROOT / "config" / config).read_text()))
        self._seed = seed
        self._client = ControlClient(self.data / "control.sock")
        self._life = AsyncExitStack()
        self._switch: asyncio.subprocess.Process | None = None
        self._log = folder / "switch.log"

    async def __aenter__(self) -> "BusySwitch":
        await self._start()
        try:
            self._life.enter_context(self.media)
            how = {"switch": SWITCH_AT, "clock": self.clock, "random": Random(self._seed)}
            gateway = LoadPhone(self.media, user="gateway", port=15060, **how)
            trunk = LoadPhone(self.media, user="trunk", port=15080, **how)
            self.gateway = await self._life.enter_async_context(gateway)
            self.trunk = await self._life.enter_async_context(trunk)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._life.aclose()
        if self._switch is None or self._switch.returncode is not None:
            return
        for _ in range(2):
            with suppress(ProcessLookupError):
                self._switch.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_S_MAX):
                await self._switch.wait()
        except TimeoutError:
            self._switch.kill()
            await self._switch.wait()

    async def _start(self) -> None:
        words = ("-m", "switch", "run", "--config", self._config, "--data", self.data)
        with self._log.open("ab") as log:
            self._switch = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._switch.stdout is not None
        async with asyncio.timeout(READY_S_MAX):
            line = await self._switch.stdout.readline()
        if not line:
            raise RuntimeError(f"the switch did not start:\n{self._log.read_text()[-3000:]}")
        self.process = self._switch.pid

    def _calls(self) -> LoadCalls:
        """Return calls that can be placed and stopped once."""
        return LoadCalls(
            gateway=self.gateway,
            trunk=self.trunk,
            media=self.media,
            clock=self.clock,
            random=Random(self._seed),
        )

    @asynccontextmanager
    async def placing(self) -> AsyncIterator[LoadCalls]:
        """Calls whose trunk answers, until this is left."""
        calls = self._calls()
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(calls.answer())
            yield calls
            answering.cancel()

    def used(self) -> SwitchProcess:
        """What the switch and its workers use."""
        return SwitchProcess(self.process)

    def memory_kb(self) -> dict[str, int]:
        """Proportional memory of control and of all workers together."""
        control, *workers = family(self.process)
        return {"control_kb": memory_kb([control]), "workers_kb": memory_kb(workers)}

    def descriptors(self) -> int:
        """Descriptors of the switch and its workers."""
        return descriptors(family(self.process))

    async def asked(self, noun: str, verb: str = "", **given: Any) -> Any:
        """Carry out one command at the switch without holding up the telephones."""
        return await asyncio.to_thread(self._client.ask, noun, verb, given)

    async def spare_is_there(self) -> None:
        """Wait for the worker that would go on for one that dies: it is no part of a call."""
        async with asyncio.timeout(SPARE_S_MAX):
            while not (await self.asked("health"))["workers_spare"]:
                await asyncio.sleep(0.5)

    async def quiet(self) -> dict[str, Any]:
        """Wait until nothing of any call is left, its transactions too; return what is held."""
        held: dict[str, Any] = {}
        until = self.clock.monotonic() + QUIET_S_MAX
        while self.clock.monotonic() < until:
            held = await self.asked("health")
            named = ("calls", "legs", "ports", "meters", "dialogs", "dialog_listeners")
            if not any(held[one] for one in named) and not sum(held["transactions"].values()):
                return held
            await asyncio.sleep(1.0)
        raise RuntimeError(f"calls were left: {held}")

    async def books(self) -> list[str]:
        """Return what is wrong with the ledger; nothing, if it proves itself."""
        proof = await self.asked("ledger", "verify")
        return [] if proof["sound"] else [str(fault) for fault in proof["faults"]]


def machine() -> str:
    """Name this machine in a few words."""
    rows = Path("/proc/cpuinfo").read_text().splitlines()
    named = (row.partition(":")[2].strip() for row in rows if row.startswith("model name"))
    cores = len(os.sched_getaffinity(0))
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{next(named, platform.machine())}, {cores} processors, {system}"


def tell(row: dict[str, Any]) -> None:
    """Show how far it is, on standard error."""
    sys.stderr.write(json.dumps(row) + "\n")
    sys.stderr.flush()


def say(row: dict[str, Any]) -> None:
    """Print the last line, on standard output."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
