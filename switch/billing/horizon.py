"""How far ahead money is held. Pure.

An ample account holds 30 s, so that its calls outlive a restart of control; a poor one holds two
or three seconds, so that one call cannot starve another.
"""

from typing import Final

from switch.billing.rating import Rate, charge, seconds_for
from switch.money import Micros

AMPLE_S: Final = 120
"""An account is ample if it could pay this long for all its live calls. Chosen."""

AMPLE_HORIZON_S: Final = 30.0
"""Chosen: longer than control takes to come back."""

POOR_HORIZON_S: Final = 1.5
"""Beyond the beat. Chosen: the next beat comes in 1 s, and half a second is left for a slow one."""

KEPT_S: Final = 1.0
"""What a call keeps of its paid seconds when a limit that was lowered takes the rest. Chosen: the
worker must hear of an earlier end before it comes."""

FIRST_S: Final = 3
"""What a poor account holds before the bridge: the first beat comes up to one second after it.
Chosen: `POOR_HORIZON_S` at the latest first beat, in whole seconds."""


def is_ample(available: Micros, *, live_micros_per_minute: int) -> bool:
    """Say whether an account could pay `AMPLE_S` more for all its live calls together."""
    return available * 60 >= live_micros_per_minute * AMPLE_S


def price_of(rate: Rate, *, paid_s: int, more_s: int) -> Micros:
    """What the next `more_s` seconds cost after `paid_s` are paid."""
    return Micros(charge(rate, paid_s + more_s) - charge(rate, paid_s))


def affordable_s(rate: Rate, *, paid_s: int, available: Micros, wanted_s: int) -> int:
    """How many of the wanted seconds fit into what is available."""
    most = seconds_for(rate, Micros(charge(rate, paid_s) + max(0, available)))
    return max(0, min(wanted_s, most - paid_s))
