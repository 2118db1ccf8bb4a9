"""Takes audit entries from anywhere in the switch and writes them to the store, in order.

`publish_nowait` never waits. Entries that do not fit while the store is away are counted, and the
count becomes an entry of its own: a hole in the trail is written into the trail.
"""

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Final

from sqlalchemy import Connection

from switch.call.news import AuditNews, News
from switch.clock import Clock
from switch.errors import StoreError
from switch.store.audit_store import AuditEntry, append
from switch.store.engine import Store

RETRY_S: Final = 1.0
"""How long to wait after the store refused. Chosen."""

BATCH_MAX: Final = 100
"""Entries of one transaction. Chosen: one fsync for a burst, and the writer is soon free."""

log = logging.getLogger("kinline.audit")


class AuditTrail:
    """A Publisher of audit entries; all other news passes it by.

    Args:
        store: where the trail is.
        clock: stamps the entry about lost entries.
        audit_max: how many entries may wait.
    """

    def __init__(self, *, store: Store, clock: Clock, audit_max: int) -> None:
        self._store = store
        self._clock = clock
        self._audit_max = audit_max
        self._waiting: deque[AuditEntry] = deque()
        self._lost = 0
        self._came = asyncio.Event()
        self.dropped = 0
        """Entries lost since the start."""

    def publish_nowait(self, news: News) -> None:
        """See Publisher."""
        if not isinstance(news, AuditNews):
            return
        if len(self._waiting) >= self._audit_max:
            self._lost += 1
            self.dropped += 1
            return
        self._waiting.append(entry_of(news))
        self._came.set()

    async def run(self) -> None:
        """Write what comes until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            try:
                await self.flush()
            except StoreError as error:
                log.error("The audit trail cannot be written: %s", error)  # noqa: TRY400 - the sentence says it all
                await asyncio.sleep(RETRY_S)
                self._came.set()

    async def flush(self) -> None:
        """Write everything that waits; also the last thing to do before the store closes.

        Raises:
            StoreError: what waits goes on waiting.
        """
        while self._waiting or self._lost:
            batch = [self._waiting[i] for i in range(min(BATCH_MAX, len(self._waiting)))]
            if len(batch) == len(self._waiting) and self._lost:
                batch.append(self._loss())
            await self._store.write(partial(_append_all, entries=batch))
            for entry in batch:
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()
                else:
                    self._lost -= int(entry.after)

    def _loss(self) -> AuditEntry:
        return AuditEntry(
            at_micros=int(self._clock.wall() * 1e6),
            who="switch",
            role="switch",
            address="",
            what="audit_entries_lost",
            target="audit",
            after=str(self._lost),
            why="The store could not be written and the queue was full.",
        )


def entry_of(news: AuditNews) -> AuditEntry:
    """Turn news into an entry."""
    return AuditEntry(
        at_micros=round(news.at_wall * 1e6),
        who=news.who,
        role=news.role,
        address=news.address,
        what=news.what,
        target=news.target,
        before=news.before,
        after=news.after,
        why=news.why,
    )


def _append_all(connection: Connection, entries: list[AuditEntry]) -> None:
    for entry in entries:
        append(connection, entry)
