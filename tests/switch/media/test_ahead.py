"""Worker processes that are begun before anybody knows what they are for."""

import os
import signal
from pathlib import Path

from switch.media.ahead import WorkersAhead


def test_one_that_is_told_something_follows_it_and_writes_to_its_own_log(tmp_path: Path) -> None:
    ahead = WorkersAhead()
    ahead.begin()
    process = ahead.tell(["--number", "many"], tmp_path / "worker.log")
    assert process is not None
    assert process.wait() == 2
    assert "invalid int value: 'many'" in (tmp_path / "worker.log").read_text()
    assert ahead.tell([], tmp_path / "worker.log") is None


def test_one_that_nobody_needs_ends_and_touches_nothing(tmp_path: Path) -> None:
    ahead = WorkersAhead()
    ahead.begin()
    ahead.dismiss()
    assert ahead.tell([], tmp_path / "worker.log") is None
    assert not list(tmp_path.iterdir())


def test_one_that_died_before_it_was_told_is_none(tmp_path: Path) -> None:
    ahead = WorkersAhead()
    ahead.begin()
    child = _children()[-1]
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ahead.tell([], tmp_path / "worker.log") is None


def _children() -> list[int]:
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return sorted(int(pid) for pid in task.read_text().split())
