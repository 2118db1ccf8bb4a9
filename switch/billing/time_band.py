"""Hours that have a price of their own, in the time of the facility. Pure."""

from datetime import date as day
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hour = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class TimeBand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From one hour to another on some days; an end at or before the start is on the next day."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    days: Annotated[tuple[Weekday, ...], Meta(min_length=1)] = DAYS
    start: Hour = msgspec.field(name="from")
    end: Hour = msgspec.field(name="to")

    def holds_at(self, date: str, minute_of_day: int) -> bool:
        """Say whether a minute of a day at the facility lies in it.

        Args:
            date: the day at the facility, `2026-11-24`.
            minute_of_day: 0 to 1439.
        """
        weekday = day.fromisoformat(date).weekday()
        start, end = _minutes(self.start), _minutes(self.end)
        begun_today = DAYS[weekday] in self.days
        if start < end:
            return begun_today and start <= minute_of_day < end
        begun_yesterday = DAYS[weekday - 1] in self.days
        return (begun_today and minute_of_day >= start) or (begun_yesterday and minute_of_day < end)


def _minutes(hour: str) -> int:
    return int(hour[:2]) * 60 + int(hour[3:])
