"""Names of things, each a type of its own, so that a call is never taken for a leg."""

from random import Random
from typing import Final, NewType

CallId = NewType("CallId", int)
"""One call. Time-ordered, 53 bits, so that it survives a JavaScript number."""

LegId = NewType("LegId", int)
"""One side of a call at the media plane: twice the call id, plus one for the b-leg."""

AccountId = NewType("AccountId", int)
"""A purse or a book."""

FacilityId = NewType("FacilityId", str)
UnitId = NewType("UnitId", str)
TerminalId = NewType("TerminalId", str)
PersonId = NewType("PersonId", str)
TrunkId = NewType("TrunkId", str)

EPOCH_S: Final = 1_577_836_800
"""2020-01-01T00:00:00Z. Chosen: 41 bits of milliseconds from here last until 2089."""

SEQUENCE_BITS: Final = 12
"""Calls of one millisecond differ in these bits. Chosen."""


class CallIds:
    """Hands out call ids that rise with time and never repeat on this node.

    Args:
        random: where the low bits of each new millisecond start, so that two nodes differ.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last = 0

    def take(self, *, wall: float) -> CallId:
        """Return the next id for a call that begins at `wall` (seconds since 1970)."""
        stamp = int((wall - EPOCH_S) * 1000) << SEQUENCE_BITS
        fresh = stamp | self._random.getrandbits(SEQUENCE_BITS - 2)
        self._last = max(fresh, self._last + 1)
        return CallId(self._last)


def leg_id(call: CallId, *, is_b: bool) -> LegId:
    """Name one leg of a call."""
    return LegId(2 * call + is_b)


def call_of(leg: LegId) -> CallId:
    """Return the call that a leg belongs to."""
    return CallId(leg // 2)
