"""Rows of recordings: closed once, held, purged, sealed; and the trail of all of it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from switch.billing.cdr import CallRecord
from switch.errors import StoreError, UserError
from switch.ids import CallId
from switch.routing.number import E164
from switch.screening.register import RegisterEntry
from switch.store import audit_store
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from switch.store.record_store import RecordStore
from switch.store.recording_store import ClosedRecording, NewRecording, RecordingStore
from tests.support.house_rig import HouseClock, open_house

NUMBER = E164("+15552340009")
NEW = NewRecording(
    id="abc",
    call_id=CallId(9),
    facility="F1",
    terminal="T1",
    person="123456",
    number=NUMBER,
    path="2026-11-24/abc.rec",
    began_at=1_795_540_000.0,
    keep_until=1_795_550_000.0,
)
CLOSED = ClosedRecording(id="abc", because="", samples=16_000, size_bytes=40_000, sha256="f" * 64)
RECORD = CallRecord(call_id=CallId(9), reason="called_hangup", phase="talking", released_by="x")


class Site:
    def __init__(self, store: Store, house: HouseStore, clock: HouseClock) -> None:
        self.store, self.house, self.clock = store, house, clock
        self.rows = RecordingStore(store)

    async def trail(self) -> list[tuple[str, str, str]]:
        rows = await self.store.read(lambda c: audit_store.tail(c, 50))
        return [(row.entry.what, row.entry.target, row.entry.why) for row in rows]

    async def outbox(self) -> list[tuple[str, str, dict[str, object]]]:
        query = "SELECT kind, recipient, body FROM outbox"
        rows = await self.store.read(lambda c: driver(c).execute(query).fetchall())
        return [(kind, to, msgspec.json.decode(body)) for kind, to, body in rows]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    clock = HouseClock()
    async with open_house(tmp_path, clock) as (store, house):
        site = Site(store, house, clock)
        await site.rows.begin(NEW)
        yield site


def an_entry(**changes: object) -> RegisterEntry:
    values: dict[str, object] = {"seq": 0, "action": "add", "number": NUMBER, "by": ("legal",)}
    return RegisterEntry(**(values | {"at": 1.0, "tell": "a@b.invalid"} | changes))  # type: ignore[arg-type]


async def test_a_file_that_is_closed_is_said_in_the_record_of_its_call(site: Site) -> None:
    await RecordStore(site.store).save(RECORD)
    await site.rows.close(CLOSED)
    row = await site.rows.get("abc")
    assert row is not None
    assert (row.state, row.seconds, row.sha256) == ("closed", 2.0, "f" * 64)
    record = await RecordStore(site.store).get(CallId(9))
    assert record is not None
    assert (record.recorded, record.recording_id, record.hash) == (True, "abc", "f" * 64)


async def test_a_recording_that_ended_early_says_why(site: Site) -> None:
    await RecordStore(site.store).save(RECORD)
    await site.rows.close(msgspec.structs.replace(CLOSED, because="disk"))
    record = await RecordStore(site.store).get(CallId(9))
    assert record is not None
    assert (record.recorded, record.not_recorded_because) == (False, "disk")


async def test_what_a_file_was_is_written_once(site: Site) -> None:
    await site.rows.close(CLOSED)
    await site.rows.close(msgspec.structs.replace(CLOSED, sha256="0" * 64))
    row = await site.rows.get("abc")
    assert row is not None
    assert row.sha256 == "f" * 64
    for statement in (
        "UPDATE recording SET sha256 = 'x'",
        "UPDATE recording SET call_id = 1",
        "DELETE FROM recording",
    ):
        with pytest.raises((StoreError, sqlite3.IntegrityError)):
            await site.store.write(lambda c, s=statement: driver(c).execute(s))  # type: ignore[misc]


async def test_a_hold_keeps_it_from_retention_and_from_a_purge(site: Site) -> None:
    await site.rows.close(CLOSED)
    at = NEW.keep_until + 1
    assert [row.id for row in await site.rows.due(at=at)] == ["abc"]
    assert await site.rows.due(at=NEW.keep_until - 1) == []
    await site.rows.hold("abc", by="legal", why="case 7")
    assert await site.rows.due(at=at) == []
    with pytest.raises(UserError, match="held"):
        await site.rows.purged("abc", by="switch", why="time")
    assert await site.rows.release("abc", by="legal", why="over") == 1
    await site.rows.purged("abc", by="switch", why="time")
    row = await site.rows.get("abc")
    assert row is not None
    assert row.state == "purged"
    assert await site.trail() == [
        ("recording_held", "abc", "case 7"),
        ("recording_released", "abc", "over"),
        ("recording_purged", "abc", "time"),
    ]


async def test_what_is_being_written_is_not_purged(site: Site) -> None:
    with pytest.raises(UserError, match="being written"):
        await site.rows.purged("abc", by="legal", why="now")


@pytest.mark.parametrize("deed", ["hold", "release", "purged"])
async def test_nothing_is_done_without_a_reason_or_to_nothing(site: Site, deed: str) -> None:
    with pytest.raises(UserError, match="why"):
        await getattr(site.rows, deed)("abc", by="legal", why=" ")
    with pytest.raises(UserError, match="no recording"):
        await getattr(site.rows, deed)("none", by="legal", why="x")
    assert await site.trail() == []


async def test_a_new_attorney_seals_what_was_recorded_and_is_told_how_many(site: Site) -> None:
    await site.rows.close(CLOSED)
    await site.rows.begin(msgspec.structs.replace(NEW, id="other", number="+15552340008"))
    await site.house.register.add(an_entry())
    sealed = await site.rows.get("abc")
    other = await site.rows.get("other")
    assert sealed is not None
    assert other is not None
    assert (sealed.sealed_because, other.sealed_because) == ("privileged", "")
    assert (await site.outbox())[-1] == (
        "recordings_sealed",
        "a@b.invalid",
        {"number": NUMBER, "recordings": 1},
    )
    assert [what for what, _, _ in await site.trail()] == ["recordings_sealed"]
    with pytest.raises((StoreError, sqlite3.IntegrityError)):
        await site.store.write(
            lambda c: driver(c).execute("UPDATE recording SET sealed_at = NULL WHERE id = 'abc'")
        )


async def test_an_entry_for_one_person_seals_that_person_s_calls_only(site: Site) -> None:
    await site.rows.begin(msgspec.structs.replace(NEW, id="b", person="234567"))
    await site.house.register.add(an_entry(person="234567"))
    mine, theirs = await site.rows.get("b"), await site.rows.get("abc")
    assert mine is not None
    assert theirs is not None
    assert (mine.sealed_because, theirs.sealed_because) == ("privileged", "")


async def test_a_use_stands_in_the_trail_and_in_the_record(site: Site) -> None:
    await RecordStore(site.store).save(RECORD)
    await site.rows.note_use("abc", what="recording_played", by="cli:kim", why="case 7")
    record = await RecordStore(site.store).get(CallId(9))
    assert record is not None
    assert record.listened_by == ["cli:kim"]
    assert await site.trail() == [("recording_played", "abc", "case 7")]
    with pytest.raises(UserError, match="why"):
        await site.rows.note_use("abc", what="recording_played", by="cli:kim", why="")
