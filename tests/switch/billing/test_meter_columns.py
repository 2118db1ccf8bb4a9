"""What is left, for all calls at once and for one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.billing.ledger import Purse
from switch.billing.meter_columns import (
    AccountColumns,
    CallColumns,
    balances,
    seconds_left,
    seconds_left_of,
)
from switch.billing.rating import Rate, charge
from switch.ids import AccountId, CallId
from switch.money import Micros

CALLS = st.lists(
    st.tuples(
        st.integers(1, 4),  # account
        st.integers(0, 300_000),  # micros a minute
        st.sampled_from([0, 0, 60]),  # free seconds
        st.integers(0, 40),  # paid
        st.floats(0, 1),  # talked of it
        st.integers(0, 2),  # refused
    ),
    min_size=1,
    max_size=9,
)
PURSES = st.lists(st.none() | st.integers(-100, 1_000_000), min_size=4, max_size=4)


@settings(deadline=None)
@given(CALLS, PURSES)
def test_what_is_left_is_the_same_for_all_at_once_and_for_one(
    given_calls: list[tuple[int, int, int, int, float, int]], purses: list[int | None]
) -> None:
    calls, accounts = CallColumns(), AccountColumns()
    for n, (account, micros, free_s, paid_s, share, refused) in enumerate(given_calls, start=1):
        rate, amount = Rate(micros_per_minute=Micros(micros), free_s=free_s), purses[account - 1]
        purse = None
        if amount is not None:
            purse = Purse(posted=Micros(amount), held=Micros(7), floor=Micros(0))
        payer = accounts.add_call(AccountId(account), rate, purse)
        row = calls.open(CallId(n), payer, rate, paid_s, 0.0)
        calls.seq[row] = int(paid_s * share)
        calls.charged[row] = charge(rate, int(paid_s * share))
        calls.refused[row] = refused
    left_s, shown = seconds_left(calls, accounts), balances(calls, accounts)
    for row in calls.rows.values():
        assert left_s[row] == seconds_left_of(calls, accounts, row)
    for account, row in accounts.rows.items():
        owed = sum(int(calls.charged[n]) for n in calls.of_account(row))
        assert shown[row] == (purses[account - 1] or 0) - owed


def test_an_account_without_a_call_is_forgotten() -> None:
    accounts = AccountColumns()
    rate, purse = (
        Rate(micros_per_minute=Micros(60)),
        Purse(posted=Micros(9_000), held=Micros(0), floor=None),
    )
    row = accounts.add_call(AccountId(5), rate, purse)
    assert accounts.add_call(AccountId(5), rate, None) == row
    assert accounts.are_ample()[row]
    accounts.drop_call(row, 60)
    assert accounts.micros_per_minute[row] == 60
    accounts.drop_call(row, 60)
    assert accounts.rows == {}
    assert not accounts.are_ample().any()
    assert accounts.add_call(AccountId(6), rate, None) == row
    assert not accounts.is_known[row]
