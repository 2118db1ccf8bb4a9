"""What the terminal says inside its dialog: hang-up, keys, flashes, holds, refreshes."""

from typing import TYPE_CHECKING

from switch.call import effects as fx
from switch.call.hookflash import KNOWN_TYPES, flash_form, key_of, media_type
from switch.call.signals import Release, Side
from switch.call.switchboard.rooms import Rooms
from switch.errors import PeerError
from switch.sdp import parser as sdp_parser
from switch.sdp.offer_answer import Hold, accept_answer, answer
from switch.sip.events import (
    AckMissing,
    AckReceived,
    ByeReceived,
    CancelReceived,
    DialogLost,
    Event,
    RefusedByUs,
    RequestReceived,
)
from switch.sip.headers import reason_q850

if TYPE_CHECKING:
    from switch.call.switchboard.driver import CallDriver


class CallerDialog:
    """Listens to the a-leg's dialog for one call."""

    def __init__(self, rooms: Rooms, driver: "CallDriver") -> None:
        self._rooms = rooms
        self._driver = driver

    def on_sip(self, event: Event) -> None:
        """Take an event of the dialog."""
        match event:
            case ByeReceived(reason=reason) | CancelReceived(reason=reason):
                self._gone(reason_q850(reason) or 16)
            case AckMissing() | DialogLost():
                self._gone(27)
            case AckReceived(body=body):
                self._acknowledged(body)
            case RequestReceived():
                self._asked(event)
            case RefusedByUs(what=what):
                self._flash(what)
            case _:
                pass

    def _gone(self, q850: int) -> None:
        driver = self._driver
        driver.caller.over(q850)
        if driver.caller.leg.received(Release(q850)):
            self._tell(q850)

    def _tell(self, q850: int) -> None:
        script = self._driver.script
        self._driver.post(lambda now: script.signal(Side.A, Release(q850), now=now))

    def _acknowledged(self, body: bytes) -> None:
        """A late offer is answered in the ACK; without an answer the call ends."""
        media = self._driver.caller.media
        if media is None or media.remote is not None:
            return
        try:
            self._driver.caller.heard_from(accept_answer(media.local, sdp_parser.parse(body)))
        except PeerError:
            caller = self._driver.caller
            for effect in caller.leg.release(88, "no_answer_to_offer"):
                caller.perform(effect, now=self._now())
            self._tell(88)

    def _asked(self, event: RequestReceived) -> None:
        match event.request.method:
            case "INFO":
                self._info(event)
            case "INVITE":
                self._offered(event)
            case _:
                self._respond(event, 200)

    def _info(self, event: RequestReceived) -> None:
        request = event.request
        content_type = request.headers.get("content-type") or ""
        if content_type and media_type(content_type) not in KNOWN_TYPES:
            self._respond(event, 469)
            return
        self._respond(event, 200)
        form = flash_form(content_type, request.body)
        key = key_of(content_type, request.body)
        if form is not None:
            self._flash(str(form))
        elif key is not None:
            pressed = key
            self._driver.post(lambda now: self._driver.key(Side.A, pressed, now))

    def _offered(self, event: RequestReceived) -> None:
        """A re-INVITE: a refresh is answered as before, on-hold is refused, the media stay."""
        media = self._driver.caller.media
        assert media is not None
        if not event.request.body:
            self._respond(event, 200, media.body)
            return
        try:
            offer = sdp_parser.parse(event.request.body)
            negotiated = answer(offer, media.local, session_id=media.session_id)
        except PeerError as error:
            self._respond(event, error.status)
            return
        if negotiated.remote.hold is not Hold.NONE:
            self._respond(event, 488)
            self._flash("6")
            return
        self._respond(event, 200, negotiated.body)
        self._driver.caller.heard_from(negotiated.remote)

    def _flash(self, form: str) -> None:
        driver = self._driver

        def step(now: float) -> list[fx.Effect]:
            return driver.script.flash(Side.A, form, now=now)

        driver.post(step)

    def _respond(self, event: RequestReceived, status: int, body: bytes = b"") -> None:
        headers = (("Content-Type", "application/sdp"),) if body else ()
        effects = self._rooms.stack.respond_to(
            event.transaction, status, body=body, headers=headers, now=self._now()
        )
        self._rooms.pump.apply(effects)

    def _now(self) -> float:
        return self._rooms.clock.monotonic()
