import pytest

from switch.billing.credit import CREDIT_OF_REASON, Credit, amount_back
from switch.billing.rating import Rate, charge
from switch.money import Micros

RATE = Rate(micros_per_minute=Micros(110_000))


def test_the_table_member_by_member() -> None:
    free = (
        "busy no_answer bad_number congestion rejected_by_network redirected voicemail fax refused"
    )
    none = "caller_hangup called_hangup time_limit funds payer_limit schedule lockdown staff_cut"
    expected = (
        dict.fromkeys([*free.split(), "blocked_by_called", "no_response"], Credit.FREE)
        | dict.fromkeys([*none.split(), "person_changed"], Credit.NONE)
        | dict.fromkeys(
            ["maintenance", "inactivity", "metering_lost", "recorder_failure"], Credit.LAST_60
        )
        | dict.fromkeys(
            ["three_way", "forward", "joined_calls", "extra_digits", "dial_tone"],
            Credit.LAST_60_ALL,
        )
        | dict.fromkeys(
            ["network_failure", "media_lost", "terminal_failure", "switch_failure"], Credit.DEAD_60
        )
    )
    assert expected == CREDIT_OF_REASON


@pytest.mark.parametrize("credit", [Credit.LAST_60, Credit.LAST_60_ALL, Credit.DEAD_60])
def test_the_last_minute_comes_back(credit: Credit) -> None:
    assert amount_back(RATE, 100, credit) == charge(RATE, 100) - charge(RATE, 40)


def test_all_of_a_shorter_call_comes_back() -> None:
    assert amount_back(RATE, 45, Credit.LAST_60) == charge(RATE, 45)


@pytest.mark.parametrize("credit", [Credit.NONE, Credit.FREE])
def test_nothing_comes_back(credit: Credit) -> None:
    assert amount_back(RATE, 100, credit) == 0
