"""Many calls go one second on in one statement, if the store stands as the book says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.billing.meter_news import PaidUntil
from switch.billing.rating import charge
from switch.ids import AccountId, CallId
from tests.support.money_rig import ELEVEN_CENTS, MoneyRig, quote_of

RATE = ELEVEN_CENTS.rate
STEP = "seq = seq + 1"


def rig_of(calls: int) -> tuple[MoneyRig, list[AccountId], list[str]]:
    """Calls 1, 2, … on an ample account each, bridged at 0.0; and what SQLite is asked later."""
    rig = MoneyRig()
    accounts = [rig.account(5_000_000) for _ in range(calls)]
    for call, account in enumerate(accounts, start=1):
        rig.reserve(CallId(call), account)
        rig.book.bridged(CallId(call), at=0.0)
    asked: list[str] = []
    rig.raw.set_trace_callback(asked.append)
    return rig, accounts, asked


MOVE = "seq = seq + 1, charged = micros_per_minute * max(0, seq + 1 - free_s) / 60, posted"


def stands(rig: MoneyRig) -> list[tuple[int, int]]:
    return list(rig.raw.execute("SELECT seq, charged FROM meter ORDER BY call_id"))


def test_ample_calls_go_on_together() -> None:
    rig, _, asked = rig_of(30)
    for n in range(1, 13):
        rig.beat(now=n + 0.25)
        assert stands(rig) == [(n, charge(RATE, n))] * 30
    assert sum(STEP in statement for statement in asked) == 12
    assert rig.faults() == []


def test_a_call_that_talked_none_or_two_is_left_out_by_name() -> None:
    rig, _, asked = rig_of(30)
    rig.reserve(CallId(31), rig.account(5_000_000))
    rig.book.bridged(CallId(31), at=1.5)
    rig.beat(now=1.6)
    rig.beat(now=2.45)
    rig.beat(now=3.55)
    assert stands(rig) == [(3, charge(RATE, 3))] * 30 + [(2, charge(RATE, 2))]
    assert sum(STEP in statement for statement in asked) == 3
    assert rig.faults() == []


def test_a_meter_that_is_not_in_the_book_stands_still_and_the_others_go_on() -> None:
    rig, _, asked = rig_of(30)
    rig.beat(now=1.25)
    rig.book.ended(CallId(7), ended_at=1.9)
    asked.clear()
    rig.beat(now=2.25)
    assert not any(STEP in statement for statement in asked)
    assert stands(rig)[6] == (1, charge(RATE, 1))
    assert stands(rig)[7] == (2, charge(RATE, 2))
    rig.settle(7, seconds=1)
    rig.beat(now=3.25)
    assert any(STEP in statement for statement in asked)
    assert rig.faults() == []


def test_meters_that_stand_elsewhere_are_read_again_even_if_they_add_up() -> None:
    rig, _, _ = rig_of(30)
    for n in (1, 2):
        rig.beat(now=n + 0.25)
    for call, seq in ((5, 1), (6, 3)):
        values = (seq, charge(RATE, seq), call)
        rig.raw.execute("UPDATE meter SET seq = ?, charged = ? WHERE call_id = ?", values)
    news = rig.beat(now=3.25)
    assert len([item for item in news if isinstance(item, PaidUntil)]) == 30
    rig.beat(now=4.25)
    assert stands(rig) == [(4, charge(RATE, 4))] * 30
    assert rig.faults() == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 250_000), min_size=3, max_size=6), st.sampled_from([0, 3]))
def test_every_price_is_charged_as_the_book_says(prices: list[int], free_s: int) -> None:
    rig = MoneyRig()
    for call, price in enumerate(prices, start=1):
        rig.reserve(CallId(call), rig.account(9_000_000), quote_of(price, free_s=free_s))
        rig.book.bridged(CallId(call), at=0.0)
    for n in range(1, 8):
        rig.beat(now=n + 0.25)
        rates = [quote_of(price, free_s=free_s).rate for price in prices]
        assert stands(rig) == [(n, charge(rate, n)) for rate in rates]
    assert rig.faults() == []


def poor_rig(calls: int) -> tuple[MoneyRig, list[str]]:
    """Calls 1, 2, … on an account each that can pay a minute."""
    rig = MoneyRig()
    for call in range(1, calls + 1):
        rig.reserve(CallId(call), rig.account(110_000))
        rig.book.bridged(CallId(call), at=0.0)
    asked: list[str] = []
    rig.raw.set_trace_callback(asked.append)
    return rig, asked


def test_poor_calls_post_and_are_granted_one_second_together() -> None:
    rig, asked = poor_rig(12)
    rig.reserve(CallId(20), rig.account(5_000_000))
    rig.book.bridged(CallId(20), at=0.0)
    for n in range(1, 59):
        rig.beat(now=n + 0.25)
        assert stands(rig) == [(n, charge(RATE, n))] * 13
    assert sum(MOVE in statement for statement in asked) > 50
    assert rig.faults() == []
    settled = [rig.end(call, ended_at=58.5).charged for call in (*range(1, 13), 20)]
    assert settled == [charge(RATE, 58)] * 13
    assert rig.faults() == []


def test_poor_calls_that_run_out_are_refused_as_they_are_row_by_row() -> None:
    rig, _ = poor_rig(5)
    until = dict.fromkeys(range(1, 6), 3.0)
    for n in range(1, 70):
        for item in rig.beat(now=n + 0.25):
            if isinstance(item, PaidUntil):
                until[item.call] = item.at
        assert rig.faults() == []
    assert until == dict.fromkeys(range(1, 6), 60.0)


def test_a_meter_that_has_posted_something_else_undoes_the_beat() -> None:
    rig, _ = poor_rig(5)
    rig.beat(now=1.25)
    rig.raw.execute("UPDATE meter SET posted = 0, hold = hold + posted WHERE call_id = 3")
    before = stands(rig)
    held = rig.raw.execute("SELECT sum(held) FROM account").fetchone()
    news = rig.beat(now=2.25)
    assert all(isinstance(item, PaidUntil) for item in news)
    assert stands(rig) == before
    assert rig.raw.execute("SELECT sum(held) FROM account").fetchone() == held
