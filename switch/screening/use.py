"""Row 9: within limits of calls, minutes and tries.

The most restrictive of facility, terminal, person and number wins, count by count. What ended by
our own fault was never counted (`switch.store.house_attempts`).
"""

from dataclasses import dataclass
from typing import Final

from switch.media.phrase import Clock, Count, Day, Value
from switch.routing.limits import Limits, strictest
from switch.routing.schedule import LocalTime
from switch.screening.facts import Facts, Spent
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.screening.terminal import class_of

FAILED_MAX: Final = 3
"""Refused or unanswered tries before the cool-down. calls.md section 2.3."""

HOUR_S: Final = 3_600
MIDNIGHT: Final = Clock(0)

_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Subject:
    """One of those whose calls are counted."""

    whose: str
    limits: Limits
    spent: Spent

    def periods(self) -> tuple[tuple[str, int, int | None, int, int | None], ...]:
        """Return (period, calls, most calls, seconds, most minutes) for each period."""
        spent, limits = self.spent, self.limits
        # fmt: off
        return (
            ("day",   spent.calls_day,   limits.calls_per_day_max,
                      spent.talked_s_day,   limits.minutes_per_day_max),
            ("week",  spent.calls_week,  limits.calls_per_week_max,
                      spent.talked_s_week,  limits.minutes_per_week_max),
            ("month", spent.calls_month, limits.calls_per_month_max,
                      spent.talked_s_month, limits.minutes_per_month_max),
        )
        # fmt: on


def subjects_of(facts: Facts) -> list[Subject]:
    """Return the person, the terminal and the number with their limits and what they used.

    The facility's own limits are each person's; where nobody says who calls, the terminal's.
    """
    house = facts.site.facility.rules.limits if facts.site is not None else Limits()
    person, found = facts.person.person, []
    if person is not None:
        found.append(Subject("person", strictest(house, person.limits), facts.use.person))
    if facts.terminal is not None:
        shared = class_of(facts)
        own = strictest(facts.terminal.terminal.limits, shared.limits if shared else Limits())
        limits = own if person is not None else strictest(house, own)
        found.append(Subject("terminal", limits, facts.use.terminal))
    if facts.number is not None:
        found.append(Subject("number", facts.number.treatment.limits, facts.use.number))
    return found


def limits_of(facts: Facts) -> Limits:
    """Return the limits of tries and length of this call: the strictest of all that have some."""
    each = [subject.limits for subject in subjects_of(facts)]
    if facts.site is not None and facts.site.facility.rules.velocity:
        settings = facts.site.settings
        each.append(
            Limits(
                attempts_per_number_max=settings.attempts_per_number_max,
                numbers_per_day_max=settings.numbers_per_day_max,
                cool_down_s=settings.cool_down_s,
            )
        )
    return strictest(*each)


def calls(facts: Facts) -> Denied | None:
    """Refuse once the calls of a day, week or month are used up."""
    for subject in subjects_of(facts):
        for period, used, most, _, _ in subject.periods():
            if most is not None and used >= most:
                return Denied(
                    reason=DenyReason.LIMIT_CALLS,
                    values=(("n", Count(min(most, 9_999))), ("when", when_free(period, facts.at))),
                    detail=f"{used} of {most} calls this {period}, {subject.whose}",
                )
    return None


def minutes(facts: Facts) -> Denied | None:
    """Refuse once the minutes of a day, week or month are used up."""
    for subject in subjects_of(facts):
        for period, _, _, used_s, most in subject.periods():
            if most is not None and used_s >= most * 60:
                return Denied(
                    reason=DenyReason.LIMIT_MINUTES,
                    values=(("when", when_free(period, facts.at)),),
                    detail=f"{used_s} s of {most} min this {period}, {subject.whose}",
                )
    return None


def seconds_left(facts: Facts) -> int | None:
    """Return what is left of all counted minutes, or None where none are counted."""
    left = [
        most * 60 - used_s
        for subject in subjects_of(facts)
        for _, _, _, used_s, most in subject.periods()
        if most is not None
    ]
    return max(0, min(left)) if left else None


def velocity(facts: Facts) -> Denied | None:
    """Refuse too many tries; the longest wait is spoken."""
    waits = _waits(facts)
    if not waits:
        return None
    wait_s, why = max(waits)
    minutes_left = max(1, -(-wait_s // 60))
    return Denied(
        reason=DenyReason.VELOCITY,
        values=(("n", Count(min(minutes_left, 9_999))),),
        detail=f"{why}; free in {wait_s} s",
    )


def when_free(period: str, at: LocalTime) -> Value:
    """Return when a period ends, as a sentence says it: midnight, or a date."""
    if period == "day":
        return MIDNIGHT
    return _days_on(at, 7 - at.weekday) if period == "week" else _first_of_next_month(at)


def _waits(facts: Facts) -> list[tuple[int, str]]:
    limits, use = limits_of(facts), facts.use
    waits: list[tuple[int, str]] = []
    tries = limits.attempts_per_number_max
    if tries is not None and use.attempts_hour >= tries:
        waits.append((HOUR_S - use.oldest_attempt_s, f"{use.attempts_hour} tries in an hour"))
    numbers = limits.numbers_per_day_max
    if numbers is not None and use.numbers_day >= numbers:
        waits.append((_seconds_to_midnight(facts.at), f"{use.numbers_day} numbers today"))
    if use.last_try_s is not None:
        gap = limits.redial_gap_s or 0
        if use.last_try_s < gap:
            waits.append((gap - use.last_try_s, "redial gap"))
        cool = limits.cool_down_s or 0
        if use.failed_in_a_row >= FAILED_MAX and use.last_try_s < cool:
            waits.append((cool - use.last_try_s, f"{use.failed_in_a_row} failed tries"))
    return waits


def _seconds_to_midnight(at: LocalTime) -> int:
    return 86_400 - at.minute_of_day * 60 - at.second


def _first_of_next_month(at: LocalTime) -> Day:
    return Day(at.year, at.month + 1, 1) if at.month < 12 else Day(at.year + 1, 1, 1)


def _days_on(at: LocalTime, days: int) -> Day:
    leap = at.year % 4 == 0 and (at.year % 100 != 0 or at.year % 400 == 0)
    length = 29 if at.month == 2 and leap else _DAYS_OF_MONTH[at.month - 1]
    if at.day + days <= length:
        return Day(at.year, at.month, at.day + days)
    first = _first_of_next_month(at)
    return Day(first.year, first.month, at.day + days - length)
