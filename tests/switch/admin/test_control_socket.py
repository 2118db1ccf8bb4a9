"""Questions and answers over a real Unix socket."""

import asyncio
import getpass
import json
import os
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from switch.admin.command import Desk
from switch.admin.control_client import ControlClient
from switch.admin.control_socket import ControlServer
from switch.call.news import AuditNews, News
from switch.clock import SystemClock
from switch.errors import StoreError, UserError
from switch.screening.facts import RoomFacts
from switch.store.engine import Store

ME = f"cli:{getpass.getuser()}"


class Board:
    def __init__(self) -> None:
        self.cuts: list[tuple[Any, ...]] = []

    def live_calls(self) -> list[dict[str, Any]]:
        return [{"call": 7001, "state": "talking"}]

    def health(self) -> dict[str, Any]:
        return {"calls": 1}

    async def cut(
        self,
        call: int,
        *,
        by: str,
        why: str,
        disable_terminal_s: int,
        block: bool,
        joined: bool = False,
        alarm: str = "",
    ) -> None:
        if call != 7001:
            raise UserError(f"No call {call} is live.")
        self.cuts.append((call, by, why, disable_terminal_s, block))

    async def selftest(self, *, by: str) -> dict[str, Any]:
        return {"passed": True, "by": by}

    async def house_changed(self) -> None:
        return None

    def room_for(self, number: str | None) -> RoomFacts:
        return RoomFacts()


class Trail:
    def __init__(self) -> None:
        self.entries: list[AuditNews] = []

    def publish_nowait(self, news: News) -> None:
        assert isinstance(news, AuditNews)
        self.entries.append(news)


class Bench:
    def __init__(self, path: Path, store: Store) -> None:
        self.path = path / "control.sock"
        self.board = Board()
        self.trail = Trail()
        desk = Desk(store=store, clock=SystemClock(), board=self.board, by="")
        self.server = ControlServer(self.path, desk=desk, publisher=self.trail)

    async def ask(self, noun: str, verb: str, given: Mapping[str, Any]) -> Any:
        return await asyncio.to_thread(ControlClient(self.path).ask, noun, verb, given)


@asynccontextmanager
async def bench(path: Path) -> AsyncIterator[Bench]:
    store = await Store.open(path / "kinline.sqlite3", clock=SystemClock())
    made = Bench(path, store)
    await made.server.start()
    try:
        yield made
    finally:
        await made.server.close()
        await store.close()


CUT = {"call": 7001, "why": "a threat", "terminal_off_s": 60, "block": False}


@pytest.mark.live
async def test_a_command_is_carried_out_in_the_switch_in_the_name_the_kernel_says(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as at:
        assert await at.ask("cut", "", CUT) == {"cut": 7001}
        assert at.board.cuts == [(7001, ME, "a threat", 60, False)]
        (entry,) = at.trail.entries
        assert (entry.who, entry.what, entry.why) == (ME, "cut", "a threat")


@pytest.mark.live
async def test_a_program_may_add_its_name_but_not_take_another(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        ask = ControlClient(at.path).ask
        await asyncio.to_thread(ask, "cut", "", CUT, by="root")
        assert at.trail.entries[0].who == f"{ME} (root)"


@pytest.mark.live
async def test_a_refusal_comes_back_as_one_sentence_and_is_kept(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        with pytest.raises(UserError, match=r"^No call 9 is live\.$"):
            await at.ask("cut", "", CUT | {"call": 9})
        assert at.trail.entries[0].after == "refused: No call 9 is live."


@pytest.mark.live
async def test_a_look_at_calls_stands_in_the_trail_once_and_other_reading_does_not(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as at:
        assert await at.ask("health", "", {}) == {"calls": 1}
        assert at.trail.entries == []
        for _ in range(2):
            answer = await at.ask("calls", "list", {"rows": 5})
            assert answer["live"] == [{"call": 7001, "state": "talking"}]
        (entry,) = at.trail.entries
        assert (entry.who, entry.what) == (ME, "calls list")


@pytest.mark.live
@pytest.mark.parametrize(
    ("question", "error"),
    [
        (b"nonsense", "Not a question"),
        (b"[]", "Not a question"),
        (b'{"noun": "cut"}', "Not a question"),
        (b'{"noun": "moon", "verb": "add", "given": {}}', "There is no command `moon add`."),
        (b'{"noun": "calls", "verb": "show", "given": {}}', "was not given what it needs"),
    ],
)
async def test_nonsense_is_answered_and_the_line_stays_open(
    tmp_path: Path, question: bytes, error: str
) -> None:
    async with bench(tmp_path) as at, asyncio.timeout(10):
        reader, writer = await asyncio.open_unix_connection(at.path)
        for _ in range(2):
            writer.write(question + b"\n")
            answer = json.loads(await reader.readline())
            assert not answer["ok"]
            assert error in answer["error"]
        writer.close()


@pytest.mark.live
async def test_only_the_owner_may_open_the_socket(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        assert stat.S_IMODE(os.stat(at.path).st_mode) == 0o600
        assert ControlClient(at.path).is_served()
    assert not at.path.exists()


@pytest.mark.live
async def test_a_socket_that_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "control.sock").touch()
    assert not ControlClient(tmp_path / "control.sock").is_served()
    async with bench(tmp_path) as at:
        assert await at.ask("health", "", {}) == {"calls": 1}


def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not answer"):
        ControlClient(tmp_path / "control.sock").ask("health", "", {})
