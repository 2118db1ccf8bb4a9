"""What the SIP stack reports and asks for. Source: RFC 3261 sections 12 to 17.

Events are in the past tense. A `DialogId` names one INVITE and all that follows from it, on our
side of one leg; a `TransactionId` names one request that waits for an answer.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from switch.sip.message import Request, Response

DialogId = NewType("DialogId", int)
TransactionId = NewType("TransactionId", int)


class SourceKind(StrEnum):
    """Who may talk to us at all; anybody else gets silence."""

    TRUNK = "trunk"
    GATEWAY = "gateway"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Source:
    """Whom an address belongs to."""

    kind: SourceKind
    name: str
    """The trunk's or gateway's id; for a terminal the digest user that was proved, else ''."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Where bytes came from, or shall go: one UDP socket and peer, or one connection."""

    transport: str
    """`udp`, `tcp` or `tls`."""
    local: tuple[str, int]
    peer: tuple[str, int]
    connection: int = 0
    """TCP: the number of the connection at `transport`; 0: open one to `peer`."""


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Put these bytes on the wire."""

    data: bytes
    flow: Flow


@dataclass(frozen=True, slots=True)
class InviteReceived:
    """A new call came in, was authenticated, and 100 went out."""

    dialog: DialogId
    request: Request
    flow: Flow
    source: Source


@dataclass(frozen=True, slots=True)
class AckReceived:
    """Our 2xx was acknowledged."""

    dialog: DialogId
    body: bytes


@dataclass(frozen=True, slots=True)
class CancelReceived:
    """The caller gave up before our final answer; 200 and 487 have gone out."""

    dialog: DialogId
    reason: str
    """The Reason header, or ''."""


@dataclass(frozen=True, slots=True)
class AckMissing:
    """Our 2xx was never acknowledged in 64*T1; a BYE has gone out. The dialog is over."""

    dialog: DialogId


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """INFO, UPDATE, re-INVITE … inside a dialog: must be answered with `respond_to`."""

    dialog: DialogId
    transaction: TransactionId
    request: Request


@dataclass(frozen=True, slots=True)
class ByeReceived:
    """The peer hung up; 200 has gone out. The dialog is over."""

    dialog: DialogId
    reason: str


@dataclass(frozen=True, slots=True)
class ProgressReceived:
    """A provisional answer above 100 to our INVITE."""

    dialog: DialogId
    response: Response


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx to our INVITE; the ACK has gone out. Reported once; forks are released by the stack."""

    dialog: DialogId
    response: Response


@dataclass(frozen=True, slots=True)
class Refused:
    """A final answer from 300 to our INVITE (487 after our CANCEL too). The dialog is over."""

    dialog: DialogId
    response: Response


@dataclass(frozen=True, slots=True)
class InviteTimedOut:
    """Nothing answered our INVITE, or the transport failed. The dialog is over."""

    dialog: DialogId
    any_response: bool
    """False: not even a 100 came."""


@dataclass(frozen=True, slots=True)
class DialogLost:
    """A request of ours inside the dialog got 481 or 408 or nothing. The dialog is over."""

    dialog: DialogId
    status: int


@dataclass(frozen=True, slots=True)
class RegisterReceived:
    """A terminal's REGISTER, authenticated: must be answered with `respond_to`."""

    transaction: TransactionId
    request: Request
    flow: Flow
    source: Source


@dataclass(frozen=True, slots=True)
class OutOfDialogAnswered:
    """The final answer to our OPTIONS or REGISTER; None: time-out or transport error."""

    transaction: TransactionId
    response: Response | None


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The final answer to an INFO or re-INVITE of ours inside a dialog that goes on."""

    dialog: DialogId
    transaction: TransactionId
    response: Response


@dataclass(frozen=True, slots=True)
class RefusedByUs:
    """Something was turned down by the stack itself: REFER, Replaces, unknown method, over a limit.

    For counters, the audit trail and `HookFlashed` (a REFER is a flash of a kind).
    """

    what: str
    status: int
    source: Source | None
    dialog: DialogId | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram was thrown away without an answer."""

    reason: str
    flow: Flow


Event = (
    InviteReceived | AckReceived | CancelReceived | AckMissing | RequestReceived | ByeReceived
    | ProgressReceived | Answered | Refused | InviteTimedOut | DialogLost | RegisterReceived
    | OutOfDialogAnswered | RequestAnswered | RefusedByUs | Dropped
)  # fmt: skip
Effect = SendBytes | Event
