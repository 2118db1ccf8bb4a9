from hypothesis import given
from hypothesis import strategies as st

from switch.routing.limits import LONGER_IS_STRICTER, Limits, strictest

some = st.builds(
    Limits,
    call_minutes_max=st.none() | st.integers(1, 99),
    calls_per_day_max=st.none() | st.integers(0, 50),
    cool_down_s=st.none() | st.integers(0, 900),
)


@given(st.lists(some, max_size=4))
def test_the_most_restrictive_wins_count_by_count(limits: list[Limits]) -> None:
    least = strictest(*limits)
    for name in Limits.__struct_fields__:
        values = [v for each in limits if (v := getattr(each, name)) is not None]
        pick = max if name in LONGER_IS_STRICTER else min
        assert getattr(least, name) == (pick(values) if values else None)


@given(some, some)
def test_the_order_does_not_matter(one: Limits, other: Limits) -> None:
    assert strictest(one, other) == strictest(other, one)
