from typing import Any

import pytest

from switch.billing.payer import Payer
from switch.routing.call_class import CallClass, Privileged
from switch.routing.limits import Limits
from switch.routing.number import E164
from switch.routing.schedule import LocalTime, Schedule, Window
from switch.routing.treatment import SpeedDial, Treatment
from switch.screening.facts import Facts, Spent
from switch.screening.issue import call_minutes, day_kind, issue, limit_of
from switch.screening.permit import DetectionAction, LimitCause
from switch.screening.register import RegisterEntry
from switch.screening.settings import CallMinutes, FacilityRules, TerminalClass
from tests.support.facts_rig import CALL, GOOD, but, with_rules

UNTIL_TEN_PAST = Schedule(open=(Window(start="08:00", end="12:15"),))
HOTLINE = SpeedDial(facility="F1", code="*77", number="+15552340077", hotline=True)


RECORDED = FacilityRules(
    recording=True, recording_days=30, recording_accepted_by="Sheriff Sample, 2026-11-01"
)


def hotline(**changes: Any) -> Facts:
    return but(
        number__call_class=CallClass.HOTLINE, number__speed_dial=HOTLINE, money__payer=None,
        **changes,
    )  # fmt: skip


def test_the_length_of_a_call_is_fifteen_minutes_by_default() -> None:
    assert limit_of(GOOD) == (900, LimitCause.TIME)


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"terminal__terminal__limits": Limits(call_minutes_max=5)}, (300, LimitCause.TIME)),
        ({"person__person__limits": Limits(call_minutes_max=7)}, (420, LimitCause.TIME)),
        (
            {"number__treatment": Treatment(limits=Limits(call_minutes_max=2))},
            (120, LimitCause.TIME),
        ),
        ({"terminal__terminal__schedule": UNTIL_TEN_PAST}, (900, LimitCause.TIME)),
        (
            {"terminal__unit_schedule": UNTIL_TEN_PAST, "at": LocalTime(2026, 11, 24, 1, 725, 30)},
            (570, LimitCause.SCHEDULE),
        ),
        (
            {
                "person__person__limits": Limits(minutes_per_day_max=20),
                "use__person": Spent(talked_s_day=700),
            },
            (500, LimitCause.MINUTES),
        ),
    ],
)
def test_the_least_of_all_limits_is_the_limit(
    changes: dict[str, Any], limit: tuple[int, LimitCause]
) -> None:
    assert limit_of(but(**changes)) == limit


def test_a_text_telephone_and_a_relay_get_three_times_as_long() -> None:
    for changes in (
        {"terminal__terminal__tty": True},
        {"person__person__tty": True},
        {"number__treatment": Treatment(tty=True)},
        {"number__treatment": Treatment(relay=True)},
    ):
        assert limit_of(but(**changes)) == (2_700, LimitCause.TIME)
        permit = issue(but(**changes))
        assert permit.tty
        assert not permit.inspected
        assert permit.limit_s == permit.tty_limit_s == 2_700


def test_a_permit_says_how_long_a_call_may_be_that_turns_out_to_be_tty() -> None:
    permit = issue(GOOD)
    assert (permit.limit_s, permit.tty_limit_s) == (900, 2_700)
    at = LocalTime(2026, 11, 24, 1, 734)
    hours = issue(but(with_rules(schedule=UNTIL_TEN_PAST), at=at))
    assert (hours.limit_s, hours.tty_limit_s) == (60, 60)
    assert hours.tty_limit_cause is LimitCause.SCHEDULE


def test_the_hours_of_the_site_and_of_a_class_of_terminals_end_a_call() -> None:
    at = LocalTime(2026, 11, 24, 1, 734)
    assert limit_of(but(with_rules(schedule=UNTIL_TEN_PAST), at=at)) == (60, LimitCause.SCHEDULE)
    library = {"library": TerminalClass(schedule=UNTIL_TEN_PAST)}
    for use, limit_s in (("library", 60), ("", 900)):
        facts = but(with_rules(terminal_classes=library), at=at, terminal__terminal__use=use)
        assert limit_of(facts)[0] == limit_s


def test_a_hotline_is_not_cut_short_by_hours_or_minutes() -> None:
    facts = hotline(
        terminal__unit_schedule=UNTIL_TEN_PAST,
        terminal__terminal__schedule=UNTIL_TEN_PAST,
        at=LocalTime(2026, 11, 24, 1, 734),
        person__person__limits=Limits(minutes_per_day_max=1),
    )
    assert limit_of(facts) == (900, LimitCause.TIME)


def test_the_length_depends_on_the_class_and_the_kind_of_day() -> None:
    rows = (
        CallMinutes(minutes=30, classes=(CallClass.ORDINARY,), days=("weekend",)),
        CallMinutes(minutes=45, classes=(CallClass.ORDINARY,), days=("holiday",)),
        CallMinutes(minutes=60, classes=(CallClass.PRIVILEGED,)),
    )
    site = with_rules(call_minutes=rows, holidays=("2026-12-25",))
    assert call_minutes(site) == 15
    assert call_minutes(but(site, at=LocalTime(2026, 11, 28, 5, 720))) == 30
    assert call_minutes(but(site, at=LocalTime(2026, 12, 25, 4, 720))) == 45
    assert call_minutes(but(site, number__call_class=CallClass.PRIVILEGED)) == 60


def test_a_holiday_is_one_on_whatever_weekday() -> None:
    rules = FacilityRules(holidays=("2026-11-28",))
    assert day_kind(rules, LocalTime(2026, 11, 28, 5, 0)) == "holiday"
    assert day_kind(rules, LocalTime(2026, 11, 29, 6, 0)) == "weekend"
    assert day_kind(rules, LocalTime(2026, 11, 30, 0, 0)) == "weekday"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "facility"),
        ({"site__facility__rules": FacilityRules(recording_days=30)}, "facility"),
        ({"site__facility__rules": FacilityRules(recording=True)}, "retention"),
        (
            {"site__facility__rules": FacilityRules(recording=True, recording_days=30)},
            "acceptance",
        ),
        ({"site__facility__rules": RECORDED}, ""),
    ],
)
def test_a_call_is_recorded_only_where_recording_was_switched_on(
    changes: dict[str, Any], why: str
) -> None:
    permit = issue(but(**changes))
    assert permit.not_recorded_because == why
    assert permit.recorded is (why == "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"terminal__terminal__recorded": False}, "terminal"),
        ({"person__person__recorded": False}, "person"),
        ({"number__treatment": Treatment(recorded=False)}, "number"),
    ],
)
def test_any_single_off_means_not_recorded(changes: dict[str, Any], why: str) -> None:
    permit = issue(but(but(site__facility__rules=RECORDED), **changes))
    assert permit.not_recorded_because == why
    assert permit.inspected


def test_a_hotline_is_neither_recorded_nor_inspected_unless_the_site_says_so() -> None:
    permit = issue(hotline(site__facility__rules=FacilityRules(recording=True)))
    assert not permit.recorded
    assert not permit.inspected
    assert not permit.monitored_notice
    heard = SpeedDial(
        facility="F1", code="*77", number="+15552340077", hotline=True, inspected=True
    )
    permit = issue(but(hotline(), number__speed_dial=heard))
    assert permit.inspected
    assert permit.monitored_notice
    assert permit.detection_action is DetectionAction.OFF


def test_the_action_is_the_numbers_or_else_the_sites() -> None:
    assert issue(GOOD).detection_action is DetectionAction.FLAG
    site = but(site__settings__detection_action="prompt_once")
    assert issue(site).detection_action is DetectionAction.PROMPT_ONCE
    off = but(site, number__treatment=Treatment(detection_action="off"))
    assert issue(off).detection_action is DetectionAction.OFF
    assert issue(off).inspected


def test_no_greeting_means_passive_and_free() -> None:
    treatment = Treatment(greeting=False)
    assert treatment.is_free
    permit = issue(but(number__treatment=treatment, money__payer=Payer.AGENCY_FREE))
    assert permit.passive
    assert not permit.greeting


def test_a_privileged_number_may_be_passive_as_agreed_at_registration() -> None:
    entry = RegisterEntry(
        seq=1, action="add", number=E164("+15552345678"), by=("legal",), at=0.0, passive=True,
        language="es",
    )  # fmt: skip
    permit = issue(but(number__audibility=Privileged(CALL), number__entry=entry))
    assert permit.passive
    assert permit.called_language == "es"
    assert not permit.accept_in_band


def test_a_number_that_blocked_somebody_is_offered_to_take_it_back() -> None:
    assert not issue(GOOD).undo_offered
    assert issue(but(number__keypad_blocked=True)).undo_offered
