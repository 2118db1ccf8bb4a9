"""The order of precedence: calls.md section 3, one row per reason.

`screen` stops at the first row that fails; `preview` tells all of them. Both walk the same table
over the same facts, so what staff are told is what the call meets.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from switch.routing.call_class import CallClass
from switch.routing.number import NumberKind
from switch.screening import block, hours, money, number, pan, person, room, site, terminal, use
from switch.screening.facts import Facts
from switch.screening.issue import issue
from switch.screening.permit import Denied, Verdict
from switch.screening.reasons import DenyReason


class Outcome(Enum):
    """What a condition says."""

    PASSES = "passes"
    FAILS = "fails"
    SKIPPED = "skipped"
    """Does not apply to this class of call."""
    OPEN = "open"
    """Cannot be said yet: an earlier row leaves nothing to look at."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One row and reason."""

    row: int
    reason: DenyReason
    test: Callable[[Facts], Denied | None]
    skips: frozenset[CallClass] = frozenset()


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """What one condition says of one call."""

    row: int
    reason: DenyReason
    outcome: Outcome
    denied: Denied | None = None


_R = DenyReason
_NONE: Final[frozenset[CallClass]] = frozenset()
_H: Final = frozenset({CallClass.HOTLINE})
_P: Final = frozenset({CallClass.PRIVILEGED})
_HP: Final = _H | _P

# fmt: off
ORDER: Final[tuple[Condition, ...]] = (
    # row  reason                the condition          does not apply to
    Condition(1,  _R.LOCKDOWN,          site.lockdown,         _NONE),
    Condition(1,  _R.MAINTENANCE,       site.maintenance,      _NONE),
    Condition(2,  _R.TERMINAL_UNKNOWN,  terminal.unknown,      _NONE),
    Condition(2,  _R.TERMINAL_BUSY,     terminal.busy,         _NONE),
    Condition(2,  _R.TERMINAL_OFF,      terminal.off,          _NONE),
    Condition(2,  _R.TERMINAL_SCHEDULE, terminal.schedule,     _NONE),
    Condition(3,  _R.NO_INPUT,          person.no_input,       _NONE),
    Condition(3,  _R.BAD_PIN,           person.bad_pin,        _NONE),
    Condition(3,  _R.PIN_LOCKED,        person.locked,         _NONE),
    Condition(3,  _R.PERSON_INACTIVE,   person.inactive,       _NONE),
    Condition(3,  _R.SUSPENDED,         person.suspended,      _NONE),
    Condition(3,  _R.NOT_ENROLLED,      person.not_enrolled,   _NONE),
    Condition(3,  _R.PERSON_BUSY,       person.busy,           _NONE),
    Condition(4,  _R.NUMBER_INVALID,    number.invalid,        _NONE),
    Condition(4,  _R.PREFIX_FORBIDDEN,  number.prefix,         _HP),
    Condition(5,  _R.BLOCKED_SECURITY,  block.security,        _HP),
    Condition(5,  _R.BLOCKED_FACILITY,  block.facility,        _HP),
    Condition(5,  _R.BLOCKED_AGENT,     block.agent,           _HP),
    Condition(5,  _R.BLOCKED_KEYPAD,    block.keypad,          _H),
    Condition(5,  _R.NOT_ALLOWED,       block.not_listed,      _HP),
    Condition(6,  _R.PAN_PENDING,       pan.pending,           _HP),
    Condition(6,  _R.PAN_MISSING,       pan.missing,           _HP),
    Condition(7,  _R.TERMINAL_CLASS,    terminal.use,          _H),
    Condition(8,  _R.SCHEDULE,          hours.schedule,        _H),
    Condition(9,  _R.LIMIT_CALLS,       use.calls,             _HP),
    Condition(9,  _R.LIMIT_MINUTES,     use.minutes,           _HP),
    Condition(9,  _R.VELOCITY,          use.velocity,          _HP),
    Condition(10, _R.LINE_UNBILLABLE,   money.unbillable,      _HP),
    Condition(10, _R.LINE_UNVERIFIED,   money.unverified,      _HP),
    Condition(11, _R.NO_RATE,           money.no_rate,         _H),
    Condition(11, _R.NO_PAYER,          money.no_payer,        _H),
    Condition(11, _R.PAYER_LIMIT,       money.payer_limit,     _H),
    Condition(11, _R.NO_FUNDS,          money.no_funds,        _H),
    Condition(12, _R.VOICE_MISMATCH,    room.voice,            _HP),
    Condition(13, _R.CAPACITY,          room.capacity,         _NONE),
)
# fmt: on

TARGET_ROWS: Final = (4, 6)
"""A number we serve, that nobody blocked, on the list."""

PERSON_ROWS: Final = 3
"""Rows up to this one need no number."""


def screen(facts: Facts) -> Verdict:
    """Decide a call: the first condition that fails names the reason.

    Args:
        facts: with a number; `check_site_and_terminal` and `check_person` do without.
    """
    for result in _walk(facts):
        if result.denied is not None:
            return result.denied
    return issue(facts)


def preview(facts: Facts) -> list[ConditionResult]:
    """Evaluate every condition, as if none of the others existed."""
    return list(_walk(facts))


def check_site_and_terminal(facts: Facts) -> Denied | None:
    """Rows 1 and 2, at off-hook."""
    return _first(facts, lambda condition: condition.row <= 2)


def check_person(facts: Facts) -> Denied | None:
    """Row 3, as soon as somebody said who they are."""
    return _first(facts, lambda condition: condition.row == PERSON_ROWS)


def check_target(facts: Facts) -> Denied | None:
    """Rows 4 to 6 for a number to which a carrier passed a call on: may it be called at all?"""
    for result in _walk(facts):
        if TARGET_ROWS[0] <= result.row <= TARGET_ROWS[1] and result.denied is not None:
            return result.denied
    return None


def _first(facts: Facts, chosen: Callable[[Condition], bool]) -> Denied | None:
    for condition in filter(chosen, ORDER):
        denied = condition.test(facts)
        if denied is not None:
            return denied
    return None


def _walk(facts: Facts) -> Iterator[ConditionResult]:
    for condition in ORDER:
        yield _result(condition, facts)


def _result(condition: Condition, facts: Facts) -> ConditionResult:
    if facts.call_class in condition.skips:
        return ConditionResult(condition.row, condition.reason, Outcome.SKIPPED)
    if _nothing_to_look_at(condition, facts):
        return ConditionResult(condition.row, condition.reason, Outcome.OPEN)
    denied = condition.test(facts)
    outcome = Outcome.PASSES if denied is None else Outcome.FAILS
    return ConditionResult(condition.row, condition.reason, outcome, denied)


def _nothing_to_look_at(condition: Condition, facts: Facts) -> bool:
    """Later rows need a terminal, then a whole number."""
    if facts.terminal is None or facts.site is None:
        return condition.reason is not DenyReason.TERMINAL_UNKNOWN
    if facts.number is None:
        return condition.row > PERSON_ROWS
    if facts.number.number.kind is NumberKind.INCOMPLETE:
        return condition.reason is not DenyReason.NUMBER_INVALID and condition.row > PERSON_ROWS
    # A barred form such as 911 has no E.164 form, so nothing after row 4 can be asked of it.
    return facts.number.number.e164 is None and condition.row > 4
