from typing import Any

import pytest

from switch.media.phrase import Clock, Day
from switch.routing.limits import Limits
from switch.routing.schedule import LocalTime
from switch.routing.treatment import Treatment
from switch.screening import use
from switch.screening.facts import Spent
from switch.screening.reasons import DenyReason
from switch.screening.settings import TerminalClass
from tests.support.facts_rig import GOOD, but, with_rules

AT = LocalTime(2026, 12, 31, 3, 1_430, 30)


def test_the_most_restrictive_of_terminal_person_and_number_wins() -> None:
    facts = but(
        terminal__terminal__limits=Limits(attempts_per_number_max=5, redial_gap_s=30),
        person__person__limits=Limits(attempts_per_number_max=4, cool_down_s=1_800),
        number__treatment=Treatment(limits=Limits(attempts_per_number_max=9, redial_gap_s=60)),
    )
    limits = use.limits_of(facts)
    assert limits.attempts_per_number_max == 4
    assert limits.redial_gap_s == 60
    assert limits.cool_down_s == 1_800
    assert limits.numbers_per_day_max == 20


def test_a_class_of_terminals_has_limits_beside_each_ones_own() -> None:
    one = TerminalClass(limits=Limits(calls_per_day_max=1, call_minutes_max=5))
    site = with_rules(terminal_classes={"library": one})
    used = but(site, terminal__terminal__use="library", use__terminal=Spent(calls_day=1))
    denied = use.calls(used)
    assert denied is not None
    assert denied.detail == "1 of 1 calls this day, terminal"
    assert use.limits_of(used).call_minutes_max == 5
    assert use.calls(but(site, use__terminal=Spent(calls_day=1))) is None


@pytest.mark.parametrize("whose", ["person", "terminal", "number"])
def test_each_subject_is_measured_by_its_own_limit(whose: str) -> None:
    one = Limits(calls_per_day_max=1)
    facts = {
        "person": but(person__person__limits=one, use__person=Spent(calls_day=1)),
        "terminal": but(terminal__terminal__limits=one, use__terminal=Spent(calls_day=1)),
        "number": but(number__treatment=Treatment(limits=one), use__number=Spent(calls_day=1)),
    }[whose]
    denied = use.calls(facts)
    assert denied is not None
    assert denied.detail.endswith(whose)


def test_what_another_subject_used_up_does_not_count() -> None:
    facts = but(
        person__person__limits=Limits(calls_per_day_max=2), use__terminal=Spent(calls_day=50)
    )
    assert use.calls(facts) is None


def test_the_facilitys_limits_are_each_persons_or_else_the_terminals() -> None:
    site = with_rules(limits=Limits(calls_per_day_max=2))
    assert use.calls(but(site, use__person=Spent(calls_day=2))) is not None
    assert use.calls(but(site, use__terminal=Spent(calls_day=2))) is None
    nobody = but(site, person__person=None, use__terminal=Spent(calls_day=2))
    assert use.calls(nobody) is not None


@pytest.mark.parametrize(
    ("changes", "wait_s"),
    [
        ({"use__attempts_hour": 6, "use__oldest_attempt_s": 3_599}, 1),
        ({"use__numbers_day": 20}, 570),
        ({"use__failed_in_a_row": 3, "use__last_try_s": 100}, 800),
        (
            {
                "terminal__terminal__limits": Limits(redial_gap_s=60),
                "use__last_try_s": 15,
            },
            45,
        ),
    ],
)
def test_too_many_tries_wait_until_the_longest_of_their_waits_is_over(
    changes: dict[str, Any], wait_s: int
) -> None:
    denied = use.velocity(but(at=AT, **changes))
    assert denied is not None
    assert denied.reason is DenyReason.VELOCITY
    assert denied.detail.endswith(f"free in {wait_s} s")


@pytest.mark.parametrize(
    "changes",
    [
        {"use__attempts_hour": 5},
        {"use__numbers_day": 19},
        {"use__failed_in_a_row": 3, "use__last_try_s": 900},
        {"use__failed_in_a_row": 2, "use__last_try_s": 0},
        {"use__last_try_s": 0},
    ],
)
def test_up_to_the_limit_nobody_waits(changes: dict[str, Any]) -> None:
    assert use.velocity(but(**changes)) is None


def test_a_load_test_may_switch_the_limits_of_tries_off() -> None:
    facts = with_rules(but(use__attempts_hour=1_000, use__numbers_day=1_000), velocity=False)
    assert use.velocity(facts) is None


@pytest.mark.parametrize(
    ("period", "at", "when"),
    [
        ("day", AT, Clock(0)),
        ("week", LocalTime(2026, 12, 31, 3, 0), Day(2027, 1, 4)),
        ("week", LocalTime(2028, 2, 28, 0, 0), Day(2028, 3, 6)),
        ("week", LocalTime(2026, 11, 23, 0, 0), Day(2026, 11, 30)),
        ("month", LocalTime(2026, 12, 1, 1, 0), Day(2027, 1, 1)),
        ("month", LocalTime(2026, 2, 28, 5, 0), Day(2026, 3, 1)),
    ],
)
def test_a_period_ends_at_midnight_on_monday_or_on_the_first(
    period: str, at: LocalTime, when: object
) -> None:
    assert use.when_free(period, at) == when


def test_minutes_left_are_the_least_of_all_that_are_counted() -> None:
    assert use.seconds_left(GOOD) is None
    facts = but(
        person__person__limits=Limits(minutes_per_day_max=10, minutes_per_month_max=15),
        use__person=Spent(talked_s_day=60, talked_s_month=720),
    )
    assert use.seconds_left(facts) == 180
