from datetime import UTC, datetime

import pytest

from switch.ids import CallId
from switch.money import Micros
from switch.store import account_limits
from switch.store.account_limits import NEVER, Scope, next_period
from tests.support.money_rig import ELEVEN_CENTS, MoneyRig

PERSON = Scope(scope="person", id="P1")
RATE = ELEVEN_CENTS.rate
CALL = CallId(1)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "end"),
    [
        ("day", "2026-11-24T03:00", "2026-11-24T06:00"),
        ("day", "2026-11-24T07:00", "2026-11-25T06:00"),
        ("day", "2026-03-08T12:00", "2026-03-09T05:00"),
        ("week", "2026-11-24T12:00", "2026-11-30T06:00"),
        ("month", "2026-11-24T12:00", "2026-12-01T06:00"),
        ("month", "2026-12-31T12:00", "2027-01-01T06:00"),
    ],
)
def test_a_period_ends_at_midnight_of_the_facility(period: str, now: str, end: str) -> None:
    assert next_period(period, "America/Chicago", at(now)) == at(end)


def test_some_limits_have_no_period() -> None:
    assert next_period("ever", "UTC", 0.0) == NEVER


def rig_with(unit: str, cap: int) -> MoneyRig:
    rig = MoneyRig()
    account_limits.set_limit(
        rig.raw, PERSON, set_by="facility", unit=unit, period="day", cap=cap, zone="UTC", at=0.0
    )
    rig.reserve(CALL, rig.account(10_000_000))
    return rig


def room(rig: MoneyRig, now: float) -> int:
    (limit,) = account_limits.limits_of_scopes(rig.raw, [PERSON], at=now)
    return limit.room


@pytest.mark.parametrize(
    ("unit", "cap", "taken", "used"), [("seconds", 60, 5, 4), ("micros", 20_000, 9_166, 7_333)]
)
def test_what_is_held_counts_until_it_is_used(unit: str, cap: int, taken: int, used: int) -> None:
    rig = rig_with(unit, cap)
    limits = account_limits.limits_of_scopes(rig.raw, [PERSON], at=10.0)
    account_limits.hold(rig.raw, CALL, limits, RATE, paid_s=0, more_s=5, at=10.0)
    assert room(rig, 10.0) == cap - taken
    account_limits.settle(rig.raw, CALL, seconds=4, spent=Micros(7_333), at=20.0)
    assert room(rig, 20.0) == cap - used
    assert room(rig, 86_401.0) == cap


def test_a_lowered_cap_leaves_no_room_and_takes_nothing_back() -> None:
    rig = rig_with("seconds", 60)
    limits = account_limits.limits_of_scopes(rig.raw, [PERSON], at=10.0)
    account_limits.hold(rig.raw, CALL, limits, RATE, paid_s=0, more_s=50, at=10.0)
    account_limits.set_limit(
        rig.raw,
        PERSON,
        set_by="facility",
        unit="seconds",
        period="day",
        cap=10,
        zone="UTC",
        at=11.0,
    )
    (limit,) = account_limits.limits_of_scopes(rig.raw, [PERSON], at=11.0)
    assert limit.room == -40
    assert account_limits.least_s([limit], RATE, paid_s=0, wanted_s=3) == 0


def test_the_smallest_answer_wins() -> None:
    rig = rig_with("seconds", 60)
    account_limits.set_limit(
        rig.raw, PERSON, set_by="payer", unit="micros", period="day", cap=5_500, zone="UTC", at=0.0
    )
    limits = account_limits.limits_of_scopes(rig.raw, [PERSON], at=1.0)
    assert account_limits.least_s(limits, RATE, paid_s=0, wanted_s=30) == 3
