"""The b-leg: one trunk after the other, until one answers, refuses for good, or none is left."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from switch.call import effects as fx
from switch.call.cause import NORMAL_CLEARING, fails_over
from switch.call.leg import Leg, LegEffect, SendBye, SendCancel, SendInvite, State
from switch.call.script import Script
from switch.call.signals import Answer, Fail, Release, Ring, Side, Signal
from switch.call.switchboard.called_session import CalledSession
from switch.call.switchboard.caller import CallerLeg
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.secrecy import new_keys
from switch.call.switchboard.trunks import TrunkDesk
from switch.errors import PeerError
from switch.ids import CallId, TrunkId, leg_id
from switch.media.ports import PortsExhausted
from switch.routing.call_class import SPARED, Privileged
from switch.routing.plan import Route
from switch.screening.permit import Permit
from switch.sdp.crypto import Srtp
from switch.sdp.offer_answer import Law, LocalMedia, RemoteAudio
from switch.sip.events import (
    AckMissing,
    Answered,
    ByeReceived,
    DialogId,
    DialogLost,
    Event,
    InviteTimedOut,
    ProgressReceived,
    Refused,
    RequestReceived,
)
from switch.sip.headers import reason_q850
from switch.sip.message import Response
from switch.sip.plans import InvitePlan

TRY_S: Final = 4.0
"""How long a trunk may stay silent if another one is left. signalling.md section 3, `try`."""

NO_SUCH_MEDIA: Final = frozenset({415, 488, 606})
"""Refusals of what we offered, not of the call. RFC 3261 sections 21.4.13, 21.4.26, 21.6.4."""


class Dialling:
    """The wire of the outgoing side: does what the table of its leg says, trunk after trunk.

    Args:
        leg: where it stands; its dialog is that of the trunk tried last.
        caller: whose law is offered first.
    """

    def __init__(
        self,
        rooms: Rooms,
        call: CallId,
        *,
        leg: Leg,
        caller: CallerLeg,
        script: Script,
        keeper: RecordKeeper,
        trunks: TrunkDesk,
    ) -> None:
        self.post: Callable[[Callable[[float], list[fx.Effect]]], None] = _nobody
        """Hands a step to the call's driver, who sets this."""
        self.leg = leg
        self.dialog: DialogId | None = None
        self.status = 0
        self.q850: int | None = None
        self._rooms = rooms
        self._caller = caller
        self._leg = leg_id(call, is_b=True)
        self._script = script
        self._keeper = keeper
        self._trunks = trunks
        self._permit: Permit | None = None
        self._session = CalledSession(keeper, dialled=None)
        self._routes: list[Route] = []
        self._route: Route | None = None
        self._plain: LocalMedia | None = None
        self._local: LocalMedia | None = None
        """What the present trunk was offered."""
        self._clear_only: set[TrunkId] = set()
        """Trunks that refused SRTP in this call, and may be asked in the clear."""
        self._try_until: float | None = None
        self._heard = False
        self.from_uri = ""
        self.to_uri = ""
        self._has_tried = False
        self.sip_call_id = ""

    # ---- what the call wants

    def perform(self, effect: LegEffect, permit: Permit | None, *, now: float) -> list[fx.Effect]:
        """Say to the trunk what the leg wants said."""
        match effect:
            case SendInvite():
                assert permit is not None
                return self._start(permit, now=now)
            case SendCancel() | SendBye():
                self._release(now)
            case _:
                pass
        return []

    def stop_watching(self) -> None:
        """What the trunk says of forwarding and on-hold is not read any more."""
        self._session.stop_watching()

    def forget(self) -> None:
        """Nobody listens to this dialog any more."""
        self._trunks.dialogs.forget(self.dialog)

    def _start(self, permit: Permit, *, now: float) -> list[fx.Effect]:
        """Open the port and send the first INVITE."""
        self._permit = permit
        self._routes = self._trunks.routes(permit.number, now=now)
        if not self._routes:
            return self._fail(Fail(0), now)
        law = _law(self._caller)
        try:
            port = self._rooms.plane.open_leg(
                self._leg, family=self._trunks.family(self._routes[0].trunk), law=law
            )
        except PortsExhausted:
            return self._fail(Fail(503, 34), now)
        laws: tuple[Law, ...] = ("PCMU", "PCMA") if law == "PCMU" else ("PCMA", "PCMU")
        self._plain = LocalMedia(ip=port.ip, port=port.port, laws=laws)
        privileged = isinstance(permit.audibility, Privileged)
        self._session = CalledSession(self._keeper, dialled=None if privileged else permit.number)
        self._keeper.dialled(now)
        return self._next_route(Fail(0), now)

    def next_deadline(self) -> float | None:
        """When a silent trunk is given up for the next one."""
        return self._try_until

    def handle_timers(self, *, now: float) -> list[fx.Effect]:
        """Give up a trunk that said nothing at all."""
        if self._try_until is None or self._try_until > now:
            return []
        self._try_until = None
        if self._heard or self.leg.state is not State.TRYING:
            return []
        for _cancel in self.leg.give_up():
            self._release(now)
        self.leg.dial()
        return self._next_route(Fail(0), now)

    # ---- what the trunk says

    def on_sip(self, event: Event) -> None:
        """Take an event of the b-leg's dialog."""
        self.post(lambda now: self._take(event, now))

    def _take(self, event: Event, now: float) -> list[fx.Effect]:
        if self.dialog is None or getattr(event, "dialog", None) != self.dialog:
            return []
        match event:
            case ProgressReceived():
                return self._progress(event, now)
            case Answered():
                return self._answered(event, now)
            case Refused(response=response):
                cause = reason_q850(response.headers.get("reason") or "")
                return self._refused(response, cause, now)
            case InviteTimedOut():
                return self._refused(None, None, now)
            case RequestReceived():
                return self._asked(event, now)
            case ByeReceived(reason=reason):
                return self._gone(reason_q850(reason) or 16, now)
            case DialogLost() | AckMissing():
                return self._gone(38, now)
            case _:
                return []

    def _progress(self, event: ProgressReceived, now: float) -> list[fx.Effect]:
        self._heard = True
        self._try_until = None
        evidence = self._session.heard(event.response, now)
        if event.response.status not in {180, 183}:
            return evidence
        if self.leg.received(Ring()):
            self._keeper.rang(now, self._rooms.clock.wall())
            return around(self._signal(Ring(), now), evidence)
        return evidence

    def _answered(self, event: Answered, now: float) -> list[fx.Effect]:
        self._try_until = None
        told = self.leg.received(Answer())
        if self.leg.state is not State.ANSWERED:
            # It crossed our CANCEL.
            return [e for effect in told for e in self.perform(effect, None, now=now)]
        if not told:
            return []
        self.status = 200
        try:
            remote = self._session.answered(event.response.body)
        except PeerError:
            for _bye in self.leg.release():
                self._release(now)
            return self._signal(Fail(488, 88), now)
        self._heard_from(remote)
        self._keeper.answered(now, self._rooms.clock.wall(), remote)
        return around(self._signal(Answer(), now), self._session.heard(event.response, now))

    def _heard_from(self, remote: RemoteAudio) -> None:
        networks = self._trunks.media_networks(self._route.trunk) if self._route else ()
        self._rooms.plane.set_remote(self._leg, remote, networks=networks)

    def _asked(self, event: RequestReceived, now: float) -> list[fx.Effect]:
        """Answer a request inside the dialog: a refresh, on-hold, another identity."""
        (status, body), remote, evidence = self._session.asked(event, now)
        headers = (("Content-Type", "application/sdp"),) if body else ()
        answer = self._rooms.stack.respond_to(
            event.transaction, status, body=body, headers=headers, now=now
        )
        self._rooms.pump.apply(answer)
        if remote is not None:
            self._heard_from(remote)
        return evidence

    def _refused(self, response: Response | None, q850: int | None, now: float) -> list[fx.Effect]:
        """Take a refusal; None is our own time-out, which says 0."""
        self._try_until = None
        again = self._in_the_clear(response)
        self._give_back(response, now)
        fail = Fail(response.status if response is not None else 0, q850)
        if not self.leg.received(fail):
            return []
        heard = self._session.heard(response, now) if response is not None else []
        if again is not None and self.leg.state is State.IDLE:
            self.leg.dial()
            self._routes.insert(0, again)
            return self._next_route(fail, now)
        if self.leg.state is State.IDLE and fails_over(fail.status, q850):
            self.leg.dial()
            return heard + self._next_route(fail, now)
        return heard + self._failed(fail, now)

    def _in_the_clear(self, response: Response | None) -> Route | None:
        """Return the present route if it may be tried again without the SRTP that it refused."""
        route, local = self._route, self._local
        if route is None or local is None or response is None or not local.is_secret:
            return None
        if response.status not in NO_SUCH_MEDIA or local.srtp is Srtp.REQUIRED:
            return None
        self._clear_only.add(route.trunk)
        return route

    def _gone(self, q850: int, now: float) -> list[fx.Effect]:
        self.q850 = q850
        self._give_back(None, now)
        told = self.leg.received(Release(q850))
        return self._signal(Release(q850), now) if told else []

    # ---- trunks

    def _next_route(self, last: Fail, now: float) -> list[fx.Effect]:
        """Try the next trunk that has a channel; with none left the last failure counts."""
        assert self._permit is not None
        number, is_spared = self._permit.number, self._permit.call_class in SPARED
        while self._routes and self._trunks.has_room(number, is_spared=is_spared, now=now):
            route = self._routes.pop(0)
            if self._trunks.take(route.trunk):
                self._trunks.failovers += self._has_tried
                self._has_tried = True
                self._invite(route, now)
                return []
        return self._fail(last, now)

    def _invite(self, route: Route, now: float) -> None:
        assert self._plain is not None
        flow = self._trunks.flow(route.trunk)
        srtp = Srtp.OFF if route.trunk in self._clear_only else self._trunks.srtp(route.trunk)
        self._local = replace(self._plain, srtp=srtp, keys=new_keys(self._rooms, flow, srtp))
        self._route = route
        self._heard = False
        self._try_until = now + TRY_S if self._routes else None
        plan = InvitePlan(
            uri=route.uri,
            from_uri=route.from_uri,
            from_display="",
            to_uri=route.uri,
            flow=flow,
            body=self._session.offer(self._local),
            headers=(("Content-Type", "application/sdp"), *route.headers),
            credential=self._trunks.credential(route.trunk),
        )
        dialog, effects = self._rooms.stack.invite(plan, now=now)
        self.from_uri, self.to_uri = route.from_uri, route.uri
        record = self._rooms.stack.dialog_record(dialog)
        self.sip_call_id = record.call_id if record is not None else ""
        self._keeper.tried(route.trunk, now, self._rooms.clock.wall())
        self._trunks.dialogs.forget(self.dialog)
        self.dialog = dialog
        self._trunks.dialogs.bind(dialog, self.on_sip)
        self._rooms.pump.apply(effects)

    def _give_back(self, response: Response | None, now: float) -> None:
        """Give the channel back, once."""
        if self._route is None:
            return
        trunk: TrunkId = self._route.trunk
        self._route = None
        if response is not None:
            self.status = response.status
        self._trunks.give_back(trunk, response=response, now=now)

    def _release(self, now: float) -> None:
        """End the dialog: the stack sends the BYE or the CANCEL that its own state wants.

        The carrier is not told why: always cause 16.
        """
        self._try_until = None
        if self.dialog is None:
            return
        self.q850 = NORMAL_CLEARING
        self._rooms.pump.apply(self._rooms.stack.bye(self.dialog, now=now))
        self._give_back(None, now)

    def _fail(self, fail: Fail, now: float) -> list[fx.Effect]:
        """No trunk is left, or the called party was reached and cannot; unless we gave up first."""
        return self._failed(fail, now) if self.leg.received(fail) else []

    def _failed(self, fail: Fail, now: float) -> list[fx.Effect]:
        self.status = fail.status
        self.q850 = fail.q850
        return self._signal(fail, now)

    def _signal(self, signal: Signal, now: float) -> list[fx.Effect]:
        return self._script.signal(Side.B, signal, now=now)


def around(deeds: list[fx.Effect], evidence: list[fx.Effect]) -> list[fx.Effect]:
    """Lay evidence around what must be done: notes before it, what asks the store after it."""
    slow = [e for e in evidence if isinstance(e, fx.ScreenTarget)]
    return [*(e for e in evidence if e not in slow), *deeds, *slow]


def _nobody(_step: Callable[[float], list[fx.Effect]]) -> None:
    """Take what comes before there is a driver: nothing can."""


def _law(caller: CallerLeg) -> Law:
    """What the terminal speaks: offered first, so that nothing has to be converted."""
    media = caller.media
    return media.remote.law if media is not None and media.remote is not None else "PCMU"
