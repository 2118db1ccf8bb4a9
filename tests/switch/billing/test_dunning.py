"""Days late, and payments laid on the oldest invoice first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.billing.dunning import DAY_S, Bill, Late, Stage, stage_of, unpaid
from switch.money import Micros


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (-0.1, Stage.NOT_DUE), (0, Stage.DUE), (6.9, Stage.DUE), (7, Stage.LATE_7),
        (14, Stage.LATE_14), (20.9, Stage.LATE_14), (21, Stage.SUSPENDED),
        (44.9, Stage.SUSPENDED), (45, Stage.CONVERTED), (400, Stage.CONVERTED),
    ],
)  # fmt: skip
def test_a_stage_begins_on_its_day(days: float, stage: Stage) -> None:
    assert stage_of(1000.0, at=1000.0 + days * DAY_S) is stage


def test_the_oldest_invoice_is_paid_first() -> None:
    bills = [Bill(number=n, total=Micros(100), due_at=n * 30 * DAY_S) for n in (3, 1, 2)]
    late = unpaid(bills, Micros(150), at=68 * DAY_S)
    assert late == [
        Late(number=2, missing=Micros(50), stage=Stage.LATE_7),
        Late(number=3, missing=Micros(100), stage=Stage.NOT_DUE),
    ]


@given(totals=st.lists(st.integers(0, 10**9)), paid=st.integers(-(10**9), 10**10))
def test_what_is_missing_is_what_was_not_paid(totals: list[int], paid: int) -> None:
    bills = [Bill(number=n, total=Micros(t), due_at=0.0) for n, t in enumerate(totals)]
    missing = sum(late.missing for late in unpaid(bills, Micros(paid), at=0.0))
    assert missing == max(0, sum(totals) - max(0, paid))
