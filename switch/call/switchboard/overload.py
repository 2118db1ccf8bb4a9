"""When the switch is late, new requests are turned away, the least needed first.

    strain                                       turned away (503, Retry-After 5 to 15 s)
    control's loop or a media worker is late     OPTIONS: who asks, sends calls elsewhere
    control is so late that requests come twice  REGISTER too
    that lasts STEP_S more                       INVITE too
    strain is over for STEP_S                    one step less, and so on

Once the loop is later than a request is repeated after, its load doubles by itself: only then is
anybody refused who wanted more than to know how we are. Few places left for calls turn OPTIONS away
and nothing else: who may still have one is decided at the door, where hotlines and privileged calls
go before others. Inside a dialog nothing is ever turned away.

Source: the signalling rules, section 8; RFC 3261 section 21.5.4 (503).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from switch.call.news import AlarmNews
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.worker_watch import ALARM_REST_S
from switch.ids import FacilityId
from switch.sip.gate import SHEDDABLE

LAG_S_MAX: Final = 0.1
"""How late the loop may come, at the 99th percentile. Signalling rules, section 8."""

REPEATED_S: Final = 0.5
"""Later than this, and requests that wait are sent again. T1, RFC 3261 section 17.1.1.1."""

WINDOW_S: Final = 5.0
"""Over which the percentile is taken. Chosen: 250 looks on a calm machine."""

LATE_SHARE: Final = 0.01
"""More of the looks than these were late: that is the 99th percentile."""

SAMPLE_S: Final = 0.02
"""How often it is looked how late the loop comes. Chosen: three late looks in a window are needed,
so that one hiccup is none; each costs microseconds."""

LOOK_S: Final = 1.0
"""How often a step may be taken. Chosen: as often as the workers report."""

STEP_S: Final = 5.0
"""From one step to the next, both ways. Chosen: what is over by then is better served late than
refused: SIP repeats a request for half a minute."""

NEAR_SHARE: Final = 0.05
"""A smaller share of the places for legs than this is left: the house is nearly full. Chosen."""

OPTIONS_ONLY: Final = 1
ALARM: Final = "signalling_shed"

log = logging.getLogger(__name__)


class Overload:
    """Decides which methods are turned away. Pure: it is told how late things came."""

    def __init__(self) -> None:
        self._lags: deque[tuple[float, float]] = deque()
        """When, and how late it was."""
        self._tick_late_at = float("-inf")
        self._steps = 0
        self._next_up = float("-inf")
        self._calmer_since: float | None = None

    def lagged(self, lag_s: float, *, now: float) -> None:
        """The event loop came so late."""
        self._lags.append((now, lag_s))
        while self._lags[0][0] < now - WINDOW_S:
            self._lags.popleft()

    def ticked_late(self, *, now: float) -> None:
        """A media worker was late in the last second."""
        self._tick_late_at = now

    def look(self, *, nearly_full: bool, now: float) -> frozenset[str]:
        """Take a step if it is time; return the methods that are turned away from now on."""
        wanted = self._wanted(now)
        if self._steps < wanted and now >= self._next_up:
            self._steps += 1
            self._next_up = now + STEP_S
        if self._steps <= wanted:
            self._calmer_since = None
        elif self._calmer_since is None:
            self._calmer_since = now
        elif now - self._calmer_since >= STEP_S:
            self._steps -= 1
            self._calmer_since = self._next_up = now
        return frozenset(SHEDDABLE[: max(self._steps, OPTIONS_ONLY if nearly_full else 0)])

    def _wanted(self, now: float) -> int:
        """How many steps the strain of this moment asks for, if it lasts."""
        if self._is_later_than(REPEATED_S, now):
            return len(SHEDDABLE)
        media = now - self._tick_late_at < 2 * LOOK_S
        return OPTIONS_ONLY if media or self._is_later_than(LAG_S_MAX, now) else 0

    def _is_later_than(self, limit_s: float, now: float) -> bool:
        """Whether the percentile is over a bound, and still: a burst that has passed is past."""
        late = [at for at, lag_s in self._lags if lag_s > limit_s]
        return len(late) > LATE_SHARE * len(self._lags) and now - late[-1] < LOOK_S


class OverloadWatch:
    """Lets the SIP stack turn away what `Overload` says.

    Args:
        rooms: the neighbours.
        ticks_late_at: when a worker last told that it was late, monotonic.
    """

    def __init__(self, rooms: Rooms, *, ticks_late_at: Callable[[], float]) -> None:
        self._rooms = rooms
        self._ticks_late_at = ticks_late_at
        self._overload = Overload()
        self._alarmed_at = float("-inf")

    async def run(self) -> None:
        """Look until cancelled."""
        clock = self._rooms.clock
        look_at = clock.monotonic() + LOOK_S
        while True:
            due = clock.monotonic() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            now = clock.monotonic()
            self._overload.lagged(now - due, now=now)
            if now >= look_at:
                look_at = now + LOOK_S
                self.look(now=now)

    def look(self, *, now: float) -> None:
        """Take a step if it is time, and say so."""
        stack = self._rooms.stack
        if (late_at := self._ticks_late_at()) > now - LOOK_S:
            self._overload.ticked_late(now=late_at)
        shed = self._overload.look(nearly_full=self._is_nearly_full(), now=now)
        before = stack.shedding
        if shed == before:
            return
        stack.shedding = shed
        names = ", ".join(name for name in SHEDDABLE if name in shed) or "nothing"
        log.warning("overload: %s turned away", names)
        if shed > before and now - self._alarmed_at >= ALARM_REST_S:
            self._alarmed_at = now
            self._alarm(names)

    def _is_nearly_full(self) -> bool:
        room = self._rooms.plane.room()
        few_places = room.places_left < NEAR_SHARE * room.places
        return few_places or room.ports_left < NEAR_SHARE * room.ports

    def _alarm(self, names: str) -> None:
        text = (
            f"The switch is late or nearly full: {names} turned away with 503 until that is over. "
            "Calls that are live go on. Give it less, or more processors."
        )
        at_wall = self._rooms.clock.wall()
        self._rooms.publisher.publish_nowait(
            AlarmNews(code=ALARM, text=text, facility=FacilityId(""), at_wall=at_wall)
        )
