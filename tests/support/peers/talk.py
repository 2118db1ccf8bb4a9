"""What every peer must do: be heard, and hear. The lab telephone at the other end judges."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall
from switch.lab.phone_media import PhoneMedia
from tests.support.peers.program import best_share, read_wave
from tests.support.switch_rig import SwitchRig, next_call

PEER_HZ = 440.0
OUR_HZ = 1000.0
"""A whole number of periods in a frame, so that a repeated frame is a steady tone."""

NUMBER = "15551000001"
"""Passive: nothing is keyed."""

SHARE_MIN = 0.8
"""Of the power in the tone. Chosen: µ-law costs 0.0001, a mixed announcement more than half."""

HEAR_S_MAX = 30.0
RECORD_S = 3.0
"""How long a peer records once the talk is free of announcements."""


def hum(call: PhoneCall) -> None:
    """Say our tone until the call is over."""
    call.media.background = sounds.encode(sounds.tone([OUR_HZ], 0.02, 0.3))


async def hears(media: PhoneMedia, frequency_hz: float) -> None:
    """Wait until a telephone has heard a tone, clear of anything else."""
    loop = asyncio.get_running_loop()
    share = 0.0
    try:
        async with asyncio.timeout(HEAR_S_MAX):
            while share < SHARE_MIN:
                await asyncio.sleep(0.1)
                share = best_share(media.heard_sound(since=loop.time() - 1.0), frequency_hz)
    except TimeoutError:
        frames = len(media.heard)
        raise AssertionError(
            f"{frequency_hz:g} Hz was not heard: {frames} frames came, share {share:.2f}"
        ) from None


async def registered(rig: SwitchRig) -> None:
    """Wait until a terminal has registered."""
    async with asyncio.timeout(HEAR_S_MAX):
        while not (await rig.asked("health"))["bindings"]:
            await asyncio.sleep(0.1)


async def answered_call(outside: LabPhone) -> PhoneCall:
    """Pick up the next call that comes to a telephone, humming."""
    there = await next_call(outside)
    there.ring()
    hum(there)
    there.answer()
    return there


async def talk(rig: SwitchRig, call: PhoneCall) -> None:
    """Hear the peer; then let it hear us for a while without anything else."""
    await rig.until("talking", seconds=30.0)
    await hears(call.media, PEER_HZ)
    await quiet_talk(call.media)


async def quiet_talk(media: PhoneMedia) -> None:
    """Wait until the announcements on both legs are surely over, and the talk goes on."""
    before = len(media.heard)
    async with asyncio.timeout(HEAR_S_MAX):
        while len(media.heard) < before + RECORD_S / 0.02 * 2:
            await asyncio.sleep(0.1)


def heard_in(file: Path) -> float:
    """Return how much of our tone a peer's recording holds in its best window."""
    return best_share(read_wave(file), OUR_HZ)


async def wait_for_file(find: Callable[[], Path | None]) -> Path:
    """Wait until a peer has written its recording."""
    async with asyncio.timeout(10):
        while (found := find()) is None:
            await asyncio.sleep(0.1)
    return found
