"""Automatic payments: agreed, due, stopped. Inside a deed. See `billing.funding`."""

from dataclasses import dataclass
from typing import Final

from switch.billing.funding import Reload, ReloadVerdict, judge_reload
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements, payer_notice
from switch.store.house_clock import period_starts
from switch.store.vault import Raw

_SET: Final = """
INSERT INTO reload (account_id, threshold, amount, day_cap, month_cap, zone, state,
  consent_version, consent_text, consented_at) VALUES (?, ?, ?, ?, ?, ?, 'on', ?, ?, ?)
ON CONFLICT (account_id) DO UPDATE SET
  threshold = excluded.threshold, amount = excluded.amount, day_cap = excluded.day_cap,
  month_cap = excluded.month_cap, zone = excluded.zone, state = 'on', fault = '',
  consent_version = excluded.consent_version, consent_text = excluded.consent_text,
  consented_at = excluded.consented_at
"""
_FIND: Final = """
SELECT threshold, amount, day_cap, month_cap, zone, state, fault, consent_version, consented_at
  FROM reload WHERE account_id = ?
"""
_LOW: Final = """
SELECT a.id FROM reload r JOIN account a ON a.id = r.account_id
 WHERE r.state = 'on' AND a.state = 'open' AND a.posted - a.held - a.floor < r.threshold
 ORDER BY a.id LIMIT ?
"""
_SUM: Final = """
SELECT coalesce(sum(amount), 0) FROM funding
 WHERE account_id = ? AND method = 'reload' AND state <> 'failed' AND at >= ?
"""
_FLYING: Final = """
SELECT 1 FROM funding WHERE account_id = ? AND method = 'reload' AND state = 'waiting'
"""
_CARD: Final = "SELECT customer, method, saved_at FROM saved_card WHERE account_id = ?"
_STATE: Final = "UPDATE reload SET state = ?, fault = ? WHERE account_id = ? AND state <> ?"
_PAUSE: Final = "UPDATE reload SET state = ? WHERE account_id = ? AND state = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRow:
    """What a payer agreed to, and what became of it."""

    threshold: Micros
    amount: Micros
    day_cap: Micros
    month_cap: Micros
    zone: str
    state: str
    fault: str
    consent_version: str
    consented_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A saved card, by the processor's names."""

    customer: str
    method: str
    saved_at: float


def agree(
    raw: Raw,
    account: AccountId,
    wanted: Reload,
    *,
    zone: str,
    version: str,
    text: str,
    at: float,
) -> None:
    """Turn automatic payments on, with the words that were agreed to."""
    limits = (wanted.threshold, wanted.amount, wanted.day_cap, wanted.month_cap)
    raw.execute(_SET, (account, *limits, zone, version, text, at))


def find(raw: Raw, account: AccountId) -> ReloadRow | None:
    """Return what was agreed to; None if nothing was."""
    row = raw.execute(_FIND, (account,)).fetchone()
    if row is None:
        return None
    threshold, amount, day_cap, month_cap, zone, state, fault, version, at = row
    return ReloadRow(
        threshold=Micros(threshold),
        amount=Micros(amount),
        day_cap=Micros(day_cap),
        month_cap=Micros(month_cap),
        zone=zone,
        state=state,
        fault=fault,
        consent_version=version,
        consented_at=at,
    )


def card_of(raw: Raw, account: AccountId) -> Card | None:
    """Return the saved card of an account."""
    row = raw.execute(_CARD, (account,)).fetchone()
    return None if row is None else Card(customer=row[0], method=row[1], saved_at=row[2])


def forget_card(raw: Raw, account: AccountId) -> bool:
    """Remove the saved card; automatic payments end with it."""
    raw.execute(_STATE, ("stopped", "the card was removed", account, "stopped"))
    return raw.execute("DELETE FROM saved_card WHERE account_id = ?", (account,)).rowcount == 1


def low(raw: Raw, *, rows_max: int) -> list[AccountId]:
    """Return accounts below their threshold."""
    return [AccountId(id_) for (id_,) in raw.execute(_LOW, (rows_max,))]


def judge(raw: Raw, account: AccountId, *, at: float) -> ReloadVerdict:
    """Say whether the card of an account is charged now."""
    row, found = find(raw, account), ledger_statements.find(raw, account)
    if row is None or found is None:
        return ReloadVerdict.NOT_ON
    starts = period_starts(at, row.zone)
    of_day, of_month = (
        Micros(raw.execute(_SUM, (account, start)).fetchone()[0])
        for start in (starts.day, starts.month)
    )
    return judge_reload(
        Reload(
            threshold=row.threshold,
            amount=row.amount,
            day_cap=row.day_cap,
            month_cap=row.month_cap,
            is_on=row.state == "on" and found.is_open,
        ),
        available=found.purse.available,
        has_card=card_of(raw, account) is not None,
        is_in_flight=raw.execute(_FLYING, (account,)).fetchone() is not None,
        of_day=of_day,
        of_month=of_month,
    )


def pause(raw: Raw, account: AccountId, *, is_on: bool) -> bool:
    """Pause, or go on after a pause; False if there is nothing to pause.

    What was stopped by a failure is agreed to anew, not gone on with.
    """
    before, after = ("paused", "on") if is_on else ("on", "paused")
    return raw.execute(_PAUSE, (after, account, before)).rowcount == 1


def stop(raw: Raw, account: AccountId, *, fault: str, at: float) -> None:
    """Stop automatic payments at the first failure, and tell; the payer turns them on again."""
    if raw.execute(_STATE, ("stopped", fault, account, "stopped")).rowcount:
        payer_notice.tell(raw, account, "reload_stopped", {"fault": fault}, at=at)
