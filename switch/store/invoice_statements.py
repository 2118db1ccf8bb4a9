"""Invoices from the ledger, and back into it: gathered, issued once, found again. Inside a deed."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec

from switch.billing.invoice import (
    Invoice,
    InvoiceLine,
    Movement,
    Sums,
    make_invoice,
    month_bounds,
)
from switch.billing.ledger import Transfer, TransferResult
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw, lock_name

INVOICED_KINDS: Final = frozenset({"called_direct", "called_collect", "agency"})
"""Kinds of accounts that pay afterwards."""

_ROWS: Final = """
SELECT t.ref, t.code, t.amount, t.id, t.at, a.kind
  FROM transfer t
  JOIN account a ON a.id = CASE WHEN t.debit = :account THEN t.credit ELSE t.debit END
 WHERE (t.debit = :account OR t.credit = :account) AND t.at >= :start AND t.at < :after
   AND t.code IN ('settle', 'credit') ORDER BY t.seq
"""
_MOVES: Final = """
SELECT id, at, code, CASE WHEN credit = :account THEN amount ELSE -amount END FROM transfer
 WHERE (debit = :account OR credit = :account) AND at >= :start AND at < :after
   AND code NOT IN ('settle', 'credit') ORDER BY seq
"""
_STOOD: Final = """
SELECT coalesce(sum(CASE WHEN credit = :account THEN amount ELSE -amount END), 0) FROM transfer
 WHERE (debit = :account OR credit = :account) AND at < :at
"""
_SUM: Final = """
SELECT coalesce(sum(amount), 0) FROM transfer
 WHERE (debit = :account OR credit = :account) AND at >= :start AND at < :after AND code = :code
"""
_CALL: Final = """
SELECT seq, micros_per_minute, opened_at, contact FROM meter WHERE call_id = ?
"""
_INSERT: Final = """
INSERT INTO invoice (number, account_id, period, issued_at, due_at, total_cents, hash, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN: Final = "SELECT body FROM invoice WHERE account_id = ? AND period = ?"
_NEXT: Final = "SELECT coalesce(max(number), 0) + 1 FROM invoice"
_ALL: Final = "SELECT number, hash, body FROM invoice ORDER BY number"


def draft(raw: Raw, account: AccountId, period: str, *, at: float, number: int = 0) -> Invoice:
    """Put together what an account owes for a month.

    Raises:
        UserError: there is no such account, or it does not pay by invoice.
        LocalError: it does not add up to the ledger.
    """
    found = ledger_statements.find(raw, account)
    if found is None:
        raise UserError(f"There is no account {account}.")
    known = raw.execute(_KNOWN, (account, period)).fetchone()
    if found.kind not in INVOICED_KINDS and known is None:
        raise UserError(f"Account {account} is {found.kind}: it pays beforehand, not by invoice.")
    start, after = month_bounds(period)
    key = {"account": account, "start": start, "after": after}
    return make_invoice(
        number=number,
        account=account,
        owner=found.owner,
        currency=found.currency,
        period=period,
        issued_at=at,
        lines=list(_lines(raw, key)),
        movements=[
            Movement(id=id_, at=moved_at, code=code, amount=amount)
            for id_, moved_at, code, amount in raw.execute(_MOVES, key)
        ],
        sums=Sums(
            opening=_one(raw, _STOOD, {"account": account, "at": start}),
            closing=_one(raw, _STOOD, {"account": account, "at": after}),
            settled=_one(raw, _SUM, {**key, "code": "settle"}),
            credited=_one(raw, _SUM, {**key, "code": "credit"}),
        ),
    )


def issue(raw: Raw, account: AccountId, period: str, *, at: float) -> Invoice:
    """Issue the invoice of a month that is over; told again, it is the one that was issued.

    The rest of a cent that is not asked for is given to the account from `rounding`.

    Raises:
        UserError: the month is not over, or there is nothing to invoice.
        LocalError: it does not add up to the ledger.
    """
    lock_name(raw, "invoice")
    known = raw.execute(_KNOWN, (account, period)).fetchone()
    if known is not None:
        return msgspec.json.decode(known[0], type=Invoice)
    if month_bounds(period)[1] > at:
        raise UserError(f"{period} is not over (UTC). Leave --issue out for a draft.")
    invoice = draft(raw, account, period, at=at, number=_one(raw, _NEXT, {}))
    if not invoice.lines:
        raise UserError(f"Account {account} has no calls in {period}: nothing to invoice.")
    body = msgspec.json.encode(invoice)
    row = (invoice.number, account, period, at, invoice.due_at, invoice.total_cents)
    raw.execute(_INSERT, (*row, sha256(body).hexdigest(), body.decode()))
    _round(raw, invoice, at=at)
    return invoice


def broken_invoices(raw: Raw) -> list[int]:
    """Return the invoices that do not say what was issued, or whose month says otherwise now."""
    broken = []
    for number, digest, body in raw.execute(_ALL).fetchall():
        invoice = msgspec.json.decode(body, type=Invoice)
        again = draft(
            raw, AccountId(invoice.account), invoice.period, at=invoice.issued_at, number=number
        )
        if sha256(body.encode()).hexdigest() != digest or _sums(again) != _sums(invoice):
            broken.append(number)
    return broken


def _sums(invoice: Invoice) -> list[tuple[int, int, int, dict[str, int], int]]:
    """What must never change of the lines; a number may still be learned of a lost record."""
    return [(x.call, x.seconds, x.price, x.taxes, x.credited) for x in invoice.lines]


def _round(raw: Raw, invoice: Invoice, *, at: float) -> None:
    if not invoice.rest:
        return
    rounding = ledger_statements.book(raw, "rounding", currency=invoice.currency, at=at)
    row = Transfer(
        id=f"invoice:{invoice.number}:rounding",
        debit=rounding,
        credit=AccountId(invoice.account),
        amount=Micros(invoice.rest),
        code="rounding",
        ref=f"invoice:{invoice.number}",
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result


def _lines(raw: Raw, key: dict[str, float]) -> Iterator[InvoiceLine]:
    calls: dict[str, list[tuple[str, int, str]]] = {}
    for ref, code, amount, _id, _at, kind in raw.execute(_ROWS, key):
        calls.setdefault(ref, []).append((code, amount, kind))
    for ref, rows in calls.items():
        call = int(ref.removeprefix("call:"))
        seconds, rate, opened_at, number = raw.execute(_CALL, (call,)).fetchone()
        taxes = {kind: amount for code, amount, kind in rows if _is_tax(code, kind)}
        settled = sum(amount for code, amount, _ in rows if code == "settle")
        yield InvoiceLine(
            call=call,
            started_at=opened_at,
            number=number,
            # A credit of a call that an earlier month has charged has no seconds of its own.
            seconds=seconds if settled else 0,
            micros_per_minute=rate,
            price=settled - sum(taxes.values()),
            taxes=taxes,
            credited=sum(amount for code, amount, _ in rows if code == "credit"),
        )


def _is_tax(code: str, kind: str) -> bool:
    return code == "settle" and kind.startswith("tax:")


def _one(raw: Raw, query: str, key: dict[str, object]) -> int:
    (value,) = raw.execute(query, key).fetchone()
    return int(value)
