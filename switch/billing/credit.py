"""What comes back by itself when the fault was ours. Pure.

Source of the table: the column *credit* of the end reasons.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from switch.billing.rating import Rate, charge
from switch.money import Micros

LAST_S: Final = 60
"""The stretch that comes back. Chosen: what was lost by the fault is mostly its last minute."""


class Credit(StrEnum):
    """What comes back at once."""

    NONE = "-"
    FREE = "free"
    """Never charged: no bridge, or not yet."""
    LAST_60 = "60"
    """The charge for the last 60 s; all of it, if the call was shorter."""
    LAST_60_ALL = "60+all"
    """The same at once; the whole call if review or silence says so."""
    DEAD_60 = "dead+60"
    """Charged to the last second heard by both, and 60 s before that come back."""


# fmt: off
CREDIT_OF_REASON: Final[Mapping[str, Credit]] = {
    "busy": Credit.FREE,
    "no_answer": Credit.FREE,
    "bad_number": Credit.FREE,
    "congestion": Credit.FREE,
    "rejected_by_network": Credit.FREE,
    "redirected": Credit.FREE,
    "voicemail": Credit.FREE,
    "fax": Credit.FREE,
    "refused": Credit.FREE,
    "blocked_by_called": Credit.FREE,
    "no_response": Credit.FREE,
    "caller_hangup": Credit.NONE,       # before the bridge there is nothing to charge anyway
    "called_hangup": Credit.NONE,
    "time_limit": Credit.NONE,
    "funds": Credit.NONE,
    "payer_limit": Credit.NONE,
    "schedule": Credit.NONE,
    "lockdown": Credit.NONE,
    "maintenance": Credit.LAST_60,
    "staff_cut": Credit.NONE,
    "person_changed": Credit.NONE,
    "inactivity": Credit.LAST_60,
    "three_way": Credit.LAST_60_ALL,
    "forward": Credit.LAST_60_ALL,
    "joined_calls": Credit.LAST_60_ALL,
    "extra_digits": Credit.LAST_60_ALL,
    "dial_tone": Credit.LAST_60_ALL,
    "network_failure": Credit.DEAD_60,
    "media_lost": Credit.DEAD_60,
    "terminal_failure": Credit.DEAD_60,
    "metering_lost": Credit.LAST_60,
    "recorder_failure": Credit.LAST_60,
    "switch_failure": Credit.DEAD_60,
}
"""Every end reason, by its code."""
# fmt: on


def amount_back(rate: Rate, seconds: int, credit: Credit) -> Micros:
    """Price what comes back of a call of `seconds` charged seconds."""
    if credit in {Credit.NONE, Credit.FREE}:
        return Micros(0)
    return Micros(charge(rate, seconds) - charge(rate, max(0, seconds - LAST_S)))
