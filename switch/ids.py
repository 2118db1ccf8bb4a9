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

NODE_BITS: Final = 6
"""Of these, so many are the node's number where several share a ledger. Chosen: 63 nodes of 64
calls a millisecond."""


class CallIds:
    """Hands out call ids that rise with time and never repeat on this node.

    Args:
        random: where the low bits of each new millisecond start, so that two nodes differ.
        node: its number, where several nodes share a ledger: then it stands in every id, and they
            differ for certain. 0: alone.

    Raises:
        ValueError: no id has room for such a number.
    """

    def __init__(self, random: Random, *, node: int = 0) -> None:
        if not 0 <= node < 1 << NODE_BITS:
            raise ValueError(f"a ledger has room for {(1 << NODE_BITS) - 1} nodes, not for {node}")
        self._random = random
        self._node = node
        self._bits = SEQUENCE_BITS - NODE_BITS if node else SEQUENCE_BITS
        self._last = 0

    def take(self, *, wall: float) -> CallId:
        """Return the next id for a call that begins at `wall` (seconds since 1970)."""
        stamp = int((wall - EPOCH_S) * 1000) << self._bits
        fresh = stamp | self._random.getrandbits(self._bits - 2)
        self._last = max(fresh, self._last + 1)
        if not self._node:
            return CallId(self._last)
        return CallId(self._last << NODE_BITS | self._node)


def leg_id(call: CallId, *, is_b: bool) -> LegId:
    """Name one leg of a call."""
    return LegId(2 * call + is_b)


def call_of(leg: LegId) -> CallId:
    """Return the call that a leg belongs to."""
    return CallId(leg // 2)
