"""The statements that meter on PostgreSQL: reserve, fence, second, lock, move, settle, void.

Each runs inside a deed. The order of locks is meters, budgets, accounts, each by id. What is
decided is decided by the same functions as on SQLite, between the lock and the move.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
import numpy as np

from switch.billing.beat import Asks, Beat, BeatOutcome, BeatResult, MeterRow
from switch.billing.credit import Credit
from switch.billing.horizon import AMPLE_HORIZON_S, FIRST_S, affordable_s, is_ample, price_of
from switch.billing.ledger import (
    CREDITS,
    Account,
    Entry,
    Refusal,
    Reserved,
    ReserveResult,
    Settled,
    Transfer,
    settlement,
)
from switch.billing.quote import FACILITY_PART, Quote
from switch.billing.rating import to_ns, whole_seconds
from switch.billing.rating_columns import Int64s
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import postgres_ledger
from switch.store.account_limits import least_s
from switch.store.meter_decision import Decided, StaleError, decide, moved, tied_of
from switch.store.meter_statements import LEASE_S, Opening
from switch.store.postgres_link import Link, rows_of

_LIVE_RATE: Final = """
SELECT coalesce(sum(micros_per_minute), 0)::bigint FROM meter
 WHERE account_id = $1 AND state IN ('RESERVED', 'LIVE')
"""
_KNOWN: Final = "SELECT state, paid_s FROM meter WHERE call_id = $1"
_QUOTE: Final = "INSERT INTO quote VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING"
_HOLD: Final = "UPDATE account SET held = held + $1 WHERE id = $2"
_OPEN: Final = """
INSERT INTO meter (call_id, account_id, quote_id, micros_per_minute, free_s, paid_s, hold,
                   facility, node, epoch, boot_id, opened_at, contact, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'RESERVED')
"""
_FENCE: Final = "SELECT 1 FROM node WHERE id = $1 AND epoch = $2 FOR SHARE"
# Not `IN ('RESERVED', 'LIVE')`: a planner without statistics would then find each call through the
# partial index of live meters, all of them, instead of by its key. Measured, 1,000 calls: 560 ms.
_BRIDGED: Final = """
UPDATE meter m SET state = 'LIVE', bridged_ns = t.at_ns
  FROM unnest($1::bigint[], $2::bigint[]) AS t(call_id, at_ns)
 WHERE m.call_id = t.call_id AND m.epoch = $3 AND m.state NOT IN ('SETTLED', 'VOID')
"""
_SECOND: Final = """
UPDATE meter m SET seq = t.to_s, charged = m.charged + t.delta
  FROM unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[]) AS t(call_id, from_s, to_s, delta)
 WHERE m.call_id = t.call_id AND m.seq = t.from_s AND m.epoch = $5
   AND m.state NOT IN ('SETTLED', 'VOID')
"""
_MOVE_ACCOUNTS: Final = """
UPDATE account a SET posted = a.posted - t.post, held = a.held - t.post + t.ask
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(id, post, ask) WHERE a.id = t.id
"""
# Meters before accounts: whoever settles one of these calls holds its meter and wants its account.
_LOCK_METERS: Final = """
SELECT count(*) FROM (SELECT 1 FROM meter WHERE call_id = ANY($1::bigint[])
                       ORDER BY call_id FOR NO KEY UPDATE) m
"""
_MOVE_METERS: Final = """
UPDATE meter m SET seq = t.to_s, charged = m.charged + t.delta, posted = m.posted + t.post,
                   hold = m.hold - t.post + t.ask, paid_s = m.paid_s + t.ask_s
  FROM unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::int[]) AS t(call_id, from_s, to_s, delta, post, ask, ask_s)
 WHERE m.call_id = t.call_id AND m.seq = t.from_s AND m.epoch = $8
   AND m.state NOT IN ('SETTLED', 'VOID')
"""
_UNSETTLED: Final = """
SELECT call_id, account_id, quote_id, seq, paid_s, charged, posted, boot_id, bridged_ns, opened_at
  FROM meter WHERE node = $1 AND state IN ('RESERVED', 'LIVE') ORDER BY call_id
"""
_EPOCH: Final = """
INSERT INTO node (id, epoch, boot_id, lease_until, number) VALUES ($1, 1, $2,
        extract(epoch FROM clock_timestamp()) + $3::double precision,
        (SELECT coalesce(max(number), 0) + 1 FROM node))
ON CONFLICT (id) DO UPDATE SET epoch = node.epoch + 1, boot_id = excluded.boot_id,
                               lease_until = excluded.lease_until
RETURNING epoch
"""
_ADOPT: Final = """
UPDATE meter SET epoch = $1 WHERE node = $2 AND state IN ('RESERVED', 'LIVE')
"""
_METER: Final = """
SELECT m.account_id, m.quote_id, m.bridged_ns, m.seq, m.paid_s, m.posted, m.hold, m.facility,
       m.node, m.state, a.currency
  FROM meter m JOIN account a ON a.id = m.account_id WHERE m.call_id = $1 FOR UPDATE OF m
"""
_PAYER: Final = "UPDATE account SET posted = posted + $1, held = held - $2 WHERE id = $3"
_CLOSE: Final = """
UPDATE meter SET seq = $1, charged = $2, posted = $2, hold = 0, state = $3 WHERE call_id = $4
"""
_TOLD: Final = """
SELECT t.id, t.amount, t.code, a.kind FROM transfer t JOIN account a ON a.id = t.credit
 WHERE t.ref = $1 ORDER BY t.seq
"""
_OPEN_STATES: Final = frozenset({"RESERVED", "LIVE"})


async def begin_epoch(link: Link, node: str, boot_id: str) -> int:
    """Raise the epoch of a node and take its unsettled meters along."""
    await link.execute("SELECT pg_advisory_xact_lock(7053)")  # two new nodes, two numbers
    epoch = await link.fetchval(_EPOCH, node, boot_id, LEASE_S)
    await link.execute(_ADOPT, epoch, node)
    return int(epoch)


async def reserve(link: Link, opening: Opening, *, at: float) -> Reserved | ReserveResult:
    """Hold the first seconds of a call. Told twice, it answers with the first result."""
    scopes = opening.scopes
    limits = await postgres_ledger.limits_of_scopes(link, scopes, at=at, locked=True)
    account = (await postgres_ledger.lock(link, [opening.account])).get(opening.account)
    if await link.fetchval(_FENCE, opening.node, opening.epoch) is None:
        return ReserveResult.NODE_FENCED
    known = await link.fetchrow(_KNOWN, opening.call)
    if known is not None:
        if known[0] not in _OPEN_STATES or account is None:
            return ReserveResult.CALL_ENDED
        return Reserved(paid_s=known[1], purse=account.purse, refused=None)
    if account is None:
        return ReserveResult.ACCOUNT_UNKNOWN
    if not account.is_open:
        return ReserveResult.ACCOUNT_CLOSED
    if account.currency != opening.quote.currency:
        return ReserveResult.CURRENCY_DIFFERS
    rate = opening.quote.rate
    wanted_s = await _wanted_s(link, opening.quote, account)
    allowed_s = least_s(limits, rate, paid_s=0, wanted_s=wanted_s)
    if allowed_s == 0:
        return ReserveResult.PAYER_LIMIT
    available = account.purse.available
    paid_s = affordable_s(rate, paid_s=0, available=available, wanted_s=allowed_s)
    if paid_s == 0:
        return ReserveResult.NO_FUNDS
    price = price_of(rate, paid_s=0, more_s=paid_s)
    await link.execute(_HOLD, price, account.id)
    await _open(link, opening, paid_s=paid_s, hold=price, at=at)
    taken = [(opening.call, x.id, x.takes(rate, paid_s=0, more_s=paid_s)) for x in limits]
    await postgres_ledger.hold_more(link, taken, at=at)
    refused = None
    if paid_s < FIRST_S:
        refused = Refusal.PAYER_LIMIT if allowed_s == paid_s else Refusal.FUNDS
    return Reserved(paid_s=paid_s, purse=moved(account.purse, 0, price), refused=refused)


async def _wanted_s(link: Link, quote: Quote, account: Account) -> int:
    live = await link.fetchval(_LIVE_RATE, account.id)
    ample = is_ample(account.purse.available, live_micros_per_minute=live + quote.micros_per_minute)
    return int(AMPLE_HORIZON_S) if ample else FIRST_S


async def _open(link: Link, opening: Opening, *, paid_s: int, hold: Micros, at: float) -> None:
    quote = opening.quote
    body = msgspec.json.encode(quote).decode()
    await link.execute(_QUOTE, quote.id, quote.version_hash, body)
    await link.execute(
        _OPEN,
        opening.call,
        opening.account,
        quote.id,
        quote.micros_per_minute,
        quote.free_s,
        paid_s,
        hold,
        opening.facility,
        opening.node,
        opening.epoch,
        opening.boot_id,
        at,
        opening.contact,
    )


async def limited_of(link: Link, calls: Collection[CallId]) -> set[CallId]:
    """Return those of some calls that are tied to spending limits."""
    query = "SELECT DISTINCT call_id FROM meter_budget WHERE call_id = ANY($1::bigint[])"
    return {CallId(row[0]) for row in await link.fetch(query, list(calls))}


async def write_beat(
    link: Link, beat: Beat, *, flight: AccountId, limited: Collection[CallId], at: float
) -> BeatResult:
    """Write one second of all calls.

    Args:
        link: a connection in a transaction.
        beat: what the book says.
        flight: the book in which the money of this node's live calls stands.
        limited: the calls that are tied to spending limits.
        at: wall time.

    Raises:
        StaleError: a meter stands elsewhere; nothing of this deed counts.
    """
    if await link.fetchval(_FENCE, beat.node, beat.epoch) is None:
        return BeatResult(outcome=BeatOutcome.FENCED)
    await _change(link, _BRIDGED, beat.bridges.call, beat.bridges.at_ns, beat.epoch)
    talked = beat.seconds
    await _change(link, _SECOND, talked.call, talked.from_s, talked.to_s, talked.delta, beat.epoch)
    if not len(beat.asks):
        return BeatResult(outcome=BeatOutcome.DONE)
    decided = await _decide(link, beat.asks, flight=flight, limited=limited, at=at)
    await _move(link, beat, decided, flight=flight, at=at)
    return BeatResult(
        outcome=BeatOutcome.DONE,
        granted_s=decided.granted_s,
        refused=decided.refused,
        purses=decided.purses,
    )


async def _decide(
    link: Link, asks: Asks, *, flight: AccountId, limited: Collection[CallId], at: float
) -> Decided:
    await link.fetchval(_LOCK_METERS, np.sort(asks.call).tolist())
    limits = await postgres_ledger.limits_of_calls(link, tied_of(asks, limited), at=at)
    asked = asks.account[asks.firsts]
    purses = await postgres_ledger.lock_purses(link, asked, flight)
    return decide(asks, purses=purses, limits=limits)


async def _move(link: Link, beat: Beat, decided: Decided, *, flight: AccountId, at: float) -> None:
    holds = [(hold.call, hold.limit, hold.taken) for hold in decided.limit_holds]
    await postgres_ledger.hold_more(link, holds, at=at)
    moves = (decided.posted != 0) | (decided.held != 0)
    accounts = (decided.purses.account, decided.posted, decided.held)
    await _change(link, _MOVE_ACCOUNTS, *(column[moves] for column in accounts))
    asks, talked = beat.asks, beat.asks.talked
    moves = (talked.delta != 0) | (asks.post != 0) | (decided.granted_s != 0)
    moves |= talked.to_s != talked.from_s
    meters = (talked.call, talked.from_s, talked.to_s, talked.delta, asks.post, decided.price)
    columns = (*meters, decided.granted_s)
    await _change(link, _MOVE_METERS, *(column[moves] for column in columns), beat.epoch)
    if posted := int(decided.posted.sum()):
        await postgres_ledger.post(link, [(flight, posted, 0)])


async def _change(link: Link, query: str, *columns: Int64s | int) -> None:
    """Carry out one statement for all rows of the columns; a number goes with all of them.

    Raises:
        StaleError: a row was not there.
    """
    rows = len(columns[0]) if isinstance(columns[0], np.ndarray) else 0
    if rows:
        values = (c if isinstance(c, int) else c.tolist() for c in columns)
        changed = rows_of(await link.execute(query, *values))
        if changed != rows:
            raise StaleError(f"{changed} rows changed instead of {rows}")


async def unsettled(link: Link, node: str) -> list[MeterRow]:
    """Return the meters of a node that are neither settled nor void."""
    return [MeterRow(*row) for row in await link.fetch(_UNSETTLED, node)]


async def quote_of(link: Link, quote_id: str) -> Quote:
    """Return a stored quote.

    Raises:
        LocalError: there is none of this id.
    """
    body = await link.fetchval("SELECT body FROM quote WHERE id = $1", quote_id)
    if body is None:
        raise LocalError(f"there is no quote {quote_id}")
    return msgspec.json.decode(body, type=Quote)


async def settle(
    link: Link,
    call: CallId,
    *,
    seconds: int,
    credit: Credit,
    heard_until: float | None,
    at: float,
) -> Settled:
    """End a call's money; see `meter_settlement.settle`, which says the same on SQLite."""
    row = await _locked_meter(link, call)
    if row["state"] not in _OPEN_STATES:
        return await told(link, call, seconds=row["seq"])
    quote = await quote_of(link, row["quote_id"])
    counted = 0 if credit is Credit.FREE else min(seconds, row["paid_s"])
    if credit is Credit.DEAD_60 and heard_until is not None and row["bridged_ns"] is not None:
        counted = min(counted, whole_seconds(to_ns(heard_until) - row["bridged_ns"]))
    ending = settlement(call, quote, seconds=counted, credit=credit)
    spent = Micros(ending.charged - ending.credited)
    await postgres_ledger.settle_limits(link, call, seconds=counted, spent=spent, at=at)
    await _write(
        link,
        call,
        row,
        ending.entries,
        at=at,
        back=row["posted"] - ending.charged + ending.credited,
    )
    closed = "VOID" if counted == 0 else "SETTLED"
    await link.execute(_CLOSE, counted, ending.charged, closed, call)
    return Settled(
        call=call,
        seconds=counted,
        charged=ending.charged,
        taxes=ending.taxes,
        credited=ending.credited,
        credits=tuple((e.id, e.amount) for e in ending.entries if e.code == "credit"),
        postings=tuple(entry.id for entry in ending.entries),
    )


async def told(link: Link, call: CallId, *, seconds: int) -> Settled:
    """Return the result of a call that was settled before, read from the ledger."""
    rows = await link.fetch(_TOLD, f"call:{call}")
    credits_ = tuple((id_, Micros(amount)) for id_, amount, code, _ in rows if code == "credit")
    settled = [(amount, kind) for _, amount, code, kind in rows if code == "settle"]
    return Settled(
        call=call,
        seconds=seconds,
        charged=Micros(sum(amount for amount, _ in settled)),
        taxes=Micros(sum(amount for amount, kind in settled if kind.startswith("tax:"))),
        credited=Micros(sum(amount for _, amount in credits_)),
        credits=credits_,
        postings=tuple(row[0] for row in rows),
    )


async def credit_rest(link: Link, call: CallId, *, at: float) -> Micros:
    """Give back all that is left of a call's charge, once: review or silence said so (M11)."""
    row = await _locked_meter(link, call)
    if row["state"] in _OPEN_STATES:
        raise LocalError(f"call {call} is not settled yet")
    before = await told(link, call, seconds=row["seq"])
    rest = Micros(before.charged - before.credited)
    if rest > 0:
        entry = Entry(
            id=f"call:{call}:credit:rest", book=CREDITS, line="*", amount=rest, code="credit"
        )
        await _write(link, call, dict(row) | {"hold": 0, "posted": 0}, [entry], at=at, back=rest)
    return rest


async def _locked_meter(link: Link, call: CallId) -> Any:  # noqa: ANN401 - a record
    row = await link.fetchrow(_METER, call)
    if row is None:
        raise LocalError(f"call {call} has no meter in the store")
    return row


async def _write(
    link: Link,
    call: CallId,
    row: Any,  # noqa: ANN401 - a record
    entries: Any,  # noqa: ANN401 - of entries
    *,
    at: float,
    back: int,
) -> None:
    """Lock payer and books, post what the entries say, and give the payer back what is left."""
    payer = AccountId(row["account_id"])
    flight = await in_flight(link, row["node"], currency=row["currency"], at=at)
    books = [await _book(link, entry, row, at=at) for entry in entries]
    await postgres_ledger.lock(link, {payer, flight, *books})
    rows, posts = [], [(flight, -row["posted"], 0)]
    for entry, book in zip(entries, books, strict=True):
        gives_back = entry.code == "credit"
        rows.append(
            Transfer(
                id=entry.id,
                debit=book if gives_back else payer,
                credit=payer if gives_back else book,
                amount=entry.amount,
                code=entry.code,
                ref=f"call:{call}",
            )
        )
        posts.append((book, -entry.amount if gives_back else entry.amount, 0))
    if rows:
        await postgres_ledger.write_transfers(link, rows, at=at)
    await postgres_ledger.post(link, posts)
    await link.execute(_PAYER, back, row["hold"], payer)


async def in_flight(link: Link, node: str, *, at: float, currency: str = "USD") -> AccountId:
    """The book in which the money of a node's live calls stands."""
    return await postgres_ledger.book(link, "in_flight", owner=node, currency=currency, at=at)


async def _book(link: Link, entry: Entry, row: Any, *, at: float) -> AccountId:  # noqa: ANN401
    of_facility = row["facility"] if entry.book == FACILITY_PART else ""
    return await postgres_ledger.book(
        link,
        entry.book,
        owner=row["node"],
        facility=of_facility,
        currency=row["currency"],
        at=at,
    )
