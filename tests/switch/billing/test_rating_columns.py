"""Each function for columns says what its namesake says for one call."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.billing import horizon, rating, rating_columns
from switch.billing.rating import GUARD_NS, NS_PER_S, Rate
from switch.billing.rating_columns import Int64s
from switch.money import Micros

RATES = st.one_of(st.just(0), st.integers(0, 2_000_000), st.integers(0, 10**9))
FREE = st.integers(0, 90)
SECONDS = st.integers(0, 400_000)
AMOUNTS = st.integers(-(10**12), 10**13)


def column(*values: int) -> Int64s:
    return np.array(values, np.int64)


def rate_of(micros: int, free_s: int) -> Rate:
    return Rate(micros_per_minute=Micros(micros), free_s=free_s)


@settings(deadline=None)
@given(RATES, FREE, SECONDS, st.integers(-(10**9), 10**15))
def test_a_charge_and_its_whole_seconds(rate: int, free_s: int, seconds: int, ns: int) -> None:
    one = rating.charge(rate_of(rate, free_s), seconds)
    assert rating_columns.charge(column(rate), column(free_s), column(seconds)) == [one]
    assert rating_columns.whole_seconds(column(ns)) == [rating.whole_seconds(ns)]


@settings(deadline=None)
@given(RATES, FREE, AMOUNTS, st.integers(0, 3_600), st.integers(0, 60))
def test_what_an_amount_buys(
    rate: int, free_s: int, amount: int, paid_s: int, wanted_s: int
) -> None:
    price, micros = rate_of(rate, free_s), Micros(amount)
    prices = (column(rate), column(free_s))
    assert rating_columns.seconds_for(*prices, column(amount)) == [
        rating.seconds_for(price, micros)
    ]
    one = horizon.affordable_s(price, paid_s=paid_s, available=micros, wanted_s=wanted_s)
    assert rating_columns.affordable_s(
        *prices, paid_s=column(paid_s), available=column(amount), wanted_s=column(wanted_s)
    ) == [one]


def test_an_account_that_no_int64_could_multiply_buys_the_longest_stretch() -> None:
    rich, price = column(2**62), column(1_000_000)
    assert rating_columns.seconds_for(price, column(0), rich) == [rating.SECONDS_MAX]
    assert rating_columns.is_ample(rich, live_micros_per_minute=price).all()


@settings(deadline=None)
@given(AMOUNTS, RATES)
def test_who_is_ample(available: int, live: int) -> None:
    one = horizon.is_ample(Micros(available), live_micros_per_minute=live)
    assert rating_columns.is_ample(column(available), live_micros_per_minute=column(live)) == [one]


@settings(deadline=None)
@given(st.integers(0, 10**15), st.sampled_from([1.0, 1.5, 30.0]))
def test_the_second_through_which_money_is_held(elapsed_ns: int, horizon_s: float) -> None:
    (through_s,) = rating_columns.through(column(elapsed_ns), horizon_s).tolist()
    ends_ns = elapsed_ns - GUARD_NS + rating.to_ns(horizon_s)
    assert (through_s - 1) * NS_PER_S < ends_ns <= through_s * NS_PER_S
