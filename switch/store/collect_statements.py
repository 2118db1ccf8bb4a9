"""Collect lines: billed by the month through an agent, and what the agent could not collect.

What bounces moves to `uncollectable`, where it stays a claim; the line pays for no further call,
and is offered an account that pays beforehand. Inside a deed.
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.invoice import Invoice
from switch.billing.ledger import Transfer, TransferResult
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import account_statements, invoice_statements, ledger_statements, payer_notice
from switch.store.vault import Raw, lock_accounts

_LINES: Final = """
SELECT DISTINCT a.id FROM account a JOIN meter m ON m.account_id = a.id
 WHERE a.kind = 'called_collect' AND m.state = 'SETTLED' AND m.charged > 0 ORDER BY a.id
"""
_BILL: Final = """
SELECT i.account_id, i.total_cents FROM invoice i JOIN account a ON a.id = i.account_id
 WHERE i.number = ? AND a.kind = 'called_collect'
"""
_SUSPEND: Final = "INSERT INTO suspension VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectBill:
    """What an agent is to collect from one line."""

    invoice: int
    account: AccountId
    number: str
    period: str
    cents: int


def month_of(raw: Raw, period: str, *, at: float) -> list[CollectBill]:
    """Invoice every collect line for a month that is over; told again, it is the same.

    Raises:
        UserError: the month is not over.
    """
    bills = []
    for (id_,) in raw.execute(_LINES).fetchall():
        account = AccountId(id_)
        if not invoice_statements.draft(raw, account, period, at=at).lines:
            continue
        invoice = invoice_statements.issue(raw, account, period, at=at)
        bills.append(_bill(raw, account, invoice))
    return [bill for bill in bills if bill.cents]


def bounce(raw: Raw, invoice: int, *, why: str, at: float) -> Micros:
    """Take back a bill that the agent could not collect; return what moves to `uncollectable`.

    Raises:
        UserError: it is no bill of a collect line, or it bounced before.
    """
    row = raw.execute(_BILL, (invoice,)).fetchone()
    if row is None:
        raise UserError(f"Invoice {invoice} is no bill of a collect line.")
    account = AccountId(row[0])
    lock_accounts(raw, [account])
    found = ledger_statements.find(raw, account)
    assert found is not None
    amount = Micros(min(row[1] * MICROS_PER_CENT, max(0, -found.purse.posted)))
    if not amount:
        raise UserError(f"Account {account} owes nothing: the bill was paid, or bounced before.")
    moved = Transfer(
        id=f"bounce:{invoice}",
        debit=ledger_statements.book(raw, "uncollectable", currency=found.currency, at=at),
        credit=account,
        amount=amount,
        code="uncollectable",
        ref=f"invoice:{invoice}",
    )
    if ledger_statements.transfer(raw, moved, at=at) is not TransferResult.OK:
        raise UserError(f"Invoice {invoice} bounced before. Nothing was changed.")
    raw.execute(_SUSPEND, (account, at, f"invoice {invoice} bounced"))
    body = {"invoice": invoice, "amount": amount, "note": why}
    payer_notice.tell(raw, account, "collect_bounced", body, at=at)
    return amount


def _bill(raw: Raw, account: AccountId, invoice: Invoice) -> CollectBill:
    numbers = account_statements.numbers_of(raw, account)
    return CollectBill(
        invoice=invoice.number,
        account=account,
        number=numbers[0] if numbers else "",
        period=invoice.period,
        cents=invoice.total_cents,
    )
