"""A request as it came, with the few headers that every step looks at, read once.

Source: RFC 3261 sections 8.1.1 (the six that must be there), 18.2.1 and 18.2.2; RFC 3581.
"""

from dataclasses import dataclass

from switch.errors import PeerError
from switch.sip.events import Flow
from switch.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    parse_cseq,
    parse_name_addr,
    top_via,
    with_received,
)
from switch.sip.message import Request
from switch.sip.sources import KnownSource
from switch.sip.transactions import server_key

DEFAULT_PORT = 5060
"""RFC 3261 section 18.2.2."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request."""

    request: Request
    """With `received` and `rport` in its top Via."""
    flow: Flow
    """Where it came from."""
    reply_flow: Flow
    """Where its responses go."""
    known: KnownSource
    via: Via
    sender: NameAddr
    """From."""
    recipient: NameAddr
    """To."""
    call_id: str
    cseq: CSeq
    key: str
    """Of its server transaction."""

    @property
    def merge_key(self) -> str:
        """What two copies of one request share over different paths. RFC 3261 section 8.2.2.2."""
        tag = self.sender.tag or ""
        return f"{self.call_id}|{tag}|{self.cseq.number}|{self.request.method}"


def read(request: Request, flow: Flow, known: KnownSource) -> Incoming:
    """Read the headers that every request has.

    Raises:
        PeerError: 400 for one that is missing or malformed.
    """
    via = top_via(request)
    sender = parse_name_addr(_required(request, "from"))
    recipient = parse_name_addr(_required(request, "to"))
    call_id = _required(request, "call-id")
    cseq = parse_cseq(_required(request, "cseq"))
    if cseq.method != request.method:
        raise PeerError(400, "CSeq method differs")
    sent_by = f"{via.host}:{via.port or DEFAULT_PORT}"
    fallback = f"{call_id}|{sender.tag}|{cseq.number}|{request.uri}"
    return Incoming(
        request=with_received(request, flow.peer[0], flow.peer[1]),
        flow=flow,
        reply_flow=reply_flow(via, flow, nat=known.nat),
        known=known,
        via=via,
        sender=sender,
        recipient=recipient,
        call_id=call_id,
        cseq=cseq,
        key=server_key(via.branch, sent_by, request.method, flow.peer[0], fallback),
    )


def reply_flow(via: Via, flow: Flow, *, nat: bool) -> Flow:
    """Say where responses go: back over TCP; over UDP to the source, or to the port Via names.

    `maddr` is ignored, so that nobody can aim our responses at somebody else.
    """
    if flow.transport != "udp" or nat or via.wants_rport:
        return flow
    return Flow(flow.transport, flow.local, (flow.peer[0], via.port or DEFAULT_PORT))


def _required(request: Request, name: str) -> str:
    value = request.headers.get(name)
    if not value:
        raise PeerError(400, f"{name.title()} missing")
    return value
