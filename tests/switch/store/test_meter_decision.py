"""What is decided column by column is what going through the asks one by one would say."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.billing.beat import REFUSALS, Asks, Purses, Seconds
from switch.billing.horizon import price_of
from switch.billing.rating import Rate
from switch.errors import StoreError
from switch.ids import CallId
from switch.money import Micros
from switch.store.account_limits import Limit
from switch.store.meter_decision import decide, grant, tied_of

ASKS = st.lists(
    st.tuples(
        st.integers(1, 4),  # account
        st.sampled_from([0, 60_000, 110_000, 999_999]),  # micros a minute
        st.integers(0, 40),  # paid
        st.integers(0, 3),  # least
        st.integers(0, 32),  # more than that
        st.integers(0, 20_000),  # post
    ),
    max_size=10,
)
AVAILABLE = st.lists(st.sampled_from([-5, 0, 1_833, 3_667, 9_999, 10**9]), min_size=4, max_size=4)
LIMITS = st.dictionaries(
    st.integers(1, 10).map(CallId),
    st.lists(
        st.builds(
            Limit,
            id=st.integers(1, 3),
            unit=st.just("seconds"),
            room=st.integers(-3, 40),
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda limit: limit.id,
    ),
    max_size=4,
)


def asks_of(rows: Sequence[tuple[int, int, int, int, int, int]]) -> Asks:
    """Asks in their order; calls are counted from 1."""
    named = [(row[0], n, *row[1:]) for n, row in enumerate(rows, start=1)]

    def order(row: tuple[int, ...]) -> tuple[int, int, int]:
        account, call, micros, paid_s, least_s, more_s, _post = row
        rate = Rate(micros_per_minute=Micros(micros))
        return account, price_of(rate, paid_s=paid_s, more_s=least_s + more_s), call

    columns = np.array(sorted(named, key=order), np.int64).reshape(-1, 7).T
    account, call, micros, paid_s, least_s, more_s, post = columns
    still = np.zeros_like(call)
    return Asks(
        talked=Seconds(call=call, from_s=still, to_s=still, delta=still),
        account=account,
        post=post,
        micros_per_minute=micros,
        free_s=still,
        paid_s=paid_s,
        more_s=least_s + more_s,
        least_s=least_s,
        keep_s=paid_s,
    )


def purses_of(asks: Asks, available: Sequence[int]) -> Purses:
    accounts = asks.account[asks.firsts]
    amounts = np.array([available[account - 1] for account in accounts], np.int64)
    return Purses(accounts, amounts + 50, amounts, np.zeros_like(amounts))


def one_by_one(
    asks: Asks, purses: Purses, limits: Mapping[CallId, Sequence[Limit]]
) -> list[tuple[int, int, int]]:
    """Seconds, price and refusal of each ask."""
    left = dict(zip(purses.account.tolist(), purses.available.tolist(), strict=True))
    taken: dict[int, int] = {}
    answers: list[tuple[int, int, int]] = []
    for row in range(len(asks)):
        ask = asks.one(row)
        tied = [
            Limit(id=limit.id, unit=limit.unit, room=limit.room - taken.get(limit.id, 0))
            for limit in limits.get(ask.call, ())
        ]
        seconds, refusal = grant(ask, Micros(left[ask.account]), tied)
        rate = Rate(micros_per_minute=ask.micros_per_minute, free_s=ask.free_s)
        price = price_of(rate, paid_s=ask.paid_s, more_s=seconds)
        left[ask.account] -= price
        for limit in tied:
            taken[limit.id] = taken.get(limit.id, 0) + seconds
        answers.append((seconds, price, REFUSALS.index(refusal)))
    return answers


@settings(deadline=None)
@given(ASKS, AVAILABLE, LIMITS)
def test_columns_decide_what_going_through_the_asks_one_by_one_would(
    rows: list[tuple[int, int, int, int, int, int]],
    available: list[int],
    limits: dict[CallId, list[Limit]],
) -> None:
    asks = asks_of(rows)
    purses = purses_of(asks, available)
    tied = {call: limits[call] for call in tied_of(asks, limits)}
    decided = decide(asks, purses=purses, limits=tied)
    columns = (decided.granted_s, decided.price, decided.refused)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == one_by_one(asks, purses, limits)
    for n, account in enumerate(purses.account):
        mine = asks.account == account
        held, posted = decided.price[mine].sum(), asks.post[mine].sum()
        assert (decided.held[n], decided.posted[n]) == (held, posted)
        assert decided.purses.available[n] == purses.available[n] - held
        assert decided.purses.posted[n] == purses.posted[n] - posted


def test_an_account_that_is_not_there_is_told() -> None:
    asks = asks_of([(1, 60_000, 3, 1, 0, 0)])
    purses = purses_of(asks_of([]), [])
    with pytest.raises(StoreError, match="not in the ledger"):
        decide(asks, purses=purses, limits={})
