"""One beat of the meter over many live calls, on the real ledger with the real disk.

python -m tests.bench.bench_metering [CALLS] [BEATS] [sqlite|postgres]

Prints one JSON line for the beat with rich accounts, one with poor ones (all move every second),
and one for a hundred set-ups at once (reserve, then settle). On PostgreSQL server and client are
on one machine, with fsync and synchronous_commit on.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved
from switch.ids import AccountId, CallId
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import MoneyScene, postgres_scene, sqlite_scene
from tests.support.peers.postgres import postgres_server

RICH, POOR = 3_600_000, 200_000
AT_ONCE = 100
ENDS_AT_ONCE = 200
"""Waiters for one commit; more would only wait in the queue."""


async def open_accounts(scene: MoneyScene, count: int, amount: int) -> list[AccountId]:
    """Open and fund so many accounts."""
    opened: list[AccountId] = []
    while len(opened) < count:
        some = min(ENDS_AT_ONCE, count - len(opened))
        opened += await asyncio.gather(*(scene.purse(amount) for _ in range(some)))
    return opened


async def beats(scene: MoneyScene, calls: int, count: int, amount: int) -> list[float]:
    """Meter so many calls for so many seconds; return the milliseconds of each beat."""
    await scene.begin()
    accounts = await open_accounts(scene, calls, amount)
    first = amount * 10

    async def start(n: int) -> None:
        assert isinstance(await scene.reserve(first + n, accounts[n]), Reserved)
        scene.book.bridged(CallId(first + n), at=0.0)

    for begin in range(0, calls, ENDS_AT_ONCE):
        some = range(begin, min(calls, begin + ENDS_AT_ONCE))
        await asyncio.gather(*(start(n) for n in some))
    took = []
    for n in range(1, count + 1):
        begun = time.perf_counter()
        beat = scene.book.beat(now=n + 0.3)
        result = await scene.meters.beat(beat)
        assert result.outcome is BeatOutcome.DONE
        scene.book.applied(beat, result, now=n + 0.3)
        took.append((time.perf_counter() - begun) * 1000)
    for begin in range(0, calls, ENDS_AT_ONCE):
        some = range(begin, min(calls, begin + ENDS_AT_ONCE))
        await asyncio.gather(*(scene.end(first + n, ended_at=count + 0.5) for n in some))
    return took


async def set_ups(scene: MoneyScene) -> list[float]:
    """Reserve and settle a hundred calls at once; return the milliseconds of each round."""
    await scene.begin()
    accounts = await open_accounts(scene, AT_ONCE, RICH)
    meters, took = scene.meters, []
    for turn in range(20):
        calls = [CallId(10**9 + turn * AT_ONCE + n) for n in range(AT_ONCE)]
        begun = time.perf_counter()
        await asyncio.gather(
            *(meters.reserve(c, a, ELEVEN_CENTS) for c, a in zip(calls, accounts, strict=True))
        )
        await asyncio.gather(*(meters.settle(c, seconds=2, credit=Credit.NONE) for c in calls))
        took.append((time.perf_counter() - begun) * 1000)
    return took


def line(bench: str, took: Sequence[float], **more: object) -> None:
    """Print one figure."""
    ordered = sorted(took)
    figures = {
        "median_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 2),
    }
    sys.stdout.write(json.dumps({"bench": bench} | more | figures) + "\n")
    sys.stdout.flush()


async def main(calls: int, count: int, store: str) -> None:
    """Measure."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scene: MoneyScene
        if store == "sqlite":
            scene = await stack.enter_async_context(sqlite_scene(folder))
        else:
            server = stack.enter_context(postgres_server())
            scene = await stack.enter_async_context(postgres_scene(await server.ledger()))
        for name, amount in (("rich", RICH), ("poor", POOR)):
            took = await beats(scene, calls, count, amount)
            line("metering_tick", took, store=store, calls=calls, accounts=name)
        line("reserve_and_settle", await set_ups(scene), store=store, calls=AT_ONCE)


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    wanted = "postgres" if "postgres" in sys.argv[1:] else "sqlite"
    many, often = (given + [1_000, 60][len(given) :])[:2]
    asyncio.run(main(many, often, wanted))
