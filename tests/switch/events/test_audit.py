import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.clock import SystemClock
from switch.errors import StoreError
from switch.events.audit import AuditTrail
from switch.store import audit_store
from switch.store.engine import Store
from tests.switch.events import news_of


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.sqlite3", clock=SystemClock())
    yield opened
    await opened.close()


async def test_audit_news_becomes_entries_of_the_chain(store: Store) -> None:
    trail = AuditTrail(store=store, clock=SystemClock(), audit_max=10)
    trail.publish_nowait(news_of.audit("cut"))
    trail.publish_nowait(news_of.state())
    trail.publish_nowait(news_of.audit("login"))
    await trail.flush()
    rows = await store.read(lambda connection: audit_store.tail(connection, 9))
    assert [row.entry.what for row in rows] == ["cut", "login"]
    assert rows[0].entry.at_micros == int(news_of.AT_WALL * 1e6)
    assert (await store.read(audit_store.verify)).faults == ()


async def test_a_hole_in_the_trail_is_written_into_the_trail(store: Store) -> None:
    trail = AuditTrail(store=store, clock=SystemClock(), audit_max=2)
    for _ in range(5):
        trail.publish_nowait(news_of.audit())
    await trail.flush()
    rows = await store.read(lambda connection: audit_store.tail(connection, 9))
    assert [row.entry.what for row in rows] == ["cut", "cut", "audit_entries_lost"]
    assert rows[-1].entry.after == "3"
    assert trail.dropped == 3
    await trail.flush()
    assert (await store.read(audit_store.verify)).entries == 3


async def test_an_entry_whose_writing_was_cancelled_stands_there_once(store: Store) -> None:
    trail = AuditTrail(store=store, clock=SystemClock(), audit_max=10)
    for turns in range(4):
        trail.publish_nowait(news_of.audit(f"cut {turns}"))
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(trail.flush())
            for _ in range(turns):
                await asyncio.sleep(0)
            writing.cancel()
        await trail.flush()
    rows = await store.read(lambda connection: audit_store.tail(connection, 99))
    assert [row.entry.what for row in rows] == [f"cut {turns}" for turns in range(4)]


async def test_two_flushes_at_once_write_each_entry_once_and_in_order(store: Store) -> None:
    trail = AuditTrail(store=store, clock=SystemClock(), audit_max=1000)
    for n in range(250):
        trail.publish_nowait(news_of.audit(f"cut {n}"))
    await asyncio.gather(trail.flush(), trail.flush())
    rows = await store.read(lambda connection: audit_store.tail(connection, 999))
    assert [row.entry.what for row in rows] == [f"cut {n}" for n in range(250)]


async def test_what_the_store_refused_waits_and_is_written_later(store: Store) -> None:
    trail = AuditTrail(store=store, clock=SystemClock(), audit_max=10)
    trail.publish_nowait(news_of.audit("cut 1"))
    real, store.write = store.write, _refuses  # type: ignore[method-assign,assignment]  # a full disk
    with pytest.raises(StoreError):
        await trail.flush()
    store.write = real  # type: ignore[method-assign]  # and room again
    trail.publish_nowait(news_of.audit("cut 2"))
    await trail.flush()
    rows = await store.read(lambda connection: audit_store.tail(connection, 9))
    assert [row.entry.what for row in rows] == ["cut 1", "cut 2"]


async def _refuses(_deed: object) -> None:
    raise StoreError("The disk is full.")
