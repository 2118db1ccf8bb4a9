"""One telephone floods its leg; the call beside it notices nothing."""

import asyncio
from pathlib import Path

import pytest

from switch.ids import CallId, leg_id
from switch.media.beat import PACKETS_BURST, PACKETS_PER_TICK
from switch.media.messages import LegReport
from tests.support.softphone import Softphone
from tests.switch.media.test_plane import CLOCK, A, B, rig_of

pytestmark = pytest.mark.live

FLOOD_PER_SECOND = 5000
TALK_S = 2.0
OTHER = CallId(8)


async def flood(phone: Softphone, port: int, victim: Softphone, seconds: float) -> int:
    """Send so many packets a second, a few each two milliseconds; return how many."""
    begin, sent = CLOCK.monotonic(), 0
    while (now := CLOCK.monotonic()) < begin + seconds:
        for _ in range(min(50, int((now - begin) * FLOOD_PER_SECOND) - sent)):
            phone.say(b"\x22" * 160, port)
            sent += 1
        victim.listen()
        await asyncio.sleep(0.002)
    return sent


def test_a_leg_that_floods_is_cut_to_its_share_and_disturbs_no_other(tmp_path: Path) -> None:
    async def scene() -> None:
        async with rig_of(tmp_path) as rig:
            rig.open()
            wild, victim = Softphone(ssrc=21), Softphone(ssrc=23)
            legs = leg_id(OTHER, is_b=False), leg_id(OTHER, is_b=True)
            ports = [rig.plane.open_leg(leg, family="ip4", law="PCMU").port for leg in legs]
            for leg, phone in zip(legs, (wild, victim), strict=True):
                rig.plane.set_remote(leg, phone.far_end())
            await asyncio.sleep(0.05)
            now = CLOCK.monotonic()
            rig.join()
            rig.plane.join(OTHER, paid_until=now + 60, mute_digits=False, now=now)
            await asyncio.sleep(0.05)
            sent, _ = await asyncio.gather(flood(wild, ports[0], victim, TALK_S), rig.talk(TALK_S))
            await asyncio.sleep(0.1)
            for phone in (rig.a, rig.b):
                phone.listen()
                assert len(phone.received) == TALK_S * 50
            victim.listen()
            passed = len(victim.received)
            limit = PACKETS_BURST + PACKETS_PER_TICK * 50 * (TALK_S + 1)
            assert PACKETS_PER_TICK * 50 * (TALK_S - 0.5) < passed <= limit
            for leg in legs:
                rig.plane.close_leg(leg)
            await rig.until(lambda: len([r for r in rig.found(LegReport) if r.closed]) >= 1)  # type: ignore[union-attr]
            (report,) = [
                one
                for one in rig.events
                if isinstance(one, LegReport) and one.closed and one.leg == legs[0]
            ]
            assert passed <= report.packets_received <= limit
            assert report.dropped["too_fast"] > sent / 3
            reports = {one.leg: one for one in rig.events if isinstance(one, LegReport)}
            assert reports[A].dropped == reports[B].dropped == {}
            wild.close()
            victim.close()

    asyncio.run(scene())
