"""What only PostgreSQL can do to us: break the line, undo a deed, refuse to be reached."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from switch.billing.beat import BeatOutcome
from switch.billing.rating import charge
from switch.clock import SystemClock
from switch.errors import ConnectionLostError, StoreError
from switch.ids import CallId
from switch.store import postgres_schema
from switch.store.postgres_link import Link, Postgres
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import postgres_scene
from tests.support.peers.postgres import ROLE, PostgresServer

pytestmark = pytest.mark.live
CALL = CallId(7)
BREAK_OFF = "SELECT pg_terminate_backend(pg_backend_pid())"


async def test_a_beat_whose_line_breaks_is_read_again_and_never_sent_blindly(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        account = await money.purse(1_000_000)
        await money.start(CALL, account)
        await money.beat(now=1.25)
        beat = money.book.beat(now=4.25)
        write = money.store.write

        async def broken(deed: Callable[[Link], Awaitable[object]], *, is_beat: bool) -> object:
            async def cut(link: Link) -> object:
                await deed(link)
                await link.execute(BREAK_OFF)
                return None

            return await write(cut)

        monkeypatch.setattr(money.store, "write", broken)
        result = await money.meters.beat(beat)
        monkeypatch.undo()
        assert result.outcome is BeatOutcome.STALE
        assert [row.seq for row in result.rows] == [1]
        money.book.applied(beat, result, now=4.25)
        await money.beat(now=5.25)
        assert (await money.end(CALL, ended_at=6.0)).charged == charge(ELEVEN_CENTS.rate, 6)


async def test_a_line_that_breaks_is_told_as_one(postgres: PostgresServer) -> None:
    store = await Postgres.open(await postgres.ledger(), clock=SystemClock())
    with pytest.raises(ConnectionLostError, match="was lost"):
        await store.write(lambda link: link.execute(BREAK_OFF))
    assert await store.read(lambda link: link.fetchval("SELECT 1")) == 1
    await store.close()


async def test_a_deed_that_the_database_undid_is_carried_out_again_but_not_for_ever(
    postgres: PostgresServer,
) -> None:
    store = await Postgres.open(await postgres.ledger(), clock=SystemClock())
    tries = []

    async def undone(_link: Link) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return len(tries)

    assert await store.write(undone) == 3

    async def always(_link: Link) -> None:
        raise asyncpg.SerializationError("could not serialize")

    with pytest.raises(StoreError, match="undid a deed 3 times"):
        await store.write(always)
    with pytest.raises(StoreError, match="could not do what was asked"):
        await store.write(lambda link: link.execute("SELECT nothing FROM nowhere"))
    await store.close()


async def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="PostgreSQL cannot be reached"):
        await Postgres.open(f"postgresql://{ROLE}@/x?host={tmp_path}", clock=SystemClock())


async def test_the_schema_is_brought_up_to_date_once(postgres: PostgresServer) -> None:
    dsn = (await postgres.ledger()).replace(f"{ROLE}@", "postgres@")
    owner = await asyncpg.connect(dsn)
    async with owner.transaction():
        assert await postgres_schema.bring_up_to_date(owner, role=ROLE) == []
    assert await owner.fetchval("SELECT count(*) FROM revision") == len(postgres_schema.REVISIONS)
    await owner.close()


@pytest.mark.parametrize("table", postgres_schema.NEVER_CHANGED)
async def test_not_even_the_owner_changes_a_row_by_mistake(
    postgres: PostgresServer, table: str
) -> None:
    dsn = (await postgres.ledger()).replace(f"{ROLE}@", "postgres@")
    owner = await asyncpg.connect(dsn)
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never removed"):
            await owner.execute(statement)
    await owner.close()
