import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from switch.clock import SystemClock
from switch.store import audit_store
from switch.store.audit_store import AuditEntry
from switch.store.engine import Store

ENTRY = AuditEntry(
    at_micros=1_900_000_000_000_000,
    who="web:lee",
    role="officer",
    address="127.0.0.1",
    what="cut",
    target="call 7001",
    why="a threat",
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.sqlite3", clock=SystemClock())
    yield opened
    await opened.close()


def write(connection: Connection, entries: int = 5) -> None:
    for n in range(entries):
        audit_store.append(connection, replace(ENTRY, target=f"call {n}"))


async def test_entries_follow_each_other_and_verify(store: Store) -> None:
    await store.write(write)
    verdict = await store.read(audit_store.verify)
    assert (verdict.entries, verdict.faults) == (5, ())
    rows = await store.read(lambda connection: audit_store.tail(connection, 2))
    assert [row.n for row in rows] == [4, 5]
    assert rows[-1].link == verdict.head


async def test_an_empty_trail_verifies(store: Store) -> None:
    verdict = await store.read(audit_store.verify)
    assert (verdict.entries, verdict.faults) == (0, ())


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE audit SET why = 'a whim' WHERE n = 2",
        "DELETE FROM audit WHERE n = 2",
        "INSERT INTO audit SELECT 9, 1, who, role, '', what, '', '', '', why, link FROM audit",
    ],
)
async def test_the_database_itself_refuses_to_change_the_trail(store: Store, deed: str) -> None:
    await store.write(write)
    with pytest.raises(IntegrityError, match="audit trail"):
        await store.write(lambda connection: connection.execute(text(deed)))
    assert (await store.read(audit_store.verify)).faults == ()


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        ("UPDATE audit SET why = 'a whim' WHERE n = 2", "entry 2 does not follow"),
        ("UPDATE audit SET at_micros = 1 WHERE n = 5", "entry 5 does not follow"),
        ("DELETE FROM audit WHERE n = 3", "entry 3 is missing"),
    ],
)
async def test_a_change_around_the_triggers_is_found(store: Store, deed: str, fault: str) -> None:
    await store.write(write)
    with sqlite3.connect(store.path) as around:
        for trigger in ("update", "delete"):
            around.execute(f"DROP TRIGGER audit_no_{trigger}")
        around.execute(deed)
    around.close()
    verdict = await store.read(audit_store.verify)
    assert any(fault in found for found in verdict.faults)


async def test_a_tail_cut_off_shows_against_a_published_head(store: Store) -> None:
    await store.write(write)
    published = await store.read(audit_store.head)
    with sqlite3.connect(store.path) as around:
        around.execute("DROP TRIGGER audit_no_delete")
        around.execute("DELETE FROM audit WHERE n = 5")
    around.close()
    assert (await store.read(audit_store.verify)).faults == ()
    verdict = await store.read(lambda c: audit_store.verify(c, published=published))
    assert "published head 5" in verdict.faults[0]


async def test_an_older_published_head_is_found_in_a_longer_trail(store: Store) -> None:
    await store.write(write)
    published = await store.read(audit_store.head)
    await store.write(write)
    verdict = await store.read(lambda c: audit_store.verify(c, published=published))
    assert verdict.faults == ()


async def test_an_entry_goes_with_the_change_that_failed(store: Store) -> None:
    def fails(connection: Connection) -> None:
        write(connection)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(fails)
    assert (await store.read(audit_store.verify)).entries == 0
