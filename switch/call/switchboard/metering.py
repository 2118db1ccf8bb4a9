"""The second hand: once a second every live call is metered, in one transaction.

Beat n is at start + n seconds, never "now + 1". Only after the commit are the workers given a
later `paid_until`: a crash in between cuts early, never late.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from switch.billing.meter_news import MeteringFenced, MeterNews, PaidUntil
from switch.call.switchboard.rooms import Rooms
from switch.errors import StoreError

BEAT_S: Final = 1.0
"""One beat of the meter. money.md section 3.2."""

log = logging.getLogger(__name__)


class Metering:
    """Runs the beat.

    Args:
        tell: hands what a call must know (money left, added, gone) to its driver.
    """

    def __init__(self, rooms: Rooms, tell: Callable[[MeterNews], None]) -> None:
        self._rooms = rooms
        self._tell = tell
        self.beats = 0
        self.lag_s = 0.0
        """How late the last beat was done."""
        self.failures = 0

    async def run(self) -> None:
        """Beat until cancelled."""
        clock = self._rooms.clock
        start = clock.monotonic()
        while True:
            self.beats += 1
            due = start + self.beats * BEAT_S
            await asyncio.sleep(max(0.0, due - clock.monotonic()))
            await self.beat()
            self.lag_s = max(0.0, clock.monotonic() - due)
            if self.lag_s > BEAT_S:
                self.beats = int((clock.monotonic() - start) / BEAT_S)

    async def beat(self) -> None:
        """Meter every live call once."""
        rooms = self._rooms
        if not len(rooms.book):
            return
        try:
            await rooms.meters.follow_limits()
        except StoreError as error:
            log.warning("new spending limits cannot be read (%s); the next second again", error)
        beat = rooms.book.beat(now=rooms.clock.monotonic(), limited=rooms.meters.limited)
        if beat.is_empty:
            return
        try:
            result = await rooms.meters.beat(beat)
        except StoreError as error:
            self.failures += 1
            log.warning("the meter cannot write (%s); calls end at their paid second", error)
            return
        for news in rooms.book.applied(beat, result, now=rooms.clock.monotonic()):
            match news:
                case PaidUntil(call=call, at=at):
                    rooms.plane.paid_until(call, at)
                case MeteringFenced():
                    log.error("another process meters this node; live calls end as paid")
                case _:
                    self._tell(news)
