"""Money on its way in by card, and what the processor says of it. Inside a deed.

Every telling is kept by its name in the transaction of what it moves, so that it may be told again
for ever; and what it moves has a name of its own (the payment's), so that two tellings of one
payment credit it once.
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.funding import CheckoutPage, NewsKind, PaymentNews
from switch.billing.ledger import Account, Transfer, TransferResult
from switch.ids import AccountId
from switch.money import Micros
from switch.store import (
    dispute_statements,
    dunning_statements,
    ledger_statements,
    payer_notice,
    payout_statements,
    refund_statements,
    reload_statements,
)
from switch.store.vault import Raw, lock_name

CLEARING: Final = "clearing:stripe"
"""The book of what the processor owes us: a claim, so it stands below zero."""

SUSPENSE: Final = "suspense"
"""The book of money whose owner is not known, or has closed."""

_COLUMNS: Final = (
    "id, account_id, method, amount, state, intent, consent_version, consent_text, at, tries,"
    " fault, session"
)
_INSERT: Final = """
INSERT INTO funding
  (id, account_id, method, amount, consent_version, consent_text, at, next_at, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIND: Final = f"SELECT {_COLUMNS} FROM funding WHERE id = ?"  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM funding
 WHERE (:state = '' OR state = :state) AND (:account = 0 OR account_id = :account)
 ORDER BY at DESC, id LIMIT :rows_max
"""  # noqa: S608 - columns only
_DUE: Final = f"""
SELECT {_COLUMNS} FROM funding WHERE state = 'waiting' AND next_at <= ?
   AND (method = 'reload' OR intent <> '' OR session <> '') ORDER BY next_at LIMIT ?
"""  # noqa: S608 - columns only
_STATE: Final = "UPDATE funding SET state = ?, intent = ?, fault = ?, changed_at = ? WHERE id = ?"
_INTENT: Final = "UPDATE funding SET intent = ?, next_at = ? WHERE id = ?"
_SESSION: Final = "UPDATE funding SET session = ?, intent = ?, next_at = ? WHERE id = ?"
_LATER: Final = "UPDATE funding SET tries = tries + 1, next_at = ?, fault = ? WHERE id = ?"
_EVENT: Final = "SELECT outcome FROM payment_event WHERE id = ?"
_KEEP: Final = "INSERT INTO payment_event (id, kind, about, outcome, at) VALUES (?, ?, ?, ?, ?)"
_SAVE: Final = """
INSERT INTO saved_card (account_id, customer, method, consent_version, consent_text, saved_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET
  customer = excluded.customer, method = excluded.method, saved_at = excluded.saved_at,
  consent_version = excluded.consent_version, consent_text = excluded.consent_text
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """One amount on its way in."""

    id: str
    account: AccountId
    method: str
    """`checkout`, `reload`, or `setup`, which only saves a card."""
    amount: Micros
    state: str
    intent: str
    consent_version: str
    consent_text: str
    at: float
    tries: int
    fault: str
    session: str = ""
    """The processor's name of the hosted page."""


def begin(raw: Raw, new: Funding, *, next_at: float) -> None:
    """Write down what is wanted, before the processor is asked."""
    row = (new.id, new.account, new.method, new.amount, new.consent_version, new.consent_text)
    raw.execute(_INSERT, (*row, new.at, next_at, new.at))


def find(raw: Raw, id_: str) -> Funding | None:
    """Return one; None if there is none."""
    row = raw.execute(_FIND, (id_,)).fetchone()
    return None if row is None else _funding(row)


def listed(raw: Raw, *, state: str = "", account: int = 0, rows_max: int) -> list[Funding]:
    """Return what came and comes in by card, the newest first."""
    key = {"state": state, "account": account, "rows_max": rows_max}
    return [_funding(row) for row in raw.execute(_LIST, key)]


def due(raw: Raw, *, at: float, rows_max: int) -> list[Funding]:
    """Return what our server should ask about now: no telling came yet."""
    return [_funding(row) for row in raw.execute(_DUE, (at, rows_max))]


def note_intent(raw: Raw, id_: str, intent: str, *, next_at: float) -> None:
    """Keep the processor's name of the payment, to ask about it if nothing is told."""
    raw.execute(_INTENT, (intent, next_at, id_))


def note_page(raw: Raw, id_: str, page: CheckoutPage, *, next_at: float) -> None:
    """Keep the processor's name of the hosted page, to ask about it if nothing is told."""
    raw.execute(_SESSION, (page.session, page.intent, next_at, id_))


def later(raw: Raw, id_: str, *, fault: str, next_at: float) -> None:
    """Ask again later."""
    raw.execute(_LATER, (next_at, fault, id_))


def apply(raw: Raw, news: PaymentNews, *, at: float) -> str:
    """Do what a fact asks for, once; return what became of it, in a word or two."""
    lock_name(raw, "payments")
    if news.event:
        known = raw.execute(_EVENT, (news.event,)).fetchone()
        if known is not None:
            return f"known: {known[0]}"
    outcome = _apply(raw, news, at=at)
    if news.event:
        about = news.dispute or news.payout or news.funding or news.intent
        raw.execute(_KEEP, (news.event, news.said, about, outcome, at))
    return outcome


def _apply(raw: Raw, news: PaymentNews, *, at: float) -> str:
    match news.kind:
        case NewsKind.PAID:
            return _paid(raw, news, at=at)
        case NewsKind.DECLINED | NewsKind.EXPIRED:
            return _declined(raw, news, at=at)
        case NewsKind.CARD_SAVED:
            return _card_saved(raw, news, at=at)
        case NewsKind.DISPUTE_OPENED | NewsKind.DISPUTE_WON | NewsKind.DISPUTE_LOST:
            return dispute_statements.apply(raw, news, at=at)
        case NewsKind.REFUND_DONE | NewsKind.REFUND_FAILED:
            return _gone_back(raw, news, at=at)
        case NewsKind.OTHER:
            return "nothing to do"


def _paid(raw: Raw, news: PaymentNews, *, at: float) -> str:
    if not news.funding:
        return "not ours"
    funding = find(raw, news.funding)
    account = None if funding is None else ledger_statements.find(raw, funding.account)
    clearing = ledger_statements.book(raw, CLEARING, currency=news.currency, at=at)
    is_home = account is not None and account.is_open and account.currency == news.currency
    suspense = ledger_statements.book(raw, SUSPENSE, currency=news.currency, at=at)
    row = Transfer(
        id=f"stripe:{news.intent}",
        debit=clearing,
        credit=account.id if account is not None and is_home else suspense,
        amount=news.amount,
        code="fund",
        ref=news.funding,
    )
    result = _move(raw, row, suspense, at=at)
    if funding is not None and account is not None:
        raw.execute(_STATE, ("paid", news.intent, "", at, funding.id))
        if result is TransferResult.OK:
            _after_paid(raw, account, row, is_home=is_home, at=at)
        if news.method and news.customer and funding.consent_version:
            _save_card(raw, funding, news, at=at)
    return result.value if is_home else f"{result.value}: in suspense"


def _move(raw: Raw, row: Transfer, suspense: AccountId, *, at: float) -> TransferResult:
    """Credit a payment once, wherever its first telling put it."""
    known = raw.execute("SELECT credit FROM transfer WHERE id = ?", (row.id,)).fetchone()
    if known is not None and known[0] == suspense:
        return TransferResult.EXISTS
    return ledger_statements.transfer(raw, row, at=at)


def _after_paid(raw: Raw, account: Account, row: Transfer, *, is_home: bool, at: float) -> None:
    """Tell the payer; what comes for a closed account goes straight back to the card."""
    body = {"amount": row.amount, "receipt": row.id}
    if is_home:
        payer_notice.tell(raw, account.id, "deposit", body, at=at)
        dunning_statements.relieve(raw, account.id, at=at)
        return
    back = Transfer(
        id=f"refund:late:{row.id}",
        debit=row.credit,
        credit=row.debit,
        amount=row.amount,
        code="refund",
        ref=row.id,
    )
    refund_statements.pay_out(raw, back, account.id, at=at)
    payer_notice.tell(raw, account.id, "deposit_returned", body, at=at)


def _declined(raw: Raw, news: PaymentNews, *, at: float) -> str:
    funding = find(raw, news.funding)
    if funding is None:
        return "not ours"
    if funding.state != "waiting":
        return f"was {funding.state} before"
    if funding.method != "reload" and news.kind is NewsKind.DECLINED:
        return "another card may be tried"  # the page is still open
    raw.execute(_STATE, ("failed", news.intent or funding.intent, news.fault, at, funding.id))
    if funding.method == "reload":
        reload_statements.stop(raw, funding.account, fault=news.fault or "declined", at=at)
    return "failed"


def _card_saved(raw: Raw, news: PaymentNews, *, at: float) -> str:
    funding = find(raw, news.funding)
    if funding is None or not funding.consent_version:
        return "not ours"
    if funding.method == "setup":
        raw.execute(_STATE, ("paid", "", "", at, funding.id))
    _save_card(raw, funding, news, at=at)
    return "saved"


def _save_card(raw: Raw, funding: Funding, news: PaymentNews, *, at: float) -> None:
    consent = (funding.consent_version, funding.consent_text)
    raw.execute(_SAVE, (funding.account, news.customer, news.method, *consent, at))


def _gone_back(raw: Raw, news: PaymentNews, *, at: float) -> str:
    payout = payout_statements.find(raw, news.payout) if news.payout else None
    if payout is None:
        return "not asked by us: correct it by hand"
    if news.kind is NewsKind.REFUND_DONE:
        is_new = payout_statements.done(raw, payout.id, refund=news.refund, at=at)
        return "done" if is_new else f"was {payout.state} before"
    if not payout_statements.failed(raw, payout, fault=news.fault or "failed", at=at):
        return "was failed before"
    body = {"amount": payout.amount}
    payer_notice.tell(raw, payout.account, "refund_by_hand", body, at=at)
    return "failed: by hand"


def _funding(
    row: tuple[str, int, str, int, str, str, str, str, float, int, str, str],
) -> Funding:
    id_, account, method, amount, state, intent, version, text, at, tries, fault, session = row
    return Funding(
        id=id_,
        account=AccountId(account),
        method=method,
        amount=Micros(amount),
        state=state,
        intent=intent,
        consent_version=version,
        consent_text=text,
        at=at,
        tries=tries,
        fault=fault,
        session=session,
    )
