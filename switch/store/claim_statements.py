"""Requests for the charge of a call: asked, decided, appealed, paid. Inside a deed.

What is paid comes from `credits`, like the credits that need no asking, and never exceeds the
charge of the call together with them (money M11).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from switch.billing.claim import ClaimInput, ClaimRefusal, ClaimState, step
from switch.billing.ledger import CREDITS, Transfer, TransferResult
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import MICROS_PER_CENT, Micros
from switch.store import ledger_statements, money_rules, payer_notice, payout_statements
from switch.store.vault import Raw, lock_name

DAY_S: Final = 86_400
"""By definition."""

DETECTIONS_MAX: Final = 50
"""Of one claim's evidence. Chosen: more than any call had."""

_METER: Final = """
SELECT m.account_id, m.charged, m.opened_at, m.state,
  (SELECT coalesce(sum(amount), 0) FROM transfer
    WHERE ref = 'call:' || m.call_id AND code = 'credit') AS credited
  FROM meter m WHERE m.call_id = ?
"""
_INSERT: Final = """
INSERT INTO claim (call_id, account_id, amount, evidence, at, due_at, state)
VALUES (?, ?, ?, ?, ?, ?, 'open') RETURNING id
"""
_COLUMNS: Final = "id, call_id, account_id, amount, evidence, at, due_at, state, first_by, paid"
_FIND: Final = f"SELECT {_COLUMNS} FROM claim WHERE id = ?"  # noqa: S608 - columns only
_OF_CALL: Final = f"SELECT {_COLUMNS} FROM claim WHERE call_id = ?"  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM claim
 WHERE (:state = '' OR state = :state) AND (:account = 0 OR account_id = :account)
 ORDER BY due_at, id LIMIT :rows_max
"""  # noqa: S608 - columns only
_LAPSED: Final = """
SELECT id FROM claim WHERE state IN ('open', 'second', 'appealed') AND due_at <= ? ORDER BY id
"""
_MOVE: Final = "UPDATE claim SET state = ?, first_by = ?, due_at = ? WHERE id = ?"
_STEP: Final = "INSERT INTO claim_step (claim_id, at, who, step, why) VALUES (?, ?, ?, ?, ?)"
_STEPS: Final = "SELECT at, who, step, why FROM claim_step WHERE claim_id = ? ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request."""

    id: int
    call: int
    account: AccountId
    amount: Micros
    evidence: dict[str, Any]
    at: float
    due_at: float
    state: ClaimState
    decided_by: str
    paid: Micros


@dataclass(frozen=True, slots=True)
class Step:
    """What was done about a request; the payer sees it."""

    at: float
    who: str
    step: str
    why: str


def ask(raw: Raw, call: int, *, evidence: Mapping[str, Any], by: str, why: str, at: float) -> Claim:
    """Ask for what is left of a call's charge; asked again, it is the first request.

    Args:
        raw: a deed.
        call: one that is over.
        evidence: from `evidence_of`, which asks the records of this machine.
        by: who asks.
        why: what they say.
        at: wall seconds.

    Raises:
        UserError: it was not charged, all of it came back, or it is too long ago.
    """
    lock_name(raw, f"claim:{call}")
    known = raw.execute(_OF_CALL, (call,)).fetchone()
    if known is not None:
        return _claim(known)
    row = raw.execute(_METER, (call,)).fetchone()
    if row is None or row[3] not in {"SETTLED", "VOID"}:
        raise UserError(f"Call {call} is not over, or was paid by nobody: nothing to ask back.")
    account, charged, opened_at, _state, credited = row
    rules = money_rules.rules_of(raw)
    if charged <= credited:
        raise UserError(f"All of the charge of call {call} came back before.")
    if at > opened_at + rules.claim_days * DAY_S:
        raise UserError(f"Call {call} is more than {rules.claim_days} days ago.")
    due_at = at + rules.decide_days * DAY_S
    row = (call, account, charged - credited, json.dumps(evidence), at, due_at)
    (claim_id,) = raw.execute(_INSERT, row).fetchone()
    raw.execute(_STEP, (claim_id, at, by, "asked", why))
    claim = find(raw, claim_id)
    _tell(raw, claim, "claim_asked", why, at=at)
    return claim


def decide(raw: Raw, claim_id: int, kind: ClaimInput, *, by: str, why: str, at: float) -> Claim:
    """Grant, deny, appeal, or let the time be over.

    Raises:
        UserError: it cannot be done, or not by this person.
    """
    lock_name(raw, f"claim:{find(raw, claim_id).call}")
    claim = find(raw, claim_id)
    rules = money_rules.rules_of(raw)
    after = step(
        claim.state,
        kind,
        by=by,
        decided_by=claim.decided_by,
        is_large=claim.amount > rules.second_above_cents * MICROS_PER_CENT,
    )
    if after is ClaimRefusal.NOT_NOW:
        raise UserError(f"Claim {claim_id} is {claim.state}; it cannot be done now.")
    if after is ClaimRefusal.SAME_PERSON:
        raise UserError(f"{by} decided on claim {claim_id} before. Another person decides now.")
    assert isinstance(after, ClaimState)
    decided_by = by if kind in {ClaimInput.GRANT, ClaimInput.DENY} else claim.decided_by
    due_at = at + rules.decide_days * DAY_S
    raw.execute(_MOVE, (after, decided_by, due_at, claim_id))
    raw.execute(_STEP, (claim_id, at, by, kind.value, why))
    if after is ClaimState.GRANTED:
        _pay(raw, claim, at=at)
    moved = find(raw, claim_id)
    _tell(raw, moved, f"claim_{after}", why, at=at)
    return moved


def lapse_due(raw: Raw, *, at: float) -> list[int]:
    """Grant what nobody decided in time; return which."""
    due = [id_ for (id_,) in raw.execute(_LAPSED, (at,)).fetchall()]
    for id_ in due:
        decide(raw, id_, ClaimInput.LAPSE, by="nobody", why="undecided counts as yes", at=at)
    return due


def pay_whole(
    raw: Raw, call: int, *, evidence: Mapping[str, Any], by: str, why: str, at: float
) -> Micros:
    """Give the rest of a call's charge back without any request: an alarm was false.

    Raises:
        UserError: as `ask`; or it was paid before.
    """
    claim = ask(raw, call, evidence=evidence, by=by, why=why, at=at)
    return decide(raw, claim.id, ClaimInput.FALSE_ALARM, by=by, why=why, at=at).paid


def find(raw: Raw, claim_id: int) -> Claim:
    """Return a request.

    Raises:
        UserError: there is none.
    """
    row = raw.execute(_FIND, (claim_id,)).fetchone()
    if row is None:
        raise UserError(f"There is no claim {claim_id}. `kinline claim list` shows all.")
    return _claim(row)


def listed(raw: Raw, *, state: str = "", account: int = 0, rows_max: int) -> list[Claim]:
    """Return requests, what is due first first."""
    key = {"state": state, "account": account, "rows_max": rows_max}
    return [_claim(row) for row in raw.execute(_LIST, key)]


def steps_of(raw: Raw, claim_id: int) -> list[Step]:
    """Return what was done about a request, in order."""
    return [Step(*row) for row in raw.execute(_STEPS, (claim_id,))]


def _pay(raw: Raw, claim: Claim, *, at: float) -> None:
    """Pay what is left by now; a closed account's by hand."""
    _account, charged, _at, _state, credited = raw.execute(_METER, (claim.call,)).fetchone()
    amount = Micros(min(claim.amount, charged - credited))
    if amount <= 0:
        return
    account = ledger_statements.find(raw, claim.account)
    assert account is not None
    offline = ledger_statements.book(raw, "offline", currency=account.currency, at=at)
    row = Transfer(
        id=f"claim:{claim.id}:credit",
        debit=ledger_statements.book(raw, CREDITS, currency=account.currency, at=at),
        credit=account.id if account.is_open else offline,
        amount=amount,
        code="credit",
        ref=f"call:{claim.call}",
    )
    result = ledger_statements.transfer(raw, row, at=at)
    assert result is TransferResult.OK, result
    if not account.is_open:
        payout_statements.queue(raw, row.id, account.id, amount, intent="", at=at)
    raw.execute("UPDATE claim SET paid = ? WHERE id = ?", (amount, claim.id))


def evidence_of(raw: Raw, call: int) -> dict[str, Any]:
    """Return what the switch knows of a call by itself: its record, its legs, what was detected.

    Args:
        raw: the store's own connection: records are not in the ledger.
        call: which.
    """
    record = raw.execute("SELECT body FROM call_record WHERE call_id = ?", (call,)).fetchone()
    legs = raw.execute("SELECT side, cause, body FROM cdr WHERE call_id = ?", (call,))
    seen = raw.execute(
        "SELECT kind, tier, at FROM detection WHERE call_id = ? ORDER BY id LIMIT ?",
        (call, DETECTIONS_MAX),
    )
    return {
        "record": None if record is None else json.loads(record[0]),
        "legs": [{"side": s, "cause": c, "record": json.loads(b)} for s, c, b in legs],
        "detections": [{"kind": kind, "tier": tier, "at": when} for kind, tier, when in seen],
    }


def _tell(raw: Raw, claim: Claim, kind: str, why: str, *, at: float) -> None:
    amount = claim.paid or claim.amount
    body = {"claim": claim.id, "call": claim.call, "amount": amount, "note": why}
    payer_notice.tell(raw, claim.account, kind, body, at=at)


def _claim(row: tuple[int, int, int, int, str, float, float, str, str, int]) -> Claim:
    id_, call, account, amount, evidence, at, due_at, state, first_by, paid = row
    return Claim(
        id=id_,
        call=call,
        account=AccountId(account),
        amount=Micros(amount),
        evidence=json.loads(evidence),
        at=at,
        due_at=due_at,
        state=ClaimState(state),
        decided_by=first_by,
        paid=Micros(paid),
    )
