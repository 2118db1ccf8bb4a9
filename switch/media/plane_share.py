"""Which worker a new call goes to. Pure.

Calls are packed into few workers while these have time to spare: a tick over many legs costs less
per leg than one over few. Then the one with the most time left takes the call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

BUSY_PACKED: Final = 0.5
"""A worker that is busy for more of its time gets no more calls while another one has less to do.
Chosen: the other half is for packets that come together."""

BUSY_FULL: Final = 0.85
"""A worker that is busy for so much of its time has no place for an ordinary call: a call more
would delay all others. Chosen: what is left is for packets that come together, and for hotlines."""

LEG_BUSY: Final = 0.0006
"""What a leg is taken to cost until the next report: 50 packets a second of 8 us, and its part of
the look. Measured on two shared virtual processors (`make bench`), rounded up."""


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """How much a worker has to do."""

    legs: int
    """Open now, by control's own count."""
    legs_reported: int = 0
    busy: float = 0.0
    """Share of a processor that it used in the second before its last report, with so many legs."""

    @property
    def estimate(self) -> float:
        """Return the share that it uses by now."""
        return self.busy + LEG_BUSY * (self.legs - self.legs_reported)


def places(loads: Mapping[int, WorkerLoad], *, legs_max: int) -> tuple[int, str]:
    """Return how many legs more the workers carry without harm to others, and what limits that.

    The limit is named as its setting is: more legs a worker, or more workers.
    """
    by_legs = sum(max(0, legs_max - load.legs) for load in loads.values())
    by_time = sum(max(0, int((BUSY_FULL - one.estimate) / LEG_BUSY)) for one in loads.values())
    return min((by_legs, "media.legs_max"), (by_time, "media.workers"))


def choose(loads: Mapping[int, WorkerLoad], *, legs_packed: int, legs_max: int) -> int | None:
    """Return the worker for a call of two legs; None: there is no room for it.

    Args:
        loads: of each worker that is there.
        legs_packed: a worker is filled up to here before the next one gets calls.
        legs_max: of one worker.
    """
    able = {n: load for n, load in loads.items() if load.legs + 2 <= legs_max}
    for number in sorted(able):
        if able[number].legs < legs_packed and able[number].estimate < BUSY_PACKED:
            return number
    return min(able, key=lambda n: (able[n].estimate, able[n].legs, n), default=None)
