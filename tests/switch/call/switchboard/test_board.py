"""What staff order of live calls, against scripts in the middle of their call."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from switch.admin.audit_note import news_of
from switch.admin.call_commands import CALL_COMMANDS
from switch.admin.command import Desk
from switch.call.cause import EndReason
from switch.call.effects import HoldBack, Prolong
from switch.call.signals import Side
from switch.call.switchboard.board import Switchboard
from switch.call.switchboard.driver import CallDriver
from switch.errors import UserError
from switch.ids import CallId, PersonId, TerminalId
from switch.media.plane_counts import PlaneRoom
from switch.routing.call_class import CallClass, Privileged
from switch.routing.number import E164
from switch.screening.permit import Permit
from switch.screening.reasons import DenyReason
from switch.screening.register import RegisterEntry
from switch.store import house_people, house_rows
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from tests.support.house_rig import HouseClock, open_house
from tests.switch.call.script_rig import DIRECT, LINE, PERMIT, PRIVILEGED, Person, Rig

CALL = CallId(9)
CUT = next(c for c in CALL_COMMANDS if (c.noun, c.verb) == ("cut", ""))


class Notes:
    """Takes every call and says nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Plane(Notes):
    """Notes which legs were made deaf."""

    def __init__(self) -> None:
        self.deaf: list[int] = []
        self.until: list[tuple[int, float]] = []

    def paid_until(self, call: int, at: float) -> None:
        self.until.append((call, at))

    def deafen(self, leg: int) -> None:
        self.deaf.append(leg)


DETECTED: Any = SimpleNamespace(event={"kind": "three_way", "tier": "warn"}, leg=2 * 9 + 1, at=1.0)


class Addresses:
    async def resolve(self, _host: str) -> list[str]:
        return ["192.0.2.7"]


class Stage:
    """The board of a seeded house, and one live call on T1."""

    def __init__(self, store: Store, house: HouseStore) -> None:
        self.store, self.house, self.plane = store, house, Plane()
        self.told: list[Any] = []
        self.sealed: list[str] = []
        rooms: Any = SimpleNamespace(
            houses=house,
            clock=store.clock,
            store=store,
            stack=Notes(),
            resolver=Addresses(),
            terminal_networks=(),
            credentials={},
            node="n1",
            reserved_calls=0,
            plane=self.plane,
            publisher=SimpleNamespace(publish_nowait=self.told.append),
        )
        self._rooms = rooms
        nobody: Any = Notes()
        self.board = Switchboard(
            rooms, group=nobody, dialogs=nobody, trunks=nobody, bindings=nobody
        )
        facility = house.house.terminals[TerminalId("T1")].facility
        self.keeper: Any = SimpleNamespace(detections=[], facility=facility)

    def call(self, rig: Rig, permit: Permit | None) -> Rig:
        people: Any = Notes()
        people.permit = permit
        people.person = Person(PersonId("123456"))
        people.terminal = self.house.house.terminals[TerminalId("T1")]
        other: Any = Notes()
        made: Any = CallDriver(
            self._rooms, CALL, legs=other, caller=other, script=rig.script, people=people,
            dialling=other, money=other, keeper=self.keeper,
        )  # fmt: skip
        made.recording = SimpleNamespace(seal_if_privileged=self._seal)
        made.post = lambda step: rig.do(step(rig.now)) and None
        self.board.calls[CALL] = made
        return rig

    async def _seal(self, permit: Permit) -> None:
        self.sealed.append(permit.number)

    def talking(self, permit: Permit) -> Rig:
        rig = Rig(DIRECT)
        rig.talking(replace(permit, passive=True))
        return self.call(rig, permit)

    async def write(self, deed: Any) -> None:
        await self.store.write(lambda c: deed(driver(c)))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        yield Stage(store, house)


HOTLINE = replace(PERMIT, call_class=CallClass.HOTLINE, hotline=True)


@pytest.mark.parametrize(
    ("permit", "reason"),
    [(PERMIT, EndReason.PERSON_CHANGED), (PRIVILEGED, None), (HOTLINE, None)],
    ids=["ordinary", "privileged", "hotline"],
)
async def test_a_suspension_ends_ordinary_calls_only(
    stage: Stage, permit: Permit, reason: EndReason | None
) -> None:
    rig = stage.talking(permit)
    await stage.write(lambda raw: house_people.change(raw, "123456", suspended_until="2099-01-01"))
    await stage.board.house_changed()
    assert rig.script.reason is reason


@pytest.mark.parametrize("is_talking", [True, False])
async def test_a_terminal_turned_off_ends_the_dialling_and_not_the_talk(
    stage: Stage, is_talking: bool
) -> None:
    if is_talking:
        rig = stage.talking(PERMIT)
    else:
        rig = Rig(LINE)
        rig.begin()
        stage.call(rig, None)
    phone = stage.house.house.terminals[TerminalId("T1")]
    off = msgspec.structs.replace(phone, enabled=False)
    await stage.write(lambda raw: house_rows.put(raw, off))
    await stage.board.house_changed()
    assert rig.script.reason is (None if is_talking else DenyReason.TERMINAL_OFF)


async def test_a_privileged_call_is_never_cut_as_joined_and_the_refusal_is_kept(
    stage: Stage,
) -> None:
    rig = stage.talking(PRIVILEGED)
    given = {
        "call": CALL, "why": "hearsay", "terminal_off_s": 0, "block": False, "joined": True,
        "alarm": "inmate_to_inmate",
    }  # fmt: skip
    desk = Desk(store=stage.store, clock=stage.store.clock, board=stage.board, by="cli:officer")
    with pytest.raises(UserError, match="is privileged") as refused:
        await CUT.run(desk, given)
    assert rig.script.reason is None
    entry = news_of(CUT, given, by=desk.by, address="", outcome=str(refused.value), at_wall=1.0)
    assert (entry.who, entry.what, entry.target, entry.why) == (
        "cli:officer", "cut", str(CALL), "hearsay",
    )  # fmt: skip
    assert entry.after == f"refused: {refused.value}"


async def test_an_ordinary_call_is_cut_as_joined_if_staff_name_the_alarm(stage: Stage) -> None:
    rig = stage.talking(PERMIT)
    with pytest.raises(UserError, match="has no alarm"):
        await stage.board.cut(CALL, by="officer", why="both hear a count", joined=True)
    await stage.board.cut(
        CALL, by="officer", why="both hear a count", joined=True, alarm="inmate_to_inmate"
    )
    assert rig.script.reason is EndReason.JOINED_CALLS


def test_the_board_says_which_limit_one_more_call_would_meet(stage: Stage) -> None:
    rooms: Any = stage.board._rooms
    rooms.plane = SimpleNamespace(
        room=lambda: PlaneRoom(ports_left=8, ports=8, places_left=8, places=8)
    )
    trunks: Any = stage.board.trunks
    trunks.channels = lambda _number, *, now: (1, 2)
    assert stage.board.room_for(PERMIT.number).full == ""
    trunks.channels = lambda _number, *, now: (0, 2)
    assert stage.board.room_for(PERMIT.number).full == "trunk.channels_max"


async def register_of(stage: Stage, number: str, *, person: str = "") -> None:
    entry = RegisterEntry(
        seq=0, action="add", number=E164(number), person=person, by=("legal",), at=1.0
    )
    await stage.house.register.add(entry)


async def break_register(stage: Stage) -> None:
    """Do to the file what somebody with a tool for databases might do."""
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"

    def deed(raw: Any) -> int:
        for (name,) in raw.execute(triggers, ("privileged_register",)).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        return int(raw.execute("DELETE FROM privileged_register").rowcount)

    await stage.write(deed)


@pytest.mark.parametrize("what", ["broken", "became privileged", "whole"])
async def test_a_register_that_changes_is_obeyed_by_the_calls_in_progress(
    stage: Stage, what: str
) -> None:
    await register_of(stage, "+15550107777")
    rig = stage.talking(PERMIT)
    driver_ = stage.board.calls[CALL]
    if what == "broken":
        await break_register(stage)
    elif what == "became privileged":
        await register_of(stage, PERMIT.number)
    await stage.board.prove_register()
    permit = driver_.permit
    assert permit is not None
    assert rig.script.reason is None, "the call goes on"
    if what == "whole":
        assert permit is PERMIT or permit.audibility == PERMIT.audibility
        assert (stage.plane.deaf, stage.sealed, stage.told) == ([], [], [])
        return
    assert permit.audibility == Privileged(PERMIT.audibility.call)
    assert not any((permit.inspected, permit.recorded, permit.accept_in_band))
    assert stage.plane.deaf == [2 * CALL, 2 * CALL + 1]
    assert stage.sealed == [PERMIT.number]
    assert [news.code for news in stage.told] == (["register"] if what == "broken" else [])
    assert rig.all[-1] == HoldBack(on=False)
    assert rig.keys("7") == [], "a key that comes by INFO is not written down either"
    assert rig.do(rig.script.flash(Side.A, "2", now=rig.now)) == []
    before = list(driver_.keeper.detections)
    assert driver_._detected(DETECTED, 1.0) == []
    assert driver_.keeper.detections == before


async def test_a_broken_register_is_one_alarm_until_it_is_whole_again(stage: Stage) -> None:
    await register_of(stage, "+15550107777")
    await break_register(stage)
    for _ in range(2):
        await stage.board.prove_register()
    assert len(stage.told) == 1


@pytest.mark.parametrize(("is_metered", "told"), [(False, [(CALL, 2_710.0)]), (True, [])])
def test_a_longer_call_is_told_to_the_worker_only_where_no_meter_asks(
    stage: Stage, is_metered: bool, told: list[tuple[int, float]]
) -> None:
    stage.talking(PERMIT)
    driver_: Any = stage.board.calls[CALL]
    driver_.money = SimpleNamespace(is_metered=is_metered)
    driver_.keeper.fields, driver_.keeper.bridged_at = {}, 10.0
    driver_._prolong(Prolong(2_700), 20.0)
    assert driver_.keeper.fields == {"limit_s": 2_700}
    assert stage.plane.until == told
