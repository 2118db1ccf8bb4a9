"""Row 13 of screening: is there room for one more call, or only for those who have a reserve?

Asked twice. At the door, before a caller has a driver: whoever may be somebody with a reserve is
let in as far as the reserve goes, whoever is surely not is turned away first. And at row 13, when
the number is known.

    at the door     calls at once         ports and places that stay free
    ordinary        CALLS_MAX             those of the reserve
    not known yet   CALLS_UNCLASSED_MAX   those of the reserve
    H and P         CALLS_SPARED_MAX      none
"""

from collections.abc import Callable
from typing import Final

from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.trunks import TrunkDesk, kept_free
from switch.routing.call_class import SPARED, CallClass
from switch.routing.number import E164
from switch.screening.facts import RoomFacts

CALLS_MAX: Final = 5_000
"""Calls that one control process admits. Chosen: twice what the default port range carries."""

CALLS_UNCLASSED_MAX: Final = 5_250
"""Callers above CALLS_MAX who have not dialled yet: any of them may want a hotline. What turns out
to be ordinary is refused at row 13. Chosen: a twentieth more, each for some seconds."""

CALLS_SPARED_MAX: Final = 5_500
"""The end for everybody. The last twentieth is for hotlines and privileged calls. Chosen."""

LEGS_OF_A_CALL: Final = 2


class Capacity:
    """Looks how much of everything is left for the b-leg of one more call.

    Args:
        calls_live: how many calls live, the one that asks among them.
    """

    def __init__(self, rooms: Rooms, *, trunks: TrunkDesk, calls_live: Callable[[], int]) -> None:
        self._rooms = rooms
        self._trunks = trunks
        self._calls_live = calls_live

    def at_the_door(self, class_of: Callable[[], CallClass | None]) -> str:
        """Name the limit that keeps a new caller out; '' if there is none.

        Args:
            class_of: what the dialled number says, None where it says nothing yet. Asked only
                where it matters.
        """
        live, short = self._calls_live(), self._short_of_legs()
        if live < CALLS_MAX and not short:
            return ""
        call_class = class_of()
        if call_class in SPARED:
            return "CALLS_SPARED_MAX" if live >= CALLS_SPARED_MAX else ""
        if short:
            return short
        if call_class is None:
            return "CALLS_UNCLASSED_MAX" if live >= CALLS_UNCLASSED_MAX else ""
        return "CALLS_MAX"

    def _short_of_legs(self) -> str:
        plane = self._rooms.plane.room()
        if plane.ports_left <= self._kept_legs(plane.ports):
            return "media.port_max"
        return plane.places_limit if plane.places_left <= self._kept_legs(plane.places) else ""

    def for_call_to(self, number: E164 | None, *, now: float) -> RoomFacts:
        """Say which limit an ordinary call would meet, by its name; None: no number yet.

        No trunk that is up is not a lack of room: dialling then says `congestion`.
        """
        if number is None:
            return RoomFacts()
        plane, live, kept = self._rooms.plane.room(), self._calls_live(), self._rooms.reserved_calls
        left = {
            "CALLS_MAX": (CALLS_MAX - live + 1, kept_free(CALLS_MAX, kept)),
            "media.port_max": (plane.ports_left, self._kept_legs(plane.ports)),
            plane.places_limit: (plane.places_left, self._kept_legs(plane.places)),
        }
        channels = self._trunks.channels(number, now=now)
        if channels is not None:
            free, total = channels
            left["trunk.channels_max"] = free, kept_free(total, kept)
        for limit, (free, stay_free) in left.items():
            if free <= stay_free:
                spared = left | {"CALLS_MAX": (CALLS_SPARED_MAX - live + 1, 0)}
                return RoomFacts(full=limit, reserved_left=all(f > 0 for f, _ in spared.values()))
        return RoomFacts()

    def _kept_legs(self, total: int) -> int:
        return kept_free(total, self._rooms.reserved_calls * LEGS_OF_A_CALL)
