"""What is remembered between settlements is what the database is certain of."""

from collections.abc import Awaitable, Callable

import pytest

from switch.billing.credit import Credit
from switch.billing.rating import charge
from switch.errors import ConnectionLostError
from switch.ids import CallId
from switch.store.postgres_link import Link
from switch.store.postgres_settlement import QUOTES_MAX, keep_quote
from tests.support.money_rig import ELEVEN_CENTS, quote_of
from tests.support.money_scene import PostgresScene, postgres_scene
from tests.support.peers.postgres import PostgresServer

BREAK_OFF = "SELECT pg_terminate_backend(pg_backend_pid())"


async def talk(money: PostgresScene, call: int, *, free: bool = False) -> None:
    quote = quote_of(0) if free else ELEVEN_CENTS
    await money.start(call, await money.purse(1_000_000), quote)
    await money.beat(now=5.25)


@pytest.mark.live
async def test_books_of_a_settlement_that_was_undone_are_not_remembered(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        await talk(money, 1)
        write = money.store.write

        async def broken(deed: Callable[[Link], Awaitable[object]]) -> object:
            async def cut(link: Link) -> object:
                await deed(link)
                return await link.execute(BREAK_OFF)

            return await write(cut)

        monkeypatch.setattr(money.store, "write", broken)
        with pytest.raises(ConnectionLostError):
            await money.meters.settle(CallId(1), seconds=5, credit=Credit.NONE)
        monkeypatch.undo()
        # The numbers that those books had are taken by others now.
        for _ in range(8):
            await money.purse(5)
        for call in (1, 2, 3):
            if call > 1:
                await talk(money, call)
            settled = await money.end(call, ended_at=5.5)
            assert (settled.seconds, settled.charged) == (5, charge(ELEVEN_CENTS.rate, 5))
        assert await money.faults() == []


@pytest.mark.live
async def test_a_call_that_is_told_twice_with_another_quote_stores_only_the_first(
    postgres: PostgresServer,
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        account, other = await money.purse(1_000_000), quote_of(77_000)
        await money.start(1, account)
        await money.meters.reserve(CallId(1), account, other, facility="F1")
        assert await money.rows("SELECT id FROM quote") == [(ELEVEN_CENTS.id,)]
        await money.start(2, account, other)
        assert len(await money.rows("SELECT id FROM quote")) == 2
        for call in (1, 2):
            await money.end(call, ended_at=0.5)


@pytest.mark.live
async def test_a_free_call_is_settled_and_writes_no_row(postgres: PostgresServer) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        await talk(money, 1, free=True)
        settled = await money.end(1, ended_at=5.5)
        assert (settled.seconds, settled.charged, settled.postings) == (5, 0, ())


def test_no_more_quotes_are_kept_than_have_a_name_for_it() -> None:
    quotes = {f"q-{n}": ELEVEN_CENTS for n in range(QUOTES_MAX)}
    keep_quote(quotes, quote_of(3))
    assert list(quotes) == [quote_of(3).id]
