"""Why a call ended: our reasons, ITU-T Q.850 causes, SIP statuses, the line in the history.

The members of EndReason are those of calls.md section 5.2, in its order. There is none called
"unknown" or "other". Sources: ITU-T Q.850 (causes), RFC 3398 section 8.2 (SIP status and cause),
RFC 3326 and RFC 6432 (the Reason header), calls.md section 5.2 (the choice among ours).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from switch.billing.credit import CREDIT_OF_REASON, Credit
from switch.screening.reasons import DENY_STATUS, DenyReason


class EndReason(StrEnum):
    """Why a call that was allowed came to its end. One per call."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    BAD_NUMBER = "bad_number"
    CONGESTION = "congestion"
    REJECTED_BY_NETWORK = "rejected_by_network"
    REDIRECTED = "redirected"
    VOICEMAIL = "voicemail"
    FAX = "fax"
    REFUSED = "refused"
    BLOCKED_BY_CALLED = "blocked_by_called"
    NO_RESPONSE = "no_response"
    CALLER_HANGUP = "caller_hangup"
    CALLED_HANGUP = "called_hangup"
    TIME_LIMIT = "time_limit"
    FUNDS = "funds"
    PAYER_LIMIT = "payer_limit"
    SCHEDULE = "schedule"
    LOCKDOWN = "lockdown"
    MAINTENANCE = "maintenance"
    STAFF_CUT = "staff_cut"
    PERSON_CHANGED = "person_changed"
    INACTIVITY = "inactivity"
    THREE_WAY = "three_way"
    FORWARD = "forward"
    JOINED_CALLS = "joined_calls"
    EXTRA_DIGITS = "extra_digits"
    DIAL_TONE = "dial_tone"
    NETWORK_FAILURE = "network_failure"
    MEDIA_LOST = "media_lost"
    TERMINAL_FAILURE = "terminal_failure"
    METERING_LOST = "metering_lost"
    RECORDER_FAILURE = "recorder_failure"
    SWITCH_FAILURE = "switch_failure"


Reason = EndReason | DenyReason
"""What a call finishes with."""


@dataclass(frozen=True, slots=True)
class EndRule:
    """One row of the table."""

    q850: int
    line: str
    """The line in the history that the payer, the person and staff see."""


_E = EndReason

# ruff: noqa: E501 (a table is read across)
# fmt: off
END_RULES: Final[Mapping[EndReason, EndRule]] = {
    _E.BUSY:                EndRule(17, "The line was busy."),
    _E.NO_ANSWER:           EndRule(19, "Nobody answered."),
    _E.BAD_NUMBER:          EndRule(1,  "The number is not in service."),
    _E.CONGESTION:          EndRule(34, "The phone network was full."),
    _E.REJECTED_BY_NETWORK: EndRule(21, "Your phone company refused the call."),
    _E.REDIRECTED:          EndRule(23, "The number passed the call on; we did not follow."),
    _E.VOICEMAIL:           EndRule(16, "A machine answered."),
    _E.FAX:                 EndRule(16, "A fax machine answered."),
    _E.REFUSED:             EndRule(21, "The call was not accepted."),
    _E.BLOCKED_BY_CALLED:   EndRule(21, "You blocked these calls."),
    _E.NO_RESPONSE:         EndRule(16, "Someone picked up but did not accept."),
    _E.CALLER_HANGUP:       EndRule(16, "The caller hung up."),
    _E.CALLED_HANGUP:       EndRule(16, "The called party hung up."),
    _E.TIME_LIMIT:          EndRule(16, "The call reached its limit of {n} minutes."),
    _E.FUNDS:               EndRule(16, "The balance reached zero."),
    _E.PAYER_LIMIT:         EndRule(16, "Your spending limit was reached."),
    _E.SCHEDULE:            EndRule(16, "Phone hours ended."),
    _E.LOCKDOWN:            EndRule(16, "The facility turned off the phones."),
    _E.MAINTENANCE:         EndRule(41, "The phone system needed service."),
    _E.STAFF_CUT:           EndRule(16, "Staff at the facility ended the call."),
    _E.PERSON_CHANGED:      EndRule(16, "Released, moved or suspended during the call."),
    _E.INACTIVITY:          EndRule(16, "Nobody spoke for {n} minutes."),
    _E.THREE_WAY:           EndRule(16, "We believed that a third line joined. Press review if not."),
    _E.FORWARD:             EndRule(16, "We believed that the call was passed on."),
    _E.JOINED_CALLS:        EndRule(16, "We believed that two calls were joined."),
    _E.EXTRA_DIGITS:        EndRule(16, "Keys and signs of a second line, after a warning."),
    _E.DIAL_TONE:           EndRule(16, "The line fell back to a dial tone."),
    _E.NETWORK_FAILURE:     EndRule(38, "The phone network failed."),
    _E.MEDIA_LOST:          EndRule(41, "The sound was lost on one side."),
    _E.TERMINAL_FAILURE:    EndRule(27, "The facility's phone failed."),
    _E.METERING_LOST:       EndRule(41, "Our billing failed."),
    _E.RECORDER_FAILURE:    EndRule(41, "Our recorder failed."),
    _E.SWITCH_FAILURE:      EndRule(41, "Our system failed."),
}
# fmt: on

ENDED_BY_OUR_FAULT: Final = frozenset(
    {
        _E.CONGESTION,
        _E.MAINTENANCE,
        _E.NETWORK_FAILURE,
        _E.MEDIA_LOST,
        _E.TERMINAL_FAILURE,
        _E.METERING_LOST,
        _E.RECORDER_FAILURE,
        _E.SWITCH_FAILURE,
    }
)
"""Never counted towards a limit of the person's. calls.md section 2.3, last sentence; the choice
of members is ours: whatever neither of the two people could help."""

NORMAL_CLEARING: Final = 16
"""ITU-T Q.850 cause 16: all that a trunk is ever told. calls.md section 5.0."""

# fmt: off
_STATUS_END: Final[Mapping[int, EndReason]] = {
    486: _E.BUSY,       600: _E.BUSY,
    480: _E.NO_ANSWER,  408: _E.NO_ANSWER,
    404: _E.BAD_NUMBER, 410: _E.BAD_NUMBER, 484: _E.BAD_NUMBER,
    403: _E.REJECTED_BY_NETWORK, 603: _E.REJECTED_BY_NETWORK,
    607: _E.REJECTED_BY_NETWORK, 608: _E.REJECTED_BY_NETWORK,
}

_CAUSE_END: Final[Mapping[int, EndReason]] = {
    1:  _E.BAD_NUMBER, 22: _E.BAD_NUMBER, 28: _E.BAD_NUMBER,
    17: _E.BUSY,
    18: _E.NO_ANSWER,  19: _E.NO_ANSWER,  20: _E.NO_ANSWER,
    21: _E.REJECTED_BY_NETWORK,
}
# fmt: on
"""Causes that say more than a vague status does. ITU-T Q.850 table 1; RFC 3398 section 8.2.6.1."""

_FAILED_CAUSES: Final = frozenset({27, 34, 38, 41, 42, 44, 47})
"""Causes of a release that mean that something broke rather than that somebody hung up: out of
order, congestion, temporary failure, no resource. ITU-T Q.850 table 1."""


_NEXT_TRUNK_CAUSES: Final = frozenset({34, 38, 41, 42, 44, 47})
"""The trunk is full or broken, so another may do. ITU-T Q.850 table 1, resource unavailable."""


def fails_over(status: int, q850: int | None = None) -> bool:
    """Whether the next trunk may do better: 5xx, our time-out (0), or a cause that blames this one.

    Never on 486, 600, 603: the called party was reached. signalling.md section 3.
    """
    if status in {486, 600, 603}:
        return False
    cause_says_more = q850 is not None and (q850 in _CAUSE_END or q850 == NORMAL_CLEARING)
    if 500 <= status < 600:
        return not cause_says_more
    return status == 0 or q850 in _NEXT_TRUNK_CAUSES


def status_to_end(status: int, q850: int | None = None) -> EndReason:
    """Read a refusal of the trunk's, before answer.

    Args:
        status: the final SIP status; 0 means that nothing answered on any trunk.
        q850: the cause in its Reason header. It decides only where the status says nothing: 5xx.
    """
    if 300 <= status < 400:
        return EndReason.REDIRECTED
    if status >= 500 and q850 is not None and status not in _STATUS_END:
        return _CAUSE_END.get(q850, EndReason.CONGESTION)
    return _STATUS_END.get(status, EndReason.CONGESTION)


def release_to_end(q850: int, *, by_caller: bool) -> EndReason:
    """Read a release by one of the two sides after the answer."""
    if by_caller:
        return EndReason.TERMINAL_FAILURE if q850 in _FAILED_CAUSES else EndReason.CALLER_HANGUP
    return EndReason.NETWORK_FAILURE if q850 in _FAILED_CAUSES else EndReason.CALLED_HANGUP


def credit_of(reason: Reason, *, bridged: bool) -> Credit:
    """Say what comes back; whatever ended before the bridge was free."""
    if not bridged or isinstance(reason, DenyReason):
        return Credit.FREE
    return CREDIT_OF_REASON[reason.value]


def cause_of(reason: Reason) -> int:
    """Return the Q.850 cause for the terminal's side."""
    if isinstance(reason, DenyReason):
        return DENY_STATUS[reason].q850
    return END_RULES[reason].q850


def reason_header(reason: Reason) -> str:
    """Build the value of the Reason header for the terminal's side. RFC 3326 section 2."""
    return f'Q.850;cause={cause_of(reason)};text="{reason.value}"'


def prompt_key(reason: Reason, *, to_caller: bool) -> str | None:
    """Name the sentence of a reason, or None where nothing can be spoken."""
    if reason in {DenyReason.TERMINAL_UNKNOWN, EndReason.SWITCH_FAILURE}:
        return None
    if isinstance(reason, DenyReason):
        return f"deny_{reason.value}"
    if reason is EndReason.BLOCKED_BY_CALLED and to_caller:
        return "end_refused"
    return f"end_{reason.value}"
