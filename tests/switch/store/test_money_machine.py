"""A fixed-seed slice of `make soak`."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.money_machine import MoneyMachine

SLICE = settings(
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
def test_whatever_happens_the_ledger_proves_itself() -> None:
    run_state_machine_as_test(MoneyMachine, settings=SLICE)
