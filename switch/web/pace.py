"""How fast strangers may ask for anything that writes: per place, and all together. Pure."""

from collections import OrderedDict, deque
from typing import Final

WINDOW_S: Final = 900.0
"""A quarter of an hour, as for failures of sign-ins. Chosen."""

PLACE_MAX: Final = 60
"""Requests of one place in it. Chosen: a computer room whose people mistype."""

ALL_MAX_PER_S: Final = 20
"""Requests of everybody in a second. Chosen: each is one transaction beside the meter's own."""

PLACES_MAX: Final = 10_000
"""Places that are remembered; then the oldest goes. Chosen."""


class Pace:
    """Counts requests; what comes too fast is not counted."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def wait_s(self, place: str, *, now: float) -> float:
        """Take a request of a place; return how long it must wait, 0 if it is taken."""
        of_place = self._places.setdefault(place, deque())
        self._places.move_to_end(place)
        while len(self._places) > PLACES_MAX:
            self._places.popitem(last=False)
        wait = max(
            _wait(of_place, PLACE_MAX, WINDOW_S, now=now),
            _wait(self._all, ALL_MAX_PER_S, 1.0, now=now),
        )
        if wait <= 0:
            of_place.append(now)
            self._all.append(now)
        return wait


def _wait(times: deque[float], most: int, window_s: float, *, now: float) -> float:
    while times and now - times[0] >= window_s:
        times.popleft()
    return 0.0 if len(times) < most else times[0] + window_s - now
