"""Accounts: opened, linked to numbers, approved for people, found for a payer. Inside a deed."""

from dataclasses import dataclass
from typing import Final

from switch.billing.ledger import NOTHING, Account, Purse, Transfer, TransferResult
from switch.billing.payer import Payer
from switch.billing.refund import RefundPlan
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import dunning_statements, ledger_statements, refund_statements
from switch.store.vault import Raw

KIND_OF_PAYER: Final = {
    Payer.CALLED_PREPAID: "called_prepaid",
    Payer.CALLER_DEBIT: "caller_debit",
    Payer.CALLED_DIRECT: "called_direct",
    Payer.CALLED_COLLECT: "called_collect",
    Payer.AGENCY_FREE: "agency",
}
"""The kind of account that each payer has."""

_COLUMNS: Final = (
    "a.id, a.kind, a.owner, a.facility, a.currency, a.posted, a.held, a.floor, a.funded, a.state"
)
_OF_NUMBER: Final = f"""
SELECT {_COLUMNS} FROM account_number n JOIN account a ON a.id = n.account_id
  LEFT JOIN account_person p ON p.account_id = a.id AND p.person = :person
 WHERE n.number = :number AND a.kind = :kind AND a.state = 'open'
   AND a.id NOT IN (SELECT account_id FROM suspension)
   AND (p.verdict = 'approved' OR (a.approves = 'all' AND p.verdict IS NULL))
 ORDER BY a.id
"""  # noqa: S608 - columns only
_OF_OWNER: Final = f"""
SELECT {_COLUMNS} FROM account a
 WHERE kind = ? AND owner = ? AND state = 'open' AND floor IS NOT NULL
   AND id NOT IN (SELECT account_id FROM suspension) ORDER BY id
"""  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM account a
 WHERE (:kind = '' OR kind = :kind) AND (:owner = '' OR owner = :owner)
   AND (:number = '' OR id IN (SELECT account_id FROM account_number WHERE number = :number))
 ORDER BY id LIMIT :rows_max
"""  # noqa: S608 - columns only
_LINK: Final = """
INSERT INTO account_number (number, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING
"""
_UNLINK: Final = "DELETE FROM account_number WHERE number = ? AND account_id = ?"
_JUDGE: Final = """
INSERT INTO account_person (account_id, person, verdict) VALUES (?, ?, ?)
ON CONFLICT (account_id, person) DO UPDATE SET verdict = excluded.verdict
"""
_NUMBERS: Final = "SELECT number FROM account_number WHERE account_id = ? ORDER BY number"
_CLOSE: Final = "UPDATE account SET state = 'closed' WHERE id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A purse to be opened."""

    kind: str
    """`called_prepaid`, `caller_debit` or `agency`."""
    owner: str = ""
    """Who it belongs to: a person's id for `caller_debit`, an agency's for `agency`."""
    facility: str = ""
    numbers: tuple[str, ...] = ()
    """Outside numbers (E.164) whose calls it pays."""
    approves: str = "listed"
    """`listed`: people are approved one by one; `all`: everybody who is not denied."""
    floor: Micros = NOTHING
    """0, or minus the credit limit."""
    currency: str = "USD"


def open_purse(raw: Raw, new: NewAccount, *, at: float) -> AccountId:
    """Open an account with nothing in it."""
    account = ledger_statements.open_account(
        raw,
        new.kind,
        new.owner,
        new.facility,
        new.currency,
        floor=new.floor,
        approves=new.approves,
        at=at,
    )
    raw.executemany(_LINK, [(number, account) for number in new.numbers])
    return account


def called_account(
    raw: Raw, *, number: str, person: str, payer: Payer = Payer.CALLED_PREPAID
) -> Account | None:
    """Find the account of an outside number that approved this person ('' is nobody's PIN).

    Of several, the one with the most available pays.
    """
    key = {"number": number, "person": person, "kind": KIND_OF_PAYER[payer]}
    found = [ledger_statements.account_of(row) for row in raw.execute(_OF_NUMBER, key)]
    return max(found, key=lambda account: account.purse.available, default=None)


def owned_account(raw: Raw, payer: Payer, *, owner: str) -> Account | None:
    """Find a person's debit account, or an agency's."""
    row = raw.execute(_OF_OWNER, (KIND_OF_PAYER[payer], owner)).fetchone()
    return None if row is None else ledger_statements.account_of(row)


def find_all(
    raw: Raw,
    *,
    kind: str = "",
    owner: str = "",
    number: str = "",
    rows_max: int = 1_000,
) -> list[Account]:
    """List accounts, by kind, owner or number."""
    key = {"kind": kind, "owner": owner, "number": number, "rows_max": rows_max}
    return [ledger_statements.account_of(row) for row in raw.execute(_LIST, key)]


def numbers_of(raw: Raw, account: AccountId) -> list[str]:
    """Return the numbers whose calls an account pays."""
    return [number for (number,) in raw.execute(_NUMBERS, (account,))]


def link(raw: Raw, account: AccountId, number: str) -> None:
    """Let an account pay for calls to a number."""
    raw.execute(_LINK, (number, account))


def unlink(raw: Raw, account: AccountId, number: str) -> None:
    """Take a number off an account."""
    raw.execute(_UNLINK, (number, account))


def judge_person(raw: Raw, account: AccountId, person: str, *, approved: bool) -> None:
    """Approve or deny calls from a person."""
    raw.execute(_JUDGE, (account, person, "approved" if approved else "denied"))


def fund(raw: Raw, account: AccountId, amount: Micros, *, ref: str, at: float) -> TransferResult:
    """Pay in by hand, from the book of what came in outside the switch; once for each `ref`."""
    found = ledger_statements.find(raw, account)
    if found is None:
        return TransferResult.CREDIT_UNKNOWN
    offline = ledger_statements.book(raw, "offline", currency=found.currency, at=at)
    row = Transfer(
        id=f"offline:{ref}", debit=offline, credit=account, amount=amount, code="fund", ref=ref
    )
    result = ledger_statements.transfer(raw, row, at=at)
    dunning_statements.relieve(raw, account, at=at)
    return result


def close(raw: Raw, account: AccountId, *, ref: str, at: float) -> Micros:
    """Close an account and pay everything back; return what is owed to its owner.

    Raises:
        UserError: it does not exist, money of it is reserved, or it is in debt.
    """
    refund_statements.lock_sources(raw, account, at=at)
    found = ledger_statements.find(raw, account)
    if found is None:
        raise UserError(f"There is no account {account}.")
    if not found.is_open:
        return Micros(0)
    _refuse_open_business(account, found.purse)
    owed = _rounded_up(raw, found, at=at)
    if owed > 0:
        refund_statements.give_back(raw, found, owed, name=f"close:{account}", ref=ref, at=at)
    raw.execute(_CLOSE, (account,))
    return owed


def _rounded_up(raw: Raw, found: Account, *, at: float) -> Micros:
    """Fill the last cent of what is paid back, at our expense: nobody pays out less than a cent."""
    missing = Micros(-found.purse.posted % MICROS_PER_CENT)
    if missing:
        row = Transfer(
            id=f"close:{found.id}:rounding",
            debit=ledger_statements.book(raw, "rounding", currency=found.currency, at=at),
            credit=found.id,
            amount=missing,
            code="rounding",
            ref=f"close:{found.id}",
        )
        result = ledger_statements.transfer(raw, row, at=at)
        assert result is TransferResult.OK, result
    return Micros(found.purse.posted + missing)


def refund(raw: Raw, account: AccountId, amount: Micros, *, ref: str, at: float) -> RefundPlan:
    """Pay some of the balance back to the sources that it came from, once for each `ref`.

    Raises:
        UserError: there is no such account, the amount is not positive, or it is not available.
    """
    refund_statements.lock_sources(raw, account, at=at)
    found = ledger_statements.find(raw, account)
    if found is None:
        raise UserError(f"There is no account {account}.")
    if amount <= 0:
        raise UserError("An amount to pay back is above zero.")
    if refund_statements.is_known(raw, ref):
        raise UserError(f"The refund {ref} was paid before. Nothing was moved.")
    if not found.is_open or min(found.purse.posted, found.purse.available) < amount:
        raise UserError(
            f"Account {account} has not so much to pay back. What a call holds is not available."
        )
    return refund_statements.give_back(raw, found, amount, name=f"refund:{ref}", ref=ref, at=at)


def _refuse_open_business(account: AccountId, purse: Purse) -> None:
    if purse.held > 0:
        raise UserError(
            f"Account {account} pays for a call just now, or a payment of it is disputed."
            " Try again when it is over."
        )
    if purse.posted < 0:
        raise UserError(f"Account {account} is in debt. It must be paid before it is closed.")
