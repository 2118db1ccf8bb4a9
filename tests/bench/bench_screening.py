"""One call gathered and screened, at a site with ten thousand blocks and two hundred wildcards.

python -m tests.bench.bench_screening [CALLS]
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from switch.ids import CallId, PersonId, TerminalId
from switch.screening.order import screen
from switch.screening.permit import Denied
from switch.store.engine import driver
from tests.support.house_rig import HouseClock, block_in_bulk, open_house


async def screened(folder: Path, calls: int) -> list[float]:
    """Screen so many calls, one after the other; return the milliseconds of each."""
    took = []
    clock = HouseClock()
    async with open_house(folder, clock) as (store, house):
        await store.write(lambda c: block_in_bulk(driver(c)))
        await house.reload()
        for n in range(calls):
            begin = time.perf_counter()
            facts = await house.gather(
                call=CallId(n + 1),
                terminal=house.house.terminals[TerminalId("T1")],
                person=PersonId("123456"),
                digits="+15552345678",
                at_wall=clock.wall(),
            )
            verdict = screen(facts)
            took.append((time.perf_counter() - begin) * 1000)
            assert not isinstance(verdict, Denied), verdict
    return sorted(took)


def main() -> None:
    """Measure and print one JSON line."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(screened(Path(folder), calls))
    figure = {
        "bench": "screening",
        "store": "sqlite",
        "blocks": 10_000,
        "wildcards": 200,
        "calls": calls,
        "median_ms": round(statistics.median(took), 3),
        "p99_ms": round(took[min(len(took) - 1, round(len(took) * 0.99))], 3),
    }
    sys.stdout.write(json.dumps(figure) + "\n")


if __name__ == "__main__":
    main()
