"""`kinline lab load` against the switch of `config/bench.toml`: calls that come and go."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

KINLINE = (sys.executable, "-m", "switch")
LOAD_S_MAX = 120.0


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A switch on the configuration of the benches, and its data directory."""
    folder = tmp_path / "data"
    words = ("run", "--config", "config/bench.toml", "--data", str(folder))
    with subprocess.Popen([*KINLINE, *words], stdout=subprocess.PIPE, text=True) as switch:
        assert switch.stdout is not None
        assert json.loads(switch.stdout.readline())["event"] == "ready"
        yield folder
        switch.terminate()


def load(data: Path, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [*KINLINE, "lab", "load", "--data", str(data), "--json", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LOAD_S_MAX,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_calls_come_and_go_and_every_frame_is_known_again(data: Path) -> None:
    words = ("--calls", "6", "--seconds", "6", "--every", "2", "--hold", "3")
    code, rows, said = load(data, *words)
    *progress, report = rows
    assert (code, said) == (0, "")
    assert report["refused"] == {}
    assert report["wrong"] == 0
    assert report["delivered"] >= 0.999
    assert report["ledger_sound"] is True
    assert report["placed"] == report["set_up"] == report["completed"] > 6
    assert [row["load"] for row in progress] == ["progress"] * len(progress)
    assert all(row["packets"] and row["us_per_packet"] and row["descriptors"] for row in progress)


def test_without_a_switch_it_says_how_to_start_one(tmp_path: Path) -> None:
    code, rows, said = load(tmp_path)
    assert (code, rows) == (2, [])
    assert "kinline run --config config/bench.toml" in said
