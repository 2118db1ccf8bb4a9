"""The start of the workers: what is said when one is slow or does not come."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from switch.errors import LocalError
from switch.media import plane_lines
from switch.media.ahead import WorkersAhead
from switch.media.link import WorkerLink
from switch.media.plane_lines import PlaneLines
from switch.media.settings import MediaSettings


def lines(data: Path) -> PlaneLines:
    settings = MediaSettings(
        address="127.0.0.1", port_min=26_000, port_max=26_098, workers=1, workers_spare=0
    )
    return PlaneLines(
        settings=settings,
        data=data,
        on_report=lambda *_: None,
        on_lost=lambda *_: None,
        on_ready=lambda _: None,
        ahead=WorkersAhead(),
    )


def starts(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let every worker be a program of this code, which says nothing."""

    def spawn(link: WorkerLink, _: WorkersAhead) -> None:
        link.spawned += 1
        link.process = subprocess.Popen([sys.executable, "-S", "-c", code])

    monkeypatch.setattr(WorkerLink, "spawn", spawn)


def test_a_worker_that_ends_at_once_again_and_again_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts(monkeypatch, "")
    with pytest.raises(LocalError, match=r"did not start: see .*worker-"):
        asyncio.run(lines(tmp_path).start())


def test_a_start_that_takes_long_says_why_before_it_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    starts(monkeypatch, "import time; time.sleep(30)")
    monkeypatch.setattr(plane_lines, "SLOW_S", 0.05)
    monkeypatch.setattr(plane_lines, "START_S", 0.2)

    async def start() -> None:
        plane = lines(tmp_path)
        try:
            await plane.start()
        finally:
            await plane.close()

    with caplog.at_level(logging.WARNING), pytest.raises(LocalError, match="did not start"):
        asyncio.run(start())
    assert "the packet path is compiled now" in caplog.text
