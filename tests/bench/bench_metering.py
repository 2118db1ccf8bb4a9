"""One beat of the meter over many live calls, on the real ledger with the real disk.

python -m tests.bench.bench_metering [CALLS] [BEATS] [sqlite|postgres]

Prints one JSON line for the beat with rich accounts, one with poor ones (all move every second),
and one for a hundred set-ups at once (reserve, then settle). Without numbers: 1,000, 5,000 and
20,000 calls; without a store: SQLite (synchronous=FULL), and PostgreSQL where there is one
(synchronous_commit=on, server and client on one machine). `store_ms` is the part that the store
takes, `book_ms` the median processor time of everything else.
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
from typing import NamedTuple

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, Transfer
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw, Rows
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import MoneyScene, postgres_scene, sqlite_scene
from tests.support.peers.postgres import binaries, postgres_server

_COLUMNS = "kind, owner, facility, currency, posted, floor, funded, opened_at"
_ACCOUNT = (
    f"INSERT INTO account ({_COLUMNS}) VALUES ",
    "('called_prepaid', ?, '', 'USD', ?, 0, ?, 1.0)",
)
_TRANSFER = (
    "INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
)
ROWS_AT_ONCE = 1_000
SIZES = (1_000, 5_000, 20_000)

RICH, POOR = 3_600_000, 200_000
AT_ONCE = 100


class Took(NamedTuple):
    """One beat, in seconds."""

    whole: float
    store: float
    book: float


async def open_accounts(scene: MoneyScene, count: int, amount: int) -> list[AccountId]:
    """Open and fund so many accounts, in one deed with few statements."""
    vault, stem = scene.vault, f"{amount}-{count}"

    def deed(raw: Raw) -> list[AccountId]:
        offline = ledger_statements.book(raw, "offline", currency="USD", at=1.0)
        opened: list[AccountId] = []
        for begin in range(0, count, ROWS_AT_ONCE):
            rows = [(f"A{n}", amount, amount) for n in range(begin, count)[:ROWS_AT_ONCE]]
            made = _insert(raw, _ACCOUNT, rows).fetchall()
            some = [AccountId(row[0]) for row in made]
            paid = [_funding(stem, offline, account, amount) for account in some]
            keys = [(r.id, offline, r.credit, amount, "fund", "", 1.0, r.body_hash) for r in paid]
            _insert(raw, _TRANSFER, keys)
            opened += some
        ledger_statements.post(raw, offline, -amount * count)
        return opened

    return await vault.write(deed)


def _funding(stem: str, offline: AccountId, account: AccountId, amount: int) -> Transfer:
    return Transfer(
        id=f"bench-{stem}-{account}",
        debit=offline,
        credit=account,
        amount=Micros(amount),
        code="fund",
        ref="",
    )


def _insert(raw: Raw, into: tuple[str, str], rows: Sequence[Sequence[object]]) -> Rows:
    """Write many rows in one statement; it answers with their ids."""
    head, row = into
    sql = f"{head}{', '.join([row] * len(rows))} RETURNING id"
    return raw.execute(sql, [value for one in rows for value in one])


async def beats(scene: MoneyScene, calls: int, count: int, amount: int) -> list[Took]:
    """Meter so many calls for so many seconds; return the milliseconds of each beat."""
    await scene.begin()
    accounts = await open_accounts(scene, calls, amount)
    first = amount * 10

    async def start(n: int) -> None:
        assert isinstance(await scene.reserve(first + n, accounts[n]), Reserved)
        scene.book.bridged(CallId(first + n), at=0.0)

    for begin in range(0, calls, AT_ONCE):
        some = range(begin, min(calls, begin + AT_ONCE))
        await asyncio.gather(*(start(n) for n in some))
    took = []
    for n in range(1, count + 1):
        begun, worked = time.perf_counter(), time.process_time()
        beat = scene.book.beat(now=n + 0.3)
        asked, spent = time.perf_counter(), time.process_time() - worked
        result = await scene.meters.beat(beat)
        done, worked = time.perf_counter(), time.process_time()
        assert result.outcome is BeatOutcome.DONE
        scene.book.applied(beat, result, now=n + 0.3)
        spent += time.process_time() - worked
        took.append(Took(time.perf_counter() - begun, done - asked, spent))
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


async def measure(calls: int, count: int, store: str) -> None:
    """Measure one size on one store."""
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
            parts = {
                "store_ms": round(statistics.median(one.store for one in took) * 1000, 2),
                "book_ms": round(statistics.median(one.book for one in took) * 1000, 2),
            }
            whole = [one.whole * 1000 for one in took]
            line("metering_tick", whole, store=store, calls=calls, accounts=name, **parts)
        if calls == SIZES[0]:
            line("reserve_and_settle", await set_ups(scene), store=store, calls=AT_ONCE)


def main(words: list[str]) -> None:
    """Measure what was asked for, or everything."""
    given = [int(word) for word in words if word.isdecimal()]
    known = ["sqlite", "postgres"] if binaries() is not None else ["sqlite"]
    stores = [store for store in known if store in words] or known
    for store in stores:
        for calls in given[:1] or SIZES:
            asyncio.run(measure(calls, given[1] if len(given) > 1 else 60, store))


if __name__ == "__main__":
    main(sys.argv[1:])
