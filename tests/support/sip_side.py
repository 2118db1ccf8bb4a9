"""A SIP stack on real sockets, for tests: it keeps what it saw, answers and hangs up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from switch.clock import SystemClock
from switch.sip.events import Answered, Event, InviteReceived
from switch.sip.local_address import LocalAddresses
from switch.sip.plans import InvitePlan
from switch.sip.settings import SipSettings
from switch.sip.sources import SourceBook
from switch.sip.stack import SipStack
from switch.transport.settings import TransportSettings, parse_listener
from switch.transport.sip_pump import SipPump
from tests.support.memory_wire import trunk
from tests.vectors import messages

CLOCK = SystemClock()
SETTINGS = SipSettings(rate_exempt_networks=("127.0.0.0/8", "::1/128"))


class Side:
    """One stack with its sockets, and what it saw."""

    def __init__(
        self, listen: str, seed: int, *, known: bool = True, folder: Path = Path(), **more: object
    ) -> None:
        rows = [trunk("127.0.0.0/8"), trunk("::1")] if known else []
        self.stack = SipStack(
            settings=SETTINGS,
            random=Random(seed),
            contact=LocalAddresses(),
            sources=SourceBook(rows),
            credentials={},
            nonce_secret=b"0123456789abcdef",
        )
        self.events: list[Event] = []
        self.pump = SipPump(
            stack=self.stack,
            clock=CLOCK,
            on_event=self._on_event,
            settings=TransportSettings(listen=(listen,), **more),  # type: ignore[arg-type]
            folder=folder,
        )
        self.on_event: Callable[[Event], None] = lambda event: None

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    @property
    def address(self) -> tuple[str, int]:
        listener = parse_listener(self.pump.bound[0])
        return listener.host, listener.port

    def answer(self, event: Event) -> None:
        if isinstance(event, InviteReceived):
            now = CLOCK.monotonic()
            self.pump.apply(self.stack.respond(event.dialog, 180, now=now))
            self.pump.apply(self.stack.respond(event.dialog, 200, body=messages.SDP, now=now))

    def hang_up(self, event: Event) -> None:
        if isinstance(event, Answered):
            self.pump.apply(self.stack.bye(event.dialog, now=CLOCK.monotonic()))

    def call(self, transport: str, peer: tuple[str, int]) -> None:
        host, port = peer
        name = f"[{host}]" if ":" in host else host
        flow = self.stack.addresses.flow_to(transport, host, port)
        invite = InvitePlan(
            uri=f"sip:1@{name}:{port}", from_uri="sip:2@x", to_uri="sip:1@x", flow=flow,
            body=messages.SDP,
        )  # fmt: skip
        self.pump.apply(self.stack.invite(invite, now=CLOCK.monotonic())[1])

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@asynccontextmanager
async def opened(*sides: Side) -> AsyncIterator[None]:
    for side in sides:
        await side.pump.start()
    try:
        yield
    finally:
        for side in sides:
            await side.pump.close()


async def until(done: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(0.01)
