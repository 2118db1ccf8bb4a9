"""The media plane end to end: real workers, real sockets, two telephones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from switch.clock import SystemClock
from switch.ids import CallId, LegId, leg_id
from switch.media.messages import (
    CallEnded,
    DigitHeard,
    LegReport,
    MediaEvent,
    PlayEnded,
    Recorded,
)
from switch.media.phrase import Tone
from switch.media.plane import MediaPlane
from switch.media.plane_counts import PlaneCounts
from switch.media.settings import MediaSettings
from switch.routing.call_class import Inspectable, Privileged
from switch.rtp.telephone_event import build_press
from tests.support.softphone import Softphone

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.live

CALL = CallId(7)
A, B = leg_id(CALL, is_b=False), leg_id(CALL, is_b=True)
CLOCK = SystemClock()
PORTS = iter(range(26_000, 29_900, 100))


class Rig:
    """One plane with one worker, one call, a telephone at each end."""

    def __init__(self, data: Path, *, orphan_s: float = 2.0, spares: int = 0) -> None:
        first = next(PORTS)
        self.events: list[MediaEvent] = []
        self.settings = MediaSettings(
            address="127.0.0.1",
            port_min=first,
            port_max=first + 98,
            workers=1,
            workers_spare=spares,
            spare_after_s=0,
            legs_max=64,
            orphan_s=orphan_s,
            port_rest_s=0.0,
        )
        self.data = data
        self.plane = self.make_plane()
        self.a, self.b = Softphone(ssrc=7), Softphone(ssrc=9)
        self.a_port = self.b_port = 0
        self.processes: list[subprocess.Popen[bytes]] = []

    def make_plane(self) -> MediaPlane:
        return MediaPlane(
            settings=self.settings,
            clock=CLOCK,
            data=self.data,
            on_event=self.events.append,
            random=Random(1),
        )

    def open(self) -> None:
        self.a_port = self.plane.open_leg(A, family="ip4", law="PCMU").port
        self.b_port = self.plane.open_leg(B, family="ip4", law="PCMU").port
        self.plane.set_remote(A, self.a.far_end())
        self.plane.set_remote(B, self.b.far_end())

    def join(self, *, paid_s: float = 60.0, mute_digits: bool = False) -> float:
        now = CLOCK.monotonic()
        self.plane.join(CALL, paid_until=now + paid_s, mute_digits=mute_digits, now=now)
        return now

    async def talk(self, seconds: float, payload: bytes = b"\x11" * 160) -> None:
        """Let both telephones send for a while, 50 packets a second."""
        begin = CLOCK.monotonic()
        for n in range(round(seconds * 50)):
            self.a.say(payload, self.a_port)
            self.b.say(payload, self.b_port)
            await asyncio.sleep(max(0.0, begin + 0.02 * (n + 1) - CLOCK.monotonic()))
            self.a.listen()
            self.b.listen()

    def found(self, kind: type[MediaEvent]) -> list[MediaEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], object], within_s: float = 3.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.005)

    async def spare_is_ready(self) -> None:
        """Wait for the worker that would go on for one that dies."""
        links = self.plane._lines._links
        await self.until(lambda: all(link.welcome for link in links), within_s=20.0)

    def die(self) -> None:
        """Let control vanish as by kill -9: nobody is told, its sockets are closed."""
        for link in self.plane._lines._links:
            if link.process is not None:
                self.processes.append(link.process)
            self.plane._lines._forget(link)
        for leg in list(self.plane._legs):
            self.plane._forget(leg)

    def close(self) -> None:
        self.plane.close_leg(A)
        self.plane.close_leg(B)


@asynccontextmanager
async def rig_of(data: Path, *, orphan_s: float = 2.0, spares: int = 0) -> AsyncIterator[Rig]:
    rig = Rig(data, orphan_s=orphan_s, spares=spares)
    assert await rig.plane.start() == []
    try:
        yield rig
    finally:
        rig.close()
        await rig.plane.close()
        for process in rig.processes:
            process.wait(timeout=5.0)
        rig.a.close()
        rig.b.close()


def test_sound_passes_both_ways_from_the_bridge_to_its_end_and_not_a_byte_before(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            await rig.talk(0.2, b"\x22" * 160)
            assert rig.a.received == rig.b.received == []
            rig.join()
            await asyncio.sleep(0.05)
            await rig.talk(0.5)
            await asyncio.sleep(0.05)
            for phone in (rig.a, rig.b):
                phone.listen()
                assert len(phone.received) == 25
                assert {one.payload for one in phone.received} == {b"\x11" * 160}
                first = phone.received[0].sequence
                assert [(one.sequence - first) & 0xFFFF for one in phone.received] == [*range(25)]
            rig.close()
            await rig.until(lambda: rig.plane.counts() == PlaneCounts(0, 0, 0, 0, 1))
            closed = [one for one in rig.found(LegReport) if one.closed]  # type: ignore[union-attr]
            assert [(one.leg, one.packets_received) for one in closed] == [(A, 35), (B, 35)]  # type: ignore[union-attr]
            assert [one.dropped for one in closed] == [{"not_joined": 10}] * 2  # type: ignore[union-attr]

    asyncio.run(scene())


def test_the_worker_ends_the_call_at_the_paid_moment(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            begin = rig.join(paid_s=0.5)
            await rig.talk(0.7)
            ended = rig.found(CallEnded)
            assert ended == [CallEnded(CALL, begin + 0.5, True, ended[0].last_both_heard_at)]  # type: ignore[union-attr]
            assert 0 <= begin + 0.5 - ended[0].last_both_heard_at < 0.05  # type: ignore[union-attr]
            for phone in (rig.a, rig.b):
                assert 22 <= len(phone.received) <= 26

    asyncio.run(scene())


def test_more_money_moves_the_end_and_less_brings_it_near(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            begin = rig.join(paid_s=0.2)
            rig.plane.paid_until(CALL, begin + 30)
            await rig.talk(0.4)
            assert rig.found(CallEnded) == []
            rig.plane.paid_until(CALL, begin + 0.5)
            await rig.until(lambda: rig.found(CallEnded))
            assert rig.found(CallEnded)[0].ended_at == begin + 0.5  # type: ignore[union-attr]

    asyncio.run(scene())


def test_a_call_ends_by_itself_while_control_is_dead_and_is_handed_to_the_next_one(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            begin = rig.join(paid_s=0.4)
            await asyncio.sleep(0.05)
            rig.die()
            await rig.talk(0.6)
            assert 14 <= len(rig.a.received) <= 20
            assert rig.found(CallEnded) == []
            rig.plane = rig.make_plane()
            (survivor,) = await rig.plane.start()
            assert (survivor.call, survivor.legs) == (CALL, (A, B))
            assert survivor.bridged_at == begin
            assert survivor.ended_at == survivor.paid_until == begin + 0.4
            assert rig.plane.counts().ports == 2
            rig.close()
            await rig.until(lambda: rig.plane.counts().legs == 0)

    asyncio.run(scene())


def test_a_live_call_goes_on_under_a_new_control(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            rig.join()
            await rig.talk(0.1)
            rig.die()
            rig.plane = rig.make_plane()
            (survivor,) = await rig.plane.start()
            assert survivor.ended_at is None
            await rig.talk(0.2)
            assert len(rig.a.received) >= 14
            rig.plane.part(CALL)
            await rig.until(lambda: rig.found(CallEnded))

    asyncio.run(scene())


def test_a_worker_that_nobody_needs_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path, orphan_s=1.0) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            rig.die()
            await rig.until(lambda: rig.processes[0].poll() is not None, within_s=4.0)

    asyncio.run(scene())


def test_a_prompt_is_heard_whole_and_its_end_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            sound = bytes(n % 127 for n in range(160 * 10))
            (tmp_path / "hello.ulaw").write_bytes(sound)
            rig.open()
            rig.plane.play_files(A, [tmp_path / "hello.ulaw"], play=3)
            await rig.until(lambda: rig.found(PlayEnded))
            await asyncio.sleep(0.02)
            assert b"".join(one.payload for one in rig.a.listen()) == sound
            ended = rig.found(PlayEnded)[0]
            assert (ended.play, ended.completed, ended.played_s) == (3, True, 0.2)  # type: ignore[union-attr]
            assert rig.b.listen() == []

    asyncio.run(scene())


def test_a_prompt_over_the_talk_replaces_nothing_but_lowers_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            (tmp_path / "quiet.ulaw").write_bytes(b"\xff" * 160 * 20)
            rig.open()
            await asyncio.sleep(0.05)
            rig.join()
            await asyncio.sleep(0.05)
            loud = b"\x90" * 160
            await rig.talk(0.1, loud)
            rig.plane.play_files(B, [tmp_path / "quiet.ulaw"], play=1)
            await rig.talk(0.6, loud)
            payloads = [one.payload for one in rig.b.received]
            assert payloads[0] == payloads[-1] == loud
            ducked = [one for one in payloads if set(one) not in ({0x90}, {0xFF})]
            assert len(ducked) >= 17
            assert {one.payload for one in rig.a.received} == {loud}
            first = rig.b.received[0].sequence
            numbers = [(one.sequence - first) & 0xFFFF for one in rig.b.received]
            assert numbers == list(range(len(numbers)))

    asyncio.run(scene())


def test_the_ring_tone_plays_until_it_is_stopped(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            rig.plane.tone(A, Tone.RINGBACK)
            await asyncio.sleep(0.3)
            rig.plane.stop(A)
            await asyncio.sleep(0.05)
            count = len(rig.a.listen())
            assert 12 <= count <= 18
            await asyncio.sleep(0.1)
            assert rig.a.listen() == []

    asyncio.run(scene())


def test_a_key_is_heard_once_and_relayed_only_where_it_may(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            await asyncio.sleep(0.05)
            for one in build_press("5", duration_ms=60):
                rig.a.press(one.payload, rig.a_port)
            await rig.until(lambda: rig.found(DigitHeard))
            await asyncio.sleep(0.05)
            assert [(e.leg, e.key, e.in_band) for e in rig.found(DigitHeard)] == [(A, "5", False)]  # type: ignore[union-attr]
            rig.join(mute_digits=True)
            await asyncio.sleep(0.05)
            for phone, port in ((rig.a, rig.a_port), (rig.b, rig.b_port)):
                phone.timestamp += 8000
                for one in build_press("7", duration_ms=60):
                    phone.press(one.payload, port)
            await asyncio.sleep(0.05)
            assert rig.b.listen() == []
            assert {one.payload_type for one in rig.a.listen()} == {101}

    asyncio.run(scene())


def test_a_call_that_nobody_may_hear_has_no_ring_and_no_row(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            rig.plane.hear_digits(A)
            await rig.until(lambda: rig.plane.counts().rings == 1)
            rig.plane.deafen(A)
            rig.join()
            asks: tuple[Callable[[], None], ...] = (
                lambda: rig.plane.inspect(Privileged(CALL), (A, B), frozenset({"dtmf"})),  # type: ignore[arg-type]
                lambda: rig.plane.hear_digits(B, Privileged(CALL)),  # type: ignore[arg-type]
                lambda: rig.plane.hear_digits(A, Privileged(CALL)),  # type: ignore[arg-type]
                lambda: rig.plane.hear_digits(B),
                lambda: rig.plane.record_name(A, path=tmp_path, max_s=1, permit=Privileged(CALL)),  # type: ignore[arg-type]
                lambda: rig.plane.inspect(Inspectable(CallId(8)), (A, B), frozenset()),
            )
            for ask in asks:
                with pytest.raises(TypeError):
                    ask()
            await rig.talk(0.3)
            counts = rig.plane.counts()
            assert (counts.legs, counts.rings, counts.rows) == (2, 0, 0)
            assert len(rig.a.received) >= 12

    asyncio.run(scene())


def test_both_legs_of_an_inspected_call_are_looked_at(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            rig.plane.inspect(Inspectable(CALL), (A, B), frozenset({"dtmf", "dial_tone"}))
            await rig.until(lambda: rig.plane.counts().rows == 2)
            assert rig.plane.counts().rings == 2
            rig.close()
            await rig.until(lambda: rig.plane.counts() == PlaneCounts(0, 0, 0, 0, 1))

    asyncio.run(scene())


def test_a_spoken_name_is_taken_and_kept(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            rig.plane.record_name(A, path=tmp_path / "names" / "1.ulaw", max_s=0.6)
            await asyncio.sleep(0.05)
            await rig.talk(1.0, bytes([0x10, 0x90] * 80))
            await rig.until(lambda: rig.found(Recorded))
            (taken,) = rig.found(Recorded)
            assert taken.leg == LegId(A)  # type: ignore[union-attr]
            assert (tmp_path / "names" / "1.ulaw").stat().st_size == 160 * 30
            await rig.until(lambda: rig.plane.counts().rings == 0)

    asyncio.run(scene())
