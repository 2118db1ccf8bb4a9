"""What waits for the broker: bounded, oldest dropped and counted, nothing lost by a reconnect.

Each event gets its number (`seq`) when it comes in, so a reader sees by a gap that some were
dropped. What was on its way when a connection broke goes to the front again (QoS 1: a reader may
see it twice, and knows it by its `seq`). The last event of each retained topic is kept, because a
broker that lost its memory must get them again.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from switch.call.news import CallEndedNews, News, QualityNews
from switch.events.topics import Announcement, Place, announce

LEGS_REMEMBERED_MAX: Final = 50_000
"""Legs whose last quality event is remembered. Chosen: more than one node carries."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One announcement that was taken out, with its number."""

    seq: int
    announcement: Announcement


class Outbox:
    """The queue between the switch and the broker. Pure: no clock, no socket.

    Args:
        place: which node speaks.
        events_max: how many events may wait.
        quality_every_s: seconds between two quality events of one leg.
    """

    def __init__(self, place: Place, *, events_max: int, quality_every_s: int) -> None:
        self._place = place
        self._events_max = events_max
        self._quality_every_s = quality_every_s
        self._waiting: deque[Sending] = deque()
        self._on_the_way: dict[int, Sending] = {}
        self._retained: dict[str, Sending] = {}
        self._quality_at: dict[tuple[int, str], float] = {}
        self._seq = 0
        self.dropped = 0
        """Events that the broker will never get."""

    def __len__(self) -> int:
        """Return how many events the broker does not yet have."""
        return len(self._waiting) + len(self._on_the_way)

    def put(self, news: News) -> None:
        """Take news in, if it is something for the broker."""
        if self._is_too_soon(news):
            return
        announcement = announce(news, self._place, self._seq + 1)
        if announcement is None:
            return
        sending = Sending(self.next_seq(), announcement)
        if announcement.retained:
            self._retained[announcement.topic] = sending
        if len(self._waiting) >= self._events_max:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(sending)

    def next_seq(self) -> int:
        """Use up one number; also for what does not come through here, such as answers."""
        self._seq += 1
        return self._seq

    def take(self) -> Sending | None:
        """Take the oldest event; it is on its way until `arrived`."""
        if not self._waiting:
            return None
        sending = self._waiting.popleft()
        self._on_the_way[sending.seq] = sending
        return sending

    def arrived(self, sending: Sending) -> None:
        """The broker has it."""
        self._on_the_way.pop(sending.seq, None)

    def connected(self) -> None:
        """A connection begins: what was on its way, and all that is retained, goes first."""
        again = {s.seq: s for s in self._retained.values()} | self._on_the_way
        self._on_the_way.clear()
        for sending in self._waiting:
            again.pop(sending.seq, None)
        self._waiting.extendleft(sorted(again.values(), key=lambda s: s.seq, reverse=True))

    def _is_too_soon(self, news: News) -> bool:
        """Thin out what comes each second and leg by leg."""
        if isinstance(news, CallEndedNews):
            for side in ("a", "b"):
                self._quality_at.pop((news.call, side), None)
        if not isinstance(news, QualityNews):
            return False
        leg = (news.call, news.side)
        last = self._quality_at.get(leg)
        if last is not None and news.at_wall - last < self._quality_every_s:
            return True
        if len(self._quality_at) >= LEGS_REMEMBERED_MAX:
            self._quality_at.clear()
        self._quality_at[leg] = news.at_wall
        return False
