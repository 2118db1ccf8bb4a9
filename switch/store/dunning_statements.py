"""Accounts that pay by invoice and are late: reminded, suspended, turned into prepaid. In a deed.

A suspended account pays for no new call; money that covers what is late ends the suspension at
once. What is still owed at conversion moves to `uncollectable`, where it stays a claim.
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.dunning import Bill, Late, Stage, unpaid
from switch.billing.ledger import Account, Transfer, TransferResult
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import ledger_statements, payer_notice
from switch.store.vault import Raw, lock_accounts, lock_name

_DIRECT: Final = """
SELECT DISTINCT a.id FROM account a JOIN invoice i ON i.account_id = a.id
 WHERE a.kind = 'called_direct' AND a.state = 'open' ORDER BY a.id
"""
_BILLS: Final = "SELECT number, total_cents, due_at FROM invoice WHERE account_id = ?"
_PAID: Final = """
SELECT coalesce(sum(CASE WHEN credit = :account AND code = 'fund' THEN amount
                         WHEN debit = :account AND code IN ('refund', 'payout', 'dispute')
                         THEN -amount ELSE 0 END), 0)
  FROM transfer WHERE credit = :account OR debit = :account
"""
_STAGE: Final = "SELECT stage FROM dunning WHERE invoice = ?"
_REACHED: Final = """
INSERT INTO dunning VALUES (?, ?, ?)
ON CONFLICT (invoice) DO UPDATE SET stage = excluded.stage, at = excluded.at
"""
_SUSPEND: Final = "INSERT INTO suspension VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_RELEASE: Final = "DELETE FROM suspension WHERE account_id = ?"
_CONVERT: Final = "UPDATE account SET kind = 'called_prepaid', floor = 0 WHERE id = ?"
_FLOOR: Final = "UPDATE account SET floor = ? WHERE id = ?"

NOTICES: Final = {
    Stage.DUE: "invoice_due",
    Stage.LATE_7: "invoice_late",
    Stage.LATE_14: "invoice_late",
    Stage.SUSPENDED: "invoice_suspended",
    Stage.CONVERTED: "invoice_converted",
}
"""What is told at each stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An invoice that has come to a stage."""

    account: AccountId
    invoice: int
    stage: Stage
    missing: Micros


def late_of(raw: Raw, account: AccountId, *, at: float) -> list[Late]:
    """Return what an account has not paid, the oldest first."""
    bills = [
        Bill(number=number, total=Micros(cents * MICROS_PER_CENT), due_at=due_at)
        for number, cents, due_at in raw.execute(_BILLS, (account,))
    ]
    (paid,) = raw.execute(_PAID, {"account": account}).fetchone()
    return unpaid(bills, Micros(paid), at=at)


def look(raw: Raw, *, at: float) -> list[Reached]:
    """Remind, suspend and convert; return what came to a new stage."""
    lock_name(raw, "dunning")
    reached = []
    for (id_,) in raw.execute(_DIRECT).fetchall():
        account = AccountId(id_)
        relieve(raw, account, at=at)
        for late in late_of(raw, account, at=at):
            if _advance(raw, account, late, at=at):
                reached.append(
                    Reached(
                        account=account,
                        invoice=late.number,
                        stage=late.stage,
                        missing=late.missing,
                    )
                )
            if late.stage is Stage.CONVERTED:
                break  # it is no longer an account that pays by invoice
    return reached


def relieve(raw: Raw, account: AccountId, *, at: float) -> None:
    """End a suspension whose cause was paid."""
    if not is_suspended(raw, account):
        return
    if all(late.stage < Stage.SUSPENDED for late in late_of(raw, account, at=at)):
        raw.execute(_RELEASE, (account,))
        payer_notice.tell(raw, account, "invoice_relieved", {}, at=at)


def is_suspended(raw: Raw, account: AccountId) -> bool:
    """Say whether an account pays for no new call."""
    query = "SELECT 1 FROM suspension WHERE account_id = ?"
    return raw.execute(query, (account,)).fetchone() is not None


def set_credit_limit(raw: Raw, account: AccountId, limit: Micros) -> Account:
    """Change how far an account may owe; what is owed or held already stays allowed.

    Raises:
        UserError: it is no account that may owe.
    """
    lock_accounts(raw, [account])
    found = ledger_statements.find(raw, account)
    if found is None or found.kind not in {"called_direct", "called_collect", "agency"}:
        raise UserError(f"Account {account} does not exist, or pays beforehand: it has no limit.")
    raw.execute(_FLOOR, (min(-limit, found.purse.posted - found.purse.held), account))
    changed = ledger_statements.find(raw, account)
    assert changed is not None
    return changed


def _advance(raw: Raw, account: AccountId, late: Late, *, at: float) -> bool:
    """Bring one invoice to its stage; False if it is there, or cannot be yet."""
    if late.stage is Stage.NOT_DUE:
        return False
    before = raw.execute(_STAGE, (late.number,)).fetchone()
    if before is not None and before[0] >= late.stage:
        return False
    if late.stage >= Stage.SUSPENDED:
        raw.execute(_SUSPEND, (account, at, f"invoice {late.number}"))
    if late.stage is Stage.CONVERTED and not _convert(raw, account, at=at):
        return False
    raw.execute(_REACHED, (late.number, late.stage.value, at))
    body = {"invoice": late.number, "amount": late.missing}
    payer_notice.tell(raw, account, NOTICES[late.stage], body, at=at)
    return True


def _convert(raw: Raw, account: AccountId, *, at: float) -> bool:
    """Turn into prepaid; False while a call holds money: tomorrow again."""
    lock_accounts(raw, [account])
    found = ledger_statements.find(raw, account)
    assert found is not None
    if found.purse.held:
        return False
    if found.purse.posted < 0:
        row = Transfer(
            id=f"uncollectable:{account}:{round(at)}",
            debit=ledger_statements.book(raw, "uncollectable", currency=found.currency, at=at),
            credit=account,
            amount=Micros(-found.purse.posted),
            code="uncollectable",
            ref=f"account:{account}",
        )
        result = ledger_statements.transfer(raw, row, at=at)
        assert result is TransferResult.OK, result
    raw.execute(_CONVERT, (account,))
    raw.execute(_RELEASE, (account,))
    return True
