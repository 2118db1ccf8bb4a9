"""A small telephone on our own SIP stack, for the lab, the scene and the tests.

It plays either end: a terminal that registers and dials, or the outside behind a trunk that is
called. Source: RFC 3261 (through `switch.sip`), RFC 3264 (through `switch.sdp`).
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import Final

from switch.clock import Clock
from switch.lab.phone_media import PhoneMedia
from switch.sdp import parser as sdp_parser
from switch.sdp.offer_answer import LocalMedia, RemoteAudio, accept_answer, answer, make_offer
from switch.sdp.session import Direction
from switch.sip.events import (
    AckMissing,
    Answered,
    ByeReceived,
    CancelReceived,
    DialogId,
    DialogLost,
    Event,
    InviteReceived,
    InviteTimedOut,
    OutOfDialogAnswered,
    ProgressReceived,
    Refused,
    RequestAnswered,
    RequestReceived,
    Source,
    SourceKind,
    TransactionId,
)
from switch.sip.local_address import LocalAddresses
from switch.sip.message import Request, Response
from switch.sip.plans import ClientCredential, InvitePlan, RequestPlan
from switch.sip.settings import SipSettings
from switch.sip.sources import KnownSource, SourceBook
from switch.sip.stack import SipStack
from switch.transport.settings import TlsSettings, TransportSettings
from switch.transport.sip_pump import SipPump

SDP_TYPE: Final = (("Content-Type", "application/sdp"),)
CALLS_MAX: Final = 1024
"""Calls that wait to be answered. Chosen: more than any lab places at once."""


class PhoneCall:
    """One call of a telephone, in or out."""

    def __init__(
        self, phone: "LabPhone", dialog: DialogId, media: PhoneMedia, local: LocalMedia
    ) -> None:
        self.dialog = dialog
        self.media = media
        self.invite: Request | None = None
        self.local = local
        self.remote: RemoteAudio | None = None
        self.ringing = asyncio.Event()
        self.answered = asyncio.Event()
        self.ended = asyncio.Event()
        self.status = 0
        """Of the final answer to our INVITE."""
        self.reason = ""
        """The Reason header of whatever ended it."""
        self.answers: list[Response] = []
        """To what we asked inside the dialog."""
        self._phone = phone

    def ring(self) -> None:
        """Send a 180."""
        self._phone.respond(self.dialog, 180)

    def answer(self, *, with_events: bool = True) -> None:
        """Pick up an incoming call.

        Args:
            with_events: take keys as telephone events; else they are heard in the sound only.
        """
        assert self.invite is not None
        offer = sdp_parser.parse(self.invite.body)
        local = self.local
        if not with_events:
            local = LocalMedia(ip=local.ip, port=local.port, event_type=None)
        negotiated = answer(offer, local, session_id=1)
        self.hear_from(negotiated.remote)
        self._phone.respond(self.dialog, 200, body=negotiated.body)
        self.answered.set()

    def refuse(self, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Turn an incoming call down."""
        self._phone.respond(self.dialog, status, headers=headers)
        self.end("")

    def hang_up(self, reason: str = "") -> None:
        """End it, from whatever state; `reason` is the value of a Reason header."""
        self._phone.bye(self.dialog, reason=reason)
        self.end("")

    def info(self, content_type: str, body: bytes) -> None:
        """Send an INFO; its answer goes to `answers`."""
        self._phone.info(self.dialog, content_type, body)

    def hold(self, direction: Direction = Direction.SENDONLY) -> None:
        """Offer to be on hold, or (sendrecv) not any more; the answer goes to `answers`."""
        local = LocalMedia(ip=self.local.ip, port=self.local.port, direction=direction)
        self._phone.reinvite(self.dialog, make_offer(local, version=2))

    def hear_from(self, remote: RemoteAudio) -> None:
        """Let sound flow."""
        self.remote = remote
        self.media.talk_to(remote)

    def end(self, reason: str) -> None:
        """It is over."""
        self.reason = self.reason or reason
        self.media.hush()
        self.ended.set()


class LabPhone:
    """A telephone. Use as `async with LabPhone(…) as phone`.

    Args:
        user: its name at the switch, and digest user.
        password: of the digest; '' if it never registers.
        switch: where the switch listens.
        port: its own SIP port; 0 takes a free one.
        transport: `udp`, `tcp` or `tls`.
        speaks_always: send silence where nothing is said.
        tls: its certificate, and whom it believes; needed by `tls`.
    """

    def __init__(
        self,
        *,
        user: str,
        switch: tuple[str, int],
        clock: Clock,
        random: Random,
        password: str = "",
        ip: str = "127.0.0.1",
        port: int = 0,
        transport: str = "udp",
        speaks_always: bool = True,
        tls: TlsSettings | None = None,
    ) -> None:
        self.ip = ip
        self.user = user
        self.calls: list[PhoneCall] = []
        self.contact = LocalAddresses()
        self._clock = clock
        self._random = random
        self._switch = switch
        self._transport = transport
        self._password = password
        self._speaks_always = speaks_always
        self._group = asyncio.TaskGroup()
        self._waiting: asyncio.Queue[PhoneCall] = asyncio.Queue(CALLS_MAX)
        self._asked: dict[TransactionId, asyncio.Future[Response | None]] = {}
        self._by_dialog: dict[DialogId, PhoneCall] = {}
        known = KnownSource(
            Source(SourceKind.TRUNK, "switch"),
            switch[0],
            port=switch[1] if tls else None,
            calls_per_second_max=1e4,
            certificate_name=switch[0] if tls else "",
        )
        self._stack = SipStack(
            settings=SipSettings(contact_user=user, rate_exempt_networks=(switch[0],)),
            random=random,
            contact=self.contact,
            sources=SourceBook([known]),
            credentials={},
            nonce_secret=random.randbytes(16),
        )
        host = f"[{ip}]" if ":" in ip else ip
        self._pump = SipPump(
            stack=self._stack,
            clock=clock,
            on_event=self._on_event,
            settings=TransportSettings(listen=(f"{transport}:{host}:{port}",), tls=tls),
        )

    async def __aenter__(self) -> "LabPhone":
        """Open its sockets."""
        await self._group.__aenter__()
        await self._pump.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Hang up, close."""
        for call in self.calls:
            if not call.ended.is_set():
                call.hang_up()
            call.media.close()
        await self._pump.close()
        await asyncio.sleep(0)
        self._group.create_task(_fail())
        with suppress(BaseExceptionGroup):
            await self._group.__aexit__(None, None, None)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens for SIP."""
        return self._stack.addresses.flow_to(self._transport, *self._switch).local

    async def register(self, *, expires_s: int = 300) -> Response | None:
        """Register once; return the final answer, None if none came."""
        host = _host(self._switch)
        flow = self._stack.addresses.flow_to(self._transport, *self._switch)
        own = f"sip:{self.user}@{host}"
        contact = self._stack.addresses.contact(flow, self.user)
        plan = RequestPlan(
            uri=f"sip:{host}",
            from_uri=own,
            to_uri=own,
            flow=flow,
            headers=(("Contact", contact), ("Expires", str(expires_s))),
            credential=self._credential(),
        )
        transaction, effects = self._stack.out_of_dialog("REGISTER", plan, now=self._now())
        answered: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        self._asked[transaction] = answered
        self._pump.apply(effects)
        return await answered

    async def call(self, number: str, *, offers: bool = True) -> PhoneCall:
        """Dial; the call that comes back is not answered yet."""
        media = await self._open_media()
        local = self._describe(media)
        host = _host(self._switch)
        plan = InvitePlan(
            uri=f"sip:{number}@{host}",
            from_uri=f"sip:{self.user}@{host}",
            to_uri=f"sip:{number}@{host}",
            flow=self._stack.addresses.flow_to(self._transport, *self._switch),
            body=make_offer(local) if offers else b"",
            headers=SDP_TYPE if offers else (),
            credential=self._credential(),
        )
        dialog, effects = self._stack.invite(plan, now=self._now())
        call = self._take_up(dialog, media, local)
        self._pump.apply(effects)
        return call

    async def incoming(self) -> PhoneCall:
        """Wait for the next call that comes in."""
        return await self._waiting.get()

    # ---- for its calls

    def respond(
        self,
        dialog: DialogId,
        status: int,
        *,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer an INVITE."""
        fields = headers + (SDP_TYPE if body else ())
        effects = self._stack.respond(dialog, status, body=body, headers=fields, now=self._now())
        self._pump.apply(effects)

    def bye(self, dialog: DialogId, *, reason: str = "") -> None:
        """Hang up."""
        self._pump.apply(self._stack.bye(dialog, reason=reason, now=self._now()))

    def info(self, dialog: DialogId, content_type: str, body: bytes) -> None:
        """Send an INFO."""
        _, effects = self._stack.info(dialog, content_type=content_type, body=body, now=self._now())
        self._pump.apply(effects)

    def reinvite(self, dialog: DialogId, body: bytes) -> None:
        """Send a re-INVITE."""
        _, effects = self._stack.reinvite(dialog, body=body, headers=SDP_TYPE, now=self._now())
        self._pump.apply(effects)

    # ---- what comes

    def _on_event(self, event: Event) -> None:
        match event:
            case InviteReceived():
                self._group.create_task(self._invited(event))
            case OutOfDialogAnswered(transaction=transaction, response=response):
                waiting = self._asked.pop(transaction, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(response)
            case _:
                call = self._by_dialog.get(getattr(event, "dialog", DialogId(0)))
                if call is not None:
                    self._tell(call, event)

    async def _invited(self, event: InviteReceived) -> None:
        media = await self._open_media()
        call = self._take_up(event.dialog, media, self._describe(media))
        call.invite = event.request
        self._waiting.put_nowait(call)

    def _tell(self, call: PhoneCall, event: Event) -> None:
        match event:
            case ProgressReceived():
                call.ringing.set()
            case Answered(response=response):
                call.status = response.status
                call.hear_from(accept_answer(call.local, sdp_parser.parse(response.body)))
                call.answered.set()
            case Refused(response=response):
                call.status = response.status
                call.end(response.headers.get("reason") or "")
            case InviteTimedOut():
                call.status = 408
                call.end("")
            case ByeReceived(reason=reason) | CancelReceived(reason=reason):
                call.end(reason)
            case DialogLost() | AckMissing():
                call.end("")
            case RequestAnswered(response=response):
                call.answers.append(response)
            case RequestReceived(transaction=transaction):
                effects = self._stack.respond_to(transaction, 200, now=self._now())
                self._pump.apply(effects)
            case _:
                pass

    def _describe(self, media: PhoneMedia) -> LocalMedia:
        """Say what this telephone does with sound."""
        return LocalMedia(ip=self.ip, port=media.port, event_max=16)

    def _take_up(self, dialog: DialogId, media: PhoneMedia, local: LocalMedia) -> PhoneCall:
        call = PhoneCall(self, dialog, media, local)
        self._by_dialog[dialog] = call
        self.calls.append(call)
        self._group.create_task(self._run_media(call))
        return call

    async def _run_media(self, call: PhoneCall) -> None:
        talking = asyncio.ensure_future(call.media.run())  # noqa: TID251 - ends with the call, two lines down
        try:
            await call.ended.wait()
        finally:
            talking.cancel()
            call.media.close()

    async def _open_media(self) -> PhoneMedia:
        media = PhoneMedia(self._random, speaks_always=self._speaks_always)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: media, local_addr=(self.ip, 0))
        return media

    def _credential(self) -> ClientCredential | None:
        return ClientCredential(self.user, self._password) if self._password else None

    def _now(self) -> float:
        return self._clock.monotonic()


class PhoneGoneError(Exception):
    """Ends the tasks of a telephone that was put away."""


async def _fail() -> None:
    raise PhoneGoneError


def _host(address: tuple[str, int]) -> str:
    ip, port = address
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
