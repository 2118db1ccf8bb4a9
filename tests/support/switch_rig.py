"""The real switch in a process of its own, with lab telephones around it, on loopback.

async with SwitchRig(tmp_path) as rig:
    outside = await rig.outside()
    terminal = await rig.terminal("T1")
    call = await terminal.call("15551000001")
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from switch.admin.control_client import ControlClient
from switch.clock import SystemClock
from switch.lab.phone import LabPhone, PhoneCall

ROOT = Path(__file__).parent.parent.parent
READY_S_MAX = 90.0
"""A cold compile of the packet path on a busy machine. Chosen."""

HOUSE = """
[node]
id = "rig"
terminal_networks = ["127.0.0.0/8", "::1/128"]

[transport]
listen = ["udp:127.0.0.1:{sip}", "tcp:127.0.0.1:{sip}"]

[sip]
rate_exempt_networks = ["127.0.0.0/8"]

[media]
address = "127.0.0.1"
port_min = {rtp_min}
port_max = {rtp_max}
workers = {workers}
port_rest_s = 1
spare_after_s = 0.5

[script]
languages = ["en"]
{script}

[web]
port = 0

[billing]
tariffs = ["tariffs/lab.toml"]

[[house.agency]]
id = "agency"
name = "Pine County"

# No PIN: the number comes with the call, as from a gateway.
[[house.facility]]
id = "OPEN"
agency = "agency"
name = "Open House"
zone = "UTC"
tariff = "lab"
languages = ["en"]
settings = {{ pin_mode = "none" }}
rules = {{ velocity = false, pan_required = false }}

# A PIN of six digits and four, a personal list.
[[house.facility]]
id = "SHUT"
agency = "agency"
name = "Shut House"
zone = "UTC"
tariff = "lab"
languages = ["en"]
rules = {{ velocity = false }}

[[house.gateway]]
id = "gateway"
facility = "OPEN"
host = "127.0.0.1"
port = {gateway}
anonymous_lines = true

[[house.terminal]]
user = "t1"
terminal = {{ id = "T1", facility = "OPEN" }}

[[house.terminal]]
user = "t2"
algorithm = "SHA-256"
terminal = {{ id = "T2", facility = "OPEN" }}

[[house.terminal]]
user = "t3"
terminal = {{ id = "T3", facility = "SHUT" }}

[[house.terminal]]
user = "t4"
terminal = {{ id = "T4", facility = "SHUT" }}

[[house.trunk]]
id = "trunk"
host = "127.0.0.1"
port = {trunk}
caller_number = "+15550000001"
channels_max = 1000
calls_per_second_max = 1000
options = false

[[house.person]]
passcode = "1357"
person = {{ id = "123456", facility = "SHUT", name = "Alex Sample" }}
pan = ["+15552000001", "+15552000002"]

[[house.person]]
passcode = "2468"
person = {{ id = "234567", facility = "SHUT", name = "Robin Example" }}
pan = ["+15552000001"]

# +15551…: passive. +15552…: must accept.
[[house.number]]
pattern = "+15551??????"
facility = "OPEN"
treatment = {{ passive = true }}

[[house.number]]
pattern = "+15552??????"
facility = "OPEN"

[[house.account_range]]
prefix = "+15551"
digits = 6
count = 400
amount_micros = 1_000_000

[[house.account_range]]
prefix = "+15552"
digits = 6
count = 400
amount_micros = 1_000_000

[[house.account]]
kind = "caller_debit"
owner = "123456"
facility = "SHUT"
amount_micros = 1_000_000

[[house.account]]
kind = "agency"
owner = "agency"
floor_micros = -100_000_000

[[house.privileged]]
number = "+15553000001"
kind = "attorney"
name = "Casey Counsel"
agency_pays = true
passive = true
by = "test"
{more}
"""


def free_port() -> int:
    """Return a port that nobody has, for UDP and TCP."""
    while True:
        port = random.SystemRandom().randrange(31_000, 39_000, 2)
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


def prompts(folder: Path) -> Path:
    """Return a folder of all prompts, made once per machine and kept beside the checkout's data."""
    made = ROOT / "data" / "prompts"
    if not (made / "en").is_dir():
        subprocess.run(
            [sys.executable, "-m", "switch.media.prompt_synthesis", "--data", str(ROOT / "data")],
            check=True,
            cwd=ROOT,
            capture_output=True,
        )
    target = folder / "prompts"
    target.mkdir(parents=True, exist_ok=True)
    for entry in made.iterdir():
        if entry.name not in {"names", "custom"} and not (target / entry.name).exists():
            (target / entry.name).symlink_to(entry)
    return target


class SwitchRig:
    """One switch, its configuration and data in a folder of the test.

    Args:
        folder: an empty folder.
        script: more lines of `[script]`.
        more: more tables.
        workers: media workers.
        trunk_port: where the outside is; None takes a free one.
        edit: changes the whole text of the configuration.
    """

    program = "switch"
    """The module that runs; another one starts the same switch in an odd house."""

    def __init__(
        self,
        folder: Path,
        *,
        script: str = "",
        more: str = "",
        workers: int = 1,
        edit: Callable[[str], str] = str,
    ) -> None:
        self.data = folder / "data"
        self.config = folder / "switch.toml"
        self.sip_port, self.trunk_port, self.gateway_port = free_port(), free_port(), free_port()
        base = random.SystemRandom().randrange(40_000, 58_000, 4)
        text = HOUSE.format(
            sip=self.sip_port,
            gateway=self.gateway_port,
            trunk=self.trunk_port,
            rtp_min=base,
            rtp_max=base + 1999,
            workers=workers,
            script=script,
            more=more,
        )
        self.config.write_text(edit(text))
        for name in ("law", "tariffs"):
            shutil.copytree(ROOT / "config" / name, folder / name, dirs_exist_ok=True)
        prompts(self.data)
        self.log = (folder / "switch.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}
        self.clock = SystemClock()
        self.random = random.Random(20)
        self._life = AsyncExitStack()

    @property
    def address(self) -> tuple[str, int]:
        """Where the switch listens for SIP."""
        return "127.0.0.1", self.sip_port

    async def __aenter__(self) -> "SwitchRig":
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._life.aclose()
        self.end()

    async def start(self) -> None:
        """Start the switch and wait until it serves."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", self.program, "run"),
                *("--config", str(self.config), "--data", str(self.data)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        assert self.process.stdout is not None
        line = await asyncio.wait_for(
            asyncio.to_thread(self.process.stdout.readline), timeout=READY_S_MAX
        )
        if not line:
            raise AssertionError(f"the switch did not start:\n{self.log_text()}")
        self.ready = json.loads(line)

    def log_text(self) -> str:
        """Return what the switch has said."""
        return Path(self.log.name).read_text()[-6000:]

    def kill(self) -> None:
        """Kill control with SIGKILL; its workers live on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def end(self) -> None:
        """End the switch: drain, then at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()
        self._end_workers()

    def _end_workers(self) -> None:
        """End the workers of a switch that was killed; their ids are in their own lock files."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"switch.media.worker" in words and str(self.data).encode() in words:
                os.kill(int(entry.name), signal.SIGTERM)

    def ask(self, noun: str, verb: str = "", **given: Any) -> Any:
        """Carry out one command at the running switch."""
        named = {name.removeprefix("opt_"): value for name, value in given.items()}
        return ControlClient(self.data / "control.sock").ask(noun, verb, named)

    async def asked(self, noun: str, verb: str = "", **given: Any) -> Any:
        """The same without holding up the telephones of this process."""
        return await asyncio.to_thread(lambda: self.ask(noun, verb, **given))

    async def records(self) -> list[dict[str, Any]]:
        """Return every call record, the newest first."""
        found = await self.asked("calls", "list", rows=1000)
        return list(found["ended"])

    async def record_of(self, predicate: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for the record that fits."""
        async with asyncio.timeout(20):
            while True:
                for record in await self.records():
                    if predicate(record):
                        return record
                await asyncio.sleep(0.1)

    async def last_record(self, count: int = 1) -> dict[str, Any]:
        """Wait until there are so many records; return the newest."""
        async with asyncio.timeout(30):
            while len(found := await self.records()) < count:
                await asyncio.sleep(0.1)
        return found[0]

    async def until(self, state: str, *, seconds: float = 20.0) -> dict[str, Any]:
        """Wait until some live call is in this state; return its row."""
        async with asyncio.timeout(seconds):
            while True:
                for row in (await self.asked("calls", "list", rows=1))["live"]:
                    if row["state"] == state:
                        return dict(row)
                await asyncio.sleep(0.05)

    async def quiet(self) -> dict[str, Any]:
        """Wait until no call, leg or dialog is left; return what is held then."""
        async with asyncio.timeout(30):
            while True:
                held: dict[str, Any] = await self.asked("health")
                if not any(held[k] for k in ("calls", "legs", "ports", "meters", "dialogs")):
                    return held
                await asyncio.sleep(0.2)

    async def phone(self, user: str, **more: Any) -> LabPhone:
        """Open a telephone."""
        phone = LabPhone(
            user=user, switch=self.address, clock=self.clock, random=self.random, **more
        )
        return await self._life.enter_async_context(phone)

    async def outside(self, **more: Any) -> LabPhone:
        """Open the telephone behind the trunk."""
        return await self.phone("outside", port=self.trunk_port, **more)

    async def gateway(self, **more: Any) -> LabPhone:
        """Open the gateway that is trusted by its address."""
        return await self.phone("gateway", port=self.gateway_port, **more)

    async def terminal(self, name: str, **more: Any) -> LabPhone:
        """Open a terminal, registered with its password."""
        password = (self.data / "keys" / f"terminal-{name}.password").read_text().strip()
        phone = await self.phone(name.lower(), password=password, **more)
        answer = await phone.register()
        assert answer is not None, "the switch did not answer REGISTER"
        assert answer.status == 200, answer
        return phone


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but not for ever."""
    async with asyncio.timeout(seconds):
        await event.wait()


async def next_call(phone: LabPhone, seconds: float = 20.0) -> PhoneCall:
    """Wait for a call at a telephone."""
    async with asyncio.timeout(seconds):
        return await phone.incoming()


def spoken(record: dict[str, Any], side: str) -> list[str]:
    """Return what was said to one side, in order."""
    return [key for entry in record["prompts"] if entry["side"] == side for key in entry["prompts"]]
