"""Requests outside a dialog: INVITE, REGISTER, OPTIONS, CANCEL, and repeats of any.

Source: RFC 3261 sections 8.2, 9.2, 11.2, 12.1.1, 13.3 and 17.2; RFC 4475 for the verdicts.
"""

from switch.errors import PeerError
from switch.sip.dialog import Dialog, Input, State
from switch.sip.events import Effect, InviteReceived, RegisterReceived, Source
from switch.sip.gate import Gate, Refusal
from switch.sip.headers import contact_of, record_routes
from switch.sip.incoming import Incoming
from switch.sip.invite_server import InviteServer, Send
from switch.sip.message import Request
from switch.sip.stack_dialog import Occasion, StackDialog
from switch.sip.stack_reply import StackReply, capabilities
from switch.sip.stack_state import StackState
from switch.sip.transactions import Lingering, ServerEntry, ServerInvite, ServerRequest
from switch.sip.uri import parse_sip_uri


class StackServer:
    """Takes requests that belong to no dialog.

    Args:
        state: shared tables.
        reply: how responses leave.
        dialogs: what a CANCEL concerns.
        gate: admission.
    """

    def __init__(
        self, *, state: StackState, reply: StackReply, dialogs: StackDialog, gate: Gate
    ) -> None:
        self._state = state
        self._reply = reply
        self._dialogs = dialogs
        self._gate = gate

    def repeat(self, entry: ServerEntry, request: Request, *, now: float) -> list[Effect]:
        """Take a request that belongs to a transaction we have."""
        if isinstance(entry, Lingering):
            return self._state.resend(entry.data, entry.flow)
        if isinstance(entry, ServerRequest):
            again = bool(entry.machine.receive(now=now))
        else:
            done = entry.machine.receive(request, now=now)
            again = any(isinstance(effect, Send) for effect in done)
            self._reply.rearm_invite(entry)
        return self._state.resend(entry.data, entry.flow) if again else []

    def invite_timer(self, entry: ServerInvite, *, now: float) -> list[Effect]:
        """Send a refusal again, say again that it rings, or forget."""
        effects: list[Effect] = []
        for effect in entry.machine.handle_timers(now=now):
            if isinstance(effect, Send):
                effects += self._state.resend(entry.data, entry.flow)
        if entry.alive_at is not None and entry.alive_at <= now:
            entry.alive_at = None
            effects += self._reply.ring_again(entry, now=now)
        self._reply.rearm_invite(entry)
        return effects

    def cancel(self, incoming: Incoming, *, now: float) -> list[Effect]:
        """Take a CANCEL: 200 for itself, 487 for the INVITE if that is not answered yet."""
        key = incoming.key.replace("|CANCEL|", "|INVITE|")
        entry = self._state.servers.get(key)
        if entry is None:
            return self._reply.reply(incoming, 481)
        effects = self._reply.reply(incoming, 200)
        if not isinstance(entry, ServerInvite) or entry.is_final:
            return effects
        if entry.transaction is not None:
            return [*effects, *self._reply.answer_invite(entry, 487, now=now)]
        occasion = Occasion(reason=incoming.request.headers.get("reason") or "")
        return effects + self._dialogs.step(entry.dialog, Input.RECV_CANCEL, occasion, now=now)

    def receive(self, incoming: Incoming, *, now: float) -> list[Effect]:
        """Take a new request without a To tag.

        Raises:
            PeerError: a header that had to be read is malformed.
        """
        refusal = self._gate.rate(incoming, now=now)
        if refusal is not None:
            return self._reply.refuse(incoming, refusal)
        verdict = self._gate.new_request(incoming, now=now)
        if isinstance(verdict, Refusal):
            return self._reply.refuse(incoming, verdict)
        match incoming.request.method:
            case "OPTIONS":
                return self._reply.reply(incoming, 200, capabilities(self._state, incoming.flow))
            case "INVITE":
                return self._invite(incoming, verdict, now=now)
            case "REGISTER":
                return self._register(incoming, verdict)
            case _:
                return self._reply.reply(incoming, 481)

    def _invite(self, incoming: Incoming, source: Source, *, now: float) -> list[Effect]:
        state = self._state
        if incoming.merge_key in state.merged:
            return self._reply.refuse(incoming, Refusal(482, "merged", source=source))
        if state.is_full() or len(state.dialogs) >= state.settings.dialogs_max:
            return self._reply.refuse(incoming, self._gate.unavailable("full", source))
        dialog = self._dialog_of(incoming)
        entry = ServerInvite(
            key=incoming.key,
            machine=InviteServer(reliable=incoming.flow.transport != "udp"),
            request=incoming.request,
            flow=incoming.reply_flow,
            dialog=dialog,
            cseq=incoming.cseq.number,
            merge_key=incoming.merge_key,
        )
        state.servers[entry.key] = entry
        state.merged[entry.merge_key] = entry.key
        state.add_dialog(dialog)
        state.invites_in[dialog.id] = entry
        trying = self._reply.answer_invite(entry, 100, now=now)
        return [*trying, InviteReceived(dialog.id, incoming.request, incoming.flow, source)]

    def _dialog_of(self, incoming: Incoming) -> Dialog:
        """Start the dialog of an INVITE. RFC 3261 section 12.1.1."""
        contact, tag = contact_of(incoming.request), incoming.sender.tag
        if contact is None:
            raise PeerError(400, "Contact missing")
        if not tag:
            raise PeerError(400, "From tag missing")
        parse_sip_uri(contact.uri)
        route_set = tuple(record_routes(incoming.request))
        for route in route_set[:1]:
            parse_sip_uri(route[route.find("<") + 1 :].partition(">")[0])
        local_tag = self._state.tokens.tag()
        headers = incoming.request.headers
        return Dialog(
            id=self._state.new_dialog_id(),
            state=State.EARLY,
            call_id=incoming.call_id,
            local=f"{headers.get('to')};tag={local_tag}",
            local_tag=local_tag,
            remote=headers.get("from") or "",
            remote_tag=tag,
            target=contact.uri,
            flow=incoming.flow,
            is_caller=False,
            remote_cseq=incoming.cseq.number,
            route_set=route_set,
        )

    def _register(self, incoming: Incoming, source: Source) -> list[Effect]:
        try:
            parse_sip_uri(incoming.recipient.uri)
        except PeerError as error:
            raise PeerError(400, error.reason) from error
        if self._state.is_full():
            return self._reply.refuse(incoming, self._gate.unavailable("full", source))
        entry = self._reply.open_request(incoming, None)
        return [RegisterReceived(entry.transaction, incoming.request, incoming.flow, source)]
