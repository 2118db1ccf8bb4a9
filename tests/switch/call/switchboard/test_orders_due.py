from dataclasses import replace

import msgspec
import pytest

from switch.call.orders import LockdownOrder, Order, PersonChanged, TerminalOff
from switch.call.switchboard.orders_due import orders_due
from switch.ids import FacilityId, PersonId, TerminalId
from switch.routing.call_class import CallClass
from switch.routing.terminal import Terminal
from switch.screening.facts import HouseOrder
from switch.screening.settings import Facility
from switch.store.house_snapshot import House

PERSON = PersonId("123456")
SITE = FacilityId("F1")
PHONE = Terminal(id=TerminalId("T1"), facility=SITE)
HOUSE = House(
    version=1,
    facilities={SITE: Facility(id=SITE, agency="pine-county", name="Pine")},
    terminals={PHONE.id: PHONE},
)
ORDER = HouseOrder(
    id=7, kind="lockdown", level="facility", target="F1", by="officer", why="count", at=1.0
)


def due(
    house: House,
    call_class: CallClass | None = None,
    *,
    order: HouseOrder | None = None,
    told: set[int | str] | None = None,
    at_wall: float = 100.0,
) -> list[Order]:
    return orders_due(
        house, terminal=PHONE, person=PERSON, call_class=call_class, order=order,
        told=set() if told is None else told, at_wall=at_wall,
    )  # fmt: skip


def with_phone(**changes: object) -> House:
    return replace(HOUSE, terminals={PHONE.id: msgspec.structs.replace(PHONE, **changes)})


def test_a_change_that_does_not_concern_a_call_says_nothing_to_it() -> None:
    assert due(HOUSE) == []


@pytest.mark.parametrize(
    ("call_class", "orders"),
    [
        (CallClass.ORDINARY, [PersonChanged()]),
        (CallClass.FREE, [PersonChanged()]),
        (CallClass.PRIVILEGED, []),
        (CallClass.HOTLINE, []),
        (None, []),
    ],
)
def test_a_suspension_spares_hotlines_and_privileged_calls(
    call_class: CallClass | None, orders: list[Order]
) -> None:
    assert due(replace(HOUSE, suspended=frozenset({PERSON})), call_class) == orders


@pytest.mark.parametrize("call_class", [*CallClass, None])
def test_a_release_ends_every_call(call_class: CallClass | None) -> None:
    assert due(replace(HOUSE, gone=frozenset({PERSON})), call_class) == [PersonChanged()]


@pytest.mark.parametrize("changes", [{"enabled": False}, {"disabled_until": 101.0}])
def test_a_terminal_that_is_turned_off_is_said_once_for_each_time(
    changes: dict[str, object],
) -> None:
    told: set[int | str] = set()
    off = with_phone(**changes)
    assert due(off, told=told) == [TerminalOff()]
    assert due(off, told=told) == []
    assert due(HOUSE, told=told) == []
    assert due(off, told=told) == [TerminalOff()]


def test_a_terminal_is_on_again_when_its_time_is_over() -> None:
    assert due(with_phone(disabled_until=100.0)) == []


def test_an_anonymous_line_of_a_gateway_is_not_in_the_directory_and_not_off() -> None:
    assert due(replace(HOUSE, terminals={})) == []


def test_a_lockdown_is_said_once() -> None:
    told: set[int | str] = set()
    (said,) = due(HOUSE, order=ORDER, told=told)
    assert isinstance(said, LockdownOrder)
    assert (said.order, said.by) == ("7", "officer")
    assert due(HOUSE, order=ORDER, told=told) == []
