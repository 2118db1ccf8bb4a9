"""Money that nobody uses: told, then paid back. Inside a deed.

    any deposit, call, or sign of interest --150 days--> told on every proved address
    told --30 days more, and nothing--> paid back to where it came from

No line here knows a book of revenue: idle money goes to its owner, or waits for them (L9).
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.ledger import Account, Transfer, TransferResult
from switch.billing.settings import MoneyRules
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import ledger_statements, payer_notice, refund_statements
from switch.store.vault import Raw, lock_name

DAY_S: Final = 86_400
"""By definition."""

_IDLE: Final = """
WITH moved AS (
  SELECT id, opened_at AS at FROM account
  UNION ALL SELECT credit, at FROM transfer WHERE code = 'fund'
  UNION ALL SELECT debit, at FROM transfer WHERE code = 'settle'
  UNION ALL SELECT account_id, opened_at FROM meter
  UNION ALL SELECT account_id, at FROM account_sign
), last AS (
  SELECT id, max(at) AS since FROM moved GROUP BY id
)
SELECT a.id, l.since, n.told_at FROM account a JOIN last l ON l.id = a.id
  LEFT JOIN idle_notice n ON n.account_id = a.id AND n.idle_since = l.since
 WHERE a.kind IN ('called_prepaid', 'caller_debit') AND a.state = 'open'
   AND a.posted > 0 AND a.held = 0 AND l.since <= ? ORDER BY a.id
"""
_SIGN: Final = """
INSERT INTO account_sign VALUES (?, ?, ?)
ON CONFLICT (account_id) DO UPDATE SET at = excluded.at, what = excluded.what
"""
_TOLD: Final = """
INSERT INTO idle_notice VALUES (?, ?, ?) ON CONFLICT (account_id)
DO UPDATE SET idle_since = excluded.idle_since, told_at = excluded.told_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleNight:
    """What one look did."""

    told: tuple[AccountId, ...]
    paid_back: tuple[tuple[AccountId, Micros], ...]


def sign(raw: Raw, account: AccountId, what: str, *, at: float) -> None:
    """Note that the owner shows interest: a sign-in counts."""
    raw.execute(_SIGN, (account, at, what))


def look(raw: Raw, rules: MoneyRules, *, at: float) -> IdleNight:
    """Tell whose money lies idle, and pay back what was told long enough ago."""
    lock_name(raw, "idle money")
    told: list[AccountId] = []
    paid: list[tuple[AccountId, Micros]] = []
    warning_s = (rules.idle_return_days - rules.idle_tell_days) * DAY_S
    rows = raw.execute(_IDLE, (at - rules.idle_tell_days * DAY_S,)).fetchall()
    for id_, since, told_at in rows:
        account = ledger_statements.find(raw, AccountId(id_))
        assert account is not None
        is_due = at >= since + rules.idle_return_days * DAY_S
        if told_at is None:
            raw.execute(_TOLD, (id_, since, at))
            returns_at = max(since + rules.idle_return_days * DAY_S, at + warning_s)
            body = {"amount": account.purse.posted, "returns_at": returns_at}
            payer_notice.tell(raw, account.id, "idle", body, at=at)
            told.append(account.id)
        elif is_due and at >= told_at + warning_s:
            paid.append((account.id, _pay_back(raw, account, since, at=at)))
    return IdleNight(told=tuple(told), paid_back=tuple(paid))


def _pay_back(raw: Raw, account: Account, since: float, *, at: float) -> Micros:
    """Pay everything back, the last cent filled at our expense; the account stays open."""
    refund_statements.lock_sources(raw, account.id, at=at)
    name = f"idle:{account.id}:{round(since)}"
    missing = Micros(-account.purse.posted % MICROS_PER_CENT)
    if missing:
        row = Transfer(
            id=f"{name}:rounding",
            debit=ledger_statements.book(raw, "rounding", currency=account.currency, at=at),
            credit=account.id,
            amount=missing,
            code="rounding",
            ref=name,
        )
        result = ledger_statements.transfer(raw, row, at=at)
        assert result is TransferResult.OK, result
    amount = Micros(account.purse.posted + missing)
    refund_statements.give_back(raw, account, amount, name=name, ref=name, at=at)
    payer_notice.tell(raw, account.id, "idle_returned", {"amount": amount}, at=at)
    return amount
