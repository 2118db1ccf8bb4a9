"""What one packet costs: a media plane alone, N calls, all legs inspected.

    python -m tests.bench.bench_media [--calls 100] [--seconds 5] [--no-inspection] [--workers 1]

Counted are this process (control's side of the plane) and the workers, user and system.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from dsp.event import Kind
from switch.clock import SystemClock
from switch.ids import CallId, leg_id
from switch.media.messages import MediaEvent, WorkerReport
from switch.media.plane import MediaPlane
from switch.media.settings import MediaSettings
from switch.routing.call_class import Inspectable
from tests.support.softphone import far_end


def cpu_s(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def say(load: asyncio.subprocess.Process, value: object) -> None:
    assert load.stdin is not None
    load.stdin.write(json.dumps(value).encode() + b"\n")
    await load.stdin.drain()


async def hear(load: asyncio.subprocess.Process) -> Any:
    assert load.stdout is not None
    return json.loads(await load.stdout.readline())


def open_calls(plane: MediaPlane, ports: list[int], options: argparse.Namespace) -> list[int]:
    now = SystemClock().monotonic()
    ours = []
    for n in range(options.calls):
        call = CallId(n + 1)
        legs = (leg_id(call, is_b=False), leg_id(call, is_b=True))
        for leg, port in zip(legs, ports[2 * n : 2 * n + 2], strict=True):
            ours.append(plane.open_leg(leg, family="ip4", law="PCMU").port)
            plane.set_remote(leg, far_end(port))
        if options.inspection:
            plane.inspect(Inspectable(call), legs, frozenset(kind.value for kind in Kind))
        plane.join(call, paid_until=now + 3600, mute_digits=True, now=now)
    return ours


async def run(options: argparse.Namespace, data: Path) -> dict[str, Any]:
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
    load = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.rtp_load"),
        *(str(2 * options.calls), str(options.seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    ports = await hear(load)
    await say(load, open_calls(plane, ports, options))
    pids = [os.getpid(), *plane.worker_pids().values()]
    await hear(load)
    before = cpu_s(pids)
    worker_before = cpu_s(pids[1:])
    await hear(load)
    spent, worker_spent = cpu_s(pids) - before, cpu_s(pids[1:]) - worker_before
    result = await hear(load)
    for n in range(2 * options.calls):
        plane.close_leg(leg_id(CallId(n // 2 + 1), is_b=bool(n % 2)))
    await asyncio.sleep(0.2)
    await plane.close()
    us = spent / result["sent"] * 1e6
    return {
        "bench": "media",
        "calls": options.calls,
        "inspected": options.inspection,
        "us_per_packet": round(us, 2),
        "worker_us_per_packet": round(worker_spent / result["sent"] * 1e6, 2),
        "times_floor": round(us / result["floor_us"], 2),
        "tick_ms_p99": max((one.tick_ms_p99 for one in reports), default=0.0),
        "late_ticks": max((one.late_ticks for one in reports), default=0),
        **result,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--no-inspection", dest="inspection", action="store_false")
    with tempfile.TemporaryDirectory() as data:
        found = asyncio.run(run(parser.parse_args(), Path(data)))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
