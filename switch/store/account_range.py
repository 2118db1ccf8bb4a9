"""Many prepaid accounts at once, one for each number of a range. Inside a deed."""

from collections.abc import Sequence
from typing import Final

from switch.billing.ledger import Transfer
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw, lock_accounts

ROWS_AT_ONCE: Final = 500
"""Rows of one statement. Chosen: eight values of each stay below the 32,767 that a statement of
PostgreSQL takes (it counts them in 16 bits)."""

_COLUMNS: Final = "kind, owner, facility, currency, posted, floor, funded, approves, opened_at"
_ACCOUNTS: Final = f"INSERT INTO account ({_COLUMNS})"
_ACCOUNT: Final = "('called_prepaid', ?, '', 'USD', ?, 0, ?, 'all', ?)"
_NUMBERS: Final = "INSERT INTO account_number (number, account_id)"
_TRANSFERS: Final = "INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash)"


def open_range(raw: Raw, numbers: Sequence[str], amount: Micros, *, at: float) -> None:
    """Open an account for each number that none pays for, with so much paid in.

    Args:
        raw: a connection inside a deed.
        numbers: E.164, each once.
        amount: may be 0.
        at: wall time.
    """
    known = {number for (number,) in raw.execute("SELECT number FROM account_number")}
    new = [number for number in numbers if number not in known]
    if not new:
        return
    offline = ledger_statements.book(raw, "offline", currency="USD", at=at)
    lock_accounts(raw, [offline])
    for begin in range(0, len(new), ROWS_AT_ONCE):
        _open(raw, new[begin : begin + ROWS_AT_ONCE], amount, offline=offline, at=at)
    ledger_statements.post(raw, offline, -amount * len(new))


def _open(
    raw: Raw, numbers: Sequence[str], amount: Micros, *, offline: AccountId, at: float
) -> None:
    owners = [(f"range {number}", amount, amount, at) for number in numbers]
    opened = _insert(raw, _ACCOUNTS, _ACCOUNT, owners, " RETURNING owner, id")
    accounts = {owner.removeprefix("range "): AccountId(id_) for owner, id_ in opened}
    _insert(raw, _NUMBERS, "(?, ?)", [(number, accounts[number]) for number in numbers])
    if amount:
        paid = [
            Transfer(
                id=f"offline:seed:{account}",
                debit=offline,
                credit=account,
                amount=amount,
                code="fund",
                ref=f"seed:{account}",
            )
            for account in accounts.values()
        ]
        rows = [(r.id, offline, r.credit, amount, "fund", r.ref, at, r.body_hash) for r in paid]
        _insert(raw, _TRANSFERS, "(?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _insert(
    raw: Raw, head: str, row: str, values: Sequence[Sequence[object]], tail: str = ""
) -> list[tuple[str, int]]:
    """Write many rows in one statement."""
    sql = f"{head} VALUES {', '.join([row] * len(values))}{tail}"
    return list(raw.execute(sql, [value for one in values for value in one]))
