"""What a payer sees of an account: calls as they were charged, months of movements. Inside a deed.

Only reads. What is shown is what the ledger says; nothing is reckoned a second time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import msgspec

from switch.billing.invoice import Invoice
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store.vault import Raw

_CALLS: Final = """
SELECT m.call_id, m.opened_at, m.contact, m.seq, m.micros_per_minute, m.charged, m.state,
  (SELECT coalesce(sum(t.amount), 0) FROM transfer t
    WHERE t.ref = 'call:' || m.call_id AND t.code = 'credit')
  FROM meter m WHERE m.account_id = :account AND (:call = 0 OR m.call_id = :call)
 ORDER BY m.call_id DESC LIMIT :rows_max
"""
_MOVES: Final = """
SELECT seq, code, ref, CASE WHEN credit = :account THEN amount ELSE -amount END, at, id
  FROM transfer WHERE (debit = :account OR credit = :account) AND at >= :start AND at < :after
 ORDER BY seq LIMIT :rows_max
"""
_STOOD: Final = """
SELECT coalesce(sum(CASE WHEN credit = :account THEN amount ELSE -amount END), 0) FROM transfer
 WHERE (debit = :account OR credit = :account) AND at < :at
"""
_FIRST: Final = "SELECT opened_at FROM account WHERE id = ?"
_APPROVES: Final = "SELECT approves FROM account WHERE id = ?"
_PEOPLE: Final = "SELECT person, verdict FROM account_person WHERE account_id = ? ORDER BY person"
_INVOICES: Final = """
SELECT body FROM invoice WHERE account_id = :account AND (:number = 0 OR number = :number)
 ORDER BY number DESC LIMIT :rows_max
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedCall:
    """A call as the meter stands."""

    call: CallId
    opened_at: float
    number: str
    seconds: int
    micros_per_minute: Micros
    charged: Micros
    credited: Micros
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a balance rose or fell by, and what it was for; one for all parts of a call's charge."""

    at: float
    code: str
    ref: str
    amount: Micros
    balance: Micros
    """After it."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The movements of a month and where it began and ended."""

    opening: Micros
    moves: tuple[Move, ...]
    closing: Micros


def charged_calls(
    raw: Raw, account: AccountId, *, call: int = 0, rows_max: int
) -> list[ChargedCall]:
    """Return the calls that an account paid, the newest first."""
    key = {"account": account, "call": call, "rows_max": rows_max}
    return [
        ChargedCall(
            call=CallId(id_),
            opened_at=opened_at,
            number=contact or "",
            seconds=seq,
            micros_per_minute=Micros(rate),
            charged=Micros(charged),
            credited=Micros(int(credited)),
            is_over=state in {"SETTLED", "VOID"},
        )
        for id_, opened_at, contact, seq, rate, charged, state, credited in raw.execute(_CALLS, key)
    ]


def month_of(raw: Raw, account: AccountId, start: float, after: float, *, rows_max: int) -> Month:
    """Return a month of an account, as the ledger has it."""
    (opening,) = raw.execute(_STOOD, {"account": account, "at": start}).fetchone()
    key = {"account": account, "start": start, "after": after, "rows_max": rows_max}
    rows = [tuple(row) for row in raw.execute(_MOVES, key)]
    moves = tuple(_moves(rows, int(opening)))
    closing = moves[-1].balance if moves else int(opening)
    return Month(opening=Micros(int(opening)), moves=moves, closing=Micros(closing))


def _moves(rows: list[tuple[int, str, str, int, float, str]], balance: int) -> Iterator[Move]:
    """Add up; the parts of one charge (price, taxes) are one movement."""

    def one(row: tuple[int, str, str, int, float, str]) -> tuple[str, str, int]:
        seq, code, ref, *_ = row
        return (code, ref, 0 if code in {"settle", "credit"} else seq)

    for _, parts in groupby(rows, key=one):
        together = list(parts)
        amount = sum(row[3] for row in together)
        balance += amount
        _, code, ref, _, at, id_ = together[0]
        yield Move(
            at=at, code=code, ref=ref, amount=Micros(amount), balance=Micros(balance), id=id_
        )


def opened_at(raw: Raw, account: AccountId) -> float:
    """Return when an account was opened."""
    (at,) = raw.execute(_FIRST, (account,)).fetchone()
    return float(at)


def approves(raw: Raw, account: AccountId) -> tuple[bool, dict[str, str]]:
    """Return whether everybody may call who is not denied, and what was said of each person."""
    (who,) = raw.execute(_APPROVES, (account,)).fetchone()
    return who == "all", dict(raw.execute(_PEOPLE, (account,)).fetchall())


def invoices_of(
    raw: Raw, account: AccountId, *, number: int = 0, rows_max: int = 100
) -> list[Invoice]:
    """Return what was issued to an account, the newest first."""
    key = {"account": account, "number": number, "rows_max": rows_max}
    return [msgspec.json.decode(body, type=Invoice) for (body,) in raw.execute(_INVOICES, key)]
