"""`kinline lab load`: many calls at once through a running switch, and what they cost it.

A gateway at 127.0.0.1:15060 dials, a trunk at 127.0.0.1:15080 answers, as `config/bench.toml` has
them. What each call says is something like talk; each frame that comes out is looked for among
those that went in. With `--srtp` both signal over TLS and talk under keys (config/bench-srtp.toml);
with `--recorded` every recording is held against what was said (config/bench-record.toml).
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from switch.admin.control_client import ControlClient
from switch.clock import Clock, SystemClock
from switch.errors import LocalError, UserError
from switch.lab.certificates import AUTHORITIES, LAB
from switch.lab.load_calls import LoadCalls, LoadPhone
from switch.lab.load_media import RECEIVED, SENT, WRONG, LoadMedia
from switch.lab.load_recordings import RecordingJudge
from switch.lab.processor_time import descriptors, family, memory_kb, passed_s, pin, spent_ns
from switch.transport.settings import TlsSettings

SWITCH_AT: Final = {False: "127.0.0.1:5060", True: "127.0.0.1:5061"}
"""Where the switch of the benches listens, in the clear and over TLS."""

TRUNK_S_MAX: Final = 45.0
"""How long the trunk may take to be up: the switch asks each 30 s. Signalling rules, section 6."""

SPARE_FDS: Final = 200
"""Descriptors that the load needs beside one for each leg. Chosen."""


def main(argv: Sequence[str]) -> int:
    """Carry out `kinline lab load`; return the exit code: 1 if a call failed or sound was lost."""
    given = _parser().parse_args(argv)
    _raise_limit(2 * given.calls + SPARE_FDS)
    client = ControlClient(given.data / "control.sock")
    if not client.is_served():
        raise UserError(
            f"No switch serves {given.data}. Start one: "
            f"kinline run --config config/bench.toml --data {given.data}"
        )
    if given.core is not None:
        pin([os.getpid()], given.core)
    report = asyncio.run(_load(given, SwitchProcess(client.process()), client))
    _say(report, as_json=given.json)
    spoilt = report["refused"] or report["wrong"] or report["delivered"] < given.delivered_min
    spoilt = spoilt or report.get("recordings", {}).get("spoilt")
    return 1 if spoilt or not report["ledger_sound"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kinline lab load",
        description="Holds many calls at once through the switch that serves DATA, and says what "
        "came of them and what they cost. The switch runs on config/bench.toml, or on a "
        "configuration with the same gateway and trunk.",
    )
    say = parser.add_argument
    say("--calls", type=int, default=100, help="how many at once (default 100)")
    say("--seconds", type=float, default=30.0, help="how long, from the last set-up (default 30)")
    say("--cps", type=float, default=20.0, help="new calls a second, at most (default 20)")
    say("--hold", type=float, default=0.0, help="mean length of a call in s; 0: until the end")
    say("--every", type=float, default=10.0, help="seconds between two lines of progress")
    say("--data", type=Path, default=Path("data"), help="data directory of the switch")
    say("--switch", default="", help="where it listens for SIP (UDP 127.0.0.1:5060, TLS :5061)")
    say("--srtp", action="store_true", help="SRTP on both legs, signalled over TLS")
    say("--recorded", action="store_true", help="hold every recording against what was said")
    say("--core", type=int, help="processor that the load keeps to")
    say("--seed", type=int, default=1, help="of lengths and sounds")
    say("--delivered-min", type=float, default=0.999, help="less is a failure (default 0.999)")
    say("--json", action="store_true", help="JSON lines")
    return parser


class SwitchProcess:
    """What the switch behind a control socket uses.

    Raises:
        LocalError: its process cannot be seen from here.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        if not Path(f"/proc/{self._pid}/schedstat").exists():
            raise LocalError(f"process {self._pid} of the switch cannot be seen from here")

    def spent_ns(self) -> dict[int, int]:
        """Processor time of each of its threads and its workers' so far."""
        return spent_ns(family(self._pid))

    def holds(self) -> dict[str, int]:
        """Memory and descriptors."""
        pids = family(self._pid)
        return {"memory_kb": memory_kb(pids), "descriptors": descriptors(pids)}


class Course:
    """Measures from one moment to the next."""

    def __init__(self, calls: LoadCalls, media: LoadMedia, switch: SwitchProcess) -> None:
        self._calls = calls
        self._media = media
        self._switch = switch
        self.mark()

    def mark(self) -> None:
        """Measure from here."""
        self._spent_ns = self._switch.spent_ns()
        self._counted = self._now()
        self._delays = self._media.legs.delays.copy()

    def again(self) -> "Course":
        """Return another one over the same calls, which begins now."""
        return Course(self._calls, self._media, self._switch)

    def row(self) -> dict[str, Any]:
        """Return what happened since the last mark."""
        passed = self._now() - self._counted
        spent_s = passed_s(self._spent_ns, self._switch.spent_ns())
        tally = self._calls.tally
        return {
            "live": tally.live,
            "set_up": tally.set_up,
            "completed": tally.completed,
            "refused": dict(tally.refused),
            "packets": int(passed[SENT]),
            "us_per_packet": round(spent_s / max(1, passed[SENT]) * 1e6, 2),
            "delay_ms": {
                name: self._media.delay_ms(share, self._delays)
                for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
            },
            "wrong": int(passed[WRONG]),
            **self._switch.holds(),
        }

    def _now(self) -> Any:  # noqa: ANN401 - int64[3]
        return self._media.legs.counted.sum(axis=0) + self._media.gone


async def _load(
    given: argparse.Namespace, switch: SwitchProcess, client: ControlClient
) -> dict[str, Any]:
    host, port = (given.switch or SWITCH_AT[given.srtp]).rsplit(":", 1)
    clock, random = SystemClock(), Random(given.seed)  # noqa: S311 - lengths and sounds
    idle = switch.holds()
    with LoadMedia(2 * given.calls + 2, random) as media:
        how = {"switch": (host, int(port)), "clock": clock, "random": random}
        how |= _over_tls(given.data) if given.srtp else {}
        judge = RecordingJudge(client, given.data, media.sound) if given.recorded else None
        async with (
            LoadPhone(media, user="gateway", port=15060, **how) as gateway,
            LoadPhone(media, user="trunk", port=15080, **how) as trunk,
        ):
            await _trunk_is_up(client)
            calls = LoadCalls(gateway=gateway, trunk=trunk, media=media, clock=clock, random=random)
            course = Course(calls, media, switch)
            async with asyncio.TaskGroup() as group:
                answering = group.create_task(calls.answer())
                keeping = group.create_task(
                    calls.keep_up(given.calls, calls_per_s=given.cps, hold_s=given.hold)
                )
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(number, calls.stopping.set)
                row = await _watch(given, calls, course, clock)
                calls.stopping.set()
                await keeping
                answering.cancel()
        kept = {"recordings": (await judge.judge(calls.tally.said)).as_dict()} if judge else {}
    sound = await asyncio.to_thread(client.ask, "ledger", "verify", {})
    return (
        _report(given, calls, row, idle)
        | kept
        | {
            "srtp": given.srtp,
            "late_slots": int(media.legs.late[0]),
            "ledger_sound": bool(sound["sound"]),
        }
    )


async def _trunk_is_up(client: ControlClient) -> None:
    """Wait until the switch knows that a trunk answers: after a former load it has to ask again.

    Raises:
        UserError: it does not.
    """
    try:
        async with asyncio.timeout(TRUNK_S_MAX):
            while not any(  # noqa: ASYNC110 - another process has no event
                row["up"] for row in await asyncio.to_thread(_trunks, client)
            ):
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise UserError(
            "The switch finds its trunk down. `kinline health` says more; the load answers for it "
            "at port 15080 of this machine."
        ) from None


def _trunks(client: ControlClient) -> list[dict[str, Any]]:
    return list(client.ask("health", "", {})["trunks"])


def _over_tls(data: Path) -> dict[str, Any]:
    """Let a telephone signal over TLS, with the certificates of `kinline lab certificates`.

    Raises:
        UserError: they are not there.
    """
    paths = [(data / name).absolute() for name in (f"{LAB}.crt", f"{LAB}.key", AUTHORITIES)]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"{missing[0]} is not there. `kinline lab certificates --data {data}` makes it, before "
            "the switch is started on config/bench-srtp.toml."
        )
    own, key, authorities = map(str, paths)
    tls = TlsSettings(certificate=own, key=key, authorities=authorities)
    return {"transport": "tls", "tls": tls}


async def _watch(
    given: argparse.Namespace, calls: LoadCalls, course: Course, clock: Clock
) -> dict[str, Any]:
    """Wait for the calls to be there; then measure, with a line of progress now and then."""
    patience_s = given.calls / given.cps * 2 + 30
    begin = clock.monotonic()
    while calls.tally.set_up < given.calls and clock.monotonic() - begin < patience_s:
        if await _stopped(calls, 0.1):
            return course.row()
    await _stopped(calls, 1.5)
    course.mark()
    part = course.again()
    until = clock.monotonic() + given.seconds
    while (left_s := until - clock.monotonic()) > 0:
        if await _stopped(calls, min(left_s, given.every)):
            break
        if left_s > given.every:
            _say({"load": "progress", **part.row()}, as_json=given.json)
            part.mark()
    return course.row()


async def _stopped(calls: LoadCalls, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await calls.stopping.wait()
    except TimeoutError:
        return False
    return True


def _report(
    given: argparse.Namespace, calls: LoadCalls, row: dict[str, Any], idle: dict[str, int]
) -> dict[str, Any]:
    tally = calls.tally
    sent = max(1, int(tally.counted[SENT]))
    reached = np.sort(tally.reached_ms) if tally.reached_ms else np.zeros(1)
    return row | {
        "load": "report",
        "calls": given.calls,
        "placed": tally.placed,
        "set_up": tally.set_up,
        "completed": tally.completed,
        "refused": dict(tally.refused),
        "delivered": round(int(tally.counted[RECEIVED]) / sent, 6),
        "wrong": int(tally.counted[WRONG]),
        "invite_through_ms": {
            "p50": round(float(reached[len(reached) // 2]), 2),
            "p99": round(float(reached[int(len(reached) * 0.99)]), 2),
        },
        "memory_kb_per_call": round((row["memory_kb"] - idle["memory_kb"]) / given.calls, 1),
    }


def _say(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(row) + "\n")
    else:
        kind = row.get("load", "")
        words = "  ".join(f"{name} {value}" for name, value in row.items() if name != "load")
        sys.stdout.write(f"{kind:<9} {words}\n")
    sys.stdout.flush()


def _raise_limit(wanted: int) -> None:
    """Ask for as many descriptors as the load needs.

    Raises:
        UserError: the system does not give them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        raise UserError(f"{wanted} descriptors are needed and {hard} allowed: raise ulimit -n.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
