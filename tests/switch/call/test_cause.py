import pytest

from switch.billing.credit import CREDIT_OF_REASON, Credit
from switch.call.cause import (
    END_RULES,
    EndReason,
    cause_of,
    credit_of,
    fails_over,
    prompt_key,
    reason_header,
    release_to_end,
    status_to_end,
)
from switch.screening.reasons import DenyReason


def test_every_end_reason_has_a_rule_and_a_credit() -> None:
    assert tuple(END_RULES) == tuple(EndReason)
    assert set(CREDIT_OF_REASON) == {reason.value for reason in EndReason}
    assert len(EndReason) == 33


def test_no_reason_is_called_unknown_or_other() -> None:
    assert not {"unknown", "other"} & {*EndReason, *DenyReason}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, EndReason.BUSY), (600, EndReason.BUSY), (480, EndReason.NO_ANSWER),
        (408, EndReason.NO_ANSWER), (0, EndReason.CONGESTION), (404, EndReason.BAD_NUMBER),
        (410, EndReason.BAD_NUMBER), (484, EndReason.BAD_NUMBER),
        (403, EndReason.REJECTED_BY_NETWORK), (603, EndReason.REJECTED_BY_NETWORK),
        (607, EndReason.REJECTED_BY_NETWORK), (608, EndReason.REJECTED_BY_NETWORK),
        (302, EndReason.REDIRECTED), (503, EndReason.CONGESTION), (488, EndReason.CONGESTION),
    ],
)  # fmt: skip
def test_a_trunk_s_status_is_read(status: int, reason: EndReason) -> None:
    assert status_to_end(status) is reason


def test_a_cause_decides_only_where_the_status_is_vague() -> None:
    assert status_to_end(503, 17) is EndReason.BUSY
    assert status_to_end(500, 1) is EndReason.BAD_NUMBER
    assert status_to_end(486, 1) is EndReason.BUSY
    assert status_to_end(503, 34) is EndReason.CONGESTION


@pytest.mark.parametrize(
    ("status", "q850", "next_trunk"),
    [
        (503, None, True), (500, 34, True), (503, 17, False), (0, None, True),
        (486, 34, False), (600, None, False), (603, None, False), (404, None, False),
        (408, None, False), (480, 38, True),
    ],
)  # fmt: skip
def test_the_next_trunk_is_tried_only_when_it_may_do_better(
    status: int, q850: int | None, next_trunk: bool
) -> None:
    assert fails_over(status, q850) is next_trunk


def test_a_broken_leg_is_not_a_hang_up() -> None:
    assert release_to_end(16, by_caller=True) is EndReason.CALLER_HANGUP
    assert release_to_end(27, by_caller=True) is EndReason.TERMINAL_FAILURE
    assert release_to_end(16, by_caller=False) is EndReason.CALLED_HANGUP
    assert release_to_end(38, by_caller=False) is EndReason.NETWORK_FAILURE


def test_nothing_is_charged_before_the_bridge() -> None:
    assert {credit_of(reason, bridged=False) for reason in EndReason} == {Credit.FREE}
    assert credit_of(DenyReason.NO_FUNDS, bridged=True) is Credit.FREE
    assert credit_of(EndReason.CALLER_HANGUP, bridged=True) is Credit.NONE
    assert credit_of(EndReason.THREE_WAY, bridged=True) is Credit.LAST_60_ALL


def test_the_reason_travels_to_the_terminal_by_its_code() -> None:
    assert reason_header(EndReason.FUNDS) == 'Q.850;cause=16;text="funds"'
    assert reason_header(DenyReason.NO_FUNDS) == 'Q.850;cause=21;text="no_funds"'
    assert cause_of(EndReason.METERING_LOST) == 41


def test_the_caller_does_not_hear_that_they_were_blocked() -> None:
    assert prompt_key(EndReason.BLOCKED_BY_CALLED, to_caller=True) == "end_refused"
    assert prompt_key(EndReason.BLOCKED_BY_CALLED, to_caller=False) == "end_blocked_by_called"
    assert prompt_key(EndReason.SWITCH_FAILURE, to_caller=True) is None
