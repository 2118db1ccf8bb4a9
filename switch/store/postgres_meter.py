"""The statements that meter on PostgreSQL: reserve, fence, second, lock, move.

Each runs inside a deed. The order of locks is meters, budgets, accounts, each by id. What is
decided is decided by the same functions as on SQLite, between the lock and the move.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import numpy as np

from switch.billing.beat import Asks, Beat, BeatOutcome, BeatResult, MeterRow
from switch.billing.horizon import AMPLE_HORIZON_S, FIRST_S, affordable_s, is_ample, price_of
from switch.billing.ledger import (
    Account,
    Refusal,
    Reserved,
    ReserveResult,
)
from switch.billing.quote import Quote
from switch.billing.rating_columns import Int64s
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import postgres_ledger
from switch.store.account_limits import Limit, least_s
from switch.store.meter_decision import Decided, StaleError, decide, moved, tied_of
from switch.store.meter_statements import LEASE_S, Opening
from switch.store.postgres_link import Link, rows_of

_LOOK: Final = """
SELECT (SELECT true FROM node WHERE id = $1 AND epoch = $2 FOR SHARE) AS is_ours,
       (SELECT coalesce(sum(micros_per_minute), 0)::bigint FROM meter
         WHERE account_id = $3 AND state IN ('RESERVED', 'LIVE')) AS live,
       m.state, m.paid_s
  FROM (SELECT $4::bigint AS call_id) asked LEFT JOIN meter m USING (call_id)
"""
_QUOTE: Final = "INSERT INTO quote VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING"
_OPEN: Final = """
WITH held AS (UPDATE account SET held = held + $7 WHERE id = $2)
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
_OPEN_STATES: Final = frozenset({"RESERVED", "LIVE"})


async def begin_epoch(link: Link, node: str, boot_id: str) -> int:
    """Raise the epoch of a node and take its unsettled meters along."""
    await link.execute("SELECT pg_advisory_xact_lock(7053)")  # two new nodes, two numbers
    epoch = await link.fetchval(_EPOCH, node, boot_id, LEASE_S)
    await link.execute(_ADOPT, epoch, node)
    return int(epoch)


async def reserve(
    link: Link, opening: Opening, *, is_quote_known: bool, at: float
) -> tuple[Reserved | ReserveResult, bool, bool]:
    """Hold the first seconds of a call. Told twice, it answers with the first result.

    Args:
        link: a connection in a transaction.
        opening: what is wanted.
        is_quote_known: the quote is stored already.
        at: wall time.

    Returns:
        The answer, whether limits bind the call, and whether its quote is stored by now.
    """
    scopes = opening.scopes
    limits = await postgres_ledger.limits_of_scopes(link, scopes, at=at, locked=True)
    account = (await postgres_ledger.lock(link, [opening.account])).get(opening.account)
    is_ours, live, state, known_s = await link.fetchrow(
        _LOOK, opening.node, opening.epoch, opening.account, opening.call
    )
    if is_ours is None:
        return ReserveResult.NODE_FENCED, False, is_quote_known
    if state is not None:
        if state not in _OPEN_STATES or account is None:
            return ReserveResult.CALL_ENDED, False, is_quote_known
        is_limited = bool(await limited_of(link, [opening.call]))
        return (
            Reserved(paid_s=known_s, purse=account.purse, refused=None),
            is_limited,
            is_quote_known,
        )
    if account is None:
        return ReserveResult.ACCOUNT_UNKNOWN, False, is_quote_known
    granted = _granted(opening.quote, account, limits, live=live)
    if not isinstance(granted, Reserved):
        return granted, False, is_quote_known
    if not is_quote_known:
        quote, body = opening.quote, msgspec.json.encode(opening.quote).decode()
        await link.execute(_QUOTE, quote.id, quote.version_hash, body)
    rate, paid_s = opening.quote.rate, granted.paid_s
    hold = price_of(rate, paid_s=0, more_s=paid_s)
    await _open(link, opening, paid_s=paid_s, hold=hold, at=at)
    taken = [(opening.call, x.id, x.takes(rate, paid_s=0, more_s=paid_s)) for x in limits]
    await postgres_ledger.hold_more(link, taken, at=at)
    return granted, bool(limits), True


def _granted(
    quote: Quote, account: Account, limits: Sequence[Limit], *, live: int
) -> Reserved | ReserveResult:
    """Decide on the first seconds, under the locks."""
    if not account.is_open:
        return ReserveResult.ACCOUNT_CLOSED
    if account.currency != quote.currency:
        return ReserveResult.CURRENCY_DIFFERS
    rate, available = quote.rate, account.purse.available
    ample = is_ample(available, live_micros_per_minute=live + rate.micros_per_minute)
    wanted_s = int(AMPLE_HORIZON_S) if ample else FIRST_S
    allowed_s = least_s(limits, rate, paid_s=0, wanted_s=wanted_s)
    if allowed_s == 0:
        return ReserveResult.PAYER_LIMIT
    paid_s = affordable_s(rate, paid_s=0, available=available, wanted_s=allowed_s)
    if paid_s == 0:
        return ReserveResult.NO_FUNDS
    refused = None
    if paid_s < FIRST_S:
        refused = Refusal.PAYER_LIMIT if allowed_s == paid_s else Refusal.FUNDS
    purse = moved(account.purse, 0, price_of(rate, paid_s=0, more_s=paid_s))
    return Reserved(paid_s=paid_s, purse=purse, refused=refused)


async def _open(link: Link, opening: Opening, *, paid_s: int, hold: Micros, at: float) -> None:
    await link.execute(
        _OPEN,
        opening.call,
        opening.account,
        opening.quote.id,
        opening.quote.micros_per_minute,
        opening.quote.free_s,
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
