"""The a-leg: the terminal that called. Its answer is ready before the script begins."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from switch.call.switchboard.rooms import Rooms
from switch.ids import LegId
from switch.screening.reasons import DENY_STATUS, DenyReason
from switch.sdp.offer_answer import LocalMedia, RemoteAudio
from switch.sip.events import DialogId, InviteReceived
from switch.sip.headers import build_reason


class CallerState(Enum):
    """How far the a-leg is."""

    OFFERED = auto()
    ANSWERED = auto()
    OVER = auto()


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
    """The side that called us."""

    def __init__(
        self, rooms: Rooms, invite: InviteReceived, media: CallerMedia | None, *, nat: bool = False
    ) -> None:
        self.dialog: DialogId = invite.dialog
        self.invite = invite
        self.media = media
        self.state = CallerState.OFFERED
        self.status = 0
        self.q850: int | None = None
        self._nat = nat
        self._rooms = rooms

    def answer(self, *, now: float) -> None:
        """Send the 200 and let sound flow between the terminal and us."""
        if self.state is not CallerState.OFFERED or self.media is None:
            return
        self.state = CallerState.ANSWERED
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

    def heard_from(self, remote: RemoteAudio) -> None:
        """Take up where the terminal's sound comes from and goes to."""
        if self.media is not None:
            self.media = replace(self.media, remote=remote)
            nat_ip = self.invite.flow.peer[0] if self._nat else ""
            self._rooms.plane.set_remote(self.media.leg, remote, nat_ip=nat_ip)

    def refuse(self, reason: DenyReason, *, now: float) -> None:
        """Refuse by status, unspoken."""
        answer = DENY_STATUS[reason]
        self._end_unanswered(answer.sip, answer.q850, reason.value, now=now)

    def hang_up(self, q850: int, text: str, *, now: float) -> None:
        """Release the leg, whatever its state; the terminal is told why."""
        if self.state is CallerState.OFFERED:
            self._end_unanswered(480, q850, text, now=now)
        elif self.state is CallerState.ANSWERED:
            self._over(q850)
            effects = self._rooms.stack.bye(self.dialog, reason=build_reason(q850, text), now=now)
            self._rooms.pump.apply(effects)

    def gone(self, q850: int) -> None:
        """The terminal released the leg itself."""
        self._over(q850)

    def _end_unanswered(self, status: int, q850: int, text: str, *, now: float) -> None:
        if self.state is not CallerState.OFFERED:
            return
        self._over(q850)
        self.status = status
        headers = [("Reason", build_reason(q850, text))]
        if status == 503:
            headers.append(("Retry-After", str(self._rooms.random.randint(5, 15))))
        self._rooms.pump.apply(
            self._rooms.stack.respond(self.dialog, status, headers=headers, now=now)
        )

    def _over(self, q850: int) -> None:
        if self.state is not CallerState.OVER:
            self.state = CallerState.OVER
            self.q850 = q850
