"""Our REGISTER to a trunk: register, refresh, and stop where we are not wanted.

    IDLE --start--> ASKING --2xx--> REGISTERED --refresh (50-90 % of expiry)--> ASKING
                      | 423: ask for more       |
                      | 403, 404: STOPPED       stop --> LEAVING --any answer--> IDLE
                      | else: WAITING --retry--> ASKING

Challenges are answered by the stack, once per nonce. A refresh keeps Call-ID and From tag and
counts CSeq on.

Source: RFC 3261 section 10.2; `signalling.md` section 5 (refresh, 403).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from switch.errors import PeerError
from switch.sip.events import Flow
from switch.sip.headers import contact_expires, contacts, expires, parse_cseq, parse_seconds
from switch.sip.headers import retry_after as retry_after_of
from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.plans import ClientCredential, RequestPlan
from switch.sip.tokens import Randomness, Tokens

REFRESH_FRACTION: Final = (0.5, 0.9)
"""When to refresh, as a part of the granted time. `signalling.md` section 5."""

RETRY_S: Final = (30.0, 60.0)
"""Wait after a failure that may pass. RFC 5626 section 4.5 begins at 30 s; the spread is chosen."""

EXPIRES_S_LEAST: Final = 10.0
"""A grant below this is taken as this: a registrar must not make us flood it. Chosen."""

EXPIRES_S_MOST: Final = 86_400
"""We never ask for more, whatever Min-Expires says. Chosen."""


class State(Enum):
    """Where it stands."""

    IDLE = auto()
    ASKING = auto()
    REGISTERED = auto()
    WAITING = auto()
    LEAVING = auto()
    STOPPED = auto()


class Input(Enum):
    """What can happen to it."""

    START = auto()
    STOP = auto()
    RECV_2XX = auto()
    RECV_423 = auto()
    RECV_FORBIDDEN = auto()
    RECV_OTHER = auto()
    TIMER_REFRESH = auto()
    TIMER_RETRY = auto()


class Action(Enum):
    """What it does in return."""

    REGISTER = auto()
    UNREGISTER = auto()
    ASK_FOR_MORE = auto()
    ARM_REFRESH = auto()
    ARM_RETRY = auto()
    DISARM = auto()
    REPORT_UP = auto()
    REPORT_DOWN = auto()
    REPORT_FORBIDDEN = auto()


_S, _I, _A = State, Input, Action  # short names, so that each row below fits one line

# fmt: off
TABLE: Final[Mapping[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    # in this state, on this               go to            and do
    (_S.IDLE,       _I.START):            (_S.ASKING,      (_A.REGISTER,)),
    (_S.STOPPED,    _I.START):            (_S.ASKING,      (_A.REGISTER,)),
    (_S.ASKING,     _I.RECV_2XX):         (_S.REGISTERED,  (_A.REPORT_UP, _A.ARM_REFRESH)),
    (_S.ASKING,     _I.RECV_423):         (_S.ASKING,      (_A.ASK_FOR_MORE, _A.REGISTER)),
    (_S.ASKING,     _I.RECV_FORBIDDEN):   (_S.STOPPED,     (_A.REPORT_FORBIDDEN,)),
    (_S.ASKING,     _I.RECV_OTHER):       (_S.WAITING,     (_A.REPORT_DOWN, _A.ARM_RETRY)),
    (_S.ASKING,     _I.STOP):             (_S.LEAVING,     (_A.UNREGISTER,)),
    (_S.REGISTERED, _I.TIMER_REFRESH):    (_S.ASKING,      (_A.REGISTER,)),
    (_S.REGISTERED, _I.STOP):             (_S.LEAVING,     (_A.DISARM, _A.UNREGISTER)),
    (_S.WAITING,    _I.TIMER_RETRY):      (_S.ASKING,      (_A.REGISTER,)),
    (_S.WAITING,    _I.STOP):             (_S.IDLE,        (_A.DISARM,)),
    (_S.LEAVING,    _I.RECV_2XX):         (_S.IDLE,        (_A.REPORT_DOWN,)),
    (_S.LEAVING,    _I.RECV_423):         (_S.IDLE,        (_A.REPORT_DOWN,)),
    (_S.LEAVING,    _I.RECV_FORBIDDEN):   (_S.IDLE,        (_A.REPORT_DOWN,)),
    (_S.LEAVING,    _I.RECV_OTHER):       (_S.IDLE,        (_A.REPORT_DOWN,)),
} | {
    (state, kind): (state, ())            # an answer that nobody waits for
    for state in (_S.IDLE, _S.REGISTERED, _S.WAITING, _S.STOPPED)
    for kind in (_I.RECV_2XX, _I.RECV_423, _I.RECV_FORBIDDEN, _I.RECV_OTHER)
} | {
    (state, _I.STOP): (state, ()) for state in (_S.IDLE, _S.LEAVING, _S.STOPPED)
}
# fmt: on
"""One row, one arrow. Every RECV_ row is there; a missing START or TIMER_ is our own mistake."""


@dataclass(frozen=True, slots=True)
class SendRegister:
    """Give this plan to `SipStack.out_of_dialog`, and its answer to `answered`."""

    plan: RequestPlan


@dataclass(frozen=True, slots=True)
class TrunkRegistered:
    """The trunk knows where we are."""

    expires_s: float


@dataclass(frozen=True, slots=True)
class TrunkUnregistered:
    """It does not (any more)."""

    status: int
    """What it answered; 0: nothing."""
    forbidden: bool
    """403: we stop, and somebody must look. Raise an alarm."""


Effect = SendRegister | TrunkRegistered | TrunkUnregistered


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationPlan:
    """What to register where."""

    registrar: str
    """The Request-URI, as `sip:trunk.example.net`."""
    address_of_record: str
    contact: str
    """Our Contact header value."""
    flow: Flow
    credential: ClientCredential | None = None
    expires_s: int = 300


class Registration:
    """Our registration with one trunk.

    Args:
        plan: see there.
        random: for the Call-ID and the moment of the refresh.
    """

    def __init__(self, plan: RegistrationPlan, random: Randomness) -> None:
        self.state = State.IDLE
        self._plan = plan
        self._tokens = Tokens(random)
        self._call_id = self._tokens.call_id()
        self._tag = self._tokens.tag()
        self._cseq = 0
        self._ask_s = plan.expires_s
        self._deadline: tuple[float, Input] | None = None

    def start(self, *, now: float) -> list[Effect]:
        """Begin, or begin again after a 403."""
        return self._step(Input.START, None, now=now)

    def stop(self, *, now: float) -> list[Effect]:
        """Take our binding away."""
        return self._step(Input.STOP, None, now=now)

    def answered(self, response: Response | None, *, now: float) -> list[Effect]:
        """Take the final answer to the last `SendRegister`; None: there was none."""
        if response is not None and response.headers.get("cseq"):
            self._note_cseq(response)
        status = 0 if response is None else response.status
        if 200 <= status < 300:
            kind = Input.RECV_2XX
        elif status == 423:
            kind = Input.RECV_423
        elif status in {403, 404}:
            kind = Input.RECV_FORBIDDEN
        else:
            kind = Input.RECV_OTHER
        if kind is Input.RECV_423 and not self._may_ask_for_more(response):
            kind = Input.RECV_OTHER
        return self._step(kind, response, now=now)

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return None if self._deadline is None else self._deadline[0]

    def handle_timers(self, *, now: float) -> list[Effect]:
        """Refresh or try again, if it is time."""
        if self._deadline is None or self._deadline[0] > now:
            return []
        kind, self._deadline = self._deadline[1], None
        return self._step(kind, None, now=now)

    def _step(self, kind: Input, response: Response | None, *, now: float) -> list[Effect]:
        if (self.state, kind) not in TABLE:
            raise IllegalInputError(f"{kind.name} in {self.state.name}")
        self.state, actions = TABLE[self.state, kind]
        effects = [self._perform(action, response, now=now) for action in actions]
        return [effect for effect in effects if effect is not None]

    def _perform(self, action: Action, response: Response | None, *, now: float) -> Effect | None:
        status = 0 if response is None else response.status
        match action:
            case Action.REGISTER:
                return SendRegister(self._request(self._ask_s))
            case Action.UNREGISTER:
                return SendRegister(self._request(0))
            case Action.ASK_FOR_MORE:
                self._ask_s = _min_expires(response)
            case Action.ARM_REFRESH:
                part = self._tokens.between(*REFRESH_FRACTION)
                self._deadline = (now + self._granted_s(response) * part, Input.TIMER_REFRESH)
            case Action.ARM_RETRY:
                asked_s = retry_after_of(response) if response is not None else None
                wait_s = max(self._tokens.between(*RETRY_S), float(asked_s or 0))
                self._deadline = (now + wait_s, Input.TIMER_RETRY)
            case Action.DISARM:
                self._deadline = None
            case Action.REPORT_UP:
                return TrunkRegistered(self._granted_s(response))
            case Action.REPORT_DOWN:
                return TrunkUnregistered(status, forbidden=False)
            case Action.REPORT_FORBIDDEN:
                return TrunkUnregistered(status, forbidden=True)
        return None

    def _request(self, expires_s: int) -> RequestPlan:
        plan = self._plan
        self._cseq += 1
        return RequestPlan(
            uri=plan.registrar,
            from_uri=plan.address_of_record,
            to_uri=plan.address_of_record,
            flow=plan.flow,
            headers=(("Contact", plan.contact), ("Expires", str(expires_s))),
            credential=plan.credential,
            call_id=self._call_id,
            from_tag=self._tag,
            cseq=self._cseq,
        )

    def _note_cseq(self, response: Response) -> None:
        """The stack may have counted on to answer a challenge."""
        try:
            self._cseq = max(self._cseq, parse_cseq(response.headers.get("cseq") or "").number)
        except PeerError:
            return

    def _may_ask_for_more(self, response: Response | None) -> bool:
        wanted = _min_expires(response)
        return self._ask_s < wanted <= EXPIRES_S_MOST

    def _granted_s(self, response: Response | None) -> float:
        """What the registrar granted our Contact. RFC 3261 section 10.2.4."""
        granted: int | None = None
        if response is not None:
            try:
                ours = [c for c in contacts(response) if f"<{c.uri}>" in self._plan.contact]
                granted = contact_expires(ours[0]) if ours else None
            except PeerError:
                granted = None
            granted = granted if granted is not None else expires(response)
        seconds = float(self._ask_s if granted is None else min(granted, EXPIRES_S_MOST))
        return max(seconds, EXPIRES_S_LEAST)


def _min_expires(response: Response | None) -> int:
    value = response.headers.get("min-expires") if response is not None else None
    return parse_seconds(value) or 0
