"""The SIP stack: bytes in, bytes and events out. No socket, no clock.

    receive          bytes came
    respond, invite… our side wants something
    next_deadline    when to call handle_timers
    all of them      return effects, in the order in which they must be performed

After `cancel` exactly one of `Refused` and `InviteTimedOut` follows; an answer that crosses it is
acknowledged and hung up by the stack, and reported as a 487. After `bye` nothing follows.

Source: RFC 3261 (the parts name their sections); `signalling.md` sections 3, 4, 5 and 8.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from switch.errors import PeerError
from switch.sip.counts import StackCounts
from switch.sip.dialog import DialogRecord, State, from_record
from switch.sip.digest import Credential
from switch.sip.events import DialogId, Effect, Flow, TransactionId
from switch.sip.gate import Gate
from switch.sip.headers import top_via
from switch.sip.incoming import read, reply_flow
from switch.sip.limits import DEFAULT, SipLimits
from switch.sip.local_address import LocalAddresses
from switch.sip.message import Request
from switch.sip.parser import BadMessage, ParseDrop, parse
from switch.sip.plans import InvitePlan, RequestPlan
from switch.sip.settings import SipSettings
from switch.sip.sources import KnownSource, SourceBook, parse_address
from switch.sip.stack_client import StackClient
from switch.sip.stack_dialog import StackDialog
from switch.sip.stack_reply import StackReply
from switch.sip.stack_request import StackRequest
from switch.sip.stack_server import StackServer
from switch.sip.stack_state import StackState, with_content_type
from switch.sip.tokens import Randomness
from switch.sip.transactions import (
    CancelWait,
    ClientInvite,
    ClientRequest,
    GlareWait,
    Lingering,
    PendingSuccess,
    ServerInvite,
    ServerRequest,
    Waiting,
)
from switch.sip.uri import SipUri, parse_uri

DRAINED = frozenset({"OPTIONS", "INVITE"})
"""What gets 503 while the switch drains. `signalling.md` section 8."""

Fields = Sequence[tuple[str, str]]


class SipStack:
    """All transactions and dialogs of one switch.

    Args:
        settings: see there.
        random: tags, branches and waits: `SystemRandom` in service, seeded in tests.
        contact: what we call ourselves; whoever opens the sockets fills it.
        sources: who may talk to us.
        credentials: the terminals' digests by user; looked up at each request, so it may change.
        nonce_secret: at least 16 random bytes of this process.
        limits: how much a peer may send.
    """

    def __init__(
        self,
        *,
        settings: SipSettings,
        random: Randomness,
        contact: LocalAddresses,
        sources: SourceBook,
        credentials: Mapping[str, Credential],
        nonce_secret: bytes,
        limits: SipLimits = DEFAULT,
    ) -> None:
        self._state = StackState(
            settings=settings, random=random, addresses=contact, sources=sources
        )
        self._limits = limits
        self._gate = Gate(
            settings=settings,
            credentials=credentials,
            nonce_secret=nonce_secret,
            tokens=self._state.tokens,
        )
        self._reply = StackReply(state=self._state, secret=nonce_secret)
        self._request = StackRequest(state=self._state)
        self._dialogs = StackDialog(
            state=self._state, reply=self._reply, request=self._request, gate=self._gate
        )
        self._server = StackServer(
            state=self._state, reply=self._reply, dialogs=self._dialogs, gate=self._gate
        )
        self._client = StackClient(state=self._state, request=self._request, dialogs=self._dialogs)
        self._draining = False
        self._shedding: frozenset[str] = frozenset()

    # What came in

    def receive(self, data: bytes, flow: Flow, *, now: float) -> list[Effect]:
        """Take one message: a datagram, or what `StreamParser` cut out of a connection."""
        known = self._state.sources.find(flow)
        if known is None:
            return self._state.drop("unknown_source", flow)
        if not data.strip(b"\r\n\0 "):
            return self._state.drop("keepalive", flow)
        if flow.transport == "udp" and len(data) > self._limits.datagram_bytes_max:
            data = data[: self._limits.datagram_bytes_max]
            return self._too_large(data, flow, known)
        try:
            message = parse(data, self._limits)
        except ParseDrop as drop:
            return self._state.drop(f"parse: {drop.reason}", flow)
        except PeerError as error:
            return self.receive_error(error, flow, now=now)
        try:
            if isinstance(message, Request):
                return self._receive_request(message, flow, known, now=now)
            return self._client.receive(message, flow, now=now)
        except PeerError as error:
            if not isinstance(message, Request):
                return self._state.drop(f"parse: {error.reason}", flow)
            return self._refuse(message, error, flow, known)

    def receive_error(self, error: PeerError, flow: Flow, *, now: float) -> list[Effect]:  # noqa: ARG002 - a core takes now
        """Take what `StreamParser` (or the parser) could not read; it is answered if possible."""
        known = self._state.sources.find(flow)
        if known is None:
            return self._state.drop("unknown_source", flow)
        if not isinstance(error, BadMessage):
            return self._state.drop(f"parse: {error.reason}", flow)
        return self._refuse(error.request, error, flow, known)

    def connection_lost(self, flow: Flow, *, now: float) -> list[Effect]:
        """Take the end of a TCP connection: what waits on it fails, dialogs find another way."""
        for dialog in self._state.dialogs.values():
            if flow.connection and dialog.flow.connection == flow.connection:
                dialog.flow = self._way_back(dialog.target, dialog.flow)
        return self.send_failed(flow, now=now)

    def send_failed(self, flow: Flow, *, now: float) -> list[Effect]:
        """Take an ICMP error, or a connection that could not be opened."""
        effects: list[Effect] = []
        for entry in list(self._state.clients.values()):
            same = entry.flow.transport == flow.transport and entry.flow.peer == flow.peer
            if same and (not flow.connection or entry.flow.connection in {0, flow.connection}):
                effects += self._client.failed(entry, now=now)
        return effects

    # When to wake me, you woke me

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return self._state.deadlines.next_deadline()

    def handle_timers(self, *, now: float) -> list[Effect]:
        """Fire every timer that is due."""
        effects: list[Effect] = []
        while (owner := self._state.deadlines.take_due(now=now)) is not None:
            effects += self._wake(owner, now=now)
        return effects

    def _wake(self, owner: Waiting, *, now: float) -> list[Effect]:
        match owner:
            case Lingering():
                self._state.forget_transaction(owner)
                return []
            case ServerInvite():
                return self._server.invite_timer(owner, now=now)
            case ServerRequest():
                return []
            case ClientInvite() | ClientRequest():
                return self._client.timer(owner, now=now)
            case PendingSuccess():
                return self._dialogs.success_timer(owner, now=now)
            case CancelWait() | GlareWait():
                return self._client.wait_over(owner, now=now)

    # What our side wants

    def respond(
        self,
        dialog: DialogId,
        status: int,
        *,
        reason: str = "",
        body: bytes = b"",
        headers: Fields = (),
        now: float,
    ) -> list[Effect]:
        """Answer an INVITE that came. Too late an answer (cancelled, over) is nothing."""
        entry = self._state.invites_in.get(dialog)
        if entry is None:
            return []
        return self._dialogs.respond(entry, status, headers, reason=reason, body=body, now=now)

    def respond_to(
        self,
        transaction: TransactionId,
        status: int,
        *,
        reason: str = "",
        body: bytes = b"",
        headers: Fields = (),
        now: float,
    ) -> list[Effect]:
        """Answer an INFO, UPDATE, re-INVITE or REGISTER. Too late an answer is nothing."""
        entry = self._state.unanswered.get(transaction)
        if isinstance(entry, ServerInvite):
            return self._reply.answer_invite(
                entry, status, headers, reason=reason, body=body, now=now
            )
        if entry is None:
            return []
        fields = with_content_type(headers, body)
        if entry.request.method == "UPDATE" and 200 <= status < 300:
            fields = (self._state.contact(entry.flow), *fields)
        return self._reply.answer(entry, status, fields, reason=reason, body=body, now=now)

    def invite(self, plan: InvitePlan, *, now: float) -> tuple[DialogId, list[Effect]]:
        """Call somebody. One 401 or 407 is answered with the plan's credential."""
        dialog, effects = self._request.invite(plan, now=now)
        return dialog.id, effects

    def reinvite(
        self, dialog: DialogId, *, body: bytes, headers: Fields = (), now: float
    ) -> tuple[TransactionId | None, list[Effect]]:
        """Change a call; `RequestAnswered` follows. A 491 is tried again by the stack."""
        found = self._state.dialogs.get(dialog)
        if found is None or found.state is not State.CONFIRMED:
            return None, []
        if dialog in self._state.invites_out:
            return None, []
        return self._request.reinvite(found, headers, body, now=now)

    def cancel(self, dialog: DialogId, *, reason: str = "", now: float) -> list[Effect]:
        """Give up a call that is not answered; `reason` is a whole Reason value."""
        return self.bye(dialog, reason=reason, now=now)

    def bye(self, dialog: DialogId, *, reason: str = "", now: float) -> list[Effect]:
        """End a dialog: BYE, or CANCEL, or 480, as its state wants. Over already: nothing."""
        found = self._state.dialogs.get(dialog)
        if found is None:
            return []
        return self._dialogs.hang_up(found, reason, now=now)

    def info(
        self, dialog: DialogId, *, content_type: str = "", body: bytes = b"", now: float
    ) -> tuple[TransactionId | None, list[Effect]]:
        """Send an INFO; `RequestAnswered` follows."""
        found = self._state.dialogs.get(dialog)
        if found is None or found.is_over or not found.remote_tag:
            return None, []
        headers = [("Content-Type", content_type)] if content_type else []
        return self._request.in_dialog(found, "INFO", headers, body, now=now)

    def out_of_dialog(
        self, method: str, plan: RequestPlan, *, now: float
    ) -> tuple[TransactionId, list[Effect]]:
        """Send an OPTIONS or REGISTER; `OutOfDialogAnswered` follows."""
        return self._request.out_of_dialog(method, plan, now=now)

    def dialog_record(self, dialog: DialogId) -> DialogRecord | None:
        """Write a dialog down, enough for another process to send a BYE; None if it is over."""
        found = self._state.dialogs.get(dialog)
        return None if found is None or not found.remote_tag else found.record()

    def adopt(self, record: DialogRecord, *, now: float) -> DialogId:  # noqa: ARG002 - a core takes now
        """Take up a dialog that a former process wrote down."""
        dialog = from_record(record, self._state.new_dialog_id())
        if record.connection:
            dialog.flow = self._way_back(dialog.target, dialog.flow)
        self._state.add_dialog(dialog)
        return dialog.id

    # How we stand

    @property
    def addresses(self) -> LocalAddresses:
        """What we call ourselves; `flow_to` makes a flow for a plan."""
        return self._state.addresses

    @property
    def sources(self) -> SourceBook:
        """Who may talk to us; may be replaced by another book."""
        return self._state.sources

    @sources.setter
    def sources(self, book: SourceBook) -> None:
        self._state.sources = book

    @property
    def draining(self) -> bool:
        """While True, OPTIONS and new INVITEs get 503 with Retry-After."""
        return self._draining

    @draining.setter
    def draining(self, on: bool) -> None:
        self._draining = on
        self._close()

    @property
    def shedding(self) -> frozenset[str]:
        """Methods that get 503 because of load, out of `gate.SHEDDABLE`."""
        return self._shedding

    @shedding.setter
    def shedding(self, methods: frozenset[str]) -> None:
        self._shedding = methods
        self._close()

    def counts(self) -> StackCounts:
        """Return a snapshot, for metrics and for tests that count leaks."""
        return self._state.counts()

    # Routing

    def _receive_request(
        self, request: Request, flow: Flow, known: KnownSource, *, now: float
    ) -> list[Effect]:
        incoming = read(request, flow, known)
        entry = self._state.servers.get(incoming.key)
        is_ack = request.method == "ACK"
        if entry is not None and not (is_ack and isinstance(entry, Lingering)):
            return self._server.repeat(entry, request, now=now)
        if is_ack:
            return self._dialogs.acknowledged(incoming, now=now)
        self._state.tally.requests[f"in:{request.method}"] += 1
        if request.method == "CANCEL":
            return self._server.cancel(incoming, now=now)
        if incoming.recipient.tag:
            return self._dialogs.receive(incoming, now=now)
        return self._server.receive(incoming, now=now)

    def _refuse(
        self, request: Request, error: PeerError, flow: Flow, known: KnownSource
    ) -> list[Effect]:
        """Answer what could not be read or served."""
        self._state.tally.refused[f"{error.status}"] += 1
        with suppress(PeerError):  # a Via that cannot be read: back to where it came from
            flow = reply_flow(top_via(request), flow, nat=known.nat)
        headers = [("Accept", "application/sdp")] if error.status == 415 else []
        return self._reply.reply_to(request, flow, error.status, headers, error.reason)

    def _too_large(self, data: bytes, flow: Flow, known: KnownSource) -> list[Effect]:
        """513 if the head of it says to whom. `signalling.md` section 8."""
        try:
            message = parse(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", self._limits)
        except BadMessage as error:
            return self._refuse(error.request, PeerError(513, "Message Too Large"), flow, known)
        except (PeerError, ParseDrop):
            return self._state.drop("too_large", flow)
        if not isinstance(message, Request):
            return self._state.drop("too_large", flow)
        return self._refuse(message, PeerError(513, "Message Too Large"), flow, known)

    def _way_back(self, target: str, flow: Flow) -> Flow:
        """Say where to reach a peer whose connection is gone: its Contact, else its address."""
        host, port = flow.peer
        try:
            uri = parse_uri(target)
        except PeerError:
            uri = None
        if isinstance(uri, SipUri) and parse_address(uri.host) is not None:
            host, port = uri.host, uri.port or 5060
        return self._state.addresses.flow_to(flow.transport, host, port)

    def _close(self) -> None:
        self._gate.closed = DRAINED if self._draining else frozenset()
        self._gate.shed = self._shedding
