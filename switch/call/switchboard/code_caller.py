"""Calls telephones on our own trunks to speak codes: a landline takes no short message.

It is no call of a person in custody: no terminal, no meter, no record, no recording. A few at once,
one try for each code, on the channels that are left over; the limits of codes are kept before.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from switch.call.cause import fails_over
from switch.call.code_call import CodeCall, CodeDeed, CodeInput, CodeState, spoken_code
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.secrecy import new_keys
from switch.call.switchboard.trunks import TrunkDesk
from switch.errors import PeerError
from switch.ids import CallId, LegId, TrunkId, call_of, leg_id
from switch.media.messages import CallsLost, MediaEvent, PlayEnded
from switch.media.ports import PortsExhausted
from switch.routing.number import E164
from switch.routing.plan import Route
from switch.sdp import parser as sdp_parser
from switch.sdp.exchange import Exchange
from switch.sdp.offer_answer import LocalMedia
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

AT_ONCE_MAX: Final = 4
"""Codes that are spoken at once. Chosen: each takes a channel for half a minute."""

RING_S_MAX: Final = 40.0
"""How long a telephone may ring. Chosen: some seconds below the usual voice mail at 45 s."""

SPEAK_S_MAX: Final = 60.0
"""Chosen: the sentences take 25 s; above it no worker plays them."""

TRY_S: Final = 4.0
"""How long a trunk may say nothing at all if another one is left. signalling.md section 3."""

PLAY: Final = 1
SESSION_ID: Final = 1

log = logging.getLogger(__name__)


class CodeCaller:
    """Speaks codes.

    Args:
        rooms: the neighbours.
        trunks: which are up, and how full.
        is_open: whether calls are placed now: not while the switch drains.
    """

    def __init__(self, rooms: Rooms, trunks: TrunkDesk, *, is_open: Callable[[], bool]) -> None:
        self._rooms = rooms
        self._trunks = trunks
        self._is_open = is_open
        self._calls: dict[CallId, _OneCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    async def speak(self, number: str, code: str, *, language: str) -> bool:
        """Call a number, say the code twice, hang up; return whether all of it was heard."""
        if len(self._calls) >= AT_ONCE_MAX or not self._is_open():
            return False
        rooms = self._rooms
        routes = self._trunks.routes(E164(number), now=rooms.clock.monotonic())
        if not routes:
            return False
        call = rooms.ids.take(wall=rooms.clock.wall())
        one = _OneCall(rooms, self._trunks, call, routes=routes, number=E164(number))
        self._calls[call] = one
        try:
            return await one.run(code, language)
        finally:
            one.close()
            self._calls.pop(call, None)

    def on_media(self, event: MediaEvent) -> None:
        """Take a worker's report about one of ours."""
        match event:
            case PlayEnded(leg=leg):
                one = self._calls.get(call_of(leg))
                if one is not None:
                    one.post(CodeInput.SPOKEN if event.completed else CodeInput.OVER)
            case CallsLost(calls=calls):
                for call in calls:
                    if call in self._calls:
                        self._calls[call].post(CodeInput.LATE)
            case _:
                pass


class _OneCall:
    """The wire of one call: does what the table says."""

    def __init__(
        self,
        rooms: Rooms,
        trunks: TrunkDesk,
        call: CallId,
        *,
        routes: list[Route],
        number: E164,
    ) -> None:
        self._rooms = rooms
        self._trunks = trunks
        # The b-leg: a worker hears no key in its sound without a permit, and there is none.
        self._leg: LegId = leg_id(call, is_b=True)
        self._number = number
        self._routes = routes
        self._table = CodeCall()
        self._inbox: asyncio.Queue[CodeInput] = asyncio.Queue()
        self._dialog: DialogId | None = None
        self._trunk: TrunkId | None = None
        self._media: LocalMedia | None = None
        self._exchange = Exchange(SESSION_ID)
        self._rang = asyncio.Event()

    def post(self, happened: CodeInput) -> None:
        """Hand an input on; it is taken in order."""
        self._inbox.put_nowait(happened)

    async def run(self, code: str, language: str) -> bool:
        """Live until it is done; return whether all of it was heard."""
        if not self._open():
            return False
        self._dial()
        while self._table.state is not CodeState.DONE:
            happened = await self._next()
            match self._table.take(happened):
                case CodeDeed.DIAL:
                    self._dial()
                case CodeDeed.SPEAK:
                    missing = self._rooms.plane.play(
                        self._leg, spoken_code(code), language=language, play=PLAY
                    )
                    if missing:
                        log.warning("%d sound files of a spoken code are missing", len(missing))
                case CodeDeed.RELEASE:
                    self._release()
                case CodeDeed.NOTHING:
                    pass
        return self._table.is_heard

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        self._release()
        self._rooms.plane.close_leg(self._leg)

    async def _next(self) -> CodeInput:
        """Wait for what happens; a trunk that is silent gives way to the next one."""
        dialling = self._table.state is CodeState.DIALLING
        seconds = RING_S_MAX if dialling else SPEAK_S_MAX
        has_more = dialling and bool(self._routes) and not self._rang.is_set()
        try:
            async with asyncio.timeout(TRY_S if has_more else seconds):
                return await self._inbox.get()
        except TimeoutError:
            if has_more and not self._rang.is_set():
                self._release()
                return CodeInput.FAILED_OVER
            return CodeInput.LATE

    # ---- out

    def _open(self) -> bool:
        family = self._trunks.family(self._routes[0].trunk)
        try:
            port = self._rooms.plane.open_leg(self._leg, family=family, law="PCMU")
        except PortsExhausted:
            return False
        self._media = LocalMedia(ip=port.ip, port=port.port, event_type=None)
        return True

    def _dial(self) -> None:
        """Try the next trunk that has a channel to spare."""
        now = self._rooms.clock.monotonic()
        while self._routes and self._trunks.has_room(self._number, is_spared=False, now=now):
            route = self._routes.pop(0)
            if self._trunks.take(route.trunk):
                self._trunk = route.trunk
                self._invite(route, now)
                return
        self.post(CodeInput.OVER)

    def _invite(self, route: Route, now: float) -> None:
        assert self._media is not None
        flow, srtp = self._trunks.flow(route.trunk), self._trunks.srtp(route.trunk)
        self._rang.clear()
        self._exchange = Exchange(SESSION_ID)
        local = replace(self._media, srtp=srtp, keys=new_keys(self._rooms, flow, srtp))
        plan = InvitePlan(
            uri=route.uri,
            from_uri=route.from_uri,
            to_uri=route.uri,
            flow=flow,
            body=self._exchange.offer(local),
            headers=(("Content-Type", "application/sdp"), *route.headers),
            credential=self._trunks.credential(route.trunk),
        )
        self._dialog, effects = self._rooms.stack.invite(plan, now=now)
        self._trunks.dialogs.bind(self._dialog, self._on_sip)
        self._rooms.pump.apply(effects)

    def _release(self) -> None:
        """End the dialog with what its own state wants, CANCEL or BYE; give the channel back."""
        now = self._rooms.clock.monotonic()
        if self._dialog is not None:
            self._rooms.pump.apply(self._rooms.stack.bye(self._dialog, now=now))
            self._trunks.dialogs.forget(self._dialog)
        self._gone(None)

    def _gone(self, response: Response | None) -> None:
        now = self._rooms.clock.monotonic()
        self._dialog = None
        if self._trunk is not None:
            self._trunks.give_back(self._trunk, response=response, now=now)
            self._trunk = None

    # ---- in

    def _on_sip(self, event: Event) -> None:
        if self._dialog is None or getattr(event, "dialog", None) != self._dialog:
            return
        match event:
            case ProgressReceived():
                self._rang.set()
            case Answered(response=response):
                self._answered(response)
            case Refused(response=response):
                q850 = reason_q850(response.headers.get("reason") or "")
                self._refused(response, may_go_on=fails_over(response.status, q850))
            case InviteTimedOut():
                self._refused(None, may_go_on=True)
            case RequestReceived():
                self._asked(event)
            case ByeReceived() | DialogLost() | AckMissing():
                self._gone(None)
                self.post(CodeInput.OVER)
            case _:
                pass

    def _answered(self, response: Response) -> None:
        try:
            remote = self._exchange.receive_answer(sdp_parser.parse(response.body))
        except PeerError:
            self.post(CodeInput.LATE)
            return
        networks = self._trunks.media_networks(self._trunk) if self._trunk is not None else ()
        self._rooms.plane.set_remote(self._leg, remote, networks=networks)
        self.post(CodeInput.ANSWERED)

    def _refused(self, response: Response | None, *, may_go_on: bool) -> None:
        self._trunks.dialogs.forget(self._dialog)
        self._gone(response)
        self.post(CodeInput.FAILED_OVER if may_go_on and self._routes else CodeInput.OVER)

    def _asked(self, event: RequestReceived) -> None:
        """Answer a request inside the dialog: a refresh, or another address of theirs."""
        request, status, body = event.request, 200, b""
        if request.method == "INVITE" and not request.body:
            body = self._exchange.current
        elif request.method in {"INVITE", "UPDATE"} and request.body:
            try:
                assert self._media is not None
                found = self._exchange.receive_offer(sdp_parser.parse(request.body), self._media)
            except PeerError as error:
                status = error.status
            else:
                body = found.body
                self._rooms.plane.set_remote(self._leg, found.remote)
        headers = (("Content-Type", "application/sdp"),) if body else ()
        answer = self._rooms.stack.respond_to(
            event.transaction,
            status,
            body=body,
            headers=headers,
            now=self._rooms.clock.monotonic(),
        )
        self._rooms.pump.apply(answer)
