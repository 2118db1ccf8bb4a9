"""Takes audit entries from anywhere in the switch and writes them to the store, in order.

`publish_nowait` never waits. Entries that do not fit while the store is away are counted, and the
count becomes an entry of its own: a hole in the trail is written into the trail.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection

from switch.call.news import AuditNews, News
from switch.clock import Clock
from switch.errors import StoreError
from switch.store.audit_store import AuditEntry, append, entry_at, head
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
        self._flushing = asyncio.Lock()
        self._begun: _Batch | None = None
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
        async with self._flushing:
            while (batch := self._begun or self._next()) is not None:
                self._begun = batch
                await self._store.write(partial(_append_once, batch=batch))
                self._begun = None

    async def head(self) -> str:
        """Write what waits; return number and link of the newest entry, `12:ab…`.

        Raises:
            StoreError: it cannot be written or read.
        """
        await self.flush()
        n, link = await self._store.read(head)
        return f"{n}:{link}"

    def _next(self) -> "_Batch | None":
        entries = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
        if self._lost and not self._waiting:
            entries.append(self._loss())
            self._lost = 0
        return _Batch(entries) if entries else None

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


@dataclass(slots=True)
class _Batch:
    """Entries of one transaction, and where in the chain they began, once that was tried."""

    entries: list[AuditEntry]
    first_n: int = 0


def _append_once(connection: Connection, batch: _Batch) -> None:
    """Write a batch, unless it is there.

    Whoever waits for a write may be cancelled; the store carries it out all the same. The same
    batch then comes a second time, and would stand in the trail twice.
    """
    if batch.first_n and entry_at(connection, batch.first_n) == batch.entries[0]:
        return
    batch.first_n = head(connection)[0] + 1
    batch.entries = [append(connection, entry).entry for entry in batch.entries]
