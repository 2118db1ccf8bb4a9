"""Non-INVITE server transaction: answers a request once, and its repeats with the same bytes.

    TRYING --1xx--> PROCEEDING --200..699--> COMPLETED --Timer J--> TERMINATED
       +------------200..699-----------------^

Performs no I/O: every method takes `now` (monotonic seconds) and returns effects; `next_deadline`
says when to call `handle_timers`.

Source: RFC 3261 section 17.2.2 and figure 8; RFC 4320 (408 is never sent).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.timers import TIMER_J_S


class State(Enum):
    """Where the transaction stands."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    """What can happen to it."""

    RECV_REQUEST = auto()
    SEND_1XX = auto()
    SEND_200_699 = auto()
    TIMER_J = auto()


class Action(Enum):
    """What it does in return."""

    SEND = auto()
    RESEND = auto()
    ARM_J = auto()
    STOP_TIMERS = auto()


_S, _I, _A = State, Input, Action  # short names, so that each row below fits one line

# fmt: off
TABLE: Final[Mapping[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    # in this state, on this          go to           and do
    (_S.TRYING,     _I.RECV_REQUEST): (_S.TRYING,     ()),
    (_S.TRYING,     _I.SEND_1XX):     (_S.PROCEEDING, (_A.SEND,)),
    (_S.TRYING,     _I.SEND_200_699): (_S.COMPLETED,  (_A.SEND, _A.ARM_J)),
    (_S.PROCEEDING, _I.RECV_REQUEST): (_S.PROCEEDING, (_A.RESEND,)),
    (_S.PROCEEDING, _I.SEND_1XX):     (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.SEND_200_699): (_S.COMPLETED,  (_A.SEND, _A.ARM_J)),
    (_S.COMPLETED,  _I.RECV_REQUEST): (_S.COMPLETED,  (_A.RESEND,)),
    (_S.COMPLETED,  _I.SEND_200_699): (_S.COMPLETED,  ()),
    (_S.COMPLETED,  _I.TIMER_J):      (_S.TERMINATED, (_A.STOP_TIMERS,)),
    (_S.TERMINATED, _I.RECV_REQUEST): (_S.TERMINATED, ()),
}
# fmt: on
"""One row, one arrow. RECV_REQUEST is there for every state, since a peer may repeat itself at any
time; a SEND_ or TIMER_ pair that is absent is our own mistake and is refused."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put this response on the wire."""

    response: Response


Effect = Send


class NonInviteServer:
    """One non-INVITE server transaction.

    Args:
        reliable: True over TCP or TLS, where Timer J is zero.
    """

    __slots__ = ("_deadline", "_response", "_timer_j_s", "state")

    def __init__(self, *, reliable: bool) -> None:
        self.state = State.TRYING
        self._timer_j_s = 0.0 if reliable else TIMER_J_S
        self._deadline: float | None = None
        self._response: Response | None = None

    def receive(self, *, now: float) -> list[Effect]:
        """Take a repeat of the request."""
        return self._step(Input.RECV_REQUEST, None, now=now)

    def respond(self, response: Response, *, now: float) -> list[Effect]:
        """Send a response on behalf of the transaction user."""
        kind = Input.SEND_1XX if response.is_provisional else Input.SEND_200_699
        return self._step(kind, response, now=now)

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return self._deadline

    def handle_timers(self, *, now: float) -> list[Effect]:
        """Fire Timer J if it is due."""
        if self._deadline is None or self._deadline > now:
            return []
        return self._step(Input.TIMER_J, None, now=now)

    def _step(self, kind: Input, response: Response | None, *, now: float) -> list[Effect]:
        if (self.state, kind) not in TABLE:
            raise IllegalInputError(f"{kind.name} in {self.state.name}")
        self.state, actions = TABLE[self.state, kind]
        effects = [self._perform(action, response, now=now) for action in actions]
        return [effect for effect in effects if effect is not None]

    def _perform(self, action: Action, response: Response | None, *, now: float) -> Effect | None:
        match action:
            case Action.SEND:
                assert response is not None
                self._response = response
                return Send(response)
            case Action.RESEND:
                assert self._response is not None
                return Send(self._response)
            case Action.ARM_J:
                self._deadline = now + self._timer_j_s
            case Action.STOP_TIMERS:
                self._deadline = None
        return None
