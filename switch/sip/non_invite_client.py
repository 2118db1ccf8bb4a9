"""Non-INVITE client transaction: sends a request until it is finally answered.

    TRYING --1xx--> PROCEEDING --200..699--> COMPLETED --Timer K--+
       |   (200..699 from TRYING too)                             |
    Timer F, transport error (from both) ---------------> TERMINATED

Performs no I/O: every method takes `now` (monotonic seconds) and returns effects; `next_deadline`
says when to call `handle_timers`.

Source: RFC 3261 section 17.1.2 and figure 6; RFC 4320 (no early 100 is expected over UDP).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.timers import T1_S, T2_S, TIMER_F_S, TIMER_K_S


class State(Enum):
    """Where the transaction stands."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    """What can happen to it."""

    RECV_1XX = auto()
    RECV_200_699 = auto()
    RECV_ERROR = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_K = auto()


class Action(Enum):
    """What it does in return."""

    RESEND = auto()
    PASS_UP = auto()
    REPORT_TIMEOUT = auto()
    REPORT_ERROR = auto()
    ARM_E = auto()
    ARM_E_AT_T2 = auto()
    ARM_K = auto()
    STOP = auto()


_S, _I, _A = State, Input, Action  # short names, so that each row below fits one line

# fmt: off
TABLE: Final[Mapping[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    # in this state, on this             go to             and do
    (_S.TRYING,      _I.RECV_1XX):       (_S.PROCEEDING,  (_A.PASS_UP,)),
    (_S.TRYING,      _I.RECV_200_699):   (_S.COMPLETED,   (_A.STOP, _A.PASS_UP, _A.ARM_K)),
    (_S.TRYING,      _I.RECV_ERROR):     (_S.TERMINATED,  (_A.STOP, _A.REPORT_ERROR)),
    (_S.TRYING,      _I.TIMER_E):        (_S.TRYING,      (_A.RESEND, _A.ARM_E)),
    (_S.TRYING,      _I.TIMER_F):        (_S.TERMINATED,  (_A.STOP, _A.REPORT_TIMEOUT)),
    (_S.PROCEEDING,  _I.RECV_1XX):       (_S.PROCEEDING,  (_A.PASS_UP,)),
    (_S.PROCEEDING,  _I.RECV_200_699):   (_S.COMPLETED,   (_A.STOP, _A.PASS_UP, _A.ARM_K)),
    (_S.PROCEEDING,  _I.RECV_ERROR):     (_S.TERMINATED,  (_A.STOP, _A.REPORT_ERROR)),
    (_S.PROCEEDING,  _I.TIMER_E):        (_S.PROCEEDING,  (_A.RESEND, _A.ARM_E_AT_T2)),
    (_S.PROCEEDING,  _I.TIMER_F):        (_S.TERMINATED,  (_A.STOP, _A.REPORT_TIMEOUT)),
    (_S.COMPLETED,   _I.RECV_1XX):       (_S.COMPLETED,   ()),
    (_S.COMPLETED,   _I.RECV_200_699):   (_S.COMPLETED,   ()),
    (_S.COMPLETED,   _I.RECV_ERROR):     (_S.COMPLETED,   ()),
    (_S.COMPLETED,   _I.TIMER_K):        (_S.TERMINATED,  (_A.STOP,)),
    (_S.TERMINATED,  _I.RECV_1XX):       (_S.TERMINATED,  ()),
    (_S.TERMINATED,  _I.RECV_200_699):   (_S.TERMINATED,  ()),
    (_S.TERMINATED,  _I.RECV_ERROR):     (_S.TERMINATED,  ()),
}
# fmt: on
"""One row, one arrow. Every RECV_ row is there, since the network may bring anything at any time; a
TIMER_ pair that is absent is our own mistake and is refused."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Put the request on the wire again."""


@dataclass(frozen=True, slots=True)
class PassUp:
    """Hand this response to whoever sent the request."""

    response: Response


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No final answer in 64*T1."""


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """The network said that the request cannot get there."""


Effect = Resend | PassUp | TimedOut | TransportFailed


class NonInviteClient:
    """One non-INVITE client transaction, from the moment when its request was first sent.

    Args:
        reliable: True over TCP or TLS, where Timer E is never armed and Timer K is zero.
        now: when the request left.
    """

    __slots__ = ("_deadlines", "_resends", "_timer_e_s", "_timer_k_s", "state")

    def __init__(self, *, reliable: bool, now: float) -> None:
        self.state = State.TRYING
        self._resends = not reliable
        self._timer_e_s = T1_S
        self._timer_k_s = 0.0 if reliable else TIMER_K_S
        self._deadlines: dict[Input, float] = {Input.TIMER_F: now + TIMER_F_S}
        self._arm_e(now=now)

    def receive(self, response: Response, *, now: float) -> list[Effect]:
        """Take a response that matched this transaction."""
        kind = Input.RECV_1XX if response.is_provisional else Input.RECV_200_699
        return self._step(kind, response, now=now)

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
            case Action.REPORT_TIMEOUT:
                return TimedOut()
            case Action.REPORT_ERROR:
                return TransportFailed()
            case Action.ARM_E:
                self._arm_e(now=now)
            case Action.ARM_E_AT_T2:
                self._timer_e_s = T2_S
                self._arm_e(now=now)
            case Action.ARM_K:
                self._deadlines[Input.TIMER_K] = now + self._timer_k_s
            case Action.STOP:
                self._deadlines.clear()
        return None

    def _arm_e(self, *, now: float) -> None:
        if self._resends:
            self._deadlines[Input.TIMER_E] = now + self._timer_e_s
            self._timer_e_s = min(2 * self._timer_e_s, T2_S)
