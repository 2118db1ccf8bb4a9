"""What recording adds to a packet: the same calls, inspected, without and with a recorder each.

    python -m tests.bench.bench_recording [--calls 100 300 1000] [--seconds 5]

Afterwards every file is opened: whole, as long as its call, and how much of it is a gap.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from dsp.event import Kind
from switch.clock import SystemClock
from switch.ids import CallId, leg_id
from switch.lab.processor_time import pin
from switch.media.messages import MediaEvent, RecordingEnded, RecordingFailed, WorkerReport
from switch.media.plane import MediaPlane
from switch.media.settings import MediaSettings
from switch.recording.file_format import Header, build_header
from switch.recording.keys import MasterKey, new_key
from switch.recording.plan import RecordingPlan
from switch.recording.reader import RecordingReader
from switch.routing.call_class import Inspectable
from tests.bench.bench_media import GENERATOR_CORE, SWITCH_CORE, hear, start, under_load
from tests.support.softphone import far_end

MASTER = MasterKey(bytes(range(32)))
CLOSE_S_MAX = 60.0


def plan_of(call: CallId, folder: Path) -> RecordingPlan:
    name, key = f"{call:x}", new_key()
    header = Header(
        recording=name,
        call=call,
        began_at=0.0,
        key_id=MASTER.id,
        wrapped_key=MASTER.wrap(key, name),
    )
    return RecordingPlan(name, folder / f"{name}.rec", key, build_header(header))


def open_calls(plane: MediaPlane, ports: list[int], calls: int, folder: Path | None) -> list[int]:
    """Open inspected calls; with a folder each is recorded."""
    ours = []
    for n in range(calls):
        call = CallId(n + 1)
        permit = Inspectable(call)
        legs = (leg_id(call, is_b=False), leg_id(call, is_b=True))
        for leg, port in zip(legs, ports[2 * n : 2 * n + 2], strict=True):
            ours.append(plane.open_leg(leg, family="ip4", law="PCMU").port)
            plane.set_remote(leg, far_end(port))
        plane.inspect(permit, legs, frozenset(kind.value for kind in Kind))
        now = SystemClock().monotonic()
        if folder is not None:
            plane.record(permit, plan_of(call, folder), began=now)
        plane.join(call, paid_until=now + 3600, mute_digits=True, now=now)
    return ours


async def measure(calls: int, seconds: float, data: Path, folder: Path | None) -> dict[str, Any]:
    """Let the calls talk; return what a packet cost, and what became of the files."""
    events: list[MediaEvent] = []
    settings = MediaSettings(address="127.0.0.1", port_min=20000, port_max=29998, workers=1)
    plane = MediaPlane(
        settings=settings, clock=SystemClock(), data=data, on_event=events.append, random=Random(1)
    )
    await plane.start()
    load = await start("rtp_load", str(2 * calls), str(seconds))
    pin([load.pid], GENERATOR_CORE)
    telephones = await hear(load)
    ours = open_calls(plane, telephones, calls, folder)
    pids = [os.getpid(), *plane.worker_pids().values()]
    pin(pids, SWITCH_CORE)
    result = await under_load(load, ours, lambda: pids)
    for n in range(2 * calls):
        plane.close_leg(leg_id(CallId(n // 2 + 1), is_b=bool(n % 2)))
    if folder is not None:
        async with asyncio.timeout(CLOSE_S_MAX):
            while sum(isinstance(one, RecordingEnded) for one in events) < calls:
                await asyncio.sleep(0.05)
    async with asyncio.timeout(CLOSE_S_MAX):
        while plane.counts().legs:
            await asyncio.sleep(0.05)
    await plane.close()
    reports = [one for one in events if isinstance(one, WorkerReport)]
    result["tick_ms_p99"] = max((one.tick_ms_p99 for one in reports), default=0.0)
    result["failed"] = sum(isinstance(one, RecordingFailed) for one in events)
    result["ended"] = [one for one in events if isinstance(one, RecordingEnded)]
    return result


def judge(folder: Path, ended: list[RecordingEnded]) -> dict[str, Any]:
    """Open every file."""
    whole, gap, samples, left_out = 0, 0, 0, 0
    for one in ended:
        reader = RecordingReader(folder / f"{one.recording}.rec", MASTER)
        sound = reader.sound()
        whole += reader.is_closed and reader.prove() == one.sha256
        gap += sum(length for side in sound.gaps for _, length in side)
        samples += 2 * reader.samples
        left_out += one.chunks_left_out
    return {
        "files": len(ended),
        "files_whole": whole,
        "gap_share": round(gap / max(1, samples), 4),
        "chunks_left_out": left_out,
    }


async def run(calls: int, seconds: float) -> dict[str, Any]:
    """Measure one size, without a recorder first."""
    with tempfile.TemporaryDirectory() as data:
        plain = await measure(calls, seconds, Path(data) / "plain", None)
        folder = Path(data) / "recordings"
        kept = await measure(calls, seconds, Path(data) / "kept", folder)
        files = judge(folder, kept["ended"])
    return {
        "bench": "recording",
        "calls": calls,
        "us_per_packet": kept["us_per_packet"],
        "us_per_packet_unrecorded": plain["us_per_packet"],
        "us_added": round(kept["us_per_packet"] - plain["us_per_packet"], 2),
        "delivered": kept["delivered"],
        "added_latency_ms": kept["added_latency_ms"],
        "added_latency_ms_unrecorded": plain["added_latency_ms"],
        "tick_ms_p99": kept["tick_ms_p99"],
        "failed": kept["failed"],
        **files,
    }


def main() -> None:
    """Measure each size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    for calls in options.calls:
        found = asyncio.run(run(calls, options.seconds))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
