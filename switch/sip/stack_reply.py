"""How our responses leave: in a transaction, or without one.

Source: RFC 3261 sections 8.2.6, 8.2.7 (stateless), 12.1.1, 13.3.1 and 17.2.
"""

from collections.abc import Sequence
from hashlib import blake2s
from typing import Final

from switch.errors import LocalError, PeerError
from switch.sip.compose import ALLOW, response_to
from switch.sip.dialog import Dialog
from switch.sip.events import DialogId, Effect, Flow, RefusedByUs
from switch.sip.gate import GUESSES, LOAD, Refusal
from switch.sip.incoming import Incoming
from switch.sip.invite_server import State as InviteState
from switch.sip.message import Request
from switch.sip.non_invite_server import NonInviteServer
from switch.sip.non_invite_server import State as NonInviteState
from switch.sip.stack_state import StackState, with_content_type
from switch.sip.success_resend import SuccessResend
from switch.sip.transactions import Lingering, PendingSuccess, ServerInvite, ServerRequest

ALIVE_S: Final = 60.0
"""A call that rings longer says so again, or proxies would cancel it. RFC 3261 13.3.1.1."""

Fields = Sequence[tuple[str, str]]


class StackReply:
    """Sends responses.

    Args:
        state: shared tables.
        secret: makes the To tags of answers without a transaction, the same for each repeat.
    """

    def __init__(self, *, state: StackState, secret: bytes) -> None:
        self._state = state
        self._secret = secret[:32]

    def open_request(self, incoming: Incoming, dialog: Dialog | None) -> ServerRequest:
        """Open the transaction of a request other than INVITE."""
        state = self._state
        entry = ServerRequest(
            key=incoming.key,
            machine=NonInviteServer(reliable=incoming.flow.transport != "udp"),
            request=incoming.request,
            flow=incoming.reply_flow,
            dialog=dialog,
            transaction=state.new_transaction_id(),
            to_tag=state.tokens.tag(),
        )
        state.servers[entry.key] = entry
        state.unanswered[entry.transaction] = entry
        return entry

    def answer(
        self,
        entry: ServerRequest,
        status: int,
        headers: Fields = (),
        *,
        reason: str = "",
        body: bytes = b"",
        now: float,
    ) -> list[Effect]:
        """Answer a request other than INVITE."""
        state = self._state
        response = response_to(
            entry.request, status, reason=reason, to_tag=entry.to_tag, headers=headers, body=body
        )
        sent = state.send(response, entry.flow)
        entry.machine.respond(response, now=now)
        entry.data = sent.data
        if entry.machine.state is NonInviteState.COMPLETED:
            state.unanswered.pop(entry.transaction, None)
            done = Lingering(entry.key, is_server=True, data=entry.data, flow=entry.flow)
            state.linger(done, entry.machine.next_deadline())
        return [sent]

    def answer_invite(
        self,
        entry: ServerInvite,
        status: int,
        headers: Fields = (),
        *,
        reason: str = "",
        body: bytes = b"",
        now: float,
    ) -> list[Effect]:
        """Answer an INVITE, and let what must come next be waited for."""
        state = self._state
        response = response_to(
            entry.request,
            status,
            reason=reason,
            to_tag=entry.dialog.local_tag if status > 100 else None,
            headers=self._invite_headers(entry, status, headers, body),
            body=body,
        )
        sent = state.send(response, entry.flow)
        entry.machine.respond(response, now=now)
        entry.data = sent.data
        entry.is_final = not response.is_provisional
        entry.alive_at = now + ALIVE_S if 100 < status < 200 else None
        if entry.is_final and entry.transaction is not None:
            state.unanswered.pop(entry.transaction, None)
        if entry.machine.state is InviteState.ACCEPTED:
            self._await_ack(entry, now=now)
        else:
            self.rearm_invite(entry)
        return [sent]

    def ring_again(self, entry: ServerInvite, *, now: float) -> list[Effect]:
        """Say the last 1xx again; nothing if there is a final answer."""
        if entry.is_final:
            return []
        entry.alive_at = now + ALIVE_S
        return self._state.resend(entry.data, entry.flow)

    def rearm_invite(self, entry: ServerInvite) -> None:
        """Wake this INVITE when its machine, or its ringing, wants it."""
        if entry.machine.state is InviteState.TERMINATED:
            self._state.forget_transaction(entry)
            return
        times = [t for t in (entry.machine.next_deadline(), entry.alive_at) if t is not None]
        self._state.deadlines.arm(entry, min(times, default=None))

    def refuse(
        self, incoming: Incoming, refusal: Refusal, dialog: DialogId | None = None
    ) -> list[Effect]:
        """Turn a request away without a transaction; its repeats meet the same."""
        self._count(incoming, refusal)
        if refusal.status == 0:
            effects = self._state.drop(refusal.what, incoming.flow)
        else:
            effects = self.reply(incoming, refusal.status, refusal.headers, refusal.reason)
        if not refusal.what:
            return effects
        event = RefusedByUs(refusal.what, refusal.status, refusal.source, dialog)
        return [*effects, self._state.refused(event)]

    def _count(self, incoming: Incoming, refusal: Refusal) -> None:
        """Count what an operator watches: load that is turned away, and guessed passwords."""
        if refusal.what in LOAD:
            self._state.tally.shed[incoming.request.method] += 1
        if refusal.what in GUESSES and refusal.status == 401:
            self._state.tally.digest_failures += 1

    def reply(
        self, incoming: Incoming, status: int, headers: Fields = (), reason: str = ""
    ) -> list[Effect]:
        """Answer without a transaction. RFC 3261 section 8.2.7."""
        return self.reply_to(incoming.request, incoming.reply_flow, status, headers, reason)

    def reply_to(
        self, request: Request, flow: Flow, status: int, headers: Fields = (), reason: str = ""
    ) -> list[Effect]:
        """Answer what may not even be a whole request; silence if that cannot be done."""
        if request.method == "ACK":
            return self._state.drop("stray_ack", flow)
        seed = "|".join(request.headers.every("via")).encode("utf-8", "surrogateescape")
        tag = blake2s(seed, key=self._secret, digest_size=8).hexdigest()
        try:
            response = response_to(request, status, reason=reason, to_tag=tag, headers=headers)
        except PeerError:
            response = response_to(request, status, reason=reason, headers=headers)
        try:
            return [self._state.send(response, flow)]
        except LocalError:
            return self._state.drop("unanswerable", flow)

    def _await_ack(self, entry: ServerInvite, *, now: float) -> None:
        state = self._state
        machine = SuccessResend(now=now)
        wait = PendingSuccess(machine, entry.data, entry.flow, entry.dialog, entry.cseq)
        state.successes[entry.dialog.id, entry.cseq] = wait
        state.deadlines.arm(wait, machine.next_deadline())
        done = Lingering(
            entry.key, is_server=True, data=b"", flow=entry.flow, merge_key=entry.merge_key
        )
        state.deadlines.arm(entry, None)
        state.linger(done, entry.machine.next_deadline())

    def _invite_headers(
        self, entry: ServerInvite, status: int, headers: Fields, body: bytes
    ) -> tuple[tuple[str, str], ...]:
        """Add what a 1xx or 2xx of an INVITE must carry. RFC 3261 section 12.1.1."""
        own: list[tuple[str, str]] = []
        if 100 < status < 300:
            routes = entry.request.headers.every("record-route")
            own = [("Record-Route", route) for route in routes]
            own += [self._state.contact(entry.flow), ("Allow", ALLOW)]
        return with_content_type((*own, *headers), body)


def capabilities(state: StackState, flow: Flow) -> tuple[tuple[str, str], ...]:
    """Return what OPTIONS is answered with. RFC 3261 section 11.2."""
    return (
        state.contact(flow),
        ("Allow", ALLOW),
        ("Accept", "application/sdp"),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", "en"),
    )
