"""The statements that meter: reserve, second, move, fence, on SQLite. Runs inside a deed.

One writer holds the database while it runs, so the accounts are read once, decided in order and
written in batches; the condition stands in the statement all the same, and a changed row less
than expected undoes the whole deed.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

import msgspec
import numpy as np

from switch.billing.beat import Asks, Beat, BeatOutcome, BeatResult, MeterRow, Purses
from switch.billing.horizon import (
    AMPLE_HORIZON_S,
    FIRST_S,
    affordable_s,
    is_ample,
    price_of,
)
from switch.billing.ledger import Account, Refusal, Reserved, ReserveResult
from switch.billing.quote import Quote
from switch.billing.rating_columns import Int64s
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_limits, ledger_statements
from switch.store.account_limits import Scope
from switch.store.meter_decision import Decided, StaleError, decide, moved, tied_of
from switch.store.meter_step import step

_LIVE_RATE: Final = """
SELECT coalesce(sum(micros_per_minute), 0) FROM meter
 WHERE account_id = ? AND state IN ('RESERVED', 'LIVE')
"""
_KNOWN: Final = "SELECT state, paid_s, account_id FROM meter WHERE call_id = ?"
_QUOTE: Final = "INSERT OR IGNORE INTO quote (id, version_hash, body) VALUES (?, ?, ?)"
_HOLD: Final = """
UPDATE account SET held = held + :ask
 WHERE id = :id AND (floor IS NULL OR posted - held - :ask >= floor)
"""
_OPEN: Final = """
INSERT INTO meter (call_id, account_id, quote_id, micros_per_minute, free_s, paid_s, hold,
                   facility, node, epoch, boot_id, opened_at, contact, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'RESERVED')
"""
_FENCE: Final = "SELECT 1 FROM node WHERE id = ? AND epoch = ?"
_BRIDGED: Final = """
UPDATE meter SET state = 'LIVE', bridged_ns = ?
 WHERE call_id = ? AND epoch = ? AND state IN ('RESERVED', 'LIVE')
"""
_SECOND: Final = """
UPDATE meter SET seq = ?, charged = charged + ?
 WHERE call_id = ? AND seq = ? AND epoch = ? AND state IN ('RESERVED', 'LIVE')
"""
_PURSES: Final = """
SELECT a.id, a.posted, a.posted - a.held - coalesce(a.floor, 0), a.funded
  FROM json_each(?) AS asked CROSS JOIN account a ON a.id = asked.value
"""
_MOVE_ACCOUNT: Final = """
UPDATE account SET posted = posted - ?1, held = held - ?1 + ?2
 WHERE id = ?3 AND (floor IS NULL OR posted - held - ?2 >= floor)
"""
_MOVE_METER: Final = """
UPDATE meter SET seq = ?1, charged = charged + ?2, posted = posted + ?3, hold = hold - ?3 + ?4,
                 paid_s = paid_s + ?5
 WHERE call_id = ?6 AND seq = ?7 AND epoch = ?8 AND state IN ('RESERVED', 'LIVE')
"""
_UNSETTLED: Final = """
SELECT call_id, account_id, quote_id, seq, paid_s, charged, posted, boot_id, bridged_ns, opened_at
  FROM meter WHERE node = ? AND state IN ('RESERVED', 'LIVE') ORDER BY call_id
"""


_EPOCH: Final = """
INSERT INTO node (id, epoch, boot_id, lease_until) VALUES (?, 1, ?, ?)
ON CONFLICT (id) DO UPDATE SET epoch = epoch + 1, boot_id = excluded.boot_id,
                               lease_until = excluded.lease_until
RETURNING epoch
"""
_ADOPT: Final = """
UPDATE meter SET epoch = ? WHERE node = ? AND state IN ('RESERVED', 'LIVE')
"""
LEASE_S: Final = 10.0
"""How long a node may be silent before another may take its calls. Chosen; with one database
of one process nobody else asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a reserve writes into the meter."""

    call: CallId
    account: AccountId
    quote: Quote
    node: str
    epoch: int
    boot_id: str
    facility: str
    scopes: tuple[Scope, ...]

    @property
    def contact(self) -> str:
        """The number that is called, '' if nothing was said of it."""
        return next((scope.id for scope in self.scopes if scope.scope == "contact"), "")


def reserve(raw: sqlite3.Connection, opening: Opening, *, at: float) -> Reserved | ReserveResult:
    """Hold the first seconds of a call. Told twice, it answers with the first result."""
    known = raw.execute(_KNOWN, (opening.call,)).fetchone()
    account = ledger_statements.find(raw, opening.account)
    if known is not None:
        if known[0] not in {"RESERVED", "LIVE"} or account is None:
            return ReserveResult.CALL_ENDED
        return Reserved(paid_s=known[1], purse=account.purse, refused=None)
    if account is None:
        return ReserveResult.ACCOUNT_UNKNOWN
    if not account.is_open:
        return ReserveResult.ACCOUNT_CLOSED
    if account.currency != opening.quote.currency:
        return ReserveResult.CURRENCY_DIFFERS
    return _reserve(raw, opening, account, at=at)


def _reserve(
    raw: sqlite3.Connection, opening: Opening, account: Account, *, at: float
) -> Reserved | ReserveResult:
    rate, purse = opening.quote.rate, account.purse
    (live,) = raw.execute(_LIVE_RATE, (account.id,)).fetchone()
    ample = is_ample(purse.available, live_micros_per_minute=live + rate.micros_per_minute)
    wanted_s = int(AMPLE_HORIZON_S) if ample else FIRST_S
    limits = account_limits.limits_of_scopes(raw, opening.scopes, at=at)
    allowed_s = account_limits.least_s(limits, rate, paid_s=0, wanted_s=wanted_s)
    if allowed_s == 0:
        return ReserveResult.PAYER_LIMIT
    paid_s = affordable_s(rate, paid_s=0, available=purse.available, wanted_s=allowed_s)
    if paid_s == 0:
        return ReserveResult.NO_FUNDS
    price = price_of(rate, paid_s=0, more_s=paid_s)
    if raw.execute(_HOLD, {"ask": price, "id": account.id}).rowcount != 1:
        raise StaleError(f"account {account.id} has less than was read")
    _open(raw, opening, paid_s=paid_s, hold=price, at=at)
    account_limits.hold(raw, opening.call, limits, rate, paid_s=0, more_s=paid_s, at=at)
    refused = None
    if paid_s < FIRST_S:
        refused = Refusal.PAYER_LIMIT if allowed_s == paid_s else Refusal.FUNDS
    return Reserved(paid_s=paid_s, purse=moved(purse, 0, price), refused=refused)


def _open(
    raw: sqlite3.Connection, opening: Opening, *, paid_s: int, hold: Micros, at: float
) -> None:
    quote = opening.quote
    raw.execute(_QUOTE, (quote.id, quote.version_hash, msgspec.json.encode(quote).decode()))
    raw.execute(
        _OPEN,
        (
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
        ),
    )


def write_beat(
    raw: sqlite3.Connection, beat: Beat, *, limited: Collection[CallId], at: float
) -> BeatResult:
    """Write one second of all calls.

    Args:
        raw: the writer's connection.
        beat: what the book says.
        limited: the calls that are tied to spending limits.
        at: wall time.

    Raises:
        StaleError: a meter stands elsewhere; nothing of this deed counts.
    """
    if raw.execute(_FENCE, (beat.node, beat.epoch)).fetchone() is None:
        return BeatResult(outcome=BeatOutcome.FENCED)
    _change(raw, _BRIDGED, beat.bridges.at_ns, beat.bridges.call, beat.epoch)
    limits = {
        call: account_limits.limits_of_call(raw, call, at=at)
        for call in tied_of(beat.asks, limited)
    }
    decided = decide(beat.asks, purses=_purses(raw, beat.asks), limits=limits)
    _move(raw, beat, decided, at=at)
    return BeatResult(
        outcome=BeatOutcome.DONE,
        granted_s=decided.granted_s,
        refused=decided.refused,
        purses=decided.purses,
    )


def _purses(raw: sqlite3.Connection, asks: Asks) -> Purses:
    ids = msgspec.json.encode(asks.account[asks.firsts].tolist()).decode()
    every = np.fromiter(chain.from_iterable(raw.execute(_PURSES, (ids,))), np.int64)
    return Purses(*every.reshape(-1, 4).T)


def _move(raw: sqlite3.Connection, beat: Beat, decided: Decided, *, at: float) -> None:
    if decided.limit_holds:
        holds = [(hold.call, hold.limit, hold.taken) for hold in decided.limit_holds]
        account_limits.hold_more(raw, holds, at=at)
    _change(raw, _MOVE_ACCOUNT, decided.posted, decided.held, decided.purses.account)
    left = step(raw, beat, decided)
    alone, talked, moves = left.seconds, left.talked, left.moves
    _change(raw, _SECOND, alone.to_s, alone.delta, alone.call, alone.from_s, beat.epoch)
    _change(
        raw,
        _MOVE_METER,
        talked.to_s,
        talked.delta,
        beat.asks.post[moves],
        decided.price[moves],
        decided.granted_s[moves],
        talked.call,
        talked.from_s,
        beat.epoch,
    )
    if posted := int(decided.posted.sum()):
        ledger_statements.post(raw, in_flight(raw, beat.node, at=at), posted)


def _change(raw: sqlite3.Connection, query: str, *columns: Int64s | int) -> None:
    """Carry out one statement for each row of the columns; a number goes with every row.

    Raises:
        StaleError: a row was not there.
    """
    rows = len(columns[0]) if isinstance(columns[0], np.ndarray) else 0
    if not rows:
        return
    values = (repeat(c, rows) if isinstance(c, int) else c.tolist() for c in columns)
    changed = raw.executemany(query, zip(*values, strict=True)).rowcount
    if changed != rows:
        raise StaleError(f"{changed} rows changed instead of {rows}")


def in_flight(raw: sqlite3.Connection, node: str, *, at: float, currency: str = "USD") -> AccountId:
    """The book in which the money of a node's live calls stands."""
    return ledger_statements.book(raw, "in_flight", owner=node, currency=currency, at=at)


def unsettled(raw: sqlite3.Connection, node: str) -> tuple[MeterRow, ...]:
    """Return the meters of a node that are neither settled nor void."""
    return tuple(MeterRow(*row) for row in raw.execute(_UNSETTLED, (node,)))


def is_limited(raw: sqlite3.Connection, call: CallId) -> bool:
    """Say whether a call is tied to spending limits."""
    query = "SELECT 1 FROM meter_budget WHERE call_id = ? LIMIT 1"
    return raw.execute(query, (call,)).fetchone() is not None


def begin_epoch(raw: sqlite3.Connection, node: str, boot_id: str, *, at: float) -> int:
    """Raise the epoch of a node and take its unsettled meters along."""
    (epoch,) = raw.execute(_EPOCH, (node, boot_id, at + LEASE_S)).fetchone()
    raw.execute(_ADOPT, (epoch, node))
    return int(epoch)
