"""How much a call holds, and whether anything stays when it is over.

python -m tests.soak.memory [--few 50] [--many 200] [--first 1000] [--last 10000] [--cps 20]

Holds a few calls, then many, and looks at the memory of control and workers, at once after the
set-up and again when the transactions of SIP are over (32 s); all calls talk and are inspected.
Then sets calls up and tears them down, and looks when none is left: after the first thousand, and
after ten thousand. Counted is what the processes hold themselves, not the code that they have read.
Prints one JSON line. Fails if a call holds more than 60 kB, if more than 5 % has stayed, or if the
ledger cannot prove itself; calls that a busy machine refuses are counted and placed again.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.soak.busy_switch import BusySwitch, machine, say, tell

KB_PER_CALL_MAX: Final = 60.0
GROWTH_MAX: Final = 0.05
SETTLED_S: Final = 36.0
"""Until the transactions of a set-up are over: 32 s (RFC 3261, timers H, L and M), and a little."""

CALM_S: Final = 4.0
"""Between the last set-up and a look at the memory. Chosen: every leg has been reported."""

WARM_CALLS: Final = 10
"""Held once before anything is measured. A worker that has started lets go of some ten megabytes
within a minute (measured), which would hide what the first calls take."""

SHORT_S: Final = 0.5
"""Mean length of a call that is only set up and torn down. Chosen."""

TELL_S: Final = 10.0


async def held(house: BusySwitch, how_many: int, cps: float) -> dict[str, Any]:
    """Hold so many calls; return the memory with them, twice."""
    async with house.placing() as calls, asyncio.TaskGroup() as group:
        group.create_task(calls.keep_up(how_many, calls_per_s=cps, hold_s=0))
        async with asyncio.timeout(how_many / cps * 3 + 120):
            while calls.tally.set_up - calls.tally.refused["lost"] < how_many:
                await asyncio.sleep(0.1)
        await asyncio.sleep(CALM_S)
        at_once = house.memory_kb()
        await asyncio.sleep(SETTLED_S)
        row = {"calls": how_many, "at_once": at_once, "settled": house.memory_kb()}
        calls.stopping.set()
    tell(row | {"refused": dict(calls.tally.refused)})
    return row


async def come_and_go(house: BusySwitch, how_many: int, cps: float) -> dict[str, int]:
    """Set so many calls up and tear them down again; return how many were and were not."""
    live = max(2, round(cps * 2.5))
    begun = told = house.clock.monotonic()
    async with house.placing() as calls, asyncio.TaskGroup() as group:
        group.create_task(calls.keep_up(live, calls_per_s=cps, hold_s=SHORT_S))
        async with asyncio.timeout(how_many / cps * 4 + 120):
            while (done := calls.tally.completed) < how_many:
                await asyncio.sleep(0.2)
                if (now := house.clock.monotonic()) - told >= TELL_S:
                    told = now
                    left_s = (how_many - done) / max(done / (now - begun), 0.01)
                    tell({"done": done, "of": how_many, "left_s": round(left_s)})
        calls.stopping.set()
    return {"completed": calls.tally.completed, "refused": calls.tally.refused.total()}


async def empty(house: BusySwitch) -> dict[str, int]:
    """Wait until nothing of any call is left; return the memory."""
    await house.quiet()
    await asyncio.sleep(CALM_S)
    row = house.memory_kb()
    tell({"empty": row})
    return row


def total(kept: dict[str, int]) -> int:
    """All of it."""
    return kept["control_kb"] + kept["workers_kb"]


def per_call(idle: dict[str, int], few: Any, many: Any, when: str) -> dict[str, float]:
    """What a call holds: above the idle switch, and from few calls to many."""
    steps = many["calls"] - few["calls"]
    out = {
        f"kb_{name}": (total(one[when]) - total(idle)) / one["calls"]
        for name, one in (("few", few), ("many", many))
    }
    out["kb_slope"] = (total(many[when]) - total(few[when])) / steps
    for part in ("control_kb", "workers_kb"):
        out[f"{part}_slope"] = (many[when][part] - few[when][part]) / steps
    return {name: round(value, 1) for name, value in out.items()}


async def run(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Do all of it; return what was found."""
    most = 2 * max(given.many, given.few, round(given.cps * 6)) + 200
    async with BusySwitch(folder, legs_max=most, seed=given.seed) as house:
        await house.spare_is_there()
        await held(house, WARM_CALLS, given.cps)
        idle = await empty(house)
        few = await held(house, given.few, given.cps)
        await empty(house)
        many = await held(house, given.many, given.cps)
        await empty(house)
        went = [await come_and_go(house, given.first, given.cps)]
        first = await empty(house)
        went.append(await come_and_go(house, given.last - given.first, given.cps))
        last = await empty(house)
        faults = await house.books()
    at_once, settled = (per_call(idle, few, many, when) for when in ("at_once", "settled"))
    growth = total(last) / total(first) - 1
    worst = max(one[name] for one in (at_once, settled) for name in ("kb_many", "kb_slope"))
    if worst > KB_PER_CALL_MAX:
        faults.append(f"a call holds {worst} kB")
    if growth > GROWTH_MAX:
        faults.append(
            f"{100 * growth:.1f} % more after {given.last} calls than after {given.first}"
        )
    return {
        "soak": "memory",
        "machine": machine(),
        "few": given.few,
        "many": given.many,
        "idle": idle,
        "at_once": at_once,
        "settled": settled,
        "after_first": {"calls": went[0]["completed"], **first},
        "after_last": {"calls": sum(one["completed"] for one in went), **last},
        "refused": sum(one["refused"] for one in went),
        "growth_percent": round(100 * growth, 2),
        "faults": faults,
    }


def main(words: list[str]) -> int:
    """Measure; return 1 if a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak memory", description=__doc__)
    parser.add_argument("--few", type=int, default=50)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--last", type=int, default=10_000)
    parser.add_argument("--cps", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given, Path(folder)))
    say(found)
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
