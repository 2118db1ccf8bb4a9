"""Why a call is refused: one member per reason, in the order of calls.md section 5.1.

There is no member called "unknown" or "other": a path that ends without one of these is a fault
of the switch and fails its tests.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class DenyReason(StrEnum):
    """Why a call was refused. One per call, ours, in order of precedence."""

    LOCKDOWN = "lockdown"
    MAINTENANCE = "maintenance"
    TERMINAL_UNKNOWN = "terminal_unknown"
    TERMINAL_BUSY = "terminal_busy"
    TERMINAL_OFF = "terminal_off"
    TERMINAL_SCHEDULE = "terminal_schedule"
    NO_INPUT = "no_input"
    BAD_PIN = "bad_pin"
    PIN_LOCKED = "pin_locked"
    PERSON_INACTIVE = "person_inactive"
    SUSPENDED = "suspended"
    NOT_ENROLLED = "not_enrolled"
    PERSON_BUSY = "person_busy"
    NUMBER_INVALID = "number_invalid"
    PREFIX_FORBIDDEN = "prefix_forbidden"
    BLOCKED_SECURITY = "blocked_security"
    BLOCKED_FACILITY = "blocked_facility"
    BLOCKED_AGENT = "blocked_agent"
    BLOCKED_KEYPAD = "blocked_keypad"
    NOT_ALLOWED = "not_allowed"
    PAN_PENDING = "pan_pending"
    PAN_MISSING = "pan_missing"
    TERMINAL_CLASS = "terminal_class"
    SCHEDULE = "schedule"
    LIMIT_CALLS = "limit_calls"
    LIMIT_MINUTES = "limit_minutes"
    VELOCITY = "velocity"
    LINE_UNBILLABLE = "line_unbillable"
    LINE_UNVERIFIED = "line_unverified"
    NO_RATE = "no_rate"
    NO_PAYER = "no_payer"
    PAYER_LIMIT = "payer_limit"
    NO_FUNDS = "no_funds"
    VOICE_MISMATCH = "voice_mismatch"
    CAPACITY = "capacity"
    INBOUND_REFUSED = "inbound_refused"

    @property
    def sip(self) -> int:
        """SIP status towards the terminal, when no sentence can be played."""
        return DENY_STATUS[self].sip

    @property
    def q850(self) -> int:
        """Cause in the Reason header towards the terminal. ITU-T Q.850."""
        return DENY_STATUS[self].q850


class DenyStatus(NamedTuple):
    """How a refusal travels when no sentence can be played."""

    sip: int
    """SIP status towards the terminal."""
    q850: int
    """Cause in the Reason header. ITU-T Q.850."""


_R = DenyReason

# The pairs are suggestions in the manner of RFC 3398; calls.md section 5.1.
# fmt: off
DENY_STATUS: Final[Mapping[DenyReason, DenyStatus]] = {
    _R.LOCKDOWN:          DenyStatus(480, 31),
    _R.MAINTENANCE:       DenyStatus(503, 41),
    _R.TERMINAL_UNKNOWN:  DenyStatus(403, 21),
    _R.TERMINAL_BUSY:     DenyStatus(486, 17),
    _R.TERMINAL_OFF:      DenyStatus(480, 31),
    _R.TERMINAL_SCHEDULE: DenyStatus(480, 31),
    _R.NO_INPUT:          DenyStatus(480, 31),
    _R.BAD_PIN:           DenyStatus(403, 21),
    _R.PIN_LOCKED:        DenyStatus(403, 21),
    _R.PERSON_INACTIVE:   DenyStatus(403, 21),
    _R.SUSPENDED:         DenyStatus(403, 21),
    _R.NOT_ENROLLED:      DenyStatus(403, 21),
    _R.PERSON_BUSY:       DenyStatus(403, 21),
    _R.NUMBER_INVALID:    DenyStatus(484, 28),
    _R.PREFIX_FORBIDDEN:  DenyStatus(403, 21),
    _R.BLOCKED_SECURITY:  DenyStatus(403, 21),
    _R.BLOCKED_FACILITY:  DenyStatus(403, 21),
    _R.BLOCKED_AGENT:     DenyStatus(403, 21),
    _R.BLOCKED_KEYPAD:    DenyStatus(403, 21),
    _R.NOT_ALLOWED:       DenyStatus(403, 21),
    _R.PAN_PENDING:       DenyStatus(403, 21),
    _R.PAN_MISSING:       DenyStatus(403, 21),
    _R.TERMINAL_CLASS:    DenyStatus(403, 21),
    _R.SCHEDULE:          DenyStatus(480, 31),
    _R.LIMIT_CALLS:       DenyStatus(403, 21),
    _R.LIMIT_MINUTES:     DenyStatus(403, 21),
    _R.VELOCITY:          DenyStatus(403, 21),
    _R.LINE_UNBILLABLE:   DenyStatus(403, 21),
    _R.LINE_UNVERIFIED:   DenyStatus(503, 41),
    _R.NO_RATE:           DenyStatus(503, 41),
    _R.NO_PAYER:          DenyStatus(403, 21),
    _R.PAYER_LIMIT:       DenyStatus(403, 21),
    _R.NO_FUNDS:          DenyStatus(403, 21),
    _R.VOICE_MISMATCH:    DenyStatus(403, 21),
    _R.CAPACITY:          DenyStatus(503, 34),
    _R.INBOUND_REFUSED:   DenyStatus(403, 21),
}
# fmt: on

OUR_FAULT: Final = frozenset({_R.NO_RATE, _R.MAINTENANCE, _R.CAPACITY})
"""Never counted as an attempt of the person's. calls.md section 5.1."""

UNSPOKEN: Final = frozenset(
    {_R.TERMINAL_UNKNOWN, _R.TERMINAL_BUSY, _R.INBOUND_REFUSED},
)
"""Refused by SIP status, without answering. calls.md section 2.1."""
