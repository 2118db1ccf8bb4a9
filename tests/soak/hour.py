"""An hour of calls that come and go, and whether anything drifts.

python -m tests.soak hour [--calls 300] [--seconds 3600] [--every 60] [--out FILE.md]

Holds so many calls; a call lasts as many seconds as there are calls, on average, so that one comes
and one goes each second. All talk and are inspected, and every frame that comes out is known
again. A row each minute: memory, descriptors, latency, what a packet cost, the ledger. Ends with a
table that names the machine, in FILE.md if that is given, and with one JSON line. Fails if a call
was refused or lost, if sound was spoilt, if the ledger could not prove itself, or if memory or
descriptors in the last third are above those of the second third.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from switch.lab.load_calls import LoadCalls
from switch.lab.load_media import RECEIVED, SENT
from switch.lab.load_program import Course
from tests.soak.busy_switch import BusySwitch, machine, say, tell

DRIFT_MAX: Final = 0.05
"""Of memory and descriptors from the second third to the last. Chosen: what is asked of memory
after ten thousand calls."""

DELIVERED_MIN: Final = 0.9999

SET_UP_CPS: Final = 10.0
ROWS_MIN: Final = 6
"""Fewer rows show no drift."""

COLUMNS: Final = {
    "minute": "min",
    "live": "calls",
    "set_up": "set up",
    "memory_mb": "memory MB",
    "descriptors": "descriptors",
    "p50_ms": "delay p50 ms",
    "p99_ms": "p99 ms",
    "max_ms": "max ms",
    "us_per_packet": "us a packet",
    "wrong": "wrong frames",
    "lag_ms": "control lag ms",
    "ledger": "ledger",
}


async def run(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let them come and go; return rows and verdict."""
    rows: list[dict[str, Any]] = []
    async with BusySwitch(folder, legs_max=4 * given.calls + 200, seed=given.seed) as house:
        await house.spare_is_there()
        empty = house.memory_kb(), house.descriptors()
        async with house.placing() as calls, asyncio.TaskGroup() as group:
            group.create_task(
                calls.keep_up(given.calls, calls_per_s=SET_UP_CPS, hold_s=given.hold or given.calls)
            )
            await _full(calls, given)
            await _watch(house, calls, given, rows)
            calls.stopping.set()
        await house.quiet()
        await asyncio.sleep(2.0)
        after = house.memory_kb(), house.descriptors()
        books = await house.books()
        late = int(house.media.legs.late[0])
    sent, received = int(calls.tally.counted[SENT]), int(calls.tally.counted[RECEIVED])
    delivered = round(received / max(1, sent), 6)
    rose = drift(rows)
    faults = books + [f"{count} calls: {why}" for why, count in calls.tally.refused.items()]
    faults += [
        f"{name} rose by {100 * share:.1f} %" for name, share in rose.items() if share > DRIFT_MAX
    ]
    faults += [
        f"{row['wrong']} wrong frames in minute {row['minute']}" for row in rows if row["wrong"]
    ]
    faults += [
        f"the ledger was {row['ledger']} in minute {row['minute']}"
        for row in rows
        if row["ledger"] != "sound"
    ]
    if delivered < DELIVERED_MIN:
        faults.append(f"only {delivered} of the frames came through")
    return {
        "soak": "hour",
        "machine": machine(),
        "calls": given.calls,
        "seconds": given.seconds,
        "seed": given.seed,
        "placed": calls.tally.placed,
        "completed": calls.tally.completed,
        "delivered": delivered,
        "drift_percent": {name: round(100 * share, 2) for name, share in rose.items()},
        "empty_before": {**empty[0], "descriptors": empty[1]},
        "empty_after": {**after[0], "descriptors": after[1]},
        "load_late_turns": late,
        "faults": faults[:20],
        "rows": rows,
    }


async def _full(calls: LoadCalls, given: argparse.Namespace) -> None:
    async with asyncio.timeout(given.calls / SET_UP_CPS * 3 + 60):
        while calls.tally.live < given.calls:
            await asyncio.sleep(0.2)
    await asyncio.sleep(3.0)


async def _watch(
    house: BusySwitch, calls: LoadCalls, given: argparse.Namespace, rows: list[dict[str, Any]]
) -> None:
    course = Course(calls, house.media, house.used())
    begun = house.clock.monotonic()
    number = 0
    while (number := number + 1) * given.every <= given.seconds:
        due = begun + number * given.every
        await asyncio.sleep(max(0.0, due - house.clock.monotonic()))
        rows.append(await _row(house, course, number * given.every / 60))
        course.mark()
        tell({name: rows[-1][name] for name in COLUMNS})


async def _row(house: BusySwitch, course: Course, minute: float) -> dict[str, Any]:
    row = course.row()
    memory = house.memory_kb()
    asked = house.clock.monotonic()
    await house.asked("health")
    lag_ms = 1e3 * (house.clock.monotonic() - asked)
    return {
        "minute": round(minute, 2),
        "live": row["live"],
        "set_up": row["set_up"],
        "refused": sum(row["refused"].values()),
        **memory,
        "memory_mb": round(sum(memory.values()) / 1024, 1),
        "descriptors": row["descriptors"],
        "p50_ms": row["delay_ms"]["p50"],
        "p99_ms": row["delay_ms"]["p99"],
        "max_ms": row["delay_ms"]["max"],
        "us_per_packet": row["us_per_packet"],
        "packets": row["packets"],
        "wrong": row["wrong"],
        "lag_ms": round(lag_ms, 1),
        "ledger": "sound" if not await house.books() else "broken",
    }


def drift(rows: list[dict[str, Any]]) -> dict[str, float]:
    """How much more the last third holds than the second; the first one warms up."""
    if len(rows) < ROWS_MIN:
        return {}
    third = len(rows) // 3
    before, after = rows[third : 2 * third], rows[-third:]
    return {
        name: statistics.median(row[name] for row in after)
        / statistics.median(row[name] for row in before)
        - 1
        for name in ("memory_mb", "descriptors")
    }


def table(found: dict[str, Any]) -> str:
    """What was found, as a table in Markdown."""
    head = [
        f"{found['seconds']:.0f} s of {found['calls']} calls that come and go.",
        f"{found['placed']} placed, {found['completed']} completed.",
        f"Of their frames {found['delivered']} were delivered.",
        f"Machine: {found['machine']}.",
        "",
        "| " + " | ".join(COLUMNS.values()) + " |",
        "|" + "---:|" * len(COLUMNS),
    ]
    rows = ["| " + " | ".join(str(row[name]) for name in COLUMNS) + " |" for row in found["rows"]]
    drift = ", ".join(f"{name} {share:+.2f} %" for name, share in found["drift_percent"].items())
    before, after = found["empty_before"], found["empty_after"]
    tail = [
        "",
        f"From the second third to the last: {drift or 'too few rows to say'}.",
        f"Without calls, before: {before}; after: {after}.",
        f"Faults: {'; '.join(found['faults']) or 'none'}.",
    ]
    return "\n".join([*head, *rows, *tail]) + "\n"


def main(words: list[str]) -> int:
    """Hold the calls; return 1 if anything drifted or broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak hour", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two rows")
    parser.add_argument("--hold", type=float, default=0.0, help="mean length; 0: one call a second")
    parser.add_argument("--out", type=Path, help="where the table goes, beside standard error")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given, Path(folder)))
    text = table(found)
    sys.stderr.write(text)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text)
    say({name: value for name, value in found.items() if name != "rows"})
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
