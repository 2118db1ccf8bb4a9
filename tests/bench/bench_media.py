"""What one packet costs: a media plane, N calls, all legs inspected; a bare relay beside it.

    python -m tests.bench.bench_media [--calls 100 300 1000 1300] [--seconds 5] [--no-inspection]

Counted are this process (control's side of the plane) and the workers. The generator has core 0,
what is measured core 1, where there are two. `times_bare` is the ratio to watch: the bare relay
pays for the same sockets and the same waking in the same minute, the floor is one hot pair in a
loop.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from dsp.event import Kind
from switch.clock import SystemClock
from switch.ids import CallId, leg_id
from switch.lab.processor_time import pin, spent_s
from switch.media.messages import MediaEvent, WorkerReport
from switch.media.plane import MediaPlane
from switch.media.settings import MediaSettings
from switch.routing.call_class import Inspectable
from tests.support.softphone import far_end

GENERATOR_CORE = 0
SWITCH_CORE = 1
SETTLE_S = 12.0
"""A bare relay lives longer than its load by this: it is started first and ended by us."""


async def say(load: asyncio.subprocess.Process, value: object) -> None:
    assert load.stdin is not None
    load.stdin.write(json.dumps(value).encode() + b"\n")
    await load.stdin.drain()


async def hear(load: asyncio.subprocess.Process) -> Any:
    assert load.stdout is not None
    return json.loads(await load.stdout.readline())


def open_calls(plane: MediaPlane, ports: list[int], calls: int, *, inspected: bool) -> list[int]:
    now = SystemClock().monotonic()
    ours = []
    for n in range(calls):
        call = CallId(n + 1)
        legs = (leg_id(call, is_b=False), leg_id(call, is_b=True))
        for leg, port in zip(legs, ports[2 * n : 2 * n + 2], strict=True):
            ours.append(plane.open_leg(leg, family="ip4", law="PCMU").port)
            plane.set_remote(leg, far_end(port))
        if inspected:
            plane.inspect(Inspectable(call), legs, frozenset(kind.value for kind in Kind))
        plane.join(call, paid_until=now + 3600, mute_digits=True, now=now)
    return ours


async def start(module: str, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.bench.{module}", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )


async def under_load(
    load: asyncio.subprocess.Process, ports: list[int], pids: Callable[[], list[int]]
) -> dict[str, Any]:
    """Let a load talk through these ports; return its report and what each packet cost whom."""
    await say(load, ports)
    await hear(load)
    measured = pids()
    before, first = spent_s(measured), spent_s(measured[:1])
    await hear(load)
    spent, control = spent_s(measured) - before, spent_s(measured[:1]) - first
    result: dict[str, Any] = await hear(load)
    await load.wait()
    result["us_per_packet"] = round(spent / result["sent"] * 1e6, 2)
    result["worker_us_per_packet"] = round((spent - control) / result["sent"] * 1e6, 2)
    return result


async def bare(calls: int, seconds: float) -> dict[str, Any]:
    """Measure the bare relay."""
    load = await start("rtp_load", str(2 * calls), str(seconds))
    pin([load.pid], GENERATOR_CORE)
    telephones = await hear(load)
    relay = await start("bare_relay", str(seconds + SETTLE_S), *map(str, telephones))
    said = await hear(relay)
    pin([relay.pid], SWITCH_CORE)
    found = await under_load(load, said["ports"], lambda: [relay.pid])
    relay.kill()
    await relay.wait()
    return found


async def switched(calls: int, options: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Measure the media plane."""
    reports: list[WorkerReport] = []

    def note(event: MediaEvent) -> None:
        if isinstance(event, WorkerReport):
            reports.append(event)

    settings = MediaSettings(
        address="127.0.0.1", port_min=20000, port_max=29998, workers=options.workers
    )
    plane = MediaPlane(
        settings=settings, clock=SystemClock(), data=data, on_event=note, random=Random(1)
    )
    await plane.start()
    load = await start("rtp_load", str(2 * calls), str(options.seconds))
    pin([load.pid], GENERATOR_CORE)
    telephones = await hear(load)
    ours = open_calls(plane, telephones, calls, inspected=options.inspection)
    pids = [os.getpid(), *plane.worker_pids().values()]
    if options.workers == 1:
        pin(pids, SWITCH_CORE)
    result = await under_load(load, ours, lambda: pids)
    for n in range(2 * calls):
        plane.close_leg(leg_id(CallId(n // 2 + 1), is_b=bool(n % 2)))
    await asyncio.sleep(0.2)
    await plane.close()
    result["tick_ms_p99"] = max((one.tick_ms_p99 for one in reports), default=0.0)
    result["late_ticks"] = max((one.late_ticks for one in reports), default=0)
    return result


async def run(calls: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one size, the bare relay first."""
    alone = await bare(calls, options.seconds)
    with tempfile.TemporaryDirectory() as data:
        found = await switched(calls, options, Path(data))
    return {
        "bench": "media",
        "calls": calls,
        "inspected": options.inspection,
        **found,
        "times_floor": round(found["us_per_packet"] / found["floor_us"], 2),
        "bare_us_per_packet": alone["us_per_packet"],
        "bare_times_floor": round(alone["us_per_packet"] / alone["floor_us"], 2),
        "bare_added_latency_ms": alone["added_latency_ms"],
        "times_bare": round(found["us_per_packet"] / alone["us_per_packet"], 2),
    }


def main() -> None:
    """Measure each size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--no-inspection", dest="inspection", action="store_false")
    options = parser.parse_args()
    for calls in options.calls:
        found = asyncio.run(run(calls, options))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
