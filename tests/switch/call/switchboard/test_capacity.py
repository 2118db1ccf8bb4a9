from dataclasses import dataclass, field
from typing import Any

import pytest

from switch.call.switchboard.capacity import (
    CALLS_MAX,
    CALLS_SPARED_MAX,
    CALLS_UNCLASSED_MAX,
    Capacity,
)
from switch.media.plane_counts import PlaneRoom
from switch.routing.call_class import CallClass
from switch.routing.number import E164
from switch.screening.facts import RoomFacts

NUMBER = E164("+15550100001")


@dataclass
class House:
    """A plane, trunks, and so many calls."""

    ports: tuple[int, int] = (100, 200)
    places: tuple[int, int] = (100, 200)
    channels: tuple[int, int] | None = (10, 20)
    calls: int = 1
    reserved_calls: int = 1
    plane: Any = field(init=False)

    def __post_init__(self) -> None:
        self.plane = self

    def room(self) -> PlaneRoom:
        (ports_left, ports), (places_left, places) = self.ports, self.places
        return PlaneRoom(ports_left=ports_left, ports=ports, places_left=places_left, places=places)

    def at_the_door(self, call_class: CallClass | None) -> str:
        made: Any = Capacity
        capacity: Capacity = made(self, trunks=None, calls_live=lambda: self.calls)
        return capacity.at_the_door(lambda: call_class)

    def facts(self, number: E164 | None = NUMBER) -> RoomFacts:
        made: Any = Capacity

        class Trunks:
            channels = staticmethod(lambda _number, *, now: self.channels)

        capacity: Capacity = made(self, trunks=Trunks(), calls_live=lambda: self.calls)
        return capacity.for_call_to(number, now=0.0)


def test_with_room_everywhere_nothing_is_full() -> None:
    assert House().facts() == RoomFacts()


@pytest.mark.parametrize(
    ("house", "limit"),
    [
        (House(ports=(2, 200)), "media.port_max"),
        (House(places=(2, 200)), "media.legs_max"),
        (House(channels=(1, 20)), "trunk.channels_max"),
        (House(calls=CALLS_MAX), "CALLS_MAX"),
        (House(channels=(3, 20), reserved_calls=3), "trunk.channels_max"),
    ],
)
def test_the_last_channels_are_for_those_in_need(house: House, limit: str) -> None:
    assert house.facts() == RoomFacts(full=limit, reserved_left=True)


def test_where_nothing_is_left_the_reserve_is_gone_too() -> None:
    assert House(channels=(0, 20)).facts() == RoomFacts(full="trunk.channels_max")
    assert House(ports=(1, 200), channels=(0, 20)).facts() == RoomFacts(full="media.port_max")


def test_a_trunk_of_one_channel_carries_ordinary_calls() -> None:
    assert House(channels=(1, 1)).facts() == RoomFacts()


def test_trunks_that_are_down_are_not_a_lack_of_room() -> None:
    assert House(channels=None).facts() == RoomFacts()


def test_without_a_number_nothing_is_asked() -> None:
    assert House(channels=(0, 1)).facts(None) == RoomFacts()


ORDINARY, HOTLINE, ATTORNEY = CallClass.ORDINARY, CallClass.HOTLINE, CallClass.PRIVILEGED


@pytest.mark.parametrize(
    ("calls", "full_for"),
    [
        (CALLS_MAX - 1, {}),
        (CALLS_MAX, {ORDINARY: "CALLS_MAX", CallClass.FREE: "CALLS_MAX"}),
        (CALLS_UNCLASSED_MAX, {ORDINARY: "CALLS_MAX", None: "CALLS_UNCLASSED_MAX"}),
        (
            CALLS_SPARED_MAX,
            {
                ORDINARY: "CALLS_MAX",
                HOTLINE: "CALLS_SPARED_MAX",
                ATTORNEY: "CALLS_SPARED_MAX",
                None: "CALLS_UNCLASSED_MAX",
            },
        ),
    ],
)
def test_who_is_turned_away_first_when_too_many_call(
    calls: int, full_for: dict[CallClass | None, str]
) -> None:
    house = House(calls=calls)
    for call_class in (ORDINARY, None, HOTLINE, ATTORNEY):
        assert house.at_the_door(call_class) == full_for.get(call_class, ""), call_class


def test_a_caller_takes_no_leg_of_the_reserve_but_to_a_hotline_or_an_attorney() -> None:
    house = House(ports=(2, 200))
    assert house.at_the_door(ORDINARY) == house.at_the_door(None) == "media.port_max"
    assert house.at_the_door(HOTLINE) == house.at_the_door(ATTORNEY) == ""
    assert House(places=(2, 200)).at_the_door(None) == "media.legs_max"
    assert House(ports=(3, 200)).at_the_door(ORDINARY) == ""


def test_above_the_limit_of_all_calls_a_hotline_still_has_room() -> None:
    assert House(calls=CALLS_MAX + 1).facts() == RoomFacts(full="CALLS_MAX", reserved_left=True)
    assert House(calls=CALLS_SPARED_MAX + 1).facts() == RoomFacts(full="CALLS_MAX")
