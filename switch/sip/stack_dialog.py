"""Requests inside a dialog, and what a dialog asks for in return.

Source: RFC 3261 sections 12.2.2, 13.3.1.4, 14.2 and 15; RFC 3311 (UPDATE), RFC 5057, RFC 6086.
"""

from dataclasses import dataclass

from switch.sip.compose import ALLOW
from switch.sip.dialog import Action, Dialog, Input, State
from switch.sip.events import (
    AckMissing,
    AckReceived,
    Answered,
    ByeReceived,
    CancelReceived,
    DialogLost,
    Effect,
    Event,
    InviteTimedOut,
    ProgressReceived,
    Refused,
    RefusedByUs,
    RequestReceived,
)
from switch.sip.gate import Gate, Refusal, method_refusal, require_refusal
from switch.sip.headers import contact_of
from switch.sip.incoming import Incoming
from switch.sip.invite_server import InviteServer
from switch.sip.message import Response
from switch.sip.stack_reply import Fields, StackReply, capabilities
from switch.sip.stack_request import StackRequest
from switch.sip.stack_state import StackState
from switch.sip.transactions import ClientInvite, PendingSuccess, ServerInvite, ServerRequest
from switch.sip.uri import parse_sip_uri


@dataclass(frozen=True, slots=True)
class Occasion:
    """What goes with an input of a dialog, for the events and requests that follow."""

    reason: str = ""
    """A Reason header, theirs or ours."""
    body: bytes = b""
    response: Response | None = None
    status: int = 0
    invite: ClientInvite | None = None
    """The INVITE of ours that was answered."""


NOTHING = Occasion()


class StackDialog:
    """The dialogs of one stack.

    Args:
        state: shared tables.
        reply: how responses leave.
        request: how requests leave.
        gate: for the rate of a line.
    """

    def __init__(
        self, *, state: StackState, reply: StackReply, request: StackRequest, gate: Gate
    ) -> None:
        self._state = state
        self._reply = reply
        self._request = request
        self._gate = gate

    def step(
        self, dialog: Dialog, kind: Input, occasion: Occasion = NOTHING, *, now: float
    ) -> list[Effect]:
        """Put an input into a dialog and do what it asks for."""
        effects: list[Effect] = []
        for action in dialog.step(kind):
            effects += self._perform(action, dialog, occasion, now=now)
        if dialog.state is State.ENDED:
            effects += self._forget(dialog, now=now)
        return effects

    def receive(self, incoming: Incoming, *, now: float) -> list[Effect]:
        """Take a request with a To tag.

        Raises:
            PeerError: a header that had to be read is malformed.
        """
        dialog = self._find(incoming)
        if dialog is None:
            return self._reply.reply(incoming, 481)
        method = incoming.request.method
        if method != "BYE" and (refusal := self._gate.rate(incoming, now=now)) is not None:
            return self._reply.refuse(incoming, refusal, dialog.id)
        if method == "INVITE":
            return self._reinvite(dialog, incoming, now=now)
        if method == "BYE" and not dialog.allows(Input.RECV_BYE):
            return self._reply.reply(incoming, 481)
        target = _target_of(incoming) if method == "UPDATE" else ""
        refusal = method_refusal(incoming) or require_refusal(incoming)
        entry = self._reply.open_request(incoming, dialog)
        if not dialog.in_order(incoming.cseq.number):
            retry = [self._gate.retry_after()]
            return self._reply.answer(entry, 500, retry, reason="CSeq Out Of Order", now=now)
        if refusal is not None:
            event = RefusedByUs(refusal.what, refusal.status, refusal.source, dialog.id)
            effects = self._reply.answer(entry, refusal.status, refusal.headers, now=now)
            return [*effects, self._state.refused(event)]
        return self._serve(dialog, entry, target, now=now)

    def _serve(
        self, dialog: Dialog, entry: ServerRequest, target: str, *, now: float
    ) -> list[Effect]:
        """Answer what the stack answers itself; pass the rest up."""
        request = entry.request
        if request.method == "BYE":
            occasion = Occasion(reason=request.headers.get("reason") or "")
            effects = self._reply.answer(entry, 200, now=now)
            return effects + self.step(dialog, Input.RECV_BYE, occasion, now=now)
        if request.method == "OPTIONS":
            return self._reply.answer(entry, 200, capabilities(self._state, entry.flow), now=now)
        if dialog.is_over:
            return self._reply.answer(entry, 481, now=now)
        if request.method == "UPDATE" and not request.body:
            dialog.target = target or dialog.target
            headers = [self._state.contact(entry.flow), ("Allow", ALLOW)]
            return self._reply.answer(entry, 200, headers, now=now)
        return [RequestReceived(dialog.id, entry.transaction, request)]

    def acknowledged(self, incoming: Incoming, *, now: float) -> list[Effect]:
        """Take the ACK of a 2xx."""
        dialog = self._find(incoming)
        wait = (
            self._state.successes.pop((dialog.id, incoming.cseq.number), None)
            if dialog is not None
            else None
        )
        if dialog is None or wait is None:
            return self._state.drop("stray_ack", incoming.flow)
        wait.machine.acknowledge()
        self._state.deadlines.arm(wait, None)
        occasion = Occasion(body=incoming.request.body)
        return self.step(dialog, Input.RECV_ACK, occasion, now=now)

    def success_timer(self, wait: PendingSuccess, *, now: float) -> list[Effect]:
        """Send a 2xx again, or give it up."""
        effects: list[Effect] = []
        for _ in wait.machine.handle_timers(now=now):
            if wait.machine.next_deadline() is not None:
                effects += self._state.resend(wait.data, wait.flow)
                continue
            self._state.successes.pop((wait.dialog.id, wait.cseq), None)
            effects += self.step(wait.dialog, Input.RECV_NO_ACK, now=now)
        self._state.deadlines.arm(wait, wait.machine.next_deadline())
        return effects

    def respond(
        self,
        entry: ServerInvite,
        status: int,
        headers: Fields,
        *,
        reason: str,
        body: bytes,
        now: float,
    ) -> list[Effect]:
        """Answer the INVITE of a dialog; too late an answer is nothing."""
        dialog = entry.dialog
        if dialog.is_over or (entry.is_final and status < 200):
            return []
        if status >= 300:
            if not dialog.allows(Input.SEND_300_699):
                return []
            effects = self._reply.answer_invite(
                entry, status, headers, reason=reason, body=body, now=now
            )
            return effects + self.step(dialog, Input.SEND_300_699, now=now)
        if status >= 200:
            dialog.step(Input.SEND_2XX)
            self._state.invites_in.pop(dialog.id, None)
        return self._reply.answer_invite(entry, status, headers, reason=reason, body=body, now=now)

    def hang_up(self, dialog: Dialog, reason: str, *, now: float) -> list[Effect]:
        """End a dialog whatever its state: CANCEL, 480 or BYE."""
        invite = self._state.invites_out.get(dialog.id)
        if invite is not None:
            invite.reason = reason
        return self.step(dialog, Input.HANG_UP, Occasion(reason=reason, invite=invite), now=now)

    def _reinvite(self, dialog: Dialog, incoming: Incoming, *, now: float) -> list[Effect]:
        """Take an INVITE inside a dialog. RFC 3261 section 14.2."""
        target = _target_of(incoming)
        replaces = [name for name in ("replaces", "join") if incoming.request.headers.get(name)]
        refusal = require_refusal(incoming)
        if replaces:
            refusal = Refusal(403, replaces[0], source=incoming.known.source)
        entry = ServerInvite(
            key=incoming.key,
            machine=InviteServer(reliable=incoming.flow.transport != "udp"),
            request=incoming.request,
            flow=incoming.reply_flow,
            dialog=dialog,
            cseq=incoming.cseq.number,
            transaction=self._state.new_transaction_id(),
        )
        self._state.servers[entry.key] = entry
        status = self._reinvite_fault(dialog, incoming.cseq.number)
        if status:
            retry = [self._gate.retry_after()] if status == 500 else []
            return self._reply.answer_invite(entry, status, retry, now=now)
        if refusal is not None:
            event = RefusedByUs(refusal.what, refusal.status, refusal.source, dialog.id)
            effects = self._reply.answer_invite(entry, refusal.status, refusal.headers, now=now)
            return [*effects, self._state.refused(event)]
        dialog.target = target or dialog.target
        assert entry.transaction is not None
        self._state.unanswered[entry.transaction] = entry
        effects = self._reply.answer_invite(entry, 100, now=now)
        return [*effects, RequestReceived(dialog.id, entry.transaction, incoming.request)]

    def _reinvite_fault(self, dialog: Dialog, cseq: int) -> int:
        """Say with which status a re-INVITE is refused out of hand, or 0."""
        state = self._state
        if not dialog.in_order(cseq):
            return 500
        if dialog.is_over:
            return 481
        if any(
            isinstance(e, ServerInvite) and e.dialog is dialog for e in state.unanswered.values()
        ):
            return 500
        ours = dialog.id in state.invites_out
        unacknowledged = any(key[0] == dialog.id for key in state.successes)
        return 491 if ours or unacknowledged or dialog.state is not State.CONFIRMED else 0

    def _find(self, incoming: Incoming) -> Dialog | None:
        dialog = self._state.by_tag.get((incoming.call_id, incoming.recipient.tag or ""))
        if dialog is None or dialog.remote_tag != (incoming.sender.tag or ""):
            return None
        return dialog

    def _forget(self, dialog: Dialog, *, now: float) -> list[Effect]:
        """Forget a dialog; what nobody answered in it is over too. RFC 3261 section 15.1.2."""
        state = self._state
        state.forget_dialog(dialog)
        effects: list[Effect] = []
        for transaction, entry in list(state.unanswered.items()):
            if entry.dialog is not dialog:
                continue
            del state.unanswered[transaction]
            if isinstance(entry, ServerInvite):
                effects += self._reply.answer_invite(entry, 487, now=now)
            else:
                effects += self._reply.answer(entry, 487, now=now)
        return effects

    def _perform(
        self, action: Action, dialog: Dialog, occasion: Occasion, *, now: float
    ) -> list[Effect]:
        match action:
            case Action.ACK:
                return self._acknowledge(dialog, occasion)
            case Action.BYE:
                headers = [("Reason", occasion.reason)] if occasion.reason else []
                return self._request.in_dialog(dialog, "BYE", headers, now=now)[1]
            case Action.CANCEL:
                invite = self._state.invites_out.get(dialog.id)
                return self._request.cancel(invite, now=now) if invite is not None else []
            case Action.REFUSE_480 | Action.REFUSE_487:
                return self._refuse(dialog, action, occasion, now=now)
            case _:
                return [_report(action, dialog, occasion)]

    def _acknowledge(self, dialog: Dialog, occasion: Occasion) -> list[Effect]:
        assert occasion.invite is not None
        sent = self._request.acknowledge_success(dialog, occasion.invite.request)
        occasion.invite.acks.acknowledged(dialog.remote_tag, sent.data)
        return [sent]

    def _refuse(
        self, dialog: Dialog, action: Action, occasion: Occasion, *, now: float
    ) -> list[Effect]:
        entry = self._state.invites_in.get(dialog.id)
        if entry is None or entry.is_final:
            return []
        if action is Action.REFUSE_487:
            return self._reply.answer_invite(entry, 487, now=now)
        headers = [("Reason", occasion.reason)] if occasion.reason else []
        return self._reply.answer_invite(entry, 480, headers, now=now)


def _report(action: Action, dialog: Dialog, occasion: Occasion) -> Event:
    """Turn a REPORT_ action into its event."""
    response = occasion.response or Response(487, "Request Terminated")
    invite = occasion.invite
    events: dict[Action, Event] = {
        Action.REPORT_ACK: AckReceived(dialog.id, occasion.body),
        Action.REPORT_NO_ACK: AckMissing(dialog.id),
        Action.REPORT_PROGRESS: ProgressReceived(dialog.id, response),
        Action.REPORT_ANSWER: Answered(dialog.id, response),
        Action.REPORT_REFUSAL: Refused(dialog.id, response),
        Action.REPORT_GIVEN_UP: Refused(dialog.id, Response(487, "Request Terminated")),
        Action.REPORT_TIMEOUT: InviteTimedOut(
            dialog.id, any_response=invite is not None and invite.any_response
        ),
        Action.REPORT_CANCEL: CancelReceived(dialog.id, occasion.reason),
        Action.REPORT_BYE: ByeReceived(dialog.id, occasion.reason),
        Action.REPORT_LOST: DialogLost(dialog.id, occasion.status),
    }
    return events[action]


def _target_of(incoming: Incoming) -> str:
    """Return the target that a refresh names, or ''.

    Raises:
        PeerError: 400.
    """
    contact = contact_of(incoming.request)
    if contact is None:
        return ""
    parse_sip_uri(contact.uri)
    return contact.uri
