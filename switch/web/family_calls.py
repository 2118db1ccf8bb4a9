"""The calls of a payer: when, how long, what it cost, what came back, and why it ended."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from switch.billing.cdr import CallRecord
from switch.billing.claim import ClaimState
from switch.billing.ledger import Account
from switch.call.cause import EndReason
from switch.ids import AccountId, CallId
from switch.screening.reasons import DenyReason
from switch.store import account_statements, claim_statements, house_people, payer_statements
from switch.store.engine import driver
from switch.store.payer_statements import ChargedCall
from switch.store.vault import Raw
from switch.web.family_desk import FamilyDesk, moment
from switch.web.live import duration
from switch.web.payers import Payer

LOOKS_ON: Final = frozenset({"called_prepaid", "called_direct", "called_collect"})
"""Kinds of accounts whose payer sees the calls: they were called. What a person in custody pays
is that person's affair, whoever pays in."""

CLAIMS_MAX: Final = 500
"""Requests that are looked through. Chosen: more than 90 days of any family."""

_D = DenyReason

TOLD_TO_PAYER: Final = frozenset(
    {
        *(reason.value for reason in EndReason),
        _D.LOCKDOWN,
        _D.MAINTENANCE,
        _D.SCHEDULE,
        _D.LINE_UNBILLABLE,
        _D.LINE_UNVERIFIED,
        _D.NO_RATE,
        _D.PAYER_LIMIT,
        _D.NO_FUNDS,
        _D.CAPACITY,
        _D.BLOCKED_AGENT,
    }
)
"""Reasons that the payer sees. calls.md section 5.1, column *see*: the rest is nobody else's
affair. `blocked_keypad` only whoever blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShown:
    """One row, as it is drawn."""

    call: CallId
    when: str
    number: str
    person: str
    """Their name; '' if it is not known here."""
    length: str
    """`m:ss`; '' if nobody talked."""
    micros_per_minute: int
    charged: int
    credited: int
    reason: str
    """Its code, `live` while it goes on, `elsewhere` if another switch has the record."""
    claim: ClaimState | None
    may_claim: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What the ledger says."""

    numbers: list[str]
    charged: dict[CallId, ChargedCall]
    claims: dict[int, ClaimState]


async def calls_shown(
    desk: FamilyDesk, request: Request, payer: Payer, account: Account, *, rows_max: int
) -> list[CallShown]:
    """Return the calls that this payer may see, the newest first."""
    if account.kind not in LOOKS_ON:
        return []

    def look(raw: Raw) -> _Found:
        charged = payer_statements.charged_calls(raw, account.id, rows_max=rows_max)
        claims = claim_statements.listed(raw, account=account.id, rows_max=CLAIMS_MAX)
        return _Found(
            account_statements.numbers_of(raw, account.id),
            {one.call: one for one in charged},
            {claim.call: claim.state for claim in claims},
        )

    found = await desk.vault.read(look)
    records = {
        record.call_id: record
        for record in await desk.records.of_numbers(found.numbers, rows_max=rows_max * 2)
        if is_told(record, account.id, payer)
    }
    names = await _names(desk, {record.person for record in records.values()})
    words, zone = desk.words(request), desk.zone(account)
    newest = sorted({*records, *found.charged}, reverse=True)[:rows_max]
    return [
        _shown(
            call,
            records.get(call),
            found,
            names,
            lambda at: moment(at, zone, words),
        )
        for call in newest
    ]


def is_told(record: CallRecord, account: AccountId, payer: Payer) -> bool:
    """Say whether the payer of an account sees a call's record."""
    if record.account not in {None, account}:
        return False  # somebody else paid it
    if record.reason == _D.BLOCKED_KEYPAD:
        return payer.telephone == record.number
    return record.reason in TOLD_TO_PAYER


def _shown(
    call: CallId,
    record: CallRecord | None,
    found: _Found,
    names: Mapping[str, str],
    when: Callable[[float], str],
) -> CallShown:
    meter = found.charged.get(call)
    at = record.off_hook_at if record is not None else None
    if at is None:
        at = meter.opened_at if meter is not None else 0.0
    charged = meter.charged if meter is not None else 0
    credited = meter.credited if meter is not None else 0
    talked_s = record.talked_s if record is not None else meter.seconds if meter else 0
    is_over = record is not None or (meter is not None and meter.is_over)
    claim = found.claims.get(call)
    return CallShown(
        call=call,
        when=when(at),
        number=record.number if record is not None else meter.number if meter else "",
        person=names.get(record.person, "") if record is not None else "",
        length=duration(talked_s) if talked_s >= 1 else "",
        micros_per_minute=meter.micros_per_minute if meter is not None else 0,
        charged=charged,
        credited=credited,
        reason=_reason(record, is_over=is_over),
        claim=claim,
        may_claim=is_over and charged > credited and claim is None,
    )


def _reason(record: CallRecord | None, *, is_over: bool) -> str:
    if record is not None:
        return record.reason
    return "elsewhere" if is_over else "live"


async def _names(desk: FamilyDesk, people: Iterable[str]) -> dict[str, str]:
    """Return the names of people in custody, as the facility has them."""
    wanted = sorted(one for one in people if one)

    def look(raw: sqlite3.Connection) -> dict[str, str]:
        found = ((one, house_people.find(raw, one)) for one in wanted)
        return {one: person.name for one, person in found if person is not None}

    return await desk.store.read(lambda c: look(driver(c)))
