from hypothesis import given
from hypothesis import strategies as st

from switch.billing.refund import Source, plan_refund
from switch.money import Micros

sources = st.lists(
    st.tuples(st.integers(1, 100), st.integers(0, 100)).filter(lambda row: row[1] <= row[0]),
    max_size=6,
)


def a_source(n: int, paid: int, returned: int = 0) -> Source:
    return Source(id=f"s{n}", book=1, paid=Micros(paid), returned=Micros(returned))


def test_the_newest_gets_its_money_first() -> None:
    plan = plan_refund(Micros(70), [a_source(2, 50), a_source(1, 100)])
    assert [(part.source.id, part.amount) for part in plan.parts] == [("s2", 50), ("s1", 20)]
    assert plan.unsourced == 0


def test_a_source_that_was_paid_back_gets_nothing_more() -> None:
    plan = plan_refund(Micros(70), [a_source(2, 50, 50), a_source(1, 30, 10)])
    assert [(part.source.id, part.amount) for part in plan.parts] == [("s1", 20)]
    assert plan.unsourced == 50


@given(amount=st.integers(1, 300), rows=sources)
def test_no_source_gets_more_than_it_gave_and_nothing_is_lost(
    amount: int, rows: list[tuple[int, int]]
) -> None:
    plan = plan_refund(Micros(amount), [a_source(n, *row) for n, row in enumerate(rows)])
    assert sum(part.amount for part in plan.parts) + plan.unsourced == amount
    for part in plan.parts:
        assert 0 < part.amount <= part.source.paid - part.source.returned
