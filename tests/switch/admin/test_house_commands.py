from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from switch.admin.command import Argument, Desk
from switch.admin.house_commands import COMMANDS
from switch.errors import UserError
from switch.ids import CallId, PersonId
from switch.routing.number import E164
from switch.screening.facts import RoomFacts
from switch.store import house_numbers, name_store
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from switch.store.pin_store import PersonChecked
from tests.support.house_rig import CONFIG, HouseClock, open_house

BY_NAME = {(command.noun, command.verb): command for command in COMMANDS}


class Board:
    """A switch that counts how often it was told."""

    def __init__(self) -> None:
        self.told = 0
        self.room = RoomFacts()

    def live_calls(self) -> list[dict[str, Any]]:
        return []

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
        raise NotImplementedError

    def health(self) -> dict[str, Any]:
        return {}

    async def selftest(self, *, by: str) -> dict[str, Any]:
        return {"passed": True, "by": by}

    async def house_changed(self) -> None:
        self.told += 1

    def room_for(self, number: str | None) -> RoomFacts:
        return self.room if number else RoomFacts()


class Office:
    """The command line, without the words around it."""

    def __init__(self, store: Store, house: HouseStore) -> None:
        self.store, self.house, self.board = store, house, Board()

    async def do(self, text: str, *, by: str = "officer", **given: Any) -> Any:
        noun, _, verb = text.partition(" ")
        command = BY_NAME[noun, verb]
        clock = HouseClock()
        desk = Desk(store=self.store, clock=clock, board=self.board, by=by)
        return await command.run(desk, _filled(command.arguments, given))


def _filled(arguments: tuple[Argument, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    names = {a.name.lstrip("-").replace("-", "_"): a for a in arguments}
    assert set(given) <= set(names), "no such argument"
    missing = {name for name, a in names.items() if a.required} - set(given)
    assert not missing, f"required: {missing}"
    return {name: given.get(name, a.default) for name, a in names.items()}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        yield Office(store, house)


def test_no_two_commands_have_one_name_and_each_says_what_it_does() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    assert all(command.help for command in COMMANDS)


async def test_a_person_from_arrival_to_release(office: Office) -> None:
    await office.do("person add", person="456789", facility="F1", name="Kim Invented")
    with pytest.raises(UserError, match="already"):
        await office.do("person add", person="456789", facility="F1", name="Kim Invented")
    with pytest.raises(UserError, match="no facility"):
        await office.do("person add", person="456790", facility="F9", name="Kim Invented")
    made = await office.do("person set-passcode", person="456789")
    terminal = office.house.house.terminals
    answer = await office.house.check_pin(
        call=CallId(1),
        terminal=next(iter(terminal.values())),
        digits="456789" + made["passcode"],
        at_wall=HouseClock().wall(),
    )
    assert isinstance(answer, PersonChecked)
    shown = await office.do("person suspend", person="456789", until="2026-12-01")
    assert shown["suspended_until"] == "2026-12-01"
    with pytest.raises(UserError, match="not a date"):
        await office.do("person suspend", person="456789", until="tomorrow")
    assert (await office.do("person release", person="456789"))["state"] == "released"
    assert (await office.do("person show", person="456789"))["state"] == "released"
    assert len(await office.do("person list", facility="F1")) == 4
    assert office.board.told == 3
    with pytest.raises(UserError, match="no person"):
        await office.do("person show", person="000000")


async def test_a_recorded_name_waits_for_approval(office: Office, tmp_path: Path) -> None:
    person = PersonId("123456")
    recording = name_store.name_file(tmp_path, name_store.pending_name(person))
    with pytest.raises(UserError, match="No recorded name"):
        await office.do("person approve-name", person=person)
    await office.store.write(lambda c: name_store.taken(driver(c), person))
    with pytest.raises(UserError, match="is gone"):
        await office.do("person approve-name", person=person)
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"\xff" * 160)
    assert [row["recording"] for row in await office.do("person names")] == [str(recording)]
    done = await office.do("person approve-name", person=person)
    assert done["before"] == {"recorded_name": "waits for approval"}
    assert done["after"] == {"recorded_name": "approved"}
    assert name_store.name_file(tmp_path, "person/123456").is_file()
    assert await office.do("person names") == []
    with pytest.raises(UserError, match="note"):
        await office.do("person refuse-name", person=person)
    await office.do("person refuse-name", person=person, note="not a name")
    assert not name_store.name_file(tmp_path, "person/123456").exists()
    assert (await office.do("person show", person=person))["recorded_name"] == "none"


async def test_a_number_of_a_list(office: Office) -> None:
    await office.do("pan add", person="123456", number="5552345670")
    await office.do("pan approve", person="123456", number="5552345670")
    listed = await office.do("pan list", person="123456")
    assert {"number": "+15552345670", "state": "approved"} in listed
    await office.do("pan refuse", person="123456", number="5552345670", note="victim")
    told = await office.do("pan list", person="123456", history=True)
    assert [row["state"] for row in told[-3:]] == ["pending", "approved", "removed"]
    with pytest.raises(UserError, match="whole number"):
        await office.do("pan add", person="123456", number="12")


async def test_why_names_the_reason_and_everything_else_that_is_wrong(office: Office) -> None:
    asked = {"terminal": "T1", "person": "123456", "config": str(CONFIG)}
    fine = await office.do("why", number="5552345678", **asked)
    assert fine["allowed"]
    assert len(fine["conditions"]) == 35
    await office.do("number block", pattern="5552345678", facility="F1", note="asked")
    await office.do("terminal disable", terminal="T1")
    refused = await office.do("why", number="5552345678", **asked)
    assert (refused["reason"], refused["also"]) == ("terminal_off", ["blocked_facility"])
    await office.do("terminal enable", terminal="T1")
    await office.do("number unblock", pattern="5552345678", facility="F1", note="over")
    assert (await office.do("why", number="5552345678", **asked))["allowed"]
    with pytest.raises(UserError, match="no terminal"):
        await office.do("why", number="1", **(asked | {"terminal": "T9"}))


async def test_why_asks_the_running_switch_whether_there_is_room(office: Office) -> None:
    asked = {"terminal": "T1", "person": "123456", "number": "5552345678", "config": str(CONFIG)}
    office.board.room = RoomFacts(full="trunk.channels_max", reserved_left=True)
    refused = await office.do("why", **asked)
    assert refused["reason"] == "capacity"
    assert refused["conditions"][-1]["detail"] == "trunk.channels_max"
    office.board.room = RoomFacts()
    assert (await office.do("why", **asked))["allowed"]


async def test_the_called_partys_block_is_taken_back_only_if_they_ask(office: Office) -> None:
    asked = {"terminal": "T1", "person": "123456", "number": "5552345678", "config": str(CONFIG)}
    mother = {"pattern": "+15552345678", "kind": "keypad", "note": "by telephone, read back"}
    await office.store.write(
        lambda c: house_numbers.block_by_keypad(
            driver(c), E164("+15552345678"), scope="agency", target="pine-county", call=None, at=1.0
        )
    )
    assert (await office.do("why", **asked))["reason"] == "blocked_keypad"
    with pytest.raises(UserError, match="--asked-by called-party"):
        await office.do("number unblock", **mother)
    done = await office.do("number unblock", asked_by="called-party", **mother)
    assert done == {"pattern": "+15552345678", "ended": "keypad", "blocks": 1}
    assert (await office.do("why", **asked))["allowed"]
    with pytest.raises(UserError, match="blocked nobody"):
        await office.do("number unblock", asked_by="called-party", **mother)


async def test_a_privileged_number_is_not_blocked_before_it_is_withdrawn(office: Office) -> None:
    attorney = "+15552340001"
    with pytest.raises(UserError, match="privileged remove"):
        await office.do("number block", pattern=attorney, note="debt")
    asked = await office.do("privileged remove", number=attorney, note="left", by="one")
    assert asked["state"] == "waits for a second person"
    done = await office.do("privileged remove", number=attorney, note="left", by="two")
    assert done["by"] == ["one", "two"]
    await office.do("number block", pattern=attorney, note="debt")
    assert [e["action"] for e in await office.do("privileged list")] == ["add", "remove"]


async def test_the_register_grows_by_command_and_proves_itself(office: Office) -> None:
    await office.do("privileged add", number="+15552340005", name="Pat Pretend", by="legal")
    proof = await office.do("privileged verify")
    assert proof == {"whole": True, "fault": "", "entries": 2}


async def test_an_exemption_and_a_free_number(office: Office) -> None:
    with pytest.raises(UserError, match="note"):
        await office.do("number exempt", number="5552345678", person="123456")
    await office.do("number exempt", number="5552345678", person="123456", note="court order")
    await office.do("number allow", pattern="5552340003", free=True, outside_pan=True)
    asked = {"terminal": "T1", "person": "123456", "config": str(CONFIG)}
    assert (await office.do("why", number="5552340003", **asked))["class"] == "free"
    kinds = {row["kind"] for row in await office.do("number list")}
    assert kinds == {"allow", "facility"}


async def test_terminals_and_trunks_are_added(office: Office) -> None:
    made = await office.do("terminal add", terminal="T3", facility="F1", unit="A")
    assert len(office.house.keys.secret(Path(made["password_file"]).name)) >= 20
    assert "digest_ha1" in await office.do("terminal show", terminal="T3")
    with pytest.raises(UserError, match="already"):
        await office.do("terminal add", terminal="T3", facility="F1")
    assert len(await office.do("terminal list")) == 3
    await office.do("trunk add", trunk="second", host="192.0.2.9", order=-1)
    trunks = await office.do("trunk list")
    assert [row["id"] for row in trunks] == ["second", "lab-carrier"]
    with pytest.raises(UserError, match="<= 65535"):
        await office.do("trunk add", trunk="x", host="192.0.2.9", port=70_000)


async def test_a_lockdown_is_set_logged_and_lifted(office: Office) -> None:
    with pytest.raises(UserError, match="no unit"):
        await office.do("lockdown set", level="unit", target="A", why="count")
    order = await office.do(
        "lockdown set", level="unit", target="F1/A", why="count", way="announce", spare=["hotline"]
    )
    assert (order["way"], order["spares"]) == ("announce", ("hotline",))
    asked = {"terminal": "T1", "person": "123456", "config": str(CONFIG)}
    assert (await office.do("why", number="5552345678", **asked))["reason"] == "lockdown"
    assert (await office.do("why", number="*77", **asked))["allowed"]
    await office.do("lockdown lift", order=order["id"], why="over")
    (row,) = await office.do("lockdown list")
    assert row["lifted_by"] == "officer"
    assert office.board.told == 2
