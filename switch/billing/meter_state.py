"""Where a meter is."""

from enum import Enum


class MeterState(Enum):
    """Where a meter is; see the figure in `meter`."""

    RESERVED = "reserved"
    LIVE = "live"
    FINAL = "final"
    """The last ask was refused: the paid seconds are the last ones, for now."""
