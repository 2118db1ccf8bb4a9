"""Money that goes back to the sources that it came from. Inside a deed. See `billing.refund`.

The transfer takes it off the account at once, so it cannot be talked away in between; a row of
`payout` then waits until a card's processor, or a person with a cheque, has paid it.
"""

from typing import Final

from switch.billing.ledger import Account, Transfer, TransferResult
from switch.billing.refund import RefundPlan, Source, plan_refund
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import ledger_statements, payout_statements
from switch.store.vault import Raw, lock_accounts, lock_name

STRIPE: Final = "stripe:"
"""The id of a transfer that a card brought begins so."""

REF_CHARS_MAX: Final = 80
"""Chosen: with it, the name of each part is short enough for any processor's key."""

_SOURCES: Final = """
SELECT t.id, t.debit, t.amount,
       (SELECT coalesce(sum(r.amount), 0) FROM transfer r
         WHERE r.ref = t.id AND r.code IN ('refund', 'dispute'))
       + (SELECT coalesce(sum(d.amount), 0) FROM dispute d
           WHERE d.source = t.id AND d.state = 'open')
       + (SELECT coalesce(sum(d.receivable), 0) FROM dispute d
           WHERE d.source = t.id AND d.state = 'lost')
  FROM transfer t WHERE t.credit = ? AND t.code = 'fund' ORDER BY t.seq DESC
"""
_KNOWN: Final = "SELECT 1 FROM transfer WHERE id >= ? AND id < ? LIMIT 1"


def sources_of(raw: Raw, account: AccountId) -> list[Source]:
    """Return what came into an account from outside, the newest first."""
    return [
        Source(
            id=id_,
            book=book,
            paid=Micros(paid),
            returned=Micros(returned),
            step=Micros(MICROS_PER_CENT if id_.startswith(STRIPE) else 1),
        )
        for id_, book, paid, returned in raw.execute(_SOURCES, (account,))
    ]


def lock_sources(raw: Raw, account: AccountId, *, at: float) -> None:
    """Lock an account and every book that money may go back to, before anything is decided."""
    found = ledger_statements.find(raw, account)
    if found is not None:
        offline = ledger_statements.book(raw, "offline", currency=found.currency, at=at)
        books = [AccountId(source.book) for source in sources_of(raw, account)]
        lock_accounts(raw, [account, offline, *books])


def is_known(raw: Raw, ref: str) -> bool:
    """Say whether something was paid back under this name."""
    if any(sign in ref for sign in "*?[") or not 0 < len(ref) <= REF_CHARS_MAX:
        raise UserError(f"{ref!r} is no name of a refund. Use letters, digits and dashes.")
    lock_name(raw, f"refund:{ref}")
    # Everything that begins with the name and a colon; the sign after the colon is a semicolon.
    bounds = (f"refund:{ref}:", f"refund:{ref};")
    return raw.execute(_KNOWN, bounds).fetchone() is not None


def give_back(
    raw: Raw, account: Account, amount: Micros, *, name: str, ref: str, at: float
) -> RefundPlan:
    """Move an amount back: to each source its part, the rest to be paid out by hand."""
    offline = ledger_statements.book(raw, "offline", currency=account.currency, at=at)
    plan = plan_refund(amount, sources_of(raw, account.id))
    for part in plan.parts:
        row = Transfer(
            id=f"{name}:{part.source.id}",
            debit=account.id,
            credit=AccountId(part.source.book),
            amount=part.amount,
            code="refund",
            ref=part.source.id,
        )
        pay_out(raw, row, account.id, at=at)
    if plan.unsourced:
        row = Transfer(
            id=f"{name}:by-hand",
            debit=account.id,
            credit=offline,
            amount=plan.unsourced,
            code="payout",
            ref=ref,
        )
        pay_out(raw, row, account.id, at=at)
    return plan


def pay_out(raw: Raw, row: Transfer, account: AccountId, *, at: float) -> None:
    """Take money off, and let its payment wait for whoever carries it out."""
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
    intent = row.ref.removeprefix(STRIPE) if row.ref.startswith(STRIPE) else ""
    payout_statements.queue(raw, row.id, account, row.amount, intent=intent, at=at)
