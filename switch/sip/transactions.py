"""What the stack remembers of each request: its machine, its bytes, whom it concerns.

A transaction that only waits for repeats becomes a `Lingering`: key, last bytes, deadline. There
are 32 seconds' worth of those, so their size is the memory bill of signalling.

Source: RFC 3261 sections 17.1.3 and 17.2.3 (how messages find their transaction).
"""

from dataclasses import dataclass, field
from typing import Any

from switch.sip.dialog import Dialog
from switch.sip.events import Flow, TransactionId
from switch.sip.invite_client import InviteClient
from switch.sip.invite_server import InviteServer
from switch.sip.message import Request
from switch.sip.non_invite_client import NonInviteClient
from switch.sip.non_invite_server import NonInviteServer
from switch.sip.plans import ClientCredential
from switch.sip.success_ack import SuccessAck
from switch.sip.success_resend import SuccessResend
from switch.sip.tokens import MAGIC_COOKIE


@dataclass(slots=True, eq=False)
class ServerInvite:
    """An INVITE that came: the first of a dialog, or one inside it."""

    key: str
    machine: InviteServer
    request: Request
    flow: Flow
    """Where its responses go."""
    dialog: Dialog
    cseq: int
    transaction: TransactionId | None = None
    """Set for a re-INVITE, which is answered with `respond_to`."""
    data: bytes = b""
    """The last response."""
    is_final: bool = False
    alive_at: float | None = None
    """When the last 1xx must be said again."""
    merge_key: str = ""
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ServerRequest:
    """Any other request that came and is not answered in the same breath."""

    key: str
    machine: NonInviteServer
    request: Request
    flow: Flow
    dialog: Dialog | None
    transaction: TransactionId
    to_tag: str
    data: bytes = b""
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ClientInvite:
    """An INVITE of ours."""

    key: str
    machine: InviteClient
    request: Request
    data: bytes
    flow: Flow
    dialog: Dialog
    acks: SuccessAck = field(default_factory=SuccessAck)
    transaction: TransactionId | None = None
    """Set for a re-INVITE of ours."""
    reason: str = ""
    """What the CANCEL will say."""
    challenges: int = 0
    glares: int = 0
    any_response: bool = False
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ClientRequest:
    """Any other request of ours."""

    key: str
    machine: NonInviteClient
    request: Request
    data: bytes
    flow: Flow
    dialog: Dialog | None
    transaction: TransactionId
    credential: ClientCredential | None = None
    challenges: int = 0
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Lingering:
    """A finished transaction: whatever comes again gets the same bytes again."""

    key: str
    is_server: bool
    data: bytes
    flow: Flow
    acks: SuccessAck | None = None
    dialog: Dialog | None = None
    invite: ClientInvite | None = None
    """The INVITE of ours whose forks may still answer."""
    merge_key: str = ""
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class PendingSuccess:
    """A 2xx of ours that waits for its ACK."""

    machine: SuccessResend
    data: bytes
    flow: Flow
    dialog: Dialog
    cseq: int
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CancelWait:
    """A cancelled INVITE that may never get its final answer."""

    invite: ClientInvite
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class GlareWait:
    """A re-INVITE that met one of the peer's, and is sent again later."""

    invite: ClientInvite
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


ServerEntry = ServerInvite | ServerRequest | Lingering
ClientEntry = ClientInvite | ClientRequest | Lingering
Waiting = (
    ServerInvite | ServerRequest | ClientInvite | ClientRequest | Lingering | PendingSuccess
    | CancelWait | GlareWait
)  # fmt: skip


def server_key(branch: str | None, sent_by: str, method: str, ip: str, fallback: str) -> str:
    """Name the server transaction of a request. RFC 3261 section 17.2.3.

    The source's address is part of it, so that nobody can cancel a stranger's call.

    Args:
        branch: of the top Via.
        sent_by: of the top Via.
        method: an ACK belongs to its INVITE.
        ip: where it came from.
        fallback: what identifies a request of RFC 2543, whose branch means nothing.
    """
    name = "INVITE" if method == "ACK" else method
    if branch is None or not branch.lower().startswith(MAGIC_COOKIE.lower()):
        return f"{fallback}|{sent_by}|{name}|{ip}"
    return f"{branch}|{sent_by}|{name}|{ip}"


def client_key(branch: str, method: str) -> str:
    """Name the client transaction of a response. RFC 3261 section 17.1.3."""
    return f"{branch}|{method}"
