"""The ledger's plain SQL: accounts, books, transfers. Runs inside a deed of the vault."""

from typing import Final

from switch.billing.ledger import Account, Purse, Transfer, TransferResult, judge
from switch.ids import AccountId
from switch.money import Micros
from switch.store.vault import Raw, lock_accounts

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
VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_OPEN_BOOK: Final = """
INSERT INTO account (kind, owner, facility, currency, floor, approves, opened_at)
VALUES (?, ?, ?, ?, NULL, 'all', ?)
ON CONFLICT (kind, owner, facility, currency) WHERE floor IS NULL DO NOTHING
"""
_KNOWN: Final = "SELECT body_hash FROM transfer WHERE id = ?"
_INSERT: Final = """
INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_POST: Final = "UPDATE account SET posted = posted + ? WHERE id = ?"
_FUND: Final = "UPDATE account SET posted = posted + ?, funded = funded + ? WHERE id = ?"


def find(raw: Raw, account: AccountId) -> Account | None:
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
    raw: Raw,
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
    if row is None:
        raw.execute(_OPEN_BOOK, (*key, at))
        row = raw.execute(_BOOK, key).fetchone()
    return AccountId(row[0])


def open_account(
    raw: Raw,
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
    row = (kind, owner, facility, currency, floor, approves, at)
    return AccountId(raw.execute(_OPEN, row).fetchone()[0])


def transfer(raw: Raw, wanted: Transfer, *, at: float) -> TransferResult:
    """Move money once. The same id with the same body is the same movement (M9)."""
    lock_accounts(raw, [wanted.debit, wanted.credit])
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


def write_transfer(raw: Raw, row: Transfer, *, at: float) -> None:
    """Write the row alone; whoever calls has moved the accounts."""
    values = (row.id, row.debit, row.credit, row.amount, row.code, row.ref, at, row.body_hash)
    raw.execute(_INSERT, values)


def post(raw: Raw, account: AccountId, amount: int) -> None:
    """Change what stands on a book."""
    raw.execute(_POST, (amount, account))
