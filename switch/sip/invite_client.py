r"""INVITE client transaction: sends the INVITE until something answers, acknowledges refusals.

    CALLING --1xx--> PROCEEDING --2xx--> ACCEPTED --Timer M--+
       |  \              |    (2xx from CALLING too)         |
       |   +--300..699----+----> COMPLETED --Timer D---------+
    Timer B,                                                 v
    transport error --------------------------------> TERMINATED

The ACK of a 2xx is not made here but by `success_ack`. Performs no I/O: every method takes `now`
(monotonic seconds) and returns effects; `next_deadline` says when to call `handle_timers`.

Source: RFC 3261 section 17.1.1 and figure 5, with the Accepted state of RFC 6026 section 7.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.timers import T1_S, TIMER_B_S, TIMER_D_S, TIMER_M_S


class State(Enum):
    """Where the transaction stands."""

    CALLING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    """What can happen to it."""

    RECV_1XX = auto()
    RECV_2XX = auto()
    RECV_300_699 = auto()
    RECV_ERROR = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_M = auto()


class Action(Enum):
    """What it does in return."""

    RESEND = auto()
    PASS_UP = auto()
    ACK = auto()
    REPORT_TIMEOUT = auto()
    REPORT_ERROR = auto()
    ARM_A = auto()
    ARM_D = auto()
    ARM_M = auto()
    STOP = auto()


_S, _I, _A = State, Input, Action  # short names, so that each row below fits one line

# fmt: off
TABLE: Final[Mapping[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    # in this state, on this             go to             and do
    (_S.CALLING,     _I.RECV_1XX):       (_S.PROCEEDING,  (_A.STOP, _A.PASS_UP)),
    (_S.CALLING,     _I.RECV_2XX):       (_S.ACCEPTED,    (_A.STOP, _A.PASS_UP, _A.ARM_M)),
    (_S.CALLING,     _I.RECV_300_699):   (_S.COMPLETED,   (_A.STOP, _A.ACK, _A.PASS_UP, _A.ARM_D)),
    (_S.CALLING,     _I.RECV_ERROR):     (_S.TERMINATED,  (_A.STOP, _A.REPORT_ERROR)),
    (_S.CALLING,     _I.TIMER_A):        (_S.CALLING,     (_A.RESEND, _A.ARM_A)),
    (_S.CALLING,     _I.TIMER_B):        (_S.TERMINATED,  (_A.STOP, _A.REPORT_TIMEOUT)),
    (_S.PROCEEDING,  _I.RECV_1XX):       (_S.PROCEEDING,  (_A.PASS_UP,)),
    (_S.PROCEEDING,  _I.RECV_2XX):       (_S.ACCEPTED,    (_A.PASS_UP, _A.ARM_M)),
    (_S.PROCEEDING,  _I.RECV_300_699):   (_S.COMPLETED,   (_A.ACK, _A.PASS_UP, _A.ARM_D)),
    (_S.PROCEEDING,  _I.RECV_ERROR):     (_S.PROCEEDING,  ()),
    (_S.ACCEPTED,    _I.RECV_1XX):       (_S.ACCEPTED,    ()),
    (_S.ACCEPTED,    _I.RECV_2XX):       (_S.ACCEPTED,    (_A.PASS_UP,)),
    (_S.ACCEPTED,    _I.RECV_300_699):   (_S.ACCEPTED,    ()),
    (_S.ACCEPTED,    _I.RECV_ERROR):     (_S.ACCEPTED,    ()),
    (_S.ACCEPTED,    _I.TIMER_M):        (_S.TERMINATED,  (_A.STOP,)),
    (_S.COMPLETED,   _I.RECV_1XX):       (_S.COMPLETED,   ()),
    (_S.COMPLETED,   _I.RECV_2XX):       (_S.COMPLETED,   ()),
    (_S.COMPLETED,   _I.RECV_300_699):   (_S.COMPLETED,   (_A.ACK,)),
    (_S.COMPLETED,   _I.RECV_ERROR):     (_S.TERMINATED,  (_A.STOP,)),
    (_S.COMPLETED,   _I.TIMER_D):        (_S.TERMINATED,  (_A.STOP,)),
    (_S.TERMINATED,  _I.RECV_1XX):       (_S.TERMINATED,  ()),
    (_S.TERMINATED,  _I.RECV_2XX):       (_S.TERMINATED,  ()),
    (_S.TERMINATED,  _I.RECV_300_699):   (_S.TERMINATED,  ()),
    (_S.TERMINATED,  _I.RECV_ERROR):     (_S.TERMINATED,  ()),
}
# fmt: on
"""One row, one arrow. Every RECV_ row is there, since the network may bring anything at any time; a
TIMER_ pair that is absent is our own mistake and is refused."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Put the INVITE on the wire again."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Send the ACK of this refusal, in the same transaction. RFC 3261 section 17.1.1.3."""

    response: Response


@dataclass(frozen=True, slots=True)
class PassUp:
    """Hand this response to the dialog."""

    response: Response


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing answered in 64*T1."""


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """The network said that the INVITE cannot get there."""


Effect = Resend | Acknowledge | PassUp | TimedOut | TransportFailed


class InviteClient:
    """One INVITE client transaction, from the moment when its INVITE was first sent.

    Args:
        reliable: True over TCP or TLS, where Timer A is never armed and Timer D is zero.
        now: when the INVITE left.
    """

    __slots__ = ("_deadlines", "_resends", "_timer_a_s", "_timer_d_s", "state")

    def __init__(self, *, reliable: bool, now: float) -> None:
        self.state = State.CALLING
        self._resends = not reliable
        self._timer_a_s = T1_S
        self._timer_d_s = 0.0 if reliable else TIMER_D_S
        self._deadlines: dict[Input, float] = {Input.TIMER_B: now + TIMER_B_S}
        self._arm_a(now=now)

    def receive(self, response: Response, *, now: float) -> list[Effect]:
        """Take a response that matched this transaction."""
        if response.is_provisional:
            return self._step(Input.RECV_1XX, response, now=now)
        if response.is_success:
            return self._step(Input.RECV_2XX, response, now=now)
        return self._step(Input.RECV_300_699, response, now=now)

    def transport_failed(self, *, now: float) -> list[Effect]:
        """Take an ICMP error or a lost connection."""
        return self._step(Input.RECV_ERROR, None, now=now)

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return min(self._deadlines.values(), default=None)

    def handle_timers(self, *, now: float) -> list[Effect]:
        """Fire every timer that is due."""
        due = sorted((at, timer.name, timer) for timer, at in self._deadlines.items() if at <= now)
        effects: list[Effect] = []
        for _, _, timer in due:
            if self._deadlines.pop(timer, None) is not None:
                effects += self._step(timer, None, now=now)
        return effects

    def _step(self, kind: Input, response: Response | None, *, now: float) -> list[Effect]:
        if (self.state, kind) not in TABLE:
            raise IllegalInputError(f"{kind.name} in {self.state.name}")
        self.state, actions = TABLE[self.state, kind]
        effects = [self._perform(action, response, now=now) for action in actions]
        return [effect for effect in effects if effect is not None]

    def _perform(self, action: Action, response: Response | None, *, now: float) -> Effect | None:
        match action:
            case Action.RESEND:
                return Resend()
            case Action.PASS_UP:
                assert response is not None
                return PassUp(response)
            case Action.ACK:
                assert response is not None
                return Acknowledge(response)
            case Action.REPORT_TIMEOUT:
                return TimedOut()
            case Action.REPORT_ERROR:
                return TransportFailed()
            case Action.ARM_A:
                self._arm_a(now=now)
            case Action.ARM_D:
                self._deadlines[Input.TIMER_D] = now + self._timer_d_s
            case Action.ARM_M:
                self._deadlines[Input.TIMER_M] = now + TIMER_M_S
            case Action.STOP:
                self._deadlines.clear()
        return None

    def _arm_a(self, *, now: float) -> None:
        if self._resends:
            self._deadlines[Input.TIMER_A] = now + self._timer_a_s
            self._timer_a_s *= 2
