"""What is turned away under load, in which order, and when it is taken again."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from switch.call.news import AlarmNews
from switch.call.switchboard.overload import (
    LAG_S_MAX,
    LOOK_S,
    NEAR_SHARE,
    REPEATED_S,
    SAMPLE_S,
    STEP_S,
    WINDOW_S,
    Overload,
    OverloadWatch,
)
from switch.call.switchboard.worker_watch import ALARM_REST_S
from switch.media.plane_counts import PlaneRoom
from tests.support.house_rig import HouseClock

NOTHING: frozenset[str] = frozenset()
FIRST = frozenset({"OPTIONS"})
SECOND = frozenset({"OPTIONS", "REGISTER"})
ALL = frozenset({"OPTIONS", "REGISTER", "INVITE"})
LATE_S = 2 * LAG_S_MAX
TWICE_S = 1.5 * REPEATED_S


class Course:
    """Lets time pass over an `Overload`."""

    def __init__(self) -> None:
        self.overload = Overload()
        self.now = 100.0

    def seconds(
        self, count: float, *, lag_s: float = 0.0, ticks_late: bool = False, full: bool = False
    ) -> list[frozenset[str]]:
        """Return what was turned away after each look."""
        found = []
        for _ in range(round(count / LOOK_S)):
            for _ in range(round(LOOK_S / (SAMPLE_S + lag_s)) or 1):
                self.now += SAMPLE_S + lag_s
                self.overload.lagged(lag_s, now=self.now)
            if ticks_late:
                self.overload.ticked_late(now=self.now)
            found.append(self.overload.look(nearly_full=full, now=self.now))
        return found


def test_a_switch_that_is_in_time_turns_nothing_away() -> None:
    assert set(Course().seconds(60, lag_s=LAG_S_MAX)) == {NOTHING}


def test_one_late_look_in_a_hundred_is_no_strain() -> None:
    course = Course()
    course.seconds(WINDOW_S)
    for _ in range(2):
        course.now += SAMPLE_S + LATE_S
        course.overload.lagged(LATE_S, now=course.now)
    assert course.overload.look(nearly_full=False, now=course.now) == NOTHING


def test_a_burst_of_late_looks_takes_one_step_and_no_further() -> None:
    course = Course()
    course.seconds(WINDOW_S)
    assert course.seconds(1, lag_s=LATE_S) == [FIRST]
    assert set(course.seconds(STEP_S)) == {FIRST}
    assert course.seconds(3)[-1] == NOTHING


def test_the_least_needed_goes_first_and_an_invite_last() -> None:
    course = Course()
    found = course.seconds(4 * STEP_S, lag_s=TWICE_S)
    assert found[0] == FIRST
    order = [shed for at, shed in enumerate(found) if not at or shed != found[at - 1]]
    assert order == [FIRST, SECOND, ALL]
    assert found.index(ALL) * LOOK_S >= 2 * STEP_S - LOOK_S


def test_what_was_turned_away_comes_back_a_step_at_a_time() -> None:
    course = Course()
    course.seconds(4 * STEP_S, lag_s=TWICE_S)
    found = course.seconds(5 * STEP_S)
    order = [shed for at, shed in enumerate(found) if not at or shed != found[at - 1]]
    assert order == [ALL, SECOND, FIRST, NOTHING]
    assert course.seconds(1, lag_s=LATE_S) == [FIRST]


def test_nothing_but_options_is_turned_away_while_requests_do_not_come_twice() -> None:
    course = Course()
    assert set(course.seconds(4 * STEP_S, lag_s=LATE_S)) == {FIRST}
    assert course.seconds(3 * STEP_S, lag_s=TWICE_S)[-1] == ALL
    assert course.seconds(4 * STEP_S, lag_s=LATE_S)[-1] == FIRST


def test_a_late_media_worker_turns_neither_calls_nor_terminals_away() -> None:
    """Who may still have a place there is decided at the door, by class."""
    assert set(Course().seconds(10 * STEP_S, ticks_late=True)) == {FIRST}


def test_a_house_that_is_nearly_full_says_so_to_who_asks() -> None:
    course = Course()
    assert set(course.seconds(10 * STEP_S, full=True)) == {FIRST}
    assert course.seconds(1) == [NOTHING]


@dataclass
class House:
    """What the watch looks at."""

    places_left: int = 100
    late_at: float = float("-inf")
    news: list[Any] = field(default_factory=list)
    clock: HouseClock = field(default_factory=HouseClock)
    stack: Any = field(default_factory=lambda: SimpleNamespace(shedding=NOTHING))

    def watch(self) -> OverloadWatch:
        room = lambda: PlaneRoom(  # noqa: E731 - one place
            ports_left=100, ports=100, places_left=self.places_left, places=100
        )
        rooms: Any = SimpleNamespace(
            clock=self.clock,
            stack=self.stack,
            plane=SimpleNamespace(room=room),
            publisher=SimpleNamespace(publish_nowait=self.news.append),
        )
        return OverloadWatch(rooms, ticks_late_at=lambda: self.late_at)


def test_the_stack_is_told_and_staff_are_told_once_a_minute() -> None:
    house = House(places_left=round(100 * NEAR_SHARE) - 1)
    watch = house.watch()
    watch.look(now=10.0)
    assert house.stack.shedding == FIRST
    house.places_left = 100
    watch.look(now=11.0)
    assert house.stack.shedding == NOTHING
    house.places_left = 0
    watch.look(now=12.0)
    (alarm,) = house.news
    assert isinstance(alarm, AlarmNews)
    assert alarm.code == "signalling_shed"
    assert "OPTIONS turned away" in alarm.text
    house.places_left = 100
    watch.look(now=13.0)
    house.places_left = 0
    watch.look(now=10.0 + ALARM_REST_S)
    assert len(house.news) == 2


def test_what_a_worker_told_long_ago_is_no_strain_now() -> None:
    house = House(late_at=9.5)
    watch = house.watch()
    watch.look(now=10.0)
    assert house.stack.shedding == FIRST
    other = House(late_at=5.0)
    other.watch().look(now=10.0)
    assert other.stack.shedding == NOTHING
