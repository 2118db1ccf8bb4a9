from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.clock import SystemClock
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
