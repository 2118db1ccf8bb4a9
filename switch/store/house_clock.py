"""Wall time as a facility lives it: its zone, its days, its weeks and months."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from switch.routing.schedule import LocalTime


@dataclass(frozen=True, slots=True)
class PeriodStarts:
    """When the periods that a moment lies in began, in wall seconds."""

    day: float
    week: float
    month: float


def local_time(at_wall: float, zone: str) -> LocalTime:
    """Return a moment in a time zone."""
    at = datetime.fromtimestamp(at_wall, _zone(zone))
    return LocalTime(
        year=at.year,
        month=at.month,
        day=at.day,
        weekday=at.weekday(),
        minute_of_day=at.hour * 60 + at.minute,
        second=at.second,
    )


def period_starts(at_wall: float, zone: str) -> PeriodStarts:
    """Return when the day, the week (Monday) and the month began there."""
    at = datetime.fromtimestamp(at_wall, _zone(zone))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=at.weekday())
    return PeriodStarts(
        day=midnight.timestamp(),
        week=monday.timestamp(),
        month=midnight.replace(day=1).timestamp(),
    )


def utc_text(at_wall: float) -> str:
    """Write a moment for people who read records: UTC, to the second."""
    return datetime.fromtimestamp(at_wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
