"""What the parts of one SIP stack share: tables of transactions and dialogs, timers, tallies.

    stack           routes what comes to one of the three below, and is what others see
    stack_server    requests outside a dialog        gate: who may
    stack_dialog    requests inside one, and what dialogs ask for
    stack_client    responses to requests of ours
    stack_reply     how responses leave
    stack_request   how requests leave

Source: RFC 3261 sections 12 and 17.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from switch.sip.counts import StackCounts, Tally
from switch.sip.deadlines import Deadlines
from switch.sip.dialog import Dialog, State
from switch.sip.events import DialogId, Dropped, Effect, Flow, RefusedByUs, SendBytes, TransactionId
from switch.sip.local_address import LocalAddresses, family_of
from switch.sip.message import Headers, Message, Request
from switch.sip.parser import build
from switch.sip.settings import SipSettings
from switch.sip.sources import SourceBook, parse_address
from switch.sip.tokens import Randomness, Tokens
from switch.sip.transactions import (
    CancelWait,
    ClientEntry,
    ClientInvite,
    GlareWait,
    Lingering,
    PendingSuccess,
    ServerEntry,
    ServerInvite,
    ServerRequest,
    Waiting,
)
from switch.sip.uri import SipUri, parse_uri

DEFAULT_PORT = 5060
"""RFC 3261 section 19.1.2."""


class StackState:
    """The tables of one stack.

    Args:
        settings: see there.
        random: for tags, branches and waits.
        addresses: what we call ourselves.
        sources: who may talk to us; may be replaced.
    """

    def __init__(
        self,
        *,
        settings: SipSettings,
        random: Randomness,
        addresses: LocalAddresses,
        sources: SourceBook,
    ) -> None:
        self.settings = settings
        self.tokens = Tokens(random)
        self.addresses = addresses
        self.sources = sources
        self.servers: dict[str, ServerEntry] = {}
        self.clients: dict[str, ClientEntry] = {}
        self.dialogs: dict[DialogId, Dialog] = {}
        self.by_tag: dict[tuple[str, str], Dialog] = {}
        self.invites_in: dict[DialogId, ServerInvite] = {}
        self.invites_out: dict[DialogId, ClientInvite] = {}
        """The INVITE of ours that is not finally answered, for each dialog that has one."""
        self.merged: dict[str, str] = {}
        self.unanswered: dict[TransactionId, ServerInvite | ServerRequest] = {}
        self.successes: dict[tuple[DialogId, int], PendingSuccess] = {}
        self.waits: set[CancelWait | GlareWait] = set()
        self.deadlines: Deadlines[Waiting] = Deadlines()
        self.tally = Tally()
        self._ids = count(1)

    def new_dialog_id(self) -> DialogId:
        """Return an id that no dialog of this process had."""
        return DialogId(next(self._ids))

    def new_transaction_id(self) -> TransactionId:
        """Return an id that no transaction of this process had."""
        return TransactionId(next(self._ids))

    def is_full(self) -> bool:
        """Whether another transaction would be one too many."""
        return len(self.servers) + len(self.clients) >= self.settings.transactions_max

    def send(self, message: Message, flow: Flow) -> SendBytes:
        """Write a new message of ours; says who we are, and counts it."""
        name = "User-Agent" if isinstance(message, Request) else "Server"
        headers = message.headers.plus([(name, self.settings.product)])
        if isinstance(message, Request):
            self.tally.requests[f"out:{message.method}"] += 1
            return SendBytes(
                build(Request(message.method, message.uri, headers, message.body)), flow
            )
        self.tally.responses[f"out:{message.status}"] += 1
        whole = type(message)(message.status, message.reason, headers, message.body)
        return SendBytes(build(whole), flow)

    def resend(self, data: bytes, flow: Flow) -> list[Effect]:
        """Put the same bytes on the wire again; nothing if there are none."""
        if not data:
            return []
        self.tally.retransmissions += 1
        return [SendBytes(data, flow)]

    def drop(self, reason: str, flow: Flow) -> list[Effect]:
        """Throw something away, by name."""
        self.tally.dropped[reason] += 1
        return [Dropped(reason, flow)]

    def refused(self, event: RefusedByUs) -> RefusedByUs:
        """Count a refusal of the stack's own."""
        self.tally.refused[event.what] += 1
        return event

    def linger(self, entry: Lingering, until: float | None) -> None:
        """Put a finished transaction in the place of what it was."""
        if entry.is_server:
            self.servers[entry.key] = entry
        else:
            self.clients[entry.key] = entry
        self.deadlines.arm(entry, until)

    def forget_transaction(self, entry: ServerEntry | ClientEntry) -> None:
        """Remove a transaction, unless another has its key by now."""
        self.deadlines.arm(entry, None)
        if self.servers.get(entry.key) is entry:
            del self.servers[entry.key]
        if self.clients.get(entry.key) is entry:
            del self.clients[entry.key]
        if isinstance(entry, ServerInvite | Lingering) and entry.merge_key:
            self.merged.pop(entry.merge_key, None)

    def add_dialog(self, dialog: Dialog) -> None:
        """Make a dialog known by its id and by its tags."""
        self.dialogs[dialog.id] = dialog
        self.by_tag[dialog.call_id, dialog.local_tag] = dialog

    def forget_dialog(self, dialog: Dialog) -> None:
        """Remove a dialog and all that waits because of it."""
        self.dialogs.pop(dialog.id, None)
        self.invites_in.pop(dialog.id, None)
        self.invites_out.pop(dialog.id, None)
        if self.by_tag.get((dialog.call_id, dialog.local_tag)) is dialog:
            del self.by_tag[dialog.call_id, dialog.local_tag]
        for key in [key for key in self.successes if key[0] == dialog.id]:
            self.deadlines.arm(self.successes.pop(key), None)
        for wait in [w for w in self.waits if w.invite.dialog is dialog]:
            self.stop_waiting(wait)

    def stop_waiting(self, wait: CancelWait | GlareWait) -> None:
        """Take a wait off the list."""
        self.deadlines.arm(wait, None)
        self.waits.discard(wait)

    def peer_is_known(self, flow: Flow) -> bool:
        """Whether the far end of this flow is anybody we know."""
        return self.sources.find(flow) is not None

    def flow_of(self, dialog: Dialog) -> Flow:
        """Say where a request inside this dialog goes. RFC 3261 section 12.2.1.1.

        To the first route or the target if that is the address of somebody known; otherwise (names,
        strangers, NAT, a living connection) the way that the dialog came.
        """
        known = self.sources.find(dialog.flow)
        if dialog.flow.connection or (known is not None and known.nat):
            return dialog.flow
        first = dialog.route_set[0] if dialog.route_set else dialog.target
        uri = parse_uri(first[first.find("<") + 1 :].partition(">")[0])
        if not isinstance(uri, SipUri) or parse_address(uri.host) is None:
            return dialog.flow
        transport = (uri.params.get("transport") or "udp").lower()
        was_secret = dialog.flow.transport == "tls"  # then it stays so: never back to the clear
        if transport not in {"udp", "tcp", "tls"} or was_secret != (transport == "tls"):
            return dialog.flow
        if family_of(uri.host) != family_of(dialog.flow.peer[0]):
            return dialog.flow
        flow = self.addresses.flow_to(transport, uri.host, uri.port or DEFAULT_PORT)
        return flow if self.peer_is_known(flow) else dialog.flow

    def via(self, flow: Flow, branch: str) -> str:
        """Write our Via for a request on this flow."""
        sent_by = self.addresses.sent_by(flow)
        return f"SIP/2.0/{flow.transport.upper()} {sent_by};branch={branch};rport"

    def contact(self, flow: Flow) -> tuple[str, str]:
        """Return our Contact header for this flow."""
        return ("Contact", self.addresses.contact(flow, self.settings.contact_user))

    def counts(self) -> StackCounts:
        """Return a snapshot."""
        entries: Iterable[ServerEntry | ClientEntry] = [
            *self.servers.values(),
            *self.clients.values(),
        ]
        tally = self.tally
        return StackCounts(
            transactions=dict(Counter(kind_of(entry) for entry in entries)),
            dialogs=dict(
                Counter(d.state.name for d in self.dialogs.values() if d.state is not State.ENDED)
            ),
            unanswered=len(self.unanswered),
            successes=len(self.successes),
            waits=len(self.waits),
            retransmissions=tally.retransmissions,
            requests=dict(tally.requests),
            responses=dict(tally.responses),
            dropped=dict(tally.dropped),
            refused=dict(tally.refused),
            shed=dict(tally.shed),
            digest_failures=tally.digest_failures,
        )


def kind_of(entry: ServerEntry | ClientEntry) -> str:
    """Name a transaction for the counters: `kind:state`."""
    if isinstance(entry, Lingering):
        return f"lingering:{'server' if entry.is_server else 'client'}"
    kinds: Mapping[str, str] = {
        "ServerInvite": "invite_server",
        "ServerRequest": "non_invite_server",
        "ClientInvite": "invite_client",
        "ClientRequest": "non_invite_client",
    }
    return f"{kinds[type(entry).__name__]}:{entry.machine.state.name}"


def with_content_type(
    headers: Sequence[tuple[str, str]], body: bytes
) -> tuple[tuple[str, str], ...]:
    """Add `application/sdp` to a message that has a body and does not say what it is."""
    if not body or Headers(tuple(headers)).get("content-type") is not None:
        return tuple(headers)
    return (*headers, ("Content-Type", "application/sdp"))
