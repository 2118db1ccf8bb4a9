"""A fixed-seed slice of `python -m tests.soak.kills`, in a process of its own, since it forks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.peers.postgres import binaries

ROOT = Path(__file__).parent.parent.parent.parent
KILLS, SEED = 10, 7


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.live)])
def test_a_node_killed_at_random_loses_a_second_at_most_and_does_nothing_twice(store: str) -> None:
    if store == "postgres" and binaries() is None:
        pytest.skip("no PostgreSQL; deploy/install-peers installs one")
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.kills", store, str(KILLS), str(SEED)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == KILLS
    assert found["calls"] > 0
    assert found["worst_lost_s"] <= 1
