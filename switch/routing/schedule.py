"""Hours: weekly windows in steps of 15 minutes, with gaps for meals and counts.

A schedule is compiled to one bit per quarter of an hour of a week; every question is then a
question about bits. Times are the facility's own; a call that runs over the change of the clocks
keeps the end that was computed when it began.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec

QUARTER_MINUTES: Final = 15
"""One step. calls.md A21."""

QUARTERS_PER_DAY: Final = 96
"""24 hours in steps of 15 minutes."""

QUARTERS_PER_WEEK: Final = 7 * QUARTERS_PER_DAY
"""Bits of a compiled schedule."""

ALWAYS: Final = (1 << QUARTERS_PER_WEEK) - 1
"""A schedule that is never closed."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hour = Annotated[str, msgspec.Meta(pattern="^(([01][0-9]|2[0-3]):(00|15|30|45)|24:00)$")]
"""An hour of the day on the grid of 15 minutes; `24:00` ends a day."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A moment in the facility's time zone."""

    year: int
    month: int
    day: int
    weekday: int
    """0 is Monday."""
    minute_of_day: int
    second: int = 0

    @property
    def quarter_of_week(self) -> int:
        """Which bit of a compiled schedule this moment falls into."""
        return self.weekday * QUARTERS_PER_DAY + self.minute_of_day // QUARTER_MINUTES

    @property
    def iso_date(self) -> str:
        """The date as `2026-11-24`; dates in this form compare like dates."""
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From one hour to another on some days; an end before the start is on the next day."""

    days: tuple[Weekday, ...] = WEEKDAYS
    start: Hour = "00:00"
    end: Hour = "24:00"


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When something may be used. No window at all: always, but for the gaps."""

    open: tuple[Window, ...] = ()
    gaps: tuple[Window, ...] = ()


ALWAYS_OPEN: Final = Schedule()
"""No hours at all."""


@dataclass(frozen=True, slots=True)
class Hours:
    """An open stretch, for a sentence: minutes after midnight."""

    from_minute: int
    to_minute: int


def is_open(schedule: Schedule, at: LocalTime) -> bool:
    """Say whether this moment lies in the schedule's hours."""
    return bool(week_mask(schedule) >> at.quarter_of_week & 1)


def seconds_left(schedule: Schedule, at: LocalTime) -> int | None:
    """Return the seconds until the hours end: 0 if they are not, None if they never do."""
    mask = week_mask(schedule)
    if mask == ALWAYS:
        return None
    quarters = 0
    while quarters < QUARTERS_PER_WEEK and _bit(mask, at.quarter_of_week + quarters):
        quarters += 1
    if quarters == 0:
        return 0
    into = (at.minute_of_day % QUARTER_MINUTES) * 60 + at.second
    return quarters * QUARTER_MINUTES * 60 - into


def next_hours(schedule: Schedule, at: LocalTime) -> Hours | None:
    """Return the open stretch that lasts now or comes next, or None if there is none."""
    mask = week_mask(schedule)
    if mask == 0:
        return None
    first = at.quarter_of_week
    start = next(q for q in range(first, first + QUARTERS_PER_WEEK) if _bit(mask, q))
    if start == first:
        start = _back_to_the_start(mask, start)
    end = start
    while end - start < QUARTERS_PER_DAY and _bit(mask, end):
        end += 1
    return Hours(_minute(start), _minute(end))


@lru_cache(maxsize=1024)
def week_mask(schedule: Schedule) -> int:
    """Compile a schedule: bit n is the n-th quarter of an hour since Monday midnight."""
    mask = ALWAYS if not schedule.open else 0
    for window in schedule.open:
        for quarter in _quarters(window):
            mask |= 1 << quarter
    for window in schedule.gaps:
        for quarter in _quarters(window):
            mask &= ~(1 << quarter)
    return mask


def _quarters(window: Window) -> Iterator[int]:
    start, end = _quarter_of_day(window.start), _quarter_of_day(window.end)
    length = end - start if end > start else end - start + QUARTERS_PER_DAY
    for day in window.days:
        first = WEEKDAYS.index(day) * QUARTERS_PER_DAY + start
        for quarter in range(first, first + length):
            yield quarter % QUARTERS_PER_WEEK


def _quarter_of_day(hour: str) -> int:
    return (int(hour[:2]) * 60 + int(hour[3:])) // QUARTER_MINUTES


def _bit(mask: int, quarter: int) -> bool:
    return bool(mask >> (quarter % QUARTERS_PER_WEEK) & 1)


def _back_to_the_start(mask: int, quarter: int) -> int:
    """Walk back to where the stretch began, but no further than a day."""
    start = quarter
    while quarter - start < QUARTERS_PER_DAY and _bit(mask, start - 1):
        start -= 1
    return start


def _minute(quarter: int) -> int:
    return (quarter % QUARTERS_PER_DAY) * QUARTER_MINUTES
