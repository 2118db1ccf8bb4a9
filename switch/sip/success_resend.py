"""Our 2xx to an INVITE, sent again until its ACK comes, over every transport.

    WAITING --ACK--> ACKNOWLEDGED
       |
    64*T1 ---------> GIVEN_UP        (the dialog is then ended with a BYE)

A 2xx that crosses a reliable hop may still be lost on a later one, hence no exception for TCP.

Source: RFC 3261 section 13.3.1.4.
"""

from dataclasses import dataclass
from enum import Enum, auto

from switch.sip.timers import SUCCESS_S, T1_S, T2_S


class State(Enum):
    """Where it stands."""

    WAITING = auto()
    ACKNOWLEDGED = auto()
    GIVEN_UP = auto()


@dataclass(frozen=True, slots=True)
class Resend:
    """Put the 2xx on the wire again."""


@dataclass(frozen=True, slots=True)
class NoAck:
    """64*T1 passed without an ACK."""


Effect = Resend | NoAck


class SuccessResend:
    """One 2xx that waits for its ACK.

    Args:
        now: when the 2xx was first sent.
    """

    __slots__ = ("_gap_s", "_give_up_at", "_resend_at", "state")

    def __init__(self, *, now: float) -> None:
        self.state = State.WAITING
        self._gap_s = T1_S
        self._resend_at = now + T1_S
        self._give_up_at = now + SUCCESS_S

    def acknowledge(self) -> bool:
        """Take an ACK (or a BYE, which proves as much); True if it is the first."""
        first = self.state is State.WAITING
        if first:
            self.state = State.ACKNOWLEDGED
        return first

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        if self.state is not State.WAITING:
            return None
        return min(self._resend_at, self._give_up_at)

    def handle_timers(self, *, now: float) -> list[Effect]:
        """Send again, or give up, if it is time."""
        if self.state is not State.WAITING:
            return []
        if now >= self._give_up_at:
            self.state = State.GIVEN_UP
            return [NoAck()]
        if now < self._resend_at:
            return []
        self._gap_s = min(2 * self._gap_s, T2_S)
        self._resend_at = now + self._gap_s
        return [Resend()]
