"""The a-leg: the terminal that called. Its answer is ready before the script begins."""

from dataclasses import dataclass, replace

from switch.call.leg import Leg, LegEffect, SendAnswer, SendBye, SendRefusal
from switch.call.switchboard.retry_after import retry_after_header
from switch.call.switchboard.rooms import Rooms
from switch.ids import LegId
from switch.sdp.offer_answer import LocalMedia, RemoteAudio
from switch.sip.events import DialogId, InviteReceived
from switch.sip.headers import build_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMedia:
    """Both ends of the a-leg's audio."""

    leg: LegId
    local: LocalMedia
    remote: RemoteAudio | None
    """None: the INVITE had no offer; ours goes with the 200, the answer comes with the ACK."""
    body: bytes
    """What the 200 carries."""
    session_id: int


class CallerLeg:
    """The wire of the side that called us: does what the table of its leg says.

    Args:
        leg: where it stands.
        media: None where it is refused unspoken.
        nat: take its sound from the address that its SIP comes from.
    """

    def __init__(
        self,
        rooms: Rooms,
        invite: InviteReceived,
        media: CallerMedia | None,
        *,
        leg: Leg,
        nat: bool = False,
    ) -> None:
        self.dialog: DialogId = invite.dialog
        self.from_uri = invite.request.headers.get("from") or ""
        self.to_uri = invite.request.uri
        self.sip_call_id = invite.request.headers.get("call-id") or ""
        self._came_from = invite.flow.peer[0]
        self.media = media
        self.leg = leg
        self.status = 0
        self.q850: int | None = None
        self._nat = nat
        self._rooms = rooms

    def perform(self, effect: LegEffect, *, now: float) -> None:
        """Say to the terminal what the leg wants said."""
        match effect:
            case SendAnswer():
                self._answer(now=now)
            case SendRefusal(status=status, q850=q850, text=text):
                self._refuse(status, q850, text, now=now)
            case SendBye(q850=q850, text=text):
                self.over(q850)
                reason = build_reason(q850, text)
                self._rooms.pump.apply(self._rooms.stack.bye(self.dialog, reason=reason, now=now))
            case _:
                pass

    def heard_from(self, remote: RemoteAudio) -> None:
        """Take up where the terminal's sound comes from and goes to."""
        if self.media is not None:
            self.media = replace(self.media, remote=remote)
            nat_ip = self._came_from if self._nat else ""
            self._rooms.plane.set_remote(self.media.leg, remote, nat_ip=nat_ip)

    def over(self, q850: int) -> None:
        """Note the cause of the leg's end; the first one counts."""
        if self.q850 is None:
            self.q850 = q850

    def _answer(self, *, now: float) -> None:
        """Send the 200 and let sound flow between the terminal and us."""
        assert self.media is not None, "what has no sound is refused unspoken"
        self.status = 200
        if self.media.remote is not None:
            self.heard_from(self.media.remote)
        effects = self._rooms.stack.respond(
            self.dialog,
            200,
            body=self.media.body,
            headers=(("Content-Type", "application/sdp"),),
            now=now,
        )
        self._rooms.pump.apply(effects)

    def _refuse(self, status: int, q850: int, text: str, *, now: float) -> None:
        self.over(q850)
        self.status = status
        headers = [("Reason", build_reason(q850, text))]
        if status == 503:
            headers.append(retry_after_header(self._rooms.random))
        self._rooms.pump.apply(
            self._rooms.stack.respond(self.dialog, status, headers=headers, now=now)
        )
