"""Row 13 of screening: is there room for one more call, or only for those who have a reserve?"""

from collections.abc import Callable
from typing import Final

from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.trunks import TrunkDesk
from switch.routing.number import E164
from switch.screening.facts import RoomFacts

CALLS_MAX: Final = 5_000
"""Calls that one control process admits. Chosen: twice what the default port range carries."""


class Capacity:
    """Looks how much of everything is left for the b-leg of one more call.

    Args:
        calls_live: how many calls live, the one that asks among them.
    """

    def __init__(self, rooms: Rooms, *, trunks: TrunkDesk, calls_live: Callable[[], int]) -> None:
        self._rooms = rooms
        self._trunks = trunks
        self._calls_live = calls_live

    def for_call_to(self, number: E164 | None, *, now: float) -> RoomFacts:
        """Say which limit an ordinary call would meet, by its name; None: no number yet.

        No trunk that is up is not a lack of room: dialling then says `congestion`.
        """
        if number is None:
            return RoomFacts()
        plane = self._rooms.plane.room()
        left = {
            "CALLS_MAX": (CALLS_MAX - self._calls_live() + 1, CALLS_MAX),
            "media.port_max": (plane.ports_left, plane.ports),
            "media.legs_max": (plane.places_left, plane.places),
        }
        channels = self._trunks.channels(number, now=now)
        if channels is not None:
            left["trunk.channels_max"] = channels
        for limit, (free, total) in left.items():
            if free <= self._reserve(total):
                return RoomFacts(full=limit, reserved_left=all(f > 0 for f, _ in left.values()))
        return RoomFacts()

    def _reserve(self, total: int) -> int:
        """Never more than half: a trunk of one channel carries ordinary calls."""
        return min(self._rooms.reserved_calls, total // 2)
