"""One beat of the meter over many live calls, on the real ledger with the real disk.

python -m tests.bench.bench_metering [CALLS] [BEATS] [sqlite|postgres]

Prints one JSON line for the beat with ample accounts, one with poor ones (all move every second),
and one for a hundred set-ups at once (reserve, then settle). Without numbers: 1,000, 5,000 and
20,000 calls; without a store: SQLite (synchronous=FULL), and PostgreSQL where there is one
(synchronous_commit=on, server and client on one machine).

Beside median and p99 of the whole beat a line says, as means per beat: `book_ms`, processor time of
the book; `store_ms`, processor time of our statements; `server_ms`, processor time of PostgreSQL;
`waits_ms`, the rest: the disk, and on a busy machine its other work. `bound_by` is the largest.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
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
from tests.support.money_scene import NODE, MoneyScene, postgres_scene, sqlite_scene
from tests.support.peers.postgres import PostgresServer, binaries, postgres_server

_ACCOUNT_COLUMNS = "kind, owner, facility, currency, posted, held, floor, funded, opened_at"
_ACCOUNT = (
    f"INSERT INTO account ({_ACCOUNT_COLUMNS}) VALUES ",
    "('called_prepaid', ?, '', 'USD', ?, ?, 0, ?, 1.0)",
)
_TRANSFER = (
    "INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?)",
)
_METER_COLUMNS = (
    "call_id, account_id, quote_id, micros_per_minute, free_s, paid_s, hold, facility, node, epoch,"
    " boot_id, opened_at, contact, state"
)
_METER = (
    f"INSERT INTO meter ({_METER_COLUMNS}) VALUES ",
    "(?, ?, ?, ?, 0, ?, ?, 'F1', ?, ?, 'boot', 1.0, '', 'RESERVED')",
)
ROWS_AT_ONCE = 1_000
SIZES = (1_000, 5_000, 20_000)
BEATS = 60

AMPLE, POOR = 3_600_000, 200_000
AT_ONCE = 100


class Took(NamedTuple):
    """One beat, in seconds: the whole, and the processor time of book and statements."""

    whole: float
    book: float
    store: float


async def open_accounts(
    scene: MoneyScene, count: int, amount: int, *, like: Reserved | None, first: int
) -> list[AccountId]:
    """Open and fund so many accounts in one deed, with a reserved call on each if one is given."""
    stem, held = f"{amount}-{count}-{first}", like.purse.held if like else 0

    def deed(raw: Raw) -> list[AccountId]:
        offline = ledger_statements.book(raw, "offline", currency="USD", at=1.0)
        opened: list[AccountId] = []
        for begin in range(0, count, ROWS_AT_ONCE):
            rows = [(f"A{n}", amount, held, amount) for n in range(begin, count)[:ROWS_AT_ONCE]]
            some = [AccountId(row[0]) for row in _insert(raw, _ACCOUNT, rows, "id").fetchall()]
            paid = [_funding(stem, offline, account, amount) for account in some]
            keys = [(r.id, offline, r.credit, amount, "fund", "", 1.0, r.body_hash) for r in paid]
            _insert(raw, _TRANSFER, keys, "seq")
            if like is not None:
                quote, epoch = ELEVEN_CENTS, scene.meters.epoch
                price = (quote.id, quote.micros_per_minute, like.paid_s, held, NODE, epoch)
                calls = enumerate(some, start=first + begin)
                _insert(raw, _METER, [(call, account, *price) for call, account in calls], "seq")
            opened += some
        ledger_statements.post(raw, offline, -amount * count)
        return opened

    return await scene.vault.write(deed)


def _funding(stem: str, offline: AccountId, account: AccountId, amount: int) -> Transfer:
    return Transfer(
        id=f"bench-{stem}-{account}",
        debit=offline,
        credit=account,
        amount=Micros(amount),
        code="fund",
        ref="",
    )


def _insert(raw: Raw, into: tuple[str, str], rows: Sequence[Sequence[object]], what: str) -> Rows:
    """Write many rows in one statement; return something of each."""
    head, row = into
    sql = f"{head}{', '.join([row] * len(rows))} RETURNING {what}"
    return raw.execute(sql, [value for one in rows for value in one])


async def start_calls(scene: MoneyScene, calls: int, amount: int) -> None:
    """Bridge so many calls: the first is reserved as any, the others are written like it."""
    first = amount * 10
    (account,) = await open_accounts(scene, 1, amount, like=None, first=first)
    like = await scene.reserve(first, account)
    assert isinstance(like, Reserved)
    more = await open_accounts(scene, calls - 1, amount, like=like, first=first + 1)
    for n, payer in enumerate(more, start=first + 1):
        scene.book.opened(CallId(n), payer, ELEVEN_CENTS, like.paid_s, now=0.0, purse=like.purse)
    for n in range(calls):
        scene.book.bridged(CallId(first + n), at=0.0)


async def beats(scene: MoneyScene, count: int) -> list[Took]:
    """Meter the live calls for so many seconds."""
    took = []
    for n in range(1, count + 1):
        begun, worked = time.perf_counter(), time.process_time()
        await scene.meters.follow_limits()
        followed = time.process_time()
        beat = scene.book.beat(now=n + 0.3, limited=scene.meters.limited)
        asked = time.process_time()
        result = await scene.meters.beat(beat)
        answered = time.process_time()
        assert result.outcome is BeatOutcome.DONE
        scene.book.applied(beat, result, now=n + 0.3)
        done = time.process_time()
        book = asked - followed + done - answered
        took.append(Took(time.perf_counter() - begun, book, done - worked - book))
    return took


async def set_ups(scene: MoneyScene) -> list[float]:
    """Reserve and settle a hundred calls at once; return the milliseconds of each round."""
    await scene.begin()
    accounts = await open_accounts(scene, AT_ONCE, AMPLE, like=None, first=0)
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
    load = {"load": round(os.getloadavg()[0], 1)}
    sys.stdout.write(json.dumps({"bench": bench} | more | figures | load) + "\n")
    sys.stdout.flush()


async def measure(calls: int, count: int, store: str) -> None:
    """Measure one size on one store: each kind of accounts on a ledger of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server()) if store == "postgres" else None
        for name, amount in (("ample", AMPLE), ("poor", POOR)):
            async with _scene(server) as scene:
                await scene.begin()
                await start_calls(scene, calls, amount)
                begun = _server_time(server)
                took = await beats(scene, count)
                parts = _parts(took, (_server_time(server) - begun) / count)
                whole = [one.whole * 1000 for one in took]
                line("metering_tick", whole, store=store, calls=calls, accounts=name, **parts)
        if calls == SIZES[0]:
            async with _scene(server) as scene:
                line("reserve_and_settle", await set_ups(scene), store=store, calls=AT_ONCE)


@asynccontextmanager
async def _scene(server: PostgresServer | None) -> AsyncIterator[MoneyScene]:
    """An empty ledger: on a server, else on a file of its own."""
    if server is not None:
        async with postgres_scene(await server.ledger()) as scene:
            yield scene
        return
    with tempfile.TemporaryDirectory() as folder:
        async with sqlite_scene(Path(folder)) as scene:
            yield scene


def _parts(took: Sequence[Took], server: float) -> dict[str, object]:
    """Where the time of a mean beat went."""
    whole, book, store = (statistics.fmean(column) for column in zip(*took, strict=True))
    parts = {"book": book, "store": store, "server": server}
    parts["waits"] = max(0.0, whole - sum(parts.values()))
    bound = max(parts, key=lambda part: parts[part])
    told = {f"{part}_ms": round(seconds * 1000, 2) for part, seconds in parts.items()}
    return told | {"bound_by": bound}


def _server_time(server: PostgresServer | None) -> float:
    """Processor seconds of a server's processes (first word of `schedstat`, nanoseconds)."""
    if server is None:
        return 0.0
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    spent_ns = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == postmaster:
                spent_ns += int((process / "schedstat").read_text().split()[0])
        except OSError:
            continue  # it has ended meanwhile
    return spent_ns / 1e9


def main(words: list[str]) -> None:
    """Measure what was asked for, or everything."""
    given = [int(word) for word in words if word.isdecimal()]
    known = ["sqlite", "postgres"] if binaries() is not None else ["sqlite"]
    stores = [store for store in known if store in words] or known
    for store in stores:
        for calls in given[:1] or SIZES:
            asyncio.run(measure(calls, given[1] if len(given) > 1 else BEATS, store))


if __name__ == "__main__":
    main(sys.argv[1:])
