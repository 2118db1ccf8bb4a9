"""Fifty people at once, each through the whole script, all of it with keys."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from switch.lab.phone import LabPhone, PhoneCall
from tests.support.switch_rig import SwitchRig, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

CALLS = 50
TALKING_MIN = 40
"""Seen talking at the same moment; the others are some tenths of a second ahead or behind."""
SECONDS_MAX = 60.0
SPOKEN_FRAMES = 150
"""Three seconds."""
HEARD_FRAMES_MIN = 140
"""A frame may fall to a prompt that ends, or to a busy machine."""

ONE = """
[[house.terminal]]
user = "f{n:02d}"
terminal = {{ id = "F{n:02d}", facility = "SHUT" }}

[[house.person]]
passcode = "{passcode}"
person = {{ id = "{person}", facility = "SHUT", name = "Sample {n}", name_file = "person/sample" }}
pan = ["{number}"]
"""


def person_of(n: int) -> str:
    return f"{500_000 + 7 * n}"


def passcode_of(n: int) -> str:
    return f"{3_000 + 13 * n}"


def number_of(n: int) -> str:
    return f"+15552{100 + n:06d}"


def sound_of(n: int, side: int) -> bytes:
    """One frame that is nobody else's; it is known again byte by byte."""
    return bytes([0x10 + n + 0x80 * side]) * 160


def house() -> str:
    return "".join(
        ONE.format(n=n, person=person_of(n), passcode=passcode_of(n), number=number_of(n))
        for n in range(CALLS)
    )


class States:
    """In which state the call of each terminal is, asked for all at once."""

    def __init__(self, rig: SwitchRig) -> None:
        self._rig = rig
        self._states: dict[str, str] = {}
        self.live = self.talking = 0
        """How many there were, and how many talked, at most at one time."""
        self._asked = asyncio.Condition()

    async def run(self) -> None:
        while True:
            rows = (await self._rig.asked("calls", "list", rows=1))["live"]
            async with self._asked:
                self._states = {row["terminal"]: row["state"] for row in rows}
                self.live = max(self.live, len(rows))
                self.talking = max(self.talking, [row["state"] for row in rows].count("talking"))
                self._asked.notify_all()
            await asyncio.sleep(0.25)

    async def until(self, terminal: str, state: str) -> None:
        async with self._asked, asyncio.timeout(SECONDS_MAX):
            await self._asked.wait_for(lambda: self._states.get(terminal) == state)


class Outside:
    """The telephone behind the trunk, a call of it by the number that was dialled."""

    def __init__(self, phone: LabPhone) -> None:
        self._phone = phone
        self._came: dict[str, asyncio.Future[PhoneCall]] = {}

    def of(self, number: str) -> asyncio.Future[PhoneCall]:
        return self._came.setdefault(number, asyncio.get_running_loop().create_future())

    async def run(self) -> None:
        while True:
            call = await self._phone.incoming()
            assert call.invite is not None
            self.of(call.invite.uri.removeprefix("sip:").partition("@")[0]).set_result(call)


async def one_call(n: int, terminal: LabPhone, outside: Outside, states: States) -> None:
    name = f"F{n:02d}"
    call = await terminal.call("call")
    await within(SECONDS_MAX, call.answered)
    await states.until(name, "pin")
    call.media.press(person_of(n) + passcode_of(n))
    await states.until(name, "number")
    call.media.press(number_of(n).removeprefix("+"))
    async with asyncio.timeout(SECONDS_MAX):
        there = await outside.of(number_of(n))
    there.ring()
    there.answer()
    await states.until(name, "greeting")
    there.media.press("1")
    await states.until(name, "talking")
    call.media.say(sound_of(n, 0) * SPOKEN_FRAMES)
    there.media.say(sound_of(n, 1) * SPOKEN_FRAMES)
    await asyncio.gather(call.media.said(), there.media.said())
    await asyncio.sleep(0.2)
    first, last = (call, there) if n % 2 else (there, call)
    first.hang_up()
    await within(SECONDS_MAX, last.ended)
    assert_heard(call, n, side=1)
    assert_heard(there, n, side=0)


def assert_heard(call: PhoneCall, n: int, *, side: int) -> None:
    """This side heard the other side of its own call, and nobody else."""
    heard = [h.payload for h in call.media.heard]
    assert heard.count(sound_of(n, side)) >= HEARD_FRAMES_MIN
    others = {sound_of(m, s) for m in range(CALLS) for s in (0, 1)} - {sound_of(n, side)}
    assert not others & set(heard)


def assert_record(record: dict[str, Any], n: int) -> None:
    assert record["person"] == person_of(n)
    assert record["number"] == number_of(n)
    assert record["acceptance"]["how"] == "1"
    assert record["reason"] == ("caller_hangup" if n % 2 else "called_hangup")
    assert record["talked_s"] >= SPOKEN_FRAMES * 0.02
    assert record["charge"] == 110_000 * int(record["talked_s"]) // 60


async def test_fifty_calls_at_once_through_the_whole_script(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, more=house()) as rig:
        names = rig.data / "prompts" / "names" / "person"
        names.mkdir(parents=True)
        (names / "sample.ulaw").write_bytes((rig.data / "prompts/en/n1.ulaw").read_bytes())
        outside = Outside(await rig.outside(speaks_always=False))
        terminals = [await rig.terminal(f"F{n:02d}", speaks_always=False) for n in range(CALLS)]
        states = States(rig)
        async with asyncio.TaskGroup() as watching:
            watchers = [watching.create_task(w.run()) for w in (states, outside)]
            async with asyncio.TaskGroup() as group:
                for n, terminal in enumerate(terminals):
                    group.create_task(one_call(n, terminal, outside, states))
            for watcher in watchers:
                watcher.cancel()
        assert states.live == CALLS
        assert states.talking >= TALKING_MIN
        await rig.last_record(CALLS)
        records = {record["terminal"]: record for record in await rig.records()}
        assert len(records) == len(await rig.records()) == CALLS
        for n in range(CALLS):
            assert_record(records[f"F{n:02d}"], n)
        held = await rig.quiet()
        assert held["persons_busy"] == held["terminals_busy"] == held["dialog_listeners"] == 0
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
        books = await rig.asked("ledger", "show", books=True)
        assert sum(Decimal(book["posted"]) for book in books) == 0
