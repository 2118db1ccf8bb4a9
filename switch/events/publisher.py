"""One mouth for many ears: the switchboard tells it, it tells metrics, MQTT, the audit trail.

The switchboard's side only appends to a bounded queue: no listener can delay a call, whatever it
does. When nobody keeps up the oldest news goes, and is counted. Audit entries do not wait here:
each goes at once to those who take it, and they keep what must not be lost.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from switch.call.news import AuditNews, News, Publisher


class Fanout:
    """Hands every piece of news to every listener, in order.

    Args:
        listeners: who is told. Each has a queue of its own and never waits.
        news_max: how much may wait here.
    """

    def __init__(self, listeners: Sequence[Publisher], *, news_max: int) -> None:
        self._listeners = tuple(listeners)
        self._waiting: deque[News] = deque(maxlen=news_max)
        self._news_came = asyncio.Event()
        self.dropped = 0
        """News that no listener ever saw."""

    def listen(self, listeners: Sequence[Publisher]) -> None:
        """Take these listeners instead."""
        self._listeners = tuple(listeners)

    def publish_nowait(self, news: News) -> None:
        """See Publisher."""
        if isinstance(news, AuditNews):
            self._tell(news)
            return
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(news)
        self._news_came.set()

    async def run(self) -> None:
        """Pass news on until cancelled."""
        while True:
            await self._news_came.wait()
            self._news_came.clear()
            self.pass_on_nowait()

    def pass_on_nowait(self) -> None:
        """Hand over what waits; also the last thing to call before the listeners close."""
        while self._waiting:
            self._tell(self._waiting.popleft())

    def _tell(self, news: News) -> None:
        for listener in self._listeners:
            listener.publish_nowait(news)
