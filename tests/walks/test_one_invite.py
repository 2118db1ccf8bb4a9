"""The path of one INVITE, from a terminal's gateway to the trunk, through the real rooms.

The media plane is a list of what it was told; everything else is what serves.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from switch.billing.meter import MeterBook
from switch.call.settings import ScriptSettings
from switch.call.switchboard.board import Switchboard
from switch.call.switchboard.dialogs import DialogBook
from switch.call.switchboard.recordings import RecordingDesk
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.trunks import TrunkDesk
from switch.clock import SystemClock
from switch.ids import CallIds
from switch.media.plane_counts import PlaneRoom
from switch.media.ports import RtpPort
from switch.outside.line_information import LineBook
from switch.recording.settings import RecordingSettings
from switch.routing.number import E164
from switch.screening.register import RegisterEntry
from switch.sip.binding import BindingBook
from switch.sip.events import Event, Flow
from switch.sip.local_address import LocalAddresses
from switch.sip.settings import SipSettings
from switch.sip.sources import SourceBook
from switch.sip.stack import SipStack
from switch.store.meter_file import file_meters
from switch.store.record_store import RecordStore
from switch.transport.resolver import Resolver
from switch.transport.settings import TransportSettings
from switch.transport.sip_pump import SipPump
from switch.transport.udp import UdpSocket
from tests.support.house_rig import lab_seed, open_house
from tests.support.walk import walk

THE_WALK = [
    "switch.transport.sip_pump",
    "switch.sip.stack",
    "switch.sip.parser",
    "switch.sip.invite_server",
    "switch.call.switchboard.board",
    "switch.call.switchboard.admission",
    "switch.sdp.offer_answer",
    "switch.call.script",
    "switch.call.switchboard.people",
    "switch.call.switchboard.money",
    "switch.call.switchboard.dialling",
    "switch.call.switchboard.driver",
    "switch.screening.order",
    "switch.routing.plan",
    "switch.billing.meter",
    "switch.sip.invite_client",
]
"""Bytes; the transaction; which line, and its sound; the parts of its call are made; then its own
task: may it, is there room on a trunk, who pays, the INVITE. Each where it is first entered."""

INVITE = (
    "INVITE sip:15550000042@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:15060;branch=z9hG4bKwalk;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:gateway@127.0.0.1:15060>;tag=f\r\n"
    "To: <sip:15550000042@127.0.0.1>\r\n"
    "Call-ID: walk\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:gateway@127.0.0.1:15060>\r\n"
    "Content-Type: application/sdp\r\nContent-Length: 122\r\n\r\n"
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
)


class PlaneOfLists:
    """Takes what a media plane takes, and does nothing."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open_leg(self, leg: int, **_: Any) -> RtpPort:
        return RtpPort(ip="127.0.0.1", port=20_000 + 2 * (leg % 2))

    def room(self) -> PlaneRoom:
        return PlaneRoom(ports_left=100, ports=100, places_left=100, places=100)

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.told.append(name)


class NoNews:
    """A Publisher for nobody."""

    def publish_nowait(self, news: object) -> None:
        """Take it."""


@asynccontextmanager
async def switchboard(folder: Path) -> AsyncIterator[tuple[SipPump, Switchboard]]:
    clock, random = SystemClock(), Random(4)
    boards: list[Switchboard] = []

    def hear(event: Event) -> None:
        boards[0].on_sip(event)

    async with open_house(folder, clock, seed=lab_seed("bench")) as (store, houses):
        await houses.reload()
        stack = SipStack(
            settings=SipSettings(rate_exempt_networks=("127.0.0.0/8",)),
            random=random,
            contact=LocalAddresses(),
            sources=SourceBook(),
            credentials={},
            nonce_secret=b"a secret of a test, 32 bytes long",
        )
        pump = SipPump(
            stack=stack,
            clock=clock,
            on_event=hear,
            settings=TransportSettings(listen=("udp:127.0.0.1:0",)),
        )
        meters = file_meters(store)
        epoch = await meters.begin_epoch("walk", "boot")
        rooms = Rooms(
            clock=clock,
            stack=stack,
            pump=pump,
            plane=PlaneOfLists(),  # type: ignore[arg-type]  # a plane for the eyes only
            store=store,
            meters=meters,
            book=MeterBook(node="walk", epoch=epoch),
            publisher=NoNews(),
            lines=LineBook(store, clock, ()),
            houses=houses,
            recordings=RecordingDesk(
                RecordingSettings(), store=store, clock=clock, data=folder, publisher=NoNews()
            ),
            resolver=Resolver(clock=clock),
            terminal_networks=(),
            reserved_calls=1,
            random=random,
            ids=CallIds(random),
            script=ScriptSettings(),
            data=folder,
            node="walk",
            version="test",
            credentials={},
        )
        async with asyncio.TaskGroup() as group:
            dialogs = DialogBook()
            board = Switchboard(
                rooms,
                group=group,
                dialogs=dialogs,
                trunks=TrunkDesk(rooms, dialogs),
                bindings=BindingBook(),
            )
            boards.append(board)
            await pump.start()
            await board.house_changed()
            yield pump, board
            board.end_all()
            await board.idle.wait()
        await pump.close()


def first_entries(path: list[str]) -> Iterator[str]:
    """Return each station of the walk where it is first entered."""
    seen: set[str] = set()
    for module in path:
        if module in THE_WALK and module not in seen:
            seen.add(module)
            yield module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draining", "reason", "cause"), [(True, "maintenance", 41), (False, "capacity", 34)]
)
async def test_a_flood_that_is_turned_away_is_answered_counted_and_kept_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draining: bool, reason: str, cause: int
) -> None:
    flood, kept = 20, 8
    monkeypatch.setattr("switch.call.switchboard.turned_away.WAITING_MAX", kept)
    monkeypatch.setattr("switch.call.switchboard.capacity.CALLS_MAX", 0)
    sent: list[str] = []
    async with switchboard(tmp_path) as (pump, board):
        board.draining = draining
        monkeypatch.setattr(UdpSocket, "send", lambda _, data, __: sent.append(data.decode()))
        local = tuple(pump.bound[0].removeprefix("udp:").rsplit(":", 1))
        flow = Flow("udp", (local[0], int(local[1])), ("127.0.0.1", 15060))
        for n in range(flood):
            one = INVITE.replace("Call-ID: walk", f"Call-ID: {n}").replace("4bKwalk", f"4bK{n}")
            pump._feed(one.encode(), flow)
        assert not board.calls
        assert board.turned_away.counts == {reason: flood}
        assert board.turned_away.unwritten == flood - kept
        async with asyncio.timeout(10):
            while len(records := await RecordStore(board._rooms.store).find_all()) < kept:
                await asyncio.sleep(0.01)
    refusals = {text for text in sent if text.startswith("SIP/2.0 503")}  # each once, if resent
    assert len(refusals) == flood
    assert all("\r\nRetry-After: " in text for text in refusals)
    assert all(f'Q.850;cause={cause};text="{reason}"' in text for text in refusals)
    assert {(r.reason, r.phase, r.charge) for r in records} == {(reason, "off_hook", 0)}
    assert all(r.terminal for r in records)


@pytest.mark.slow
async def test_the_path_of_one_invite(tmp_path: Path) -> None:
    async with switchboard(tmp_path) as (pump, board):
        local = tuple(pump.bound[0].removeprefix("udp:").rsplit(":", 1))
        flow = Flow("udp", (local[0], int(local[1])), ("127.0.0.1", 15060))
        with walk() as path:
            pump._feed(INVITE.encode(), flow)
            async with asyncio.timeout(10):
                while not board._rooms.stack.counts().requests.get("out:INVITE"):
                    await asyncio.sleep(0.01)
    assert list(first_entries(path)) == THE_WALK


@pytest.mark.slow
async def test_above_the_limit_an_attorney_is_still_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switch.call.switchboard.capacity.CALLS_MAX", 0)
    async with switchboard(tmp_path) as (pump, board):
        entry = RegisterEntry(
            seq=0, action="add", number=E164("+15550000042"), by=("legal",), at=1.0
        )
        await board._rooms.houses.register.add(entry)
        monkeypatch.setattr(UdpSocket, "send", lambda *_: None)
        local = tuple(pump.bound[0].removeprefix("udp:").rsplit(":", 1))
        flow = Flow("udp", (local[0], int(local[1])), ("127.0.0.1", 15060))
        other = INVITE.replace("15550000042", "15550000043").replace("alk", "aIk")
        for one in (other, INVITE):
            pump._feed(one.encode(), flow)
        assert len(board.calls) == 1
        assert board.turned_away.counts == {"capacity": 1}
