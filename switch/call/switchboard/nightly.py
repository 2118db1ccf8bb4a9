"""What is done every night, each facility by its own clock.

    every minute --the hour has struck at some facilities--> each job, for those facilities

A clock that jumps loses no night: what counts is whether the hour lies between two looks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from switch.clock import Clock
from switch.errors import KinlineError
from switch.ids import FacilityId
from switch.screening.settings import Facility
from switch.store.house_clock import period_starts

LOOK_S: Final = 60.0
"""How often it is looked whether the hour has struck. Chosen: a job may be a minute late."""

HOUR_S: Final = 3600.0

Job = Callable[[Sequence[FacilityId]], Awaitable[object]]
"""What is done, for the facilities whose night it is."""

log = logging.getLogger(__name__)


class Nightly:
    """Runs the jobs of the night.

    Args:
        hour: hours after midnight in the time of each facility, 0 to 23.
        facilities: those that there are, asked at every look.
        jobs: by name; one that raises a KinlineError is logged and keeps no other from its turn.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        hour: int,
        facilities: Callable[[], Iterable[Facility]],
        jobs: Mapping[str, Job],
    ) -> None:
        self._clock = clock
        self._hour = hour
        self._facilities = facilities
        self._jobs = jobs
        self._looked_at = clock.wall()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Do what is due since the last look."""
        before, self._looked_at = self._looked_at, self._clock.wall()
        due = struck(self._facilities(), hour=self._hour, after=before, until=self._looked_at)
        if not due:
            return
        for name, job in self._jobs.items():
            try:
                await job(due)
            except KinlineError as error:
                log.error("the nightly %s failed (%s); tomorrow again", name, error)  # noqa: TRY400 - the sentence says it all


def struck(
    facilities: Iterable[Facility], *, hour: int, after: float, until: float
) -> list[FacilityId]:
    """Return where an hour of the day began between two moments of wall time.

    The hour is counted from midnight: in the night in which the clocks change it may be one
    hour earlier or later than the wall says.
    """
    found = []
    for facility in facilities:
        at = period_starts(until, facility.zone).day + hour * HOUR_S
        if at > until:  # today's is still to come; yesterday's may have been slept over
            at = period_starts(at - 24 * HOUR_S, facility.zone).day + hour * HOUR_S
        if after < at <= until:
            found.append(facility.id)
    return found
