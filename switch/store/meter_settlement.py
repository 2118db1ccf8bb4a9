"""The statements that end a call's money: settle, void, the rest of a credit. Inside a deed."""

import sqlite3
from typing import Final

from switch.billing.credit import Credit
from switch.billing.ledger import (
    CREDITS,
    Entry,
    Settled,
    Settlement,
    Transfer,
    settlement,
)
from switch.billing.quote import FACILITY_PART, Quote
from switch.billing.rating import to_ns, whole_seconds
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_limits, ledger_statements, meter_statements
from switch.store.vault import Raw

_METER: Final = """
SELECT m.account_id, m.bridged_ns, m.seq, m.paid_s, m.posted, m.hold, m.facility, m.node, m.state,
       a.currency
  FROM meter m JOIN account a ON a.id = m.account_id WHERE m.call_id = ?
"""
_PAYER: Final = "UPDATE account SET posted = posted + ?, held = held - ? WHERE id = ?"
_CLOSE: Final = """
UPDATE meter SET seq = :seq, charged = :charged, posted = :charged, hold = 0, state = :state
 WHERE call_id = :call
"""
_TOLD: Final = "SELECT id, credit, amount, code FROM transfer WHERE ref = ? ORDER BY seq"
_TAX_BOOKS: Final = "SELECT id FROM account WHERE kind LIKE 'tax:%' AND floor IS NULL"
_OPEN_STATES: Final = frozenset({"RESERVED", "LIVE"})


def quote_name(raw: sqlite3.Connection, call: CallId) -> str:
    """Return the id of the quote that a call's meter names.

    Raises:
        LocalError: the call has no meter.
    """
    row = raw.execute("SELECT quote_id FROM meter WHERE call_id = ?", (call,)).fetchone()
    if row is None:
        raise LocalError(f"call {call} has no meter in the store")
    return str(row[0])


def settle(
    raw: sqlite3.Connection,
    call: CallId,
    quote: Quote,
    *,
    seconds: int,
    credit: Credit,
    heard_until: float | None,
    at: float,
) -> Settled:
    """Charge the whole seconds that count, give back the rest of the hold and what is credited.

    Never charges more than was paid, and after `DEAD_60` nothing beyond the last second that both
    legs heard. A call that was settled answers with its first result.
    """
    row = raw.execute(_METER, (call,)).fetchone()
    account, bridged_ns, seq, paid_s, posted, hold, facility, node, state, currency = row
    if state not in _OPEN_STATES:
        return told(raw, call, seconds=seq)
    counted = 0 if credit is Credit.FREE else min(seconds, paid_s)
    if credit is Credit.DEAD_60 and heard_until is not None and bridged_ns is not None:
        # A bridge that no beat has stored yet is shorter than what comes back anyway.
        counted = min(counted, whole_seconds(to_ns(heard_until) - bridged_ns))
    ending = settlement(call, quote, seconds=counted, credit=credit)
    back = posted - ending.charged + ending.credited
    raw.execute(_PAYER, (back, hold, account))
    if posted:
        flight = meter_statements.in_flight(raw, node, at=at, currency=currency)
        ledger_statements.post(raw, flight, -posted)
    for entry in ending.entries:
        _write(raw, call, entry, AccountId(account), (facility, node, currency), at=at)
    closed = "VOID" if counted == 0 else "SETTLED"
    raw.execute(_CLOSE, {"seq": counted, "charged": ending.charged, "state": closed, "call": call})
    spent = Micros(ending.charged - ending.credited)
    account_limits.settle(raw, call, seconds=counted, spent=spent, at=at)
    return _settled(call, counted, ending)


def settled_before(raw: Raw, call: CallId) -> Settled | None:
    """Return the result of a call that was settled; None if it has no meter, or is not over."""
    row = raw.execute("SELECT state, seq FROM meter WHERE call_id = ?", (call,)).fetchone()
    if row is None or row[0] in _OPEN_STATES:
        return None
    return told(raw, call, seconds=row[1])


def told(raw: Raw, call: CallId, *, seconds: int) -> Settled:
    """Return the result of a call that was settled before, read from the ledger."""
    rows = raw.execute(_TOLD, (f"call:{call}",)).fetchall()
    taxes = {row[0] for row in raw.execute(_TAX_BOOKS)}
    credits_ = tuple((id_, Micros(amount)) for id_, _, amount, code in rows if code == "credit")
    return Settled(
        call=call,
        seconds=seconds,
        charged=Micros(sum(r[2] for r in rows if r[3] == "settle")),
        taxes=Micros(sum(r[2] for r in rows if r[3] == "settle" and r[1] in taxes)),
        credited=Micros(sum(amount for _, amount in credits_)),
        credits=credits_,
        postings=tuple(row[0] for row in rows),
    )


def credit_rest(raw: sqlite3.Connection, call: CallId, *, at: float) -> Micros:
    """Give back all that is left of a call's charge, once: review or silence said so (M11)."""
    account, _, seq, _, _, _, facility, node, state, currency = raw.execute(
        _METER, (call,)
    ).fetchone()
    if state in _OPEN_STATES:
        raise LocalError(f"call {call} is not settled yet")
    before = told(raw, call, seconds=seq)
    rest = Micros(before.charged - before.credited)
    if rest > 0:
        entry = Entry(
            id=f"call:{call}:credit:rest", book=CREDITS, line="*", amount=rest, code="credit"
        )
        _write(raw, call, entry, AccountId(account), (facility, node, currency), at=at)
        raw.execute(_PAYER, (rest, 0, account))
    return rest


def _settled(call: CallId, seconds: int, ending: Settlement) -> Settled:
    return Settled(
        call=call,
        seconds=seconds,
        charged=ending.charged,
        taxes=ending.taxes,
        credited=ending.credited,
        credits=tuple((e.id, e.amount) for e in ending.entries if e.code == "credit"),
        postings=tuple(entry.id for entry in ending.entries),
    )


def _write(
    raw: sqlite3.Connection,
    call: CallId,
    entry: Entry,
    payer: AccountId,
    where: tuple[str, str, str],
    *,
    at: float,
) -> None:
    """Write one entry and post it to its book; the payer's side is posted as one sum."""
    facility, node, currency = where
    of_facility = facility if entry.book == FACILITY_PART else ""
    book = ledger_statements.book(
        raw, entry.book, owner=node, facility=of_facility, currency=currency, at=at
    )
    gives_back = entry.code == "credit"
    row = Transfer(
        id=entry.id,
        debit=book if gives_back else payer,
        credit=payer if gives_back else book,
        amount=entry.amount,
        code=entry.code,
        ref=f"call:{call}",
    )
    ledger_statements.write_transfer(raw, row, at=at)
    ledger_statements.post(raw, book, -entry.amount if gives_back else entry.amount)
