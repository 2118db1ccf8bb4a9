"""One suite, two databases: a test that takes `money` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.money_scene import MoneyScene, postgres_scene, sqlite_scene
from tests.support.peers.postgres import PostgresServer, binaries, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    if binaries() is None:
        pytest.skip("no PostgreSQL; deploy/install-peers installs one")
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.live)])
async def money(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MoneyScene]:
    """An empty ledger that must prove itself at the end."""
    if request.param == "sqlite":
        async with sqlite_scene(tmp_path) as scene:
            yield scene
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with postgres_scene(await server.ledger()) as scene:
            yield scene
