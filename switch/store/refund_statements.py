"""Money that goes back to the sources that it came from. Inside a deed. See `billing.refund`."""

from typing import Final

from switch.billing.ledger import Account, Transfer, TransferResult
from switch.billing.refund import RefundPlan, Source, plan_refund
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw, lock_accounts, lock_name

_SOURCES: Final = """
SELECT t.id, t.debit, t.amount,
       (SELECT coalesce(sum(r.amount), 0) FROM transfer r WHERE r.ref = t.id AND r.code = 'refund')
  FROM transfer t WHERE t.credit = ? AND t.code = 'fund' ORDER BY t.seq DESC
"""
_KNOWN: Final = "SELECT 1 FROM transfer WHERE id >= ? AND id < ? LIMIT 1"


def sources_of(raw: Raw, account: AccountId) -> list[Source]:
    """Return what came into an account from outside, the newest first."""
    return [
        Source(id=id_, book=book, paid=Micros(paid), returned=Micros(returned))
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
    if any(sign in ref for sign in "*?[") or not ref:
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
        _move(raw, row, at=at)
    if plan.unsourced:
        row = Transfer(
            id=f"{name}:by-hand",
            debit=account.id,
            credit=offline,
            amount=plan.unsourced,
            code="payout",
            ref=ref,
        )
        _move(raw, row, at=at)
    return plan


def _move(raw: Raw, row: Transfer, *, at: float) -> None:
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
