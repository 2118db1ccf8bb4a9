"""How much somebody may call: the same counts for a facility, a terminal, a person and a number.

Of several, the most restrictive wins, count by count (calls.md section 2.3). None: no limit here.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=100_000)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Counts of calls, minutes and tries."""

    call_minutes_max: Annotated[int, Meta(ge=1, le=99)] | None = None
    calls_per_day_max: Count | None = None
    calls_per_week_max: Count | None = None
    calls_per_month_max: Count | None = None
    minutes_per_day_max: Count | None = None
    minutes_per_week_max: Count | None = None
    minutes_per_month_max: Count | None = None
    attempts_per_number_max: Count | None = None
    """Tries to one number in an hour."""
    numbers_per_day_max: Count | None = None
    """Different numbers in a day."""
    redial_gap_s: Count | None = None
    """From the end of a try to the next one to the same number."""
    cool_down_s: Count | None = None
    """After three refused or unanswered tries to a number."""


LONGER_IS_STRICTER = frozenset({"redial_gap_s", "cool_down_s"})
"""Of these the greatest wins; of all others the least."""


def strictest(*limits: Limits) -> Limits:
    """Return, count by count, the most restrictive of several limits."""
    picked = {}
    for name in Limits.__struct_fields__:
        values = [value for each in limits if (value := getattr(each, name)) is not None]
        if values:
            picked[name] = max(values) if name in LONGER_IS_STRICTER else min(values)
    return Limits(**picked)
