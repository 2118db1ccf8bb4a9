import itertools
from typing import Any

import pytest

from switch.billing.line import LineInfo, LineVerdict
from switch.billing.payer import Payer
from switch.ids import CallId
from switch.media.phrase import Clock, Count, Day, Named
from switch.routing.call_class import CallClass, Privileged
from switch.routing.limits import Limits
from switch.routing.number import normalise
from switch.routing.schedule import Schedule, Window
from switch.routing.treatment import SpeedDial, Treatment
from switch.screening.facts import Block, BlockKind, PanState, PinOutcome, RoomFacts, Spent
from switch.screening.order import (
    ORDER,
    Outcome,
    check_person,
    check_site_and_terminal,
    check_target,
    preview,
    screen,
)
from switch.screening.permit import Denied, Permit, Verdict
from switch.screening.reasons import DenyReason
from switch.screening.settings import FacilityRules, TerminalClass
from tests.support.facts_rig import CALL, CLOSED_AT_NOON, GOOD, an_order, but, with_rules

R = DenyReason
HOTLINE = SpeedDial(facility="F1", code="*77", number="+15552340077", hotline=True)


def blocked(kind: BlockKind) -> tuple[Block, ...]:
    return (Block(kind, 5, "+15552345678", "asked for"),)


# What makes each condition fail, alone, on the call that meets all of them.
FAILING: dict[DenyReason, dict[str, Any]] = {
    R.LOCKDOWN: {"site__orders": (an_order(),)},
    R.MAINTENANCE: {"site__orders": (an_order(kind="maintenance"),)},
    R.TERMINAL_UNKNOWN: {"terminal": None},
    R.TERMINAL_BUSY: {"terminal__busy_call": CallId(6)},
    R.TERMINAL_OFF: {"terminal__off": True},
    R.TERMINAL_SCHEDULE: {"terminal__terminal__schedule": CLOSED_AT_NOON},
    R.NO_INPUT: {"person__pin": PinOutcome.NOTHING},
    R.BAD_PIN: {"person__pin": PinOutcome.BAD},
    R.PIN_LOCKED: {"person__pin": PinOutcome.LOCKED, "person__locked_s": 61},
    R.PERSON_INACTIVE: {"person__person__state": "released"},
    R.SUSPENDED: {"person__person__suspended_until": "2026-12-01"},
    R.NOT_ENROLLED: {"person__person__enrolled": False},
    R.PERSON_BUSY: {"person__busy_call": CallId(6)},
    R.NUMBER_INVALID: {"number__number": normalise("555")},
    R.PREFIX_FORBIDDEN: {"number__number": normalise("911")},
    R.BLOCKED_SECURITY: {"number__blocks": blocked(BlockKind.SECURITY)},
    R.BLOCKED_FACILITY: {"number__blocks": blocked(BlockKind.FACILITY)},
    R.BLOCKED_AGENT: {"number__blocks": blocked(BlockKind.AGENT)},
    R.BLOCKED_KEYPAD: {"number__blocks": blocked(BlockKind.KEYPAD)},
    R.NOT_ALLOWED: {"site__facility__rules": FacilityRules(allow_list=True)},
    R.PAN_PENDING: {"number__pan": PanState.PENDING},
    R.PAN_MISSING: {"number__pan": PanState.MISSING},
    R.TERMINAL_CLASS: {"terminal__terminal__only": ("privileged",)},
    R.SCHEDULE: {"person__person__schedule": CLOSED_AT_NOON},
    R.LIMIT_CALLS: {
        "person__person__limits": Limits(calls_per_day_max=2),
        "use__person": Spent(calls_day=2),
    },
    R.LIMIT_MINUTES: {
        "person__person__limits": Limits(minutes_per_week_max=60),
        "use__person": Spent(talked_s_week=3_600),
    },
    R.VELOCITY: {"use__attempts_hour": 6, "use__oldest_attempt_s": 3_000},
    R.LINE_UNBILLABLE: {
        "money__payer": Payer.CALLED_COLLECT,
        "line": LineInfo(verdict=LineVerdict.DENY, source="file"),
    },
    R.LINE_UNVERIFIED: {"money__payer": Payer.CALLED_COLLECT, "line": None},
    R.NO_RATE: {"money__quote": None},
    R.NO_PAYER: {"money__payer": None},
    R.PAYER_LIMIT: {"money__limit_reached": "account limit 4"},
    R.NO_FUNDS: {"money__available": 1_665},
    R.VOICE_MISMATCH: {"voice_mismatch": True},
    R.CAPACITY: {"room": RoomFacts(full="legs_max")},
}


def test_the_good_call_is_allowed() -> None:
    assert isinstance(screen(GOOD), Permit)
    assert {result.outcome for result in preview(GOOD)} == {Outcome.PASSES}


@pytest.mark.parametrize("reason", FAILING, ids=str)
def test_each_reason_has_facts_that_lead_to_it(reason: DenyReason) -> None:
    verdict = screen(but(**FAILING[reason]))
    assert isinstance(verdict, Denied)
    assert verdict.reason is reason


def test_the_table_has_every_reason_in_the_order_of_the_enumeration() -> None:
    assert [row.reason for row in ORDER] == [r for r in R if r is not R.INBOUND_REFUSED]
    assert [row.row for row in ORDER] == sorted(row.row for row in ORDER)


EXCLUSIVE = {
    frozenset({R.LOCKDOWN, R.MAINTENANCE}),
    *map(frozenset, itertools.combinations((R.NO_INPUT, R.BAD_PIN, R.PIN_LOCKED), 2)),
    frozenset({R.NUMBER_INVALID, R.PREFIX_FORBIDDEN}),
    *map(
        frozenset,
        itertools.combinations(
            (R.BLOCKED_SECURITY, R.BLOCKED_FACILITY, R.BLOCKED_AGENT, R.BLOCKED_KEYPAD), 2
        ),
    ),
    frozenset({R.PAN_PENDING, R.PAN_MISSING}),
    frozenset({R.LIMIT_CALLS, R.LIMIT_MINUTES}),
    frozenset({R.LINE_UNBILLABLE, R.LINE_UNVERIFIED}),
    *(frozenset({collect, R.NO_PAYER}) for collect in (R.LINE_UNBILLABLE, R.LINE_UNVERIFIED)),
    *(
        frozenset({money, first})
        for money in (R.NO_RATE, R.PAYER_LIMIT, R.NO_FUNDS)
        for first in (R.NO_PAYER, R.LINE_UNBILLABLE, R.LINE_UNVERIFIED)
    ),
}
"""Pairs whose facts are two values of one field: the later one would undo the earlier."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pair
        for pair in itertools.combinations(FAILING, 2)
        if frozenset(pair) not in EXCLUSIVE and R.TERMINAL_UNKNOWN not in pair
    ],
    ids=lambda reason: reason.value,
)
def test_of_two_failing_conditions_the_earlier_names_the_reason(
    first: DenyReason, second: DenyReason
) -> None:
    both = but(but(**FAILING[second]), **FAILING[first])
    verdict = screen(both)
    assert isinstance(verdict, Denied)
    assert verdict.reason is first


def test_a_preview_tells_every_condition_that_fails() -> None:
    facts = but(terminal__off=True, number__pan=PanState.PENDING, money__quote=None)
    failing = [r.reason for r in preview(facts) if r.outcome is Outcome.FAILS]
    assert failing == [R.TERMINAL_OFF, R.PAN_PENDING, R.NO_RATE]
    assert screen(facts) == next(r.denied for r in preview(facts) if r.denied is not None)


def test_a_preview_leaves_open_what_an_incomplete_number_leaves_nothing_to_ask_of() -> None:
    results = preview(but(number__number=normalise("12")))
    assert {r.outcome for r in results if r.row > 4} == {Outcome.OPEN}
    assert {r.outcome for r in results if r.row < 4} == {Outcome.PASSES}


def test_an_unknown_line_has_one_reason_only() -> None:
    results = preview(but(terminal=None, site=None))
    assert [r.reason for r in results if r.outcome is Outcome.FAILS] == [R.TERMINAL_UNKNOWN]


# Who is spared what: calls.md section 3, the column "skips".
SKIPPED: dict[CallClass, set[DenyReason]] = {
    CallClass.HOTLINE: {
        R.PREFIX_FORBIDDEN, R.BLOCKED_SECURITY, R.BLOCKED_FACILITY, R.BLOCKED_AGENT,
        R.BLOCKED_KEYPAD, R.NOT_ALLOWED, R.PAN_PENDING, R.PAN_MISSING, R.TERMINAL_CLASS,
        R.SCHEDULE, R.LIMIT_CALLS, R.LIMIT_MINUTES, R.VELOCITY, R.LINE_UNBILLABLE,
        R.LINE_UNVERIFIED, R.NO_RATE, R.NO_PAYER, R.PAYER_LIMIT, R.NO_FUNDS, R.VOICE_MISMATCH,
    },
    CallClass.PRIVILEGED: {
        R.PREFIX_FORBIDDEN, R.BLOCKED_SECURITY, R.BLOCKED_FACILITY, R.BLOCKED_AGENT,
        R.NOT_ALLOWED, R.PAN_PENDING, R.PAN_MISSING, R.LIMIT_CALLS, R.LIMIT_MINUTES, R.VELOCITY,
        R.LINE_UNBILLABLE, R.LINE_UNVERIFIED, R.VOICE_MISMATCH,
    },
    CallClass.FREE: set(),
    CallClass.ORDINARY: set(),
}  # fmt: skip


@pytest.mark.parametrize("call_class", list(CallClass), ids=str)
def test_each_class_skips_exactly_what_the_table_says(call_class: CallClass) -> None:
    facts = but(number__call_class=call_class)
    skipped = {r.reason for r in preview(facts) if r.outcome is Outcome.SKIPPED}
    assert skipped == SKIPPED[call_class]


def hotline(**changes: Any) -> Verdict:
    dial: dict[str, Any] = {"number__call_class": CallClass.HOTLINE, "number__speed_dial": HOTLINE}
    return screen(but(**(dial | changes)))


def test_a_hotline_needs_no_pin_no_list_and_no_money() -> None:
    verdict = hotline(
        person__person=None,
        person__pin=PinOutcome.NOTHING,
        number__pan=PanState.MISSING,
        money__payer=None,
        terminal__terminal__schedule=CLOSED_AT_NOON,
        site__facility__rules=FacilityRules(allow_list=True),
    )
    assert isinstance(verdict, Permit)
    assert verdict.account is None
    assert verdict.quote is None


def test_a_hotline_with_a_pin_asks_for_it() -> None:
    dial = SpeedDial(
        facility="F1", code="*77", number="+15552340077", hotline=True, pin_required=True
    )
    verdict = hotline(number__speed_dial=dial, person__pin=PinOutcome.BAD)
    assert isinstance(verdict, Denied)
    assert verdict.reason is R.BAD_PIN


def test_a_hotline_that_is_not_spared_keeps_the_hours_of_the_terminal() -> None:
    dial = SpeedDial(facility="F1", code="*77", number="+15552340077", hotline=True, any_hour=False)
    verdict = hotline(number__speed_dial=dial, terminal__terminal__schedule=CLOSED_AT_NOON)
    assert isinstance(verdict, Denied)
    assert verdict.reason is R.TERMINAL_SCHEDULE


def privileged(**changes: Any) -> Verdict:
    base: dict[str, Any] = {
        "number__call_class": CallClass.PRIVILEGED,
        "number__audibility": Privileged(CALL),
    }
    return screen(but(**(base | changes)))


def test_a_privileged_call_skips_every_block_but_the_attorneys_own() -> None:
    assert isinstance(privileged(number__blocks=blocked(BlockKind.FACILITY)), Permit)
    own = privileged(number__blocks=blocked(BlockKind.KEYPAD))
    assert isinstance(own, Denied)
    assert own.reason is R.BLOCKED_KEYPAD


@pytest.mark.parametrize("call_class", [CallClass.HOTLINE, CallClass.PRIVILEGED], ids=str)
def test_hotlines_and_privileged_calls_skip_a_suspension(call_class: CallClass) -> None:
    facts = but(
        person__person__suspended_until="2026-12-01",
        number__call_class=call_class,
        number__speed_dial=HOTLINE,
    )
    assert isinstance(screen(facts), Permit)


def test_a_site_may_let_a_suspension_reach_privileged_calls() -> None:
    verdict = privileged(
        person__person__suspended_until="2026-12-01",
        site__facility__rules=FacilityRules(spared_by_suspension=()),
    )
    assert isinstance(verdict, Denied)
    assert verdict.reason is R.SUSPENDED


def test_a_suspension_ends_on_its_last_day_and_begins_on_its_first() -> None:
    for since, until, refused in (
        ("", "2026-11-24", False),
        ("", "2026-11-25", True),
        ("2026-11-24", "2026-11-25", True),
        ("2026-11-25", "2026-11-30", False),
    ):
        facts = but(person__person__suspended_from=since, person__person__suspended_until=until)
        assert isinstance(screen(facts), Denied) is refused, (since, until)


def test_an_order_may_spare_hotlines_and_privileged_calls() -> None:
    spared = (an_order(spares=("privileged",)),)
    assert isinstance(privileged(site__orders=spared), Permit)
    verdict = hotline(site__orders=spared)
    assert isinstance(verdict, Denied)
    assert verdict.reason is R.LOCKDOWN


def test_off_hook_an_order_that_spares_somebody_lets_the_caller_dial() -> None:
    quiet = but(number=None, site__orders=(an_order(),))
    sparing = but(number=None, site__orders=(an_order(spares=("hotline",)),))
    assert check_site_and_terminal(quiet) is not None
    assert check_site_and_terminal(sparing) is None


def test_off_hook_a_closed_terminal_lets_a_caller_reach_a_hotline() -> None:
    closed = but(number=None, terminal__terminal__schedule=CLOSED_AT_NOON)
    assert check_site_and_terminal(closed) is not None
    assert check_site_and_terminal(but(closed, site__any_hour_hotline=True)) is None


def test_a_person_is_checked_before_there_is_a_number() -> None:
    early = but(number=None, person__pin=PinOutcome.BAD)
    denied = check_person(early)
    assert denied is not None
    assert denied.reason is R.BAD_PIN
    suspended = but(number=None, person__person__suspended_until="2026-12-01")
    assert check_person(suspended) is None
    strict = with_rules(suspended, spared_by_suspension=())
    assert check_person(strict) is not None


def test_a_call_does_not_find_itself_busy() -> None:
    assert isinstance(screen(but(terminal__busy_call=CALL, person__busy_call=CALL)), Permit)


def test_a_shared_line_is_never_busy() -> None:
    facts = but(terminal__terminal__shared=True, terminal__busy_call=CallId(1))
    assert isinstance(screen(facts), Permit)


def test_the_reserve_is_for_hotlines_and_privileged_calls() -> None:
    full = RoomFacts(full="channels_max", reserved_left=True)
    assert isinstance(screen(but(room=full)), Denied)
    assert isinstance(privileged(room=full), Permit)
    assert isinstance(hotline(room=full), Permit)


@pytest.mark.parametrize(
    ("dialled", "reason"),
    [
        ("0", R.PREFIX_FORBIDDEN),
        ("988", R.PREFIX_FORBIDDEN),
        ("18005550100", R.PREFIX_FORBIDDEN),
        ("19005550100", R.PREFIX_FORBIDDEN),
        ("18765550100", R.PREFIX_FORBIDDEN),
        ("011445550100", R.PREFIX_FORBIDDEN),
        ("1010288", R.PREFIX_FORBIDDEN),
        ("555234567", R.NUMBER_INVALID),
    ],
)
def test_barred_forms_and_countries_outside_the_plan(dialled: str, reason: DenyReason) -> None:
    verdict = screen(but(number__number=normalise(dialled)))
    assert isinstance(verdict, Denied)
    assert verdict.reason is reason


def test_a_country_of_the_plan_is_served() -> None:
    jamaica = but(number__number=normalise("18765550100"))
    assert isinstance(screen(with_rules(jamaica, countries=("US", "JM"))), Permit)


def test_an_exempted_person_passes_the_facilitys_block_but_not_securitys() -> None:
    exempt = but(number__exempt=True, number__blocks=blocked(BlockKind.FACILITY))
    assert isinstance(screen(exempt), Permit)
    security = but(exempt, number__blocks=blocked(BlockKind.SECURITY))
    assert isinstance(screen(security), Denied)


def test_a_number_to_which_a_call_was_passed_on_is_asked_rows_four_to_six_only() -> None:
    assert check_target(but(terminal__busy_call=CallId(99), money__payer=None)) is None
    for changes, reason in (
        ({"number__number": normalise("19005550100")}, R.PREFIX_FORBIDDEN),
        ({"number__blocks": blocked(BlockKind.SECURITY)}, R.BLOCKED_SECURITY),
        ({"number__pan": PanState.MISSING}, R.PAN_MISSING),
    ):
        denied = check_target(but(**changes))
        assert denied is not None
        assert denied.reason is reason


def test_numbers_outside_the_list_of_a_person_need_none() -> None:
    for treatment in (Treatment(relay=True), Treatment(outside_pan=True)):
        facts = but(number__treatment=treatment, number__pan=PanState.MISSING)
        assert isinstance(screen(facts), Permit)
    assert isinstance(
        screen(with_rules(but(number__pan=PanState.MISSING), pan_required=False)), Permit
    )


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        (FAILING[R.TERMINAL_SCHEDULE], {"from": Clock(480), "to": Clock(690)}),
        (FAILING[R.PIN_LOCKED], {"n": Count(2)}),
        (FAILING[R.SUSPENDED], {"date": Day(2026, 12, 1)}),
        (FAILING[R.TERMINAL_CLASS], {"use": Named("use/privileged")}),
        (FAILING[R.SCHEDULE], {"from": Clock(480), "to": Clock(690)}),
        (FAILING[R.LIMIT_CALLS], {"n": Count(2), "when": Clock(0)}),
        (FAILING[R.LIMIT_MINUTES], {"when": Day(2026, 11, 30)}),
        (FAILING[R.VELOCITY], {"n": Count(10)}),
    ],
)
def test_the_holes_of_a_sentence_are_filled(
    changes: dict[str, Any], values: dict[str, Any]
) -> None:
    verdict = screen(but(**changes))
    assert isinstance(verdict, Denied)
    assert dict(verdict.values) == values


def test_the_record_says_which_schedule_and_which_block() -> None:
    unit = but(terminal__unit_schedule=Schedule(gaps=(Window(start="12:00", end="13:00"),)))
    verdict = screen(unit)
    assert isinstance(verdict, Denied)
    assert verdict.detail == "schedule of the unit"
    lunch = Schedule(gaps=(Window(start="12:00", end="13:00"),))
    site = screen(with_rules(schedule=lunch))
    assert isinstance(site, Denied)
    assert (site.reason, site.detail) == (R.SCHEDULE, "schedule of the facility")
    library = with_rules(terminal_classes={"library": TerminalClass(schedule=lunch)})
    phone = screen(but(library, terminal__terminal__use="library"))
    assert isinstance(phone, Denied)
    assert (phone.reason, phone.detail) == (R.TERMINAL_SCHEDULE, "schedule of all library")
    assert isinstance(screen(library), Permit)
    wild = but(number__blocks=(Block(BlockKind.FACILITY, 9, "+1555*", "a note"),))
    verdict = screen(wild)
    assert isinstance(verdict, Denied)
    assert verdict.detail == "block 9, wildcard: a note"
