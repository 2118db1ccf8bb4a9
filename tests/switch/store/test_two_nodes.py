"""A slice of `python -m tests.soak.two_nodes`: two real processes on the same accounts."""

import pytest

from tests.soak.two_nodes import contest, is_sound
from tests.support.peers.postgres import PostgresServer

pytestmark = [pytest.mark.live, pytest.mark.slow]


async def test_two_nodes_on_the_same_accounts_neither_deadlock_nor_overspend(
    postgres: PostgresServer,
) -> None:
    found = await contest(60, 70, 15, 60)
    assert is_sound(found), found
    assert all(node["ended"] > 60 for node in found["nodes"])
