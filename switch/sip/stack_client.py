"""Responses to requests of ours, their timers, and what the network says of them.

Source: RFC 3261 sections 8.1.3, 9.1, 12.1.2, 13.2.2, 14.1 and 17.1; RFC 5057, RFC 6026.
"""

from typing import Final

from switch.errors import PeerError
from switch.sip.dialog import Dialog, Input, State
from switch.sip.events import Effect, Flow, OutOfDialogAnswered, RequestAnswered, TransactionId
from switch.sip.headers import contact_of, parse_cseq, record_routes, tag_of, top_via
from switch.sip.invite_client import (
    Acknowledge,
    InviteClient,
    PassUp,
    Resend,
    TimedOut,
    TransportFailed,
)
from switch.sip.invite_client import Effect as InviteEffect
from switch.sip.invite_client import State as InviteState
from switch.sip.message import Response
from switch.sip.non_invite_client import Effect as NonInviteEffect
from switch.sip.non_invite_client import PassUp as NonInvitePassUp
from switch.sip.non_invite_client import Resend as NonInviteResend
from switch.sip.non_invite_client import State as NonInviteState
from switch.sip.stack_dialog import Occasion, StackDialog
from switch.sip.stack_request import StackRequest, essence_of
from switch.sip.stack_state import StackState
from switch.sip.success_ack import Adopt, SendAck
from switch.sip.timers import GLARE_OTHER_S, GLARE_OWNER_S, GLARE_STEP_S
from switch.sip.transactions import (
    CancelWait,
    ClientEntry,
    ClientInvite,
    ClientRequest,
    GlareWait,
    Lingering,
    client_key,
)
from switch.sip.uri import parse_sip_uri

GLARES_MAX: Final = 5
"""A re-INVITE that meets the peer's this often is given up. Chosen: about 10 s of trying."""


class StackClient:
    """Client side of one stack.

    Args:
        state: shared tables.
        request: how requests leave.
        dialogs: whom the responses concern.
    """

    def __init__(self, *, state: StackState, request: StackRequest, dialogs: StackDialog) -> None:
        self._state = state
        self._request = request
        self._dialogs = dialogs

    def receive(self, response: Response, flow: Flow, *, now: float) -> list[Effect]:
        """Take a response; one that matches nothing is dropped. RFC 6026 section 7.

        Raises:
            PeerError: it is malformed.
        """
        branch = top_via(response).branch or ""
        cseq = parse_cseq(response.headers.get("cseq") or "")
        entry = self._state.clients.get(client_key(branch, cseq.method))
        if entry is None or entry.flow.peer[0] != flow.peer[0]:
            return self._state.drop("unmatched_response", flow)
        if isinstance(entry, Lingering):
            return self._repeat(entry, response, now=now)
        self._state.tally.responses[f"in:{response.status}"] += 1
        if isinstance(entry, ClientInvite):
            return self._invite(entry, entry.machine.receive(response, now=now), now=now)
        return self._other(entry, entry.machine.receive(response, now=now), now=now)

    def timer(self, entry: ClientInvite | ClientRequest, *, now: float) -> list[Effect]:
        """Let a transaction of ours look at the clock."""
        if isinstance(entry, ClientInvite):
            return self._invite(entry, entry.machine.handle_timers(now=now), now=now)
        return self._other(entry, entry.machine.handle_timers(now=now), now=now)

    def failed(self, entry: ClientEntry, *, now: float) -> list[Effect]:
        """Take an ICMP error or a lost connection."""
        if isinstance(entry, ClientInvite):
            return self._invite(entry, entry.machine.transport_failed(now=now), now=now)
        if isinstance(entry, ClientRequest):
            return self._other(entry, entry.machine.transport_failed(now=now), now=now)
        return []

    def wait_over(self, wait: CancelWait | GlareWait, *, now: float) -> list[Effect]:
        """Give up a cancelled INVITE, or try a re-INVITE again."""
        self._state.waits.discard(wait)
        old = wait.invite
        if isinstance(wait, CancelWait):
            if self._state.clients.get(old.key) is not old:
                return []
            self._forget(old)
            occasion = Occasion(invite=old)
            return self._dialogs.step(old.dialog, Input.RECV_NOTHING, occasion, now=now)
        if old.dialog.state is not State.CONFIRMED:
            return []
        if old.dialog.id in self._state.invites_out:
            return []
        return self._request.again(old, challenges=old.challenges, glares=old.glares + 1, now=now)

    def _repeat(self, entry: Lingering, response: Response, *, now: float) -> list[Effect]:
        """Take a repeated final answer; of 2xx, maybe another fork's."""
        if entry.acks is None:
            return self._state.resend(entry.data, entry.flow) if response.status >= 300 else []
        if not response.is_success or entry.dialog is None or entry.invite is None:
            return []
        tag = _to_tag(response)
        match entry.acks.receive(response, tag):
            case SendAck(data=data):
                return self._state.resend(data, self._state.flow_of(entry.dialog))
            case _:
                return self._release(entry.invite, response, tag, now=now)

    def _release(
        self, invite: ClientInvite, response: Response, tag: str, *, now: float
    ) -> list[Effect]:
        """Acknowledge a 2xx that nobody wants and hang up. RFC 3261 section 13.2.2.4."""
        old = invite.dialog
        fork = Dialog(
            id=self._state.new_dialog_id(),
            state=State.ENDING,
            call_id=old.call_id,
            local=old.local,
            local_tag=old.local_tag,
            remote=old.remote,
            remote_tag=tag,
            target=invite.request.uri,
            flow=old.flow,
            is_caller=True,
            local_cseq=old.local_cseq,
            credential=old.credential,
        )
        learn(fork, response)
        ack = self._request.acknowledge_success(fork, invite.request)
        invite.acks.acknowledged(tag, ack.data)
        _, bye = self._request.in_dialog(fork, "BYE", now=now)
        return [ack, *bye]

    def _invite(self, entry: ClientInvite, done: list[InviteEffect], *, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for effect in done:
            match effect:
                case Resend():
                    effects += self._state.resend(entry.data, entry.flow)
                case Acknowledge(response=response):
                    effects.append(self._request.acknowledge_refusal(entry, response))
                case PassUp(response=response):
                    effects += self._invite_answered(entry, response, now=now)
                case TimedOut() | TransportFailed():
                    effects += self._invite_lost(entry, now=now)
        self._settle(entry)
        return effects

    def _invite_answered(
        self, entry: ClientInvite, response: Response, *, now: float
    ) -> list[Effect]:
        entry.any_response = True
        if entry.transaction is not None:
            return self._reinvite_answered(entry, response, now=now)
        dialog, occasion = entry.dialog, Occasion(response=response, invite=entry)
        if response.is_provisional:
            learn(dialog, response)
            kind = Input.RECV_100 if response.status == 100 else Input.RECV_1XX
            return self._dialogs.step(dialog, kind, occasion, now=now)
        if response.is_success:
            return self._success(entry, response, occasion, now=now)
        self._no_longer_out(entry)
        hanging_up = dialog.state in {State.CANCEL_WAITS, State.CANCELLED}
        proof = self._request.proof(response, entry.request, dialog.credential, entry.challenges)
        if proof and not hanging_up:
            return self._request.again(
                entry, proof, challenges=entry.challenges + 1, glares=0, now=now
            )
        return self._dialogs.step(dialog, Input.RECV_300_699, occasion, now=now)

    def _success(
        self, entry: ClientInvite, response: Response, occasion: Occasion, *, now: float
    ) -> list[Effect]:
        tag = _to_tag(response)
        match entry.acks.receive(response, tag):
            case Adopt():
                self._no_longer_out(entry)
                learn(entry.dialog, response)
                return self._dialogs.step(entry.dialog, Input.RECV_2XX, occasion, now=now)
            case _:
                return []

    def _reinvite_answered(
        self, entry: ClientInvite, response: Response, *, now: float
    ) -> list[Effect]:
        """Take the answer to a re-INVITE of ours. RFC 3261 section 14.1."""
        if response.is_provisional:
            return []
        self._no_longer_out(entry)
        dialog, transaction = entry.dialog, entry.transaction
        assert transaction is not None
        if response.is_success:
            refresh_target(dialog, response)
            ack = self._request.acknowledge_success(dialog, entry.request)
            entry.acks.acknowledged(_to_tag(response), ack.data)
            return (
                [ack]
                if dialog.is_over
                else [ack, RequestAnswered(dialog.id, transaction, response)]
            )
        if dialog.is_over:
            return []
        proof = self._request.proof(response, entry.request, dialog.credential, entry.challenges)
        if proof:
            return self._request.again(
                entry, proof, challenges=entry.challenges + 1, glares=entry.glares, now=now
            )
        if response.status == 491 and entry.glares < GLARES_MAX:
            self._wait_for_glare(entry, now=now)
            return []
        return self._in_dialog_answered(dialog, transaction, response, now=now)

    def _wait_for_glare(self, entry: ClientInvite, *, now: float) -> None:
        low, high = GLARE_OWNER_S if entry.dialog.is_caller else GLARE_OTHER_S
        steps = round(self._state.tokens.between(low, high) / GLARE_STEP_S)
        wait = GlareWait(entry)
        self._state.waits.add(wait)
        self._state.deadlines.arm(wait, now + steps * GLARE_STEP_S)

    def _invite_lost(self, entry: ClientInvite, *, now: float) -> list[Effect]:
        self._no_longer_out(entry)
        occasion = Occasion(invite=entry, status=408)
        kind = Input.RECV_NOTHING if entry.transaction is None else Input.RECV_408
        return self._dialogs.step(entry.dialog, kind, occasion, now=now)

    def _no_longer_out(self, entry: ClientInvite) -> None:
        state = self._state
        if state.invites_out.get(entry.dialog.id) is entry:
            del state.invites_out[entry.dialog.id]
        for wait in [w for w in state.waits if w.invite is entry]:
            state.stop_waiting(wait)

    def _settle(self, entry: ClientInvite) -> None:
        """Wait on, linger or forget, as the machine says."""
        state, machine = self._state, entry.machine
        match machine.state:
            case InviteState.CALLING | InviteState.PROCEEDING:
                state.deadlines.arm(entry, machine.next_deadline())
            case InviteState.ACCEPTED:
                done = Lingering(entry.key, is_server=False, data=b"", flow=entry.flow)
                done.acks, done.dialog, done.invite = entry.acks, entry.dialog, entry
                entry.data, entry.request = b"", essence_of(entry.request)
                self._linger(entry, done, machine)
            case InviteState.COMPLETED:
                done = Lingering(entry.key, is_server=False, data=entry.data, flow=entry.flow)
                self._linger(entry, done, machine)
            case InviteState.TERMINATED:
                self._forget(entry)

    def _linger(self, entry: ClientInvite, done: Lingering, machine: InviteClient) -> None:
        self._state.deadlines.arm(entry, None)
        self._state.linger(done, machine.next_deadline())

    def _forget(self, entry: ClientInvite) -> None:
        self._no_longer_out(entry)
        self._state.forget_transaction(entry)

    def _other(
        self, entry: ClientRequest, done: list[NonInviteEffect], *, now: float
    ) -> list[Effect]:
        state, effects = self._state, list[Effect]()
        for effect in done:
            match effect:
                case NonInviteResend():
                    effects += state.resend(entry.data, entry.flow)
                case NonInvitePassUp(response=response):
                    if not response.is_provisional:
                        effects += self._answered(entry, response, now=now)
                case _:
                    effects += self._answered(entry, None, now=now)
        if entry.machine.state is NonInviteState.COMPLETED:
            state.deadlines.arm(entry, None)
            done_entry = Lingering(entry.key, is_server=False, data=b"", flow=entry.flow)
            state.linger(done_entry, entry.machine.next_deadline())
        elif entry.machine.state is NonInviteState.TERMINATED:
            state.forget_transaction(entry)
        else:
            state.deadlines.arm(entry, entry.machine.next_deadline())
        return effects

    def _answered(
        self, entry: ClientRequest, response: Response | None, *, now: float
    ) -> list[Effect]:
        """Take the final answer to a request other than INVITE; None: there is none."""
        if entry.request.method == "CANCEL":
            return []
        if response is not None:
            credential = entry.credential
            proof = self._request.proof(response, entry.request, credential, entry.challenges)
            if proof:
                return self._request.with_proof(entry, proof, now=now)
        if entry.dialog is None:
            return [OutOfDialogAnswered(entry.transaction, response)]
        if entry.request.method == "BYE":
            return self._dialogs.step(entry.dialog, Input.BYE_DONE, now=now)
        return self._in_dialog_answered(entry.dialog, entry.transaction, response, now=now)

    def _in_dialog_answered(
        self, dialog: Dialog, transaction: TransactionId, response: Response | None, *, now: float
    ) -> list[Effect]:
        """Only 481, 408 and silence end a dialog; the rest ends the request. RFC 5057."""
        status = response.status if response is not None else 408
        if status in {408, 481}:
            kind = Input.RECV_481 if status == 481 else Input.RECV_408
            return self._dialogs.step(dialog, kind, Occasion(status=status), now=now)
        assert response is not None
        if dialog.is_over:
            return []
        return [RequestAnswered(dialog.id, transaction, response)]


def learn(dialog: Dialog, response: Response) -> None:
    """Take the peer's tag, target and route set from a response. RFC 3261 section 12.1.2."""
    tag = _to_tag(response)
    if not tag:
        return
    dialog.remote = response.headers.get("to") or dialog.remote
    dialog.remote_tag = tag
    refresh_target(dialog, response)
    try:
        routes = tuple(reversed(record_routes(response)))
        for route in routes[:1]:
            parse_sip_uri(route[route.find("<") + 1 :].partition(">")[0])
    except PeerError:
        return
    dialog.route_set = routes


def refresh_target(dialog: Dialog, response: Response) -> None:
    """Take the peer's Contact, if there is one that can be used."""
    try:
        contact = contact_of(response)
        if contact is not None:
            parse_sip_uri(contact.uri)
            dialog.target = contact.uri
    except PeerError:
        return


def _to_tag(response: Response) -> str:
    return tag_of(response.headers.get("to") or "") or ""
