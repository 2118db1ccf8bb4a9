"""How our requests leave: INVITE, its ACK and CANCEL, requests inside and outside a dialog.

Source: RFC 3261 sections 8.1.1, 9.1, 12.2.1, 13.2 and 22.2; RFC 7616 (challenges).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from switch.errors import PeerError
from switch.sip.compose import ALLOW, ack_of_refusal, cancel_of
from switch.sip.dialog import Dialog, State
from switch.sip.digest import answer_challenge, is_stale
from switch.sip.events import Effect, Flow, SendBytes, TransactionId
from switch.sip.headers import CSEQ_MAX
from switch.sip.invite_client import InviteClient
from switch.sip.message import Headers, Request, Response
from switch.sip.non_invite_client import NonInviteClient
from switch.sip.plans import ClientCredential, InvitePlan, RequestPlan
from switch.sip.stack_state import StackState, with_content_type
from switch.sip.timers import CANCEL_S
from switch.sip.transactions import CancelWait, ClientInvite, ClientRequest, client_key

CHALLENGES_MAX: Final = 2
"""One answer, and one more if the first nonce was stale. `signalling.md` section 5."""

PROOFS: Final = frozenset({"Authorization", "Proxy-Authorization"})
"""The headers that carry our credentials, as we write them."""

Fields = Sequence[tuple[str, str]]


class StackRequest:
    """Sends requests.

    Args:
        state: shared tables.
    """

    def __init__(self, *, state: StackState) -> None:
        self._state = state

    def invite(self, plan: InvitePlan, *, now: float) -> tuple[Dialog, list[Effect]]:
        """Send the INVITE that may make a dialog."""
        state = self._state
        tag = state.tokens.tag()
        display = f'"{_plain(plan.from_display)}" ' if plan.from_display else ""
        dialog = Dialog(
            id=state.new_dialog_id(),
            state=State.CALLING,
            call_id=state.tokens.call_id(),
            local=f"{display}<{plan.from_uri}>;tag={tag}",
            local_tag=tag,
            remote=f"<{plan.to_uri}>",
            remote_tag="",
            target=plan.uri,
            flow=plan.flow,
            is_caller=True,
            credential=plan.credential,
        )
        state.add_dialog(dialog)
        effects = self._send_invite(dialog, plan.flow, plan.headers, plan.body, now=now)[1]
        return dialog, effects

    def reinvite(
        self,
        dialog: Dialog,
        headers: Fields,
        body: bytes,
        *,
        now: float,
    ) -> tuple[TransactionId, list[Effect]]:
        """Send an INVITE inside a dialog."""
        transaction = self._state.new_transaction_id()
        flow = self._state.flow_of(dialog)
        _, effects = self._send_invite(
            dialog, flow, headers, body, transaction=transaction, now=now
        )
        return transaction, effects

    def again(
        self,
        old: ClientInvite,
        extra: Fields = (),
        *,
        challenges: int,
        glares: int,
        now: float,
    ) -> list[Effect]:
        """Send an INVITE anew: next CSeq, another branch, the same place."""
        kept = _body_headers(old.request)
        entry, effects = self._send_invite(
            old.dialog,
            old.flow,
            [*kept, *extra],
            old.request.body,
            transaction=old.transaction,
            now=now,
        )
        entry.challenges, entry.glares = challenges, glares
        entry.any_response, entry.reason = True, old.reason
        return effects

    def _send_invite(
        self,
        dialog: Dialog,
        flow: Flow,
        headers: Fields,
        body: bytes,
        *,
        transaction: TransactionId | None = None,
        now: float,
    ) -> tuple[ClientInvite, list[Effect]]:
        state = self._state
        branch = state.tokens.branch()
        own = [state.contact(flow), ("Allow", ALLOW)]
        request = dialog.request(
            "INVITE",
            dialog.next_cseq(),
            state.via(flow, branch),
            with_content_type([*own, *headers], body),
            body,
        )
        sent = state.send(request, flow)
        entry = ClientInvite(
            key=client_key(branch, "INVITE"),
            machine=InviteClient(reliable=flow.transport != "udp", now=now),
            request=request,
            data=sent.data,
            flow=flow,
            dialog=dialog,
            transaction=transaction,
        )
        state.clients[entry.key] = entry
        state.invites_out[dialog.id] = entry
        state.deadlines.arm(entry, entry.machine.next_deadline())
        return entry, [sent]

    def acknowledge_refusal(self, entry: ClientInvite, response: Response) -> SendBytes:
        """Send the ACK of a refusal; the same bytes answer its repeats."""
        sent = self._state.send(ack_of_refusal(entry.request, response), entry.flow)
        entry.data = sent.data
        return sent

    def acknowledge_success(self, dialog: Dialog, invite: Request) -> SendBytes:
        """Send the ACK of a 2xx, a request of its own. RFC 3261 section 13.2.2.4."""
        state = self._state
        flow = state.flow_of(dialog)
        proofs = [field for field in invite.headers if field[0] in PROOFS]
        via = state.via(flow, state.tokens.branch())
        return state.send(dialog.request("ACK", _cseq_of(invite), via, proofs), flow)

    def cancel(self, entry: ClientInvite, *, now: float) -> list[Effect]:
        """Send the CANCEL of an INVITE that was answered provisionally."""
        state = self._state
        request = cancel_of(entry.request, entry.reason)
        effects = self._open(request, entry.flow, None, credential=None, now=now)
        wait = CancelWait(entry)
        state.waits.add(wait)
        state.deadlines.arm(wait, now + CANCEL_S)
        return effects[1]

    def in_dialog(
        self,
        dialog: Dialog,
        method: str,
        headers: Fields = (),
        body: bytes = b"",
        *,
        now: float,
    ) -> tuple[TransactionId, list[Effect]]:
        """Send a request other than INVITE inside a dialog."""
        state = self._state
        flow = state.flow_of(dialog)
        via = state.via(flow, state.tokens.branch())
        request = dialog.request(method, dialog.next_cseq(), via, headers, body)
        entry, effects = self._open(request, flow, dialog, credential=dialog.credential, now=now)
        return entry.transaction, effects

    def out_of_dialog(
        self, method: str, plan: RequestPlan, *, now: float
    ) -> tuple[TransactionId, list[Effect]]:
        """Send an OPTIONS or REGISTER."""
        state, flow = self._state, plan.flow
        own = [] if Headers(plan.headers).get("contact") else [state.contact(flow)]
        fields = [
            ("Via", state.via(flow, state.tokens.branch())),
            ("Max-Forwards", "70"),
            ("From", f"<{plan.from_uri}>;tag={plan.from_tag or state.tokens.tag()}"),
            ("To", f"<{plan.to_uri}>"),
            ("Call-ID", plan.call_id or state.tokens.call_id()),
            ("CSeq", f"{plan.cseq} {method}"),
            *own,
            *plan.headers,
        ]
        request = Request(method, plan.uri, Headers(tuple(fields)), plan.body)
        entry, effects = self._open(request, flow, None, credential=plan.credential, now=now)
        return entry.transaction, effects

    def with_proof(self, entry: ClientRequest, proof: Fields, *, now: float) -> list[Effect]:
        """Send a challenged request again: next CSeq, another branch, our credentials."""
        state, old = self._state, entry.request
        if entry.dialog is not None:
            number = entry.dialog.next_cseq()
        else:
            number = min(_cseq_of(old) + 1, CSEQ_MAX)
        via = state.via(entry.flow, state.tokens.branch())
        fields: list[tuple[str, str]] = []
        for name, value in old.headers:
            if name == "Via":
                fields.append((name, via))
            elif name == "CSeq":
                fields.append((name, f"{number} {old.method}"))
            elif name not in PROOFS:
                fields.append((name, value))
        request = replace(old, headers=Headers((*fields, *proof)))
        again, effects = self._open(
            request, entry.flow, entry.dialog, credential=entry.credential, now=now
        )
        again.transaction, again.challenges = entry.transaction, entry.challenges + 1
        return effects

    def proof(
        self, response: Response, request: Request, credential: ClientCredential | None, tries: int
    ) -> Fields:
        """Answer a 401 or 407; () if we cannot, or did so before. RFC 3261 section 22.2."""
        if response.status not in {401, 407} or credential is None or tries >= CHALLENGES_MAX:
            return ()
        asked, answer = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        challenges = response.headers.every(asked)
        if tries and not any(is_stale(challenge) for challenge in challenges):
            return ()
        try:
            value = answer_challenge(
                challenges,
                method=request.method,
                uri=request.uri,
                user=credential.user,
                password=credential.password,
                cnonce=self._state.tokens.cnonce(),
            )
        except PeerError:
            return ()
        return [(answer, value)]

    def _open(
        self,
        request: Request,
        flow: Flow,
        dialog: Dialog | None,
        *,
        credential: ClientCredential | None,
        now: float,
    ) -> tuple[ClientRequest, list[Effect]]:
        state = self._state
        sent = state.send(request, flow)
        via = request.headers.get("via") or ""
        branch = via.partition(";branch=")[2].partition(";")[0]
        entry = ClientRequest(
            key=client_key(branch, request.method),
            machine=NonInviteClient(reliable=flow.transport != "udp", now=now),
            request=request,
            data=sent.data,
            flow=flow,
            dialog=dialog,
            transaction=state.new_transaction_id(),
            credential=credential,
        )
        state.clients[entry.key] = entry
        state.deadlines.arm(entry, entry.machine.next_deadline())
        return entry, [sent]


def essence_of(invite: Request) -> Request:
    """Keep of an answered INVITE only what the ACK of another fork needs."""
    kept = tuple(field for field in invite.headers if field[0] in {"CSeq", *PROOFS})
    return Request("INVITE", invite.uri, Headers(kept))


def _cseq_of(request: Request) -> int:
    return int((request.headers.get("cseq") or "1").split()[0])


_OURS: Final = frozenset({
    "via", "route", "max-forwards", "from", "to", "call-id", "cseq", "contact", "allow",
    "authorization", "proxy-authorization",
})  # fmt: skip
"""What `_send_invite` writes itself."""


def _body_headers(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.headers if name.lower() not in _OURS]


def _plain(display: str) -> str:
    """Make a display name plain: ASCII, at most 40, no quotes. `signalling.md` section 5."""
    return "".join(c for c in display if " " <= c <= "~" and c not in '"\\')[:40]
