"""Packets that are not from a leg's far end, on real sockets: counted, and nothing changes.

One plane with one worker; a plain leg, one behind a NAT, one with SRTP; IPv4 and IPv6.
"""

import asyncio
import ipaddress
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from switch.clock import SystemClock
from switch.ids import CallId, LegId, leg_id
from switch.media.messages import LegReport, MediaEvent
from switch.media.plane import MediaPlane
from switch.media.settings import MediaSettings
from switch.rtp import packet, rtcp
from switch.rtp.packet import RtpPacket
from switch.rtp.srtp_suite import OFFERED, MasterKey, Suite, secret_bytes
from switch.sdp.crypto import LegKeys
from switch.sdp.offer_answer import RemoteAudio
from tests.support.softphone import far_end
from tests.support.srtp_far_end import SrtpFarEnd

pytestmark = pytest.mark.live

CALL = CallId(7)
A, B = leg_id(CALL, is_b=False), leg_id(CALL, is_b=True)
CLOCK = SystemClock()
SOUND, NOISE = bytes(range(160)), b"\xee" * 160
SETTLE_S = 0.3
REPORT_S_MAX = 5.0


class Telephone:
    """Two sockets and, if wanted, a cipher.

    Args:
        ip: where.
        keys: of SRTP, as the switch has them.
    """

    def __init__(self, ip: str = "127.0.0.1", keys: LegKeys | None = None) -> None:
        self.ip = ip
        self.keys = keys
        self.cipher = SrtpFarEnd(sends=keys.theirs, hears=keys.ours) if keys else None
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        while True:
            self.rtp, self.rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
            self.rtp.bind((ip, 0))
            self.port = int(self.rtp.getsockname()[1])
            try:
                self.rtcp.bind((ip, self.port + 1))
            except OSError:
                self.close()
                continue
            break
        self.sequence = 1000

    def remote(self) -> RemoteAudio:
        return replace(far_end(self.port), ip=self.ip, keys=self.keys)

    def packet(self, payload: bytes = SOUND, *, ssrc: int = 7) -> bytes:
        """Return the next packet, under the key if there is one."""
        self.sequence += 1
        stamp = 160 * self.sequence
        data = packet.build(RtpPacket(0, self.sequence & 0xFFFF, stamp, ssrc, payload))
        return self.cipher.protect(data) if self.cipher else data

    def heard(self) -> list[bytes]:
        """Return the sound that has come, out of the key if there is one."""
        found = []
        while select.select([self.rtp], [], [], 0)[0]:
            data: bytes | None = self.rtp.recv(2048)
            assert data is not None
            data = self.cipher.unprotect(data) if self.cipher else data
            assert data is not None, "it does not open with our key"
            parsed = packet.parse(data)
            assert parsed is not None
            found.append(parsed.payload)
        return found

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class Scene:
    """One joined call between two telephones."""

    def __init__(self, plane: MediaPlane, events: list[MediaEvent]) -> None:
        self.plane = plane
        self.events = events
        self.ports: dict[LegId, tuple[str, int]] = {}
        self.phones: dict[LegId, Telephone] = {}

    def open(self, leg: LegId, phone: Telephone, *, nat: bool = False) -> None:
        family = "ip6" if ":" in phone.ip else "ip4"
        port = self.plane.open_leg(leg, family=family, law="PCMU")  # type: ignore[arg-type]
        self.ports[leg] = (port.ip, port.port)
        self.phones[leg] = phone
        self.plane.set_remote(leg, phone.remote(), nat_ip=phone.ip if nat else "")

    async def join(self) -> None:
        now = CLOCK.monotonic()
        self.plane.join(CALL, paid_until=now + 60.0, mute_digits=False, now=now)
        await asyncio.sleep(SETTLE_S)

    def throw(self, leg: LegId, data: bytes, *, sender: socket.socket | None = None) -> None:
        """Send a datagram to a leg's port."""
        (sender or self.phones[leg].rtp).sendto(data, self.ports[leg])

    async def say(self, leg: LegId, count: int = 5, payload: bytes = SOUND) -> None:
        for _ in range(count):
            self.throw(leg, self.phones[leg].packet(payload))
            await asyncio.sleep(0.005)
        await asyncio.sleep(SETTLE_S)

    async def report(self, leg: LegId) -> LegReport:
        """Return what the worker says of a leg from now on."""
        now = CLOCK.monotonic()
        async with asyncio.timeout(REPORT_S_MAX):
            while True:
                for event in self.events:
                    if isinstance(event, LegReport) and event.leg == leg and event.at > now:
                        return event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def scene_of(data: Path) -> AsyncIterator[Scene]:
    events: list[MediaEvent] = []
    settings = MediaSettings(
        address="127.0.0.1", address_ip6="::1", port_min=24_000, port_max=24_098, workers=1,
        legs_max=16, orphan_s=2.0,
    )  # fmt: skip
    plane = MediaPlane(
        settings=settings, clock=CLOCK, data=data, on_event=events.append, random=Random(1)
    )
    await plane.start()
    scene = Scene(plane, events)
    try:
        yield scene
    finally:
        for leg, phone in scene.phones.items():
            plane.close_leg(leg)
            phone.close()
        await plane.close()


def keys(suite: Suite, seed: int = 0) -> LegKeys:
    random = Random(seed)
    ours, theirs = (MasterKey(suite, random.randbytes(secret_bytes(suite))) for _ in range(2))
    return LegKeys(ours=ours, theirs=theirs)


@pytest.mark.parametrize("suite", OFFERED)
async def test_sound_and_reports_pass_under_a_key_both_ways(tmp_path: Path, suite: Suite) -> None:
    async with scene_of(tmp_path) as scene:
        a, b = Telephone(keys=keys(suite, 1)), Telephone(keys=keys(suite, 2))
        scene.open(A, a)
        scene.open(B, b)
        await scene.join()
        await scene.say(A)
        await scene.say(B, payload=SOUND[::-1])
        assert b.heard() == [SOUND] * 5
        assert a.heard() == [SOUND[::-1]] * 5
        a.rtcp.settimeout(6.0)
        compound = await asyncio.to_thread(a.rtcp.recv, 1500)
        assert a.cipher is not None
        clear = a.cipher.unprotect_rtcp(compound)
        assert clear is not None
        (report,) = [one for one in rtcp.parse(clear) if isinstance(one, rtcp.Report)]
        assert report.blocks[0].ssrc == 7


async def test_forged_and_replayed_packets_are_counted_and_change_nothing(tmp_path: Path) -> None:
    async with scene_of(tmp_path) as scene:
        a, b = Telephone(keys=keys(OFFERED[0])), Telephone()
        scene.open(A, a)
        scene.open(B, b)
        await scene.join()
        await scene.say(A)
        before = await scene.report(A)
        good = a.packet()
        forged = bytearray(good)
        forged[40] ^= 1
        clear = packet.build(RtpPacket(0, 2000, 320_000, 7, NOISE))
        for data in (bytes(forged), clear, b"", b"\x80", good[:11], bytes(3000)):
            scene.throw(A, data)
        scene.throw(A, good)
        scene.throw(A, good)
        await asyncio.sleep(SETTLE_S)
        after = await scene.report(A)
        assert b.heard() == [SOUND] * 6
        assert after.packets_received == before.packets_received + 1
        assert after.packets_lost == after.source_changes == 0
        assert after.dropped == {
            "not_authentic": 2, "replayed": 1, "too_short": 3, "bad_version": 1,
        }  # fmt: skip
        await scene.say(A)
        assert b.heard() == [SOUND] * 5


@pytest.mark.parametrize("kind", ["plain", "nat", "srtp"])
@pytest.mark.parametrize("ip", ["127.0.0.1", "::1"])
async def test_a_stranger_is_counted_and_changes_nothing(
    tmp_path: Path, kind: str, ip: str
) -> None:
    async with scene_of(tmp_path) as scene:
        a = Telephone(ip, keys=keys(OFFERED[0]) if kind == "srtp" else None)
        b = Telephone()
        scene.open(A, a, nat=kind == "nat")
        scene.open(B, b)
        await scene.join()
        await scene.say(A, count=8)
        assert b.heard() == [SOUND] * 8
        before = await scene.report(A)
        stranger = Telephone("127.0.0.2" if ip == "127.0.0.1" else ip)
        try:
            for _ in range(20):
                scene.throw(A, stranger.packet(NOISE, ssrc=666), sender=stranger.rtp)
                await asyncio.sleep(0.005)
            scene.throw(A, a.packet(NOISE), sender=stranger.rtp)
            await asyncio.sleep(SETTLE_S)
            await scene.say(B)
            after = await scene.report(A)
            assert b.heard() == []
            assert stranger.heard() == []
            assert a.heard() == [SOUND] * 5
        finally:
            stranger.close()
        assert after.dropped == {"not_our_source": 21}
        assert after.packets_received == before.packets_received
        assert after.source_changes == 0
        assert (after.jitter_ms, after.last_packet_at) == (before.jitter_ms, before.last_packet_at)


async def test_ip4_talks_with_ip6(tmp_path: Path) -> None:
    async with scene_of(tmp_path) as scene:
        a, b = Telephone("127.0.0.1"), Telephone("::1", keys=keys(OFFERED[1]))
        scene.open(A, a)
        scene.open(B, b)
        assert ipaddress.ip_address(scene.ports[B][0]).version == 6
        await scene.join()
        await scene.say(A)
        await scene.say(B, payload=SOUND[::-1])
        assert (b.heard(), a.heard()) == ([SOUND] * 5, [SOUND[::-1]] * 5)
