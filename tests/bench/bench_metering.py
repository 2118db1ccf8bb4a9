"""One beat of the meter over many live calls, on the real store with the real disk.

python -m tests.bench.bench_metering [CALLS] [BEATS]

Prints one JSON line for the beat with rich accounts, one with poor ones (all move every second),
and one for a hundred set-ups at once (reserve, then settle).
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved
from switch.billing.meter import MeterBook
from switch.clock import SystemClock
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_statements
from switch.store.account_statements import NewAccount
from switch.store.engine import Store, driver
from switch.store.meter_store import MeterStore
from tests.support.money_rig import ELEVEN_CENTS

RICH, POOR = 3_600_000, 200_000
AT_ONCE = 100


async def open_accounts(store: Store, count: int, amount: int) -> list[AccountId]:
    """Open and fund so many accounts in one deed."""

    def deed(connection: Connection) -> list[AccountId]:
        raw = driver(connection)
        opened = []
        for _ in range(count):
            account = account_statements.open_purse(raw, NewAccount(kind="called_prepaid"), at=0.0)
            account_statements.fund(raw, account, Micros(amount), ref=f"b{account}", at=0.0)
            opened.append(account)
        return opened

    return await store.write(deed)


async def beats(store: Store, calls: int, count: int, amount: int) -> list[float]:
    """Meter so many calls for so many seconds; return the milliseconds of each beat."""
    meters = MeterStore(store)
    book = MeterBook(node="bench", epoch=await meters.begin_epoch("bench", "boot"))
    accounts = await open_accounts(store, calls, amount)

    async def reserve(call: CallId, account: AccountId) -> None:
        got = await meters.reserve(call, account, ELEVEN_CENTS)
        assert isinstance(got, Reserved)
        book.opened(call, account, ELEVEN_CENTS, got.paid_s, now=0.0, purse=got.purse)
        book.bridged(call, at=0.0)

    first = amount
    await asyncio.gather(*(reserve(CallId(first + n), a) for n, a in enumerate(accounts)))
    took = []
    for n in range(1, count + 1):
        begun = time.perf_counter()
        beat = book.beat(now=n + 0.3)
        result = await meters.beat(beat)
        assert result.outcome is BeatOutcome.DONE
        book.applied(beat, result, now=n + 0.3)
        took.append((time.perf_counter() - begun) * 1000)
    for n in range(calls):
        call = CallId(first + n)
        await meters.settle(
            call, seconds=book.ended(call, ended_at=count + 0.5), credit=Credit.NONE
        )
    return took


async def set_ups(store: Store) -> list[float]:
    """Reserve and settle a hundred calls at once; return the milliseconds of each round."""
    meters = MeterStore(store)
    await meters.begin_epoch("bench", "boot")
    accounts = await open_accounts(store, AT_ONCE, RICH)
    took = []
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
    sys.stdout.write(json.dumps({"bench": bench, "store": "sqlite"} | more | figures) + "\n")


async def main(calls: int, count: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "bench.db", clock=SystemClock())
        line("metering_tick", await beats(store, calls, count, RICH), calls=calls, accounts="rich")
        line("metering_tick", await beats(store, calls, count, POOR), calls=calls, accounts="poor")
        line("reserve_and_settle", await set_ups(store), calls=AT_ONCE)
        await store.close()


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    asyncio.run(main(*(given + [1_000, 60][len(given) :])))
