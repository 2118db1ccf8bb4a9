"""A payment that its card's holder disputes. Inside a deed.

What is left of it is held; what is spent, or went back before, becomes a claim of ours
(`dispute_receivable`). Won: the hold is released and the claim is gone. Lost: what was held goes.
The account never goes below its
floor. A telling of the end may come before that of the beginning: it then does both.
"""

from typing import Final

from switch.billing.funding import NewsKind, PaymentNews
from switch.billing.ledger import Transfer, TransferResult
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements, payer_notice, reload_statements
from switch.store.vault import Raw, lock_accounts

_SOURCE: Final = "SELECT id, debit, credit FROM transfer WHERE id = ? AND code = 'fund'"
_RETURNED: Final = """
SELECT coalesce(sum(amount), 0) FROM transfer WHERE ref = ? AND code IN ('refund', 'dispute')
"""
_FIND: Final = (
    "SELECT account_id, source, amount, held, receivable, state FROM dispute WHERE id = ?"
)
_INSERT: Final = "INSERT INTO dispute VALUES (?, ?, ?, ?, ?, ?, 'open', ?)"
_STATE: Final = "UPDATE dispute SET state = ?, at = ? WHERE id = ?"
_HOLD: Final = "INSERT INTO hold (id, account_id, amount, why, state) VALUES (?, ?, ?, ?, 'open')"
_UNHOLD: Final = "UPDATE hold SET state = ? WHERE id = ? AND state = 'open'"
_HELD: Final = "UPDATE account SET held = held + ? WHERE id = ?"
LIST: Final = """
SELECT id, account_id, source, amount, held, receivable, state, at FROM dispute
 WHERE (:state = '' OR state = :state) ORDER BY at DESC, id LIMIT :rows_max
"""
"""All disputes, for the commands."""


def apply(raw: Raw, news: PaymentNews, *, at: float) -> str:
    """Open, win or lose a dispute, once."""
    row = raw.execute(_FIND, (news.dispute,)).fetchone()
    if row is None:
        if not _open(raw, news, at=at):
            return "no payment of ours"
        if news.kind is NewsKind.DISPUTE_OPENED:
            return "held"
        row = raw.execute(_FIND, (news.dispute,)).fetchone()
    account, source, _amount, held, receivable, state = row
    if state != "open" or news.kind is NewsKind.DISPUTE_OPENED:
        return f"was {state} before"
    (_, clearing, _) = raw.execute(_SOURCE, (source,)).fetchone()
    is_won = news.kind is NewsKind.DISPUTE_WON
    _let_go(raw, news.dispute, AccountId(account), held, is_spent=not is_won)
    if is_won and receivable:
        claim = _claim_book(raw, news.currency, at=at)
        _move(raw, f"{news.dispute}:won", (clearing, claim), receivable, source=source, at=at)
    if not is_won and held:
        _move(raw, f"{news.dispute}:lost", (account, clearing), held, source=source, at=at)
    word = "won" if is_won else "lost"
    raw.execute(_STATE, (word, at, news.dispute))
    payer_notice.tell(raw, AccountId(account), f"dispute_{word}", {"receipt": source}, at=at)
    return word


def _open(raw: Raw, news: PaymentNews, *, at: float) -> bool:
    source = raw.execute(_SOURCE, (f"stripe:{news.intent}",)).fetchone()
    if source is None or news.amount <= 0:
        return False
    id_, clearing, owner = source
    lock_accounts(raw, [AccountId(owner)])
    account = ledger_statements.find(raw, AccountId(owner))
    assert account is not None
    left = 0 if account.purse.floor is None else max(0, account.purse.available)
    # What went back to this card before is not taken from what other payments brought (M11).
    (returned,) = raw.execute(_RETURNED, (id_,)).fetchone()
    (paid,) = raw.execute("SELECT amount FROM transfer WHERE id = ?", (id_,)).fetchone()
    held = min(news.amount, left, max(0, paid - returned))
    spent = Micros(news.amount - held)
    raw.execute(_INSERT, (news.dispute, owner, id_, news.amount, held, spent, at))
    if held:
        raw.execute(_HOLD, (f"dispute:{news.dispute}", owner, held, "dispute"))
        raw.execute(_HELD, (held, owner))
    if spent:
        claim = _claim_book(raw, news.currency, at=at)
        _move(raw, f"{news.dispute}:spent", (claim, clearing), spent, source=id_, at=at)
    reload_statements.stop(raw, account.id, fault="a payment is disputed", at=at)
    body = {"amount": news.amount, "receipt": id_}
    payer_notice.tell(raw, account.id, "dispute_opened", body, at=at)
    return True


def _let_go(raw: Raw, dispute: str, account: AccountId, held: int, *, is_spent: bool) -> None:
    raw.execute(_UNHOLD, ("spent" if is_spent else "released", f"dispute:{dispute}"))
    raw.execute(_HELD, (-held, account))


def _claim_book(raw: Raw, currency: str, *, at: float) -> AccountId:
    return ledger_statements.book(raw, "dispute_receivable", currency=currency, at=at)


def _move(
    raw: Raw,
    id_: str,
    ways: tuple[int, int],
    amount: int,
    *,
    source: str,
    at: float,
) -> None:
    row = Transfer(
        id=f"dispute:{id_}",
        debit=AccountId(ways[0]),
        credit=AccountId(ways[1]),
        amount=Micros(amount),
        code="dispute" if id_.endswith(":lost") else "dispute_claim",
        ref=source,
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
