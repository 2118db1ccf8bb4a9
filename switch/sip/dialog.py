r"""A dialog: one leg's standing with its peer. The only owner of tags, CSeq and the route set.

We were called:                              We call:

    EARLY --our 2xx--> ANSWERED               CALLING --1xx--> RINGING --2xx--> CONFIRMED
      |                  |   \ hang up           | cancel         | cancel
      |                 ACK   > BYE_WAITS     CANCEL_WAITS --1xx--> CANCELLED
      |                  v        | ACK, or none in 64*T1          | 2xx: ACK and BYE
      |              CONFIRMED    v                                v
      +---refused-----+--hang up--> ENDING --BYE answered--> ENDED <--BYE, final--

We may not send a BYE while our 2xx waits for its ACK, hence BYE_WAITS (RFC 3261 section 15). In
ENDING a crossing BYE of the peer is still answered.

Source: RFC 3261 sections 9, 12, 13 and 15; RFC 5057 (what ends a dialog).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import msgspec

from switch.sip.events import DialogId, Flow
from switch.sip.headers import parse_name_addr
from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Headers, Request
from switch.sip.plans import ClientCredential
from switch.sip.uri import parse_uri


class State(Enum):
    """Where the dialog stands."""

    EARLY = auto()
    ANSWERED = auto()
    BYE_WAITS = auto()
    CALLING = auto()
    RINGING = auto()
    CANCEL_WAITS = auto()
    CANCELLED = auto()
    CONFIRMED = auto()
    ENDING = auto()
    ENDED = auto()


class Input(Enum):
    """What can happen to it."""

    SEND_2XX = auto()
    SEND_300_699 = auto()
    HANG_UP = auto()
    RECV_ACK = auto()
    RECV_NO_ACK = auto()
    RECV_100 = auto()
    RECV_1XX = auto()
    RECV_2XX = auto()
    RECV_300_699 = auto()
    RECV_NOTHING = auto()
    RECV_CANCEL = auto()
    RECV_BYE = auto()
    RECV_481 = auto()
    RECV_408 = auto()
    BYE_DONE = auto()


class Action(Enum):
    """What the stack must do in return."""

    ACK = auto()
    BYE = auto()
    CANCEL = auto()
    REFUSE_480 = auto()
    REFUSE_487 = auto()
    REPORT_ACK = auto()
    REPORT_NO_ACK = auto()
    REPORT_PROGRESS = auto()
    REPORT_ANSWER = auto()
    REPORT_REFUSAL = auto()
    REPORT_GIVEN_UP = auto()
    REPORT_TIMEOUT = auto()
    REPORT_CANCEL = auto()
    REPORT_BYE = auto()
    REPORT_LOST = auto()


_S, _I, _A = State, Input, Action  # short names, so that each row below fits one line

# fmt: off
TABLE: Final[Mapping[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    # in this state, on this             go to             and do
    (_S.EARLY,        _I.SEND_2XX):     (_S.ANSWERED,     ()),
    (_S.EARLY,        _I.SEND_300_699): (_S.ENDED,        ()),
    (_S.EARLY,        _I.HANG_UP):      (_S.ENDED,        (_A.REFUSE_480,)),
    (_S.EARLY,        _I.RECV_CANCEL):  (_S.ENDED,        (_A.REFUSE_487, _A.REPORT_CANCEL)),
    (_S.EARLY,        _I.RECV_BYE):     (_S.ENDED,        (_A.REFUSE_487, _A.REPORT_BYE)),
    (_S.ANSWERED,     _I.RECV_ACK):     (_S.CONFIRMED,    (_A.REPORT_ACK,)),
    (_S.ANSWERED,     _I.RECV_NO_ACK):  (_S.ENDING,       (_A.BYE, _A.REPORT_NO_ACK)),
    (_S.ANSWERED,     _I.HANG_UP):      (_S.BYE_WAITS,    ()),
    (_S.ANSWERED,     _I.RECV_BYE):     (_S.ENDED,        (_A.REPORT_BYE,)),
    (_S.BYE_WAITS,    _I.RECV_ACK):     (_S.ENDING,       (_A.BYE,)),
    (_S.BYE_WAITS,    _I.RECV_NO_ACK):  (_S.ENDING,       (_A.BYE,)),
    (_S.BYE_WAITS,    _I.RECV_BYE):     (_S.ENDED,        ()),
    (_S.CALLING,      _I.HANG_UP):      (_S.CANCEL_WAITS, ()),
    (_S.CALLING,      _I.RECV_100):     (_S.RINGING,      ()),
    (_S.CALLING,      _I.RECV_1XX):     (_S.RINGING,      (_A.REPORT_PROGRESS,)),
    (_S.CALLING,      _I.RECV_2XX):     (_S.CONFIRMED,    (_A.ACK, _A.REPORT_ANSWER)),
    (_S.CALLING,      _I.RECV_300_699): (_S.ENDED,        (_A.REPORT_REFUSAL,)),
    (_S.CALLING,      _I.RECV_NOTHING): (_S.ENDED,        (_A.REPORT_TIMEOUT,)),
    (_S.RINGING,      _I.HANG_UP):      (_S.CANCELLED,    (_A.CANCEL,)),
    (_S.RINGING,      _I.RECV_1XX):     (_S.RINGING,      (_A.REPORT_PROGRESS,)),
    (_S.RINGING,      _I.RECV_2XX):     (_S.CONFIRMED,    (_A.ACK, _A.REPORT_ANSWER)),
    (_S.RINGING,      _I.RECV_300_699): (_S.ENDED,        (_A.REPORT_REFUSAL,)),
    (_S.RINGING,      _I.RECV_NOTHING): (_S.ENDED,        (_A.REPORT_TIMEOUT,)),
    (_S.CANCEL_WAITS, _I.HANG_UP):      (_S.CANCEL_WAITS, ()),
    (_S.CANCEL_WAITS, _I.RECV_100):     (_S.CANCELLED,    (_A.CANCEL,)),
    (_S.CANCEL_WAITS, _I.RECV_1XX):     (_S.CANCELLED,    (_A.CANCEL,)),
    (_S.CANCEL_WAITS, _I.RECV_2XX):     (_S.ENDING,       (_A.ACK, _A.BYE, _A.REPORT_GIVEN_UP)),
    (_S.CANCEL_WAITS, _I.RECV_300_699): (_S.ENDED,        (_A.REPORT_REFUSAL,)),
    (_S.CANCEL_WAITS, _I.RECV_NOTHING): (_S.ENDED,        (_A.REPORT_TIMEOUT,)),
    (_S.CANCELLED,    _I.HANG_UP):      (_S.CANCELLED,    ()),
    (_S.CANCELLED,    _I.RECV_1XX):     (_S.CANCELLED,    ()),
    (_S.CANCELLED,    _I.RECV_2XX):     (_S.ENDING,       (_A.ACK, _A.BYE, _A.REPORT_GIVEN_UP)),
    (_S.CANCELLED,    _I.RECV_300_699): (_S.ENDED,        (_A.REPORT_REFUSAL,)),
    (_S.CANCELLED,    _I.RECV_NOTHING): (_S.ENDED,        (_A.REPORT_TIMEOUT,)),
    (_S.CONFIRMED,    _I.HANG_UP):      (_S.ENDING,       (_A.BYE,)),
    (_S.CONFIRMED,    _I.RECV_BYE):     (_S.ENDED,        (_A.REPORT_BYE,)),
    (_S.CONFIRMED,    _I.RECV_NO_ACK):  (_S.ENDING,       (_A.BYE, _A.REPORT_NO_ACK)),
    (_S.CONFIRMED,    _I.RECV_408):     (_S.ENDING,       (_A.BYE, _A.REPORT_LOST)),
    (_S.CONFIRMED,    _I.RECV_481):     (_S.ENDED,        (_A.REPORT_LOST,)),
    (_S.ENDING,       _I.RECV_BYE):     (_S.ENDING,       ()),
    (_S.ENDING,       _I.BYE_DONE):     (_S.ENDED,        ()),
}
# fmt: on
"""One row, one arrow; in ENDED the stack forgets the dialog. What a peer sends where no row is
changes nothing, and a HANG_UP there comes too late. A second SEND_2XX is our mistake: refused."""

ADOPTED_CSEQ_STEP: Final = 100
"""Added to the CSeq of a dialog taken from paper: its last requests may be missing. Chosen."""

OURS: Final = frozenset({Input.SEND_2XX})
"""The inputs that are refused where no row is: nobody may answer a call twice."""


class DialogRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dialog on paper: enough for another process to send a BYE in it."""

    call_id: str
    local: str
    """Our From or To value, tag and all."""
    remote: str
    """The peer's, as it came."""
    local_tag: str
    remote_tag: str
    local_cseq: int
    remote_cseq: int | None
    target: str
    """Where the peer is: the URI of its Contact."""
    route_set: tuple[str, ...]
    transport: str
    local_address: tuple[str, int]
    peer_address: tuple[str, int]
    connection: int
    is_caller: bool
    """Whether the Call-ID is ours: we sent the INVITE."""


@dataclass(slots=True)
class Dialog:
    """One dialog. The stack owns it; nothing here does I/O."""

    id: DialogId
    state: State
    call_id: str
    local: str
    local_tag: str
    remote: str
    remote_tag: str
    target: str
    flow: Flow
    is_caller: bool
    local_cseq: int = 0
    remote_cseq: int | None = None
    route_set: tuple[str, ...] = ()
    credential: ClientCredential | None = None
    """How our requests inside it answer a challenge."""

    def step(self, kind: Input) -> tuple[Action, ...]:
        """Take an input; return what the stack must do, in order."""
        row = TABLE.get((self.state, kind))
        if row is None:
            if kind in OURS:
                raise IllegalInputError(f"{kind.name} in {self.state.name}")
            return ()
        self.state, actions = row
        return actions

    def allows(self, kind: Input) -> bool:
        """Whether this input means anything now."""
        return (self.state, kind) in TABLE

    @property
    def is_over(self) -> bool:
        """Nothing is reported of this dialog any more."""
        return self.state in {State.ENDING, State.ENDED, State.BYE_WAITS}

    def next_cseq(self) -> int:
        """Count one request of ours."""
        self.local_cseq += 1
        return self.local_cseq

    def in_order(self, cseq: int) -> bool:
        """Note the CSeq of a request of the peer; False if it is old. RFC 3261 section 12.2.2."""
        if self.remote_cseq is not None and cseq <= self.remote_cseq:
            return False
        self.remote_cseq = cseq
        return True

    def request(
        self,
        method: str,
        cseq: int,
        via: str,
        extra: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """Write a request inside this dialog. RFC 3261 section 12.2.1.1."""
        uri, routes = self.request_uri_and_routes()
        fields = [
            ("Via", via),
            *[("Route", route) for route in routes],
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            *extra,
        ]
        return Request(method, uri, Headers(tuple(fields)), body)

    def request_uri_and_routes(self) -> tuple[str, tuple[str, ...]]:
        """Say where a request goes; a strict router wants its own URI first."""
        if not self.route_set:
            return self.target, ()
        first = parse_name_addr(self.route_set[0]).uri
        if "lr" in parse_uri(first).params:
            return self.target, self.route_set
        return first, (*self.route_set[1:], f"<{self.target}>")

    def record(self) -> DialogRecord:
        """Write the dialog down."""
        return DialogRecord(
            call_id=self.call_id,
            local=self.local,
            remote=self.remote,
            local_tag=self.local_tag,
            remote_tag=self.remote_tag,
            local_cseq=self.local_cseq,
            remote_cseq=self.remote_cseq,
            target=self.target,
            route_set=self.route_set,
            transport=self.flow.transport,
            local_address=self.flow.local,
            peer_address=self.flow.peer,
            connection=self.flow.connection,
            is_caller=self.is_caller,
        )


def from_record(record: DialogRecord, dialog: DialogId) -> Dialog:
    """Take up a dialog that another process had. Its connections are gone: flows start anew."""
    return Dialog(
        id=dialog,
        state=State.CONFIRMED,
        call_id=record.call_id,
        local=record.local,
        local_tag=record.local_tag,
        remote=record.remote,
        remote_tag=record.remote_tag,
        target=record.target,
        flow=Flow(record.transport, record.local_address, record.peer_address),
        is_caller=record.is_caller,
        local_cseq=record.local_cseq + ADOPTED_CSEQ_STEP,
        remote_cseq=record.remote_cseq,
        route_set=record.route_set,
    )
