"""What is on its way back to people: by the card's processor, or by hand. Inside a deed.

waiting --asked, no last word yet--> asked --done--> done
waiting --done--> done
waiting, asked --the card cannot take it--> failed, and the same amount waits by hand
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.ledger import Transfer, TransferResult
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw

_COLUMNS: Final = "id, account_id, amount, way, intent, state, refund, tries, at, fault"
_QUEUE: Final = """
INSERT INTO payout (id, account_id, amount, way, intent, at, next_at, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_DUE: Final = f"""
SELECT {_COLUMNS} FROM payout
 WHERE way = 'stripe' AND state IN ('waiting', 'asked') AND next_at <= ? AND NOT EXISTS (
   SELECT 1 FROM dispute d WHERE d.source = 'stripe:' || payout.intent AND d.state = 'open')
 ORDER BY next_at LIMIT ?
"""  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM payout
 WHERE (:state = '' OR state = :state) AND (:way = '' OR way = :way)
   AND (:account = 0 OR account_id = :account) ORDER BY at DESC, id LIMIT :rows_max
"""  # noqa: S608 - columns only
_FIND: Final = f"SELECT {_COLUMNS} FROM payout WHERE id = ?"  # noqa: S608 - columns only
_LATER: Final = "UPDATE payout SET tries = tries + 1, next_at = ?, fault = ? WHERE id = ?"
_ASKED: Final = """
UPDATE payout SET state = 'asked', refund = ?, next_at = ?, tries = tries + 1, changed_at = ?
 WHERE id = ? AND state IN ('waiting', 'asked')
"""
_DONE: Final = """
UPDATE payout SET state = 'done', refund = ?, fault = ?, changed_at = ?
 WHERE id = ? AND state IN ('waiting', 'asked')
"""
_LOST: Final = """
SELECT coalesce(sum(receivable), 0) FROM dispute WHERE source = ? AND state = 'lost'
"""
_FAILED: Final = """
UPDATE payout SET state = 'failed', fault = ?, changed_at = ? WHERE id = ? AND state <> 'failed'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One amount on its way back."""

    id: str
    account: AccountId
    amount: Micros
    way: str
    intent: str
    state: str
    refund: str
    tries: int
    at: float
    fault: str


def queue(
    raw: Raw,
    id_: str,
    account: AccountId,
    amount: Micros,
    *,
    intent: str,
    at: float,
) -> None:
    """Let an amount wait to be paid; `intent` is the card payment that it came by, or ''."""
    way = "stripe" if intent else "by_hand"
    raw.execute(_QUEUE, (id_, account, amount, way, intent, at, at, at))


def due(raw: Raw, *, at: float, rows_max: int) -> list[Payout]:
    """Return what a processor is to be asked for now; a disputed payment takes nothing back."""
    return [_payout(row) for row in raw.execute(_DUE, (at, rows_max))]


def listed(
    raw: Raw, *, state: str = "", way: str = "", account: int = 0, rows_max: int
) -> list[Payout]:
    """Return what goes back, the newest first."""
    key = {"state": state, "way": way, "account": account, "rows_max": rows_max}
    return [_payout(row) for row in raw.execute(_LIST, key)]


def find(raw: Raw, id_: str) -> Payout | None:
    """Return one; None if there is none."""
    row = raw.execute(_FIND, (id_,)).fetchone()
    return None if row is None else _payout(row)


def begins_with(raw: Raw, start: str) -> list[Payout]:
    """Return those that wait to be paid by hand and whose name begins so; lists cut long names."""
    waiting = listed(raw, state="waiting", way="by_hand", rows_max=1_000_000)
    return [payout for payout in waiting if start and payout.id.startswith(start)]


def later(raw: Raw, id_: str, *, fault: str, next_at: float) -> None:
    """No answer; ask again under the same key."""
    raw.execute(_LATER, (next_at, fault, id_))


def asked(raw: Raw, id_: str, *, refund: str, next_at: float, at: float) -> None:
    """The processor took the order; its last word is still to come."""
    raw.execute(_ASKED, (refund, next_at, at, id_))


def done(raw: Raw, id_: str, *, refund: str, at: float, note: str = "") -> bool:
    """It was paid; False if that was known, or it failed before."""
    return raw.execute(_DONE, (refund, note, at, id_)).rowcount == 1


def failed(raw: Raw, payout: Payout, *, fault: str, at: float) -> bool:
    """The card cannot take it back: the same amount waits by hand. False if that was known."""
    if raw.execute(_FAILED, (fault, at, payout.id)).rowcount == 0:
        return False
    account = ledger_statements.find(raw, payout.account)
    assert account is not None
    clearing = ledger_statements.book(raw, "clearing:stripe", currency=account.currency, at=at)
    offline = ledger_statements.book(raw, "offline", currency=account.currency, at=at)
    row = Transfer(
        id=f"{payout.id}:by-hand",
        debit=clearing,
        credit=offline,
        amount=payout.amount,
        code="payout",
        ref=payout.id,
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
    queue(raw, row.id, payout.account, payout.amount, intent="", at=at)
    return True


def is_with_the_bank(raw: Raw, payout: Payout, *, at: float) -> bool:
    """Settle what a lost dispute has paid already: the card's bank took it from us, for the payer.

    Paid once more, by us, it would be paid twice. It lowers our claim of that dispute instead.
    """
    (claim,) = raw.execute(_LOST, (f"stripe:{payout.intent}",)).fetchone()
    if payout.state != "waiting" or claim < payout.amount:
        return False
    account = ledger_statements.find(raw, payout.account)
    assert account is not None
    row = Transfer(
        id=f"{payout.id}:by-bank",
        debit=ledger_statements.book(raw, "clearing:stripe", currency=account.currency, at=at),
        credit=ledger_statements.book(raw, "dispute_receivable", currency=account.currency, at=at),
        amount=payout.amount,
        code="dispute_claim",
        ref=payout.id,
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
    return done(raw, payout.id, refund="", note="paid by the card's bank", at=at)


def _payout(row: tuple[str, int, int, str, str, str, str, int, float, str]) -> Payout:
    id_, account, amount, way, intent, state, refund, tries, at, fault = row
    return Payout(
        id=id_,
        account=AccountId(account),
        amount=Micros(amount),
        way=way,
        intent=intent,
        state=state,
        refund=refund,
        tries=tries,
        at=at,
        fault=fault,
    )
