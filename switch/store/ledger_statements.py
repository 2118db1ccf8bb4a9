"""The ledger's plain SQL: accounts, books, transfers. Runs inside a deed of the store.

Each function takes the bare connection of the writer (`engine.driver`), because these statements
are the hot ones; SQLite first, one file per dialect.
"""

import sqlite3
from typing import Final

from switch.billing.ledger import Account, Purse, Transfer, TransferResult, judge
from switch.ids import AccountId
from switch.money import Micros

_ACCOUNT: Final = """
SELECT id, kind, owner, facility, currency, posted, held, floor, funded, state
  FROM account WHERE id = ?
"""
_BOOK: Final = """
SELECT id FROM account
 WHERE kind = ? AND owner = ? AND facility = ? AND currency = ? AND floor IS NULL
"""
_OPEN: Final = """
INSERT INTO account (kind, owner, facility, currency, floor, approves, opened_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN: Final = "SELECT body_hash FROM transfer WHERE id = ?"
_INSERT: Final = """
INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_POST: Final = "UPDATE account SET posted = posted + ? WHERE id = ?"
_FUND: Final = "UPDATE account SET posted = posted + ?, funded = funded + ? WHERE id = ?"


def find(raw: sqlite3.Connection, account: AccountId) -> Account | None:
    """Return an account as it stands."""
    row = raw.execute(_ACCOUNT, (account,)).fetchone()
    return None if row is None else account_of(row)


def account_of(row: tuple[int, str, str, str, str, int, int, int | None, int, str]) -> Account:
    """Make an account of its row: the columns of `account` from `id` to `state` above."""
    id_, kind, owner, facility, currency, posted, held, floor, funded, state = row
    return Account(
        id=AccountId(id_),
        kind=kind,
        owner=owner,
        facility=facility,
        currency=currency,
        purse=purse_of(posted, held, floor, funded),
        is_open=state == "open",
    )


def purse_of(posted: int, held: int, floor: int | None, funded: int) -> Purse:
    """Make a purse of its columns."""
    return Purse(
        posted=Micros(posted),
        held=Micros(held),
        floor=None if floor is None else Micros(floor),
        funded=Micros(funded),
    )


def book(
    raw: sqlite3.Connection,
    kind: str,
    *,
    currency: str,
    at: float,
    owner: str = "",
    facility: str = "",
) -> AccountId:
    """Return the one book of this kind and owner, opened if it is new."""
    key = (kind, owner, facility, currency)
    row = raw.execute(_BOOK, key).fetchone()
    if row is not None:
        return AccountId(row[0])
    return open_account(raw, *key, floor=None, approves="all", at=at)


def open_account(
    raw: sqlite3.Connection,
    kind: str,
    owner: str,
    facility: str,
    currency: str,
    *,
    floor: int | None,
    approves: str,
    at: float,
) -> AccountId:
    """Write a new account with nothing on it."""
    cursor = raw.execute(_OPEN, (kind, owner, facility, currency, floor, approves, at))
    assert cursor.lastrowid is not None
    return AccountId(cursor.lastrowid)


def transfer(raw: sqlite3.Connection, wanted: Transfer, *, at: float) -> TransferResult:
    """Move money once. The same id with the same body is the same movement (M9)."""
    known = raw.execute(_KNOWN, (wanted.id,)).fetchone()
    result = judge(
        wanted,
        known_body_hash=None if known is None else known[0],
        debit=find(raw, wanted.debit),
        credit=find(raw, wanted.credit),
    )
    if result is TransferResult.OK:
        write_transfer(raw, wanted, at=at)
        raw.execute(_POST, (-wanted.amount, wanted.debit))
        raw.execute(_FUND, (wanted.amount, wanted.amount, wanted.credit))
    return result


def write_transfer(raw: sqlite3.Connection, row: Transfer, *, at: float) -> None:
    """Write the row alone; whoever calls has moved the accounts."""
    values = (row.id, row.debit, row.credit, row.amount, row.code, row.ref, at, row.body_hash)
    raw.execute(_INSERT, values)


def post(raw: sqlite3.Connection, account: AccountId, amount: int) -> None:
    """Change what stands on a book."""
    raw.execute(_POST, (amount, account))
