"""`kinline lab load` against the switch of `config/bench.toml`: calls that come and go."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

KINLINE = (sys.executable, "-m", "switch")
LOAD_S_MAX = 120.0


@contextmanager
def served(folder: Path, config: str) -> Iterator[Path]:
    """A switch on one of the configurations of the benches, and its data directory."""
    words = ("run", "--config", f"config/{config}", "--data", str(folder))
    with subprocess.Popen([*KINLINE, *words], stdout=subprocess.PIPE, text=True) as switch:
        assert switch.stdout is not None
        try:
            assert json.loads(switch.stdout.readline())["event"] == "ready"
            yield folder
        finally:
            for _ in range(2):
                switch.terminate()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    with served(tmp_path / "data", "bench.toml") as folder:
        yield folder


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


def test_under_keys_on_both_legs_every_frame_is_known_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    words = ("lab", "certificates", "--data", str(folder))
    subprocess.run([*KINLINE, *words], check=True, capture_output=True)
    with served(folder, "bench-srtp.toml"):
        code, (*_, report), said = load(folder, "--srtp", "--calls", "4", "--seconds", "3")
        assert (code, said) == (0, "")
        assert (report["srtp"], report["refused"], report["wrong"]) == (True, {}, 0)
        assert report["completed"] == 4
        code, _, said = load(folder, "--calls", "2", "--seconds", "1")
        assert code == 1, "who calls in the clear is refused"


def test_every_recording_is_what_was_said(tmp_path: Path) -> None:
    with served(tmp_path / "data", "bench-record.toml") as folder:
        words = ("--recorded", "--calls", "4", "--seconds", "6", "--hold", "3")
        code, (*_, report), said = load(folder, *words)
        kept = report["recordings"]
        assert (code, said) == (0, ""), json.dumps(report)
        assert kept["calls"] == kept["files"] == report["completed"] >= 4
        assert (kept["spoilt"], kept["faults"]) == (0, [])
        assert kept["length_off_ms_max"] <= 20
        assert kept["likeness_min"] > 0.95


def test_without_recordings_it_says_that_there_are_none(data: Path) -> None:
    code, (*_, report), _ = load(data, "--recorded", "--calls", "2", "--seconds", "1")
    assert code == 1
    assert report["recordings"]["files"] == 0
    assert report["recordings"]["spoilt"] == 2


def test_without_a_switch_it_says_how_to_start_one(tmp_path: Path) -> None:
    code, rows, said = load(tmp_path)
    assert (code, rows) == (2, [])
    assert "kinline run --config config/bench.toml" in said
