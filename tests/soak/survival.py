"""kill -9 on media workers at random moments under many live calls.

python -m tests.soak survival [--calls 300] [--kills 20] [--workers 1] [--apart 2 6] [--seed N]

All calls talk, both ways, and are inspected; every frame that comes out is known again. Each kill
hits a random worker that carries calls; the next one comes at a random moment after all legs are
back. Prints one JSON line. Fails if a call was lost, if sound came back later than half a second
at the 99th percentile of all legs and kills, if a leg, port or meter was left, if a record does
not say what happened, or if a cent is wrong.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any, Final

from switch.lab.load_calls import LoadCalls
from tests.soak.busy_switch import BusySwitch, machine, say, tell
from tests.support.kill_scene import GAP_S_MIN, percentile

BACK_S_MAX: Final = 0.5
"""The bound for the 99th percentile."""

MICROS_PER_MINUTE: Final = 60_000
"""`config/tariffs/bench.toml`."""

RESUME_S_MAX: Final = 60.0
"""How long the legs may take to be back before it is given up. Chosen: far above the bound."""

HEARD_S: Final = 1.0
"""After the legs are back, until the pauses are read. Chosen: each leg hears fifty frames."""

MORE_SET_UP_S: Final = 120.0


async def run(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Place the calls, kill, hang up, reckon."""
    random = Random(given.seed)
    workers = f"\nworkers = {given.workers}\nspare_after_s = 0.5\nlegs_packed = 0\n"
    legs_max = 2 * given.calls + 200
    async with BusySwitch(
        folder,
        legs_max=legs_max,
        seed=given.seed,
        edit=lambda text: text.replace("\nworkers = 1\n", workers),
    ) as house:
        await house.spare_is_there()
        position = (await house.asked("calls", "after", position=None))["position"]
        pauses: list[float] = []
        async with house.placing() as calls, asyncio.TaskGroup() as group:
            group.create_task(calls.keep_up(given.calls, calls_per_s=given.cps, hold_s=0))
            await _all_talk(calls, given)
            house.media.pauses_s(now=house.clock.monotonic())
            for number in range(1, given.kills + 1):
                await asyncio.sleep(random.uniform(*given.apart))
                pauses += await _kill_one(house, calls, given, random, number)
            live = calls.tally.live
            calls.stopping.set()
        held = await house.quiet()
        faults = await house.books()
        faults += _lost(calls, live, given)
        faults += await _judge_records(house, position, given)
        died = held["workers_died"]
    back = sorted(pauses)
    if died < given.kills:
        faults.append(f"only {died} workers died")
    if not back:
        faults.append("no leg noticed a kill")
    elif percentile(back, 0.99) > BACK_S_MAX:
        faults.append(
            f"sound came back after {percentile(back, 0.99):.3f} s at the 99th percentile"
        )
    return {
        "soak": "survival",
        "machine": machine(),
        "calls": given.calls,
        "kills": given.kills,
        "workers": given.workers,
        "seed": given.seed,
        "set_up": calls.tally.set_up,
        "completed": calls.tally.completed,
        "refused": dict(calls.tally.refused),
        "legs_times_kills": len(back),
        "back_ms": {
            name: round(1000 * percentile(back, share)) if back else None
            for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
        },
        "load_late_turns": int(house.media.legs.late[0]),
        "ports_left": held["ports"],
        "faults": faults[:20],
    }


async def _all_talk(calls: LoadCalls, given: argparse.Namespace) -> None:
    async with asyncio.timeout(given.calls / given.cps * 3 + MORE_SET_UP_S):
        while calls.tally.set_up < given.calls:
            await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)
    tell({"talking": calls.tally.live, "refused": dict(calls.tally.refused)})


async def _kill_one(
    house: BusySwitch,
    calls: LoadCalls,
    given: argparse.Namespace,
    random: Random,
    number: int,
) -> list[float]:
    """Kill a worker; return how long each leg that lost sound by it heard nothing."""
    house.media.pauses_s(now=house.clock.monotonic())
    pids = (await house.asked("health"))["worker_pids"]
    os.kill(random.choice(pids), signal.SIGKILL)
    legs = 2 * given.calls
    async with asyncio.timeout(RESUME_S_MAX):
        while True:
            await asyncio.sleep(0.1)
            held = await house.asked("health")
            if held["legs"] == legs and held["workers_died"] >= number:
                break
    await asyncio.sleep(HEARD_S)
    found = house.media.pauses_s(now=house.clock.monotonic())
    if given.workers > 1:  # those at other workers have noticed nothing
        found = [pause for pause in found if pause > GAP_S_MIN]
    row = {"kill": number, "of": given.kills, "live": calls.tally.live, "legs": len(found)}
    tell(row | {"p99_ms": round(1000 * percentile(found, 0.99)) if found else None})
    return found


def _lost(calls: LoadCalls, live: int, given: argparse.Namespace) -> list[str]:
    tally = calls.tally
    faults = [f"{count} calls: {why}" for why, count in tally.refused.items()]
    if (live, tally.completed) != (given.calls, given.calls):
        faults.append(f"{live} calls lived after the last kill, {tally.completed} were completed")
    return faults


async def _judge_records(house: BusySwitch, position: int, given: argparse.Namespace) -> list[str]:
    """Hold every record against what happened: how it ended, what it cost, that it had gaps."""
    records: list[dict[str, Any]] = []
    while True:
        answer = await house.asked("calls", "after", position=position)
        records += answer["records"]
        if answer["position"] == position:
            break
        position = answer["position"]
    faults = []
    if len(records) != given.calls:
        faults.append(f"{len(records)} records of {given.calls} calls")
    for record in records:
        name = f"call {record['call_id']}"
        if record["reason"] != "caller_hangup":
            faults.append(f"{name} ended as {record['reason']}")
        wanted = MICROS_PER_MINUTE * int(record["talked_s"]) // 60
        if record["charge"] != wanted or record["credits"]:
            faults.append(f"{name} cost {record['charge']} instead of {wanted}")
        gaps = sum(mark["kind"] == "media_gap" for mark in record["marks"])
        if given.workers == 1 and gaps != given.kills:
            faults.append(f"{name} tells of {gaps} gaps")
    return faults


def main(words: list[str]) -> int:
    """Kill; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak survival", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cps", type=float, default=20.0)
    parser.add_argument("--apart", type=float, nargs=2, default=(2.0, 6.0), help="seconds")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given, Path(folder)))
    say(found)
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
