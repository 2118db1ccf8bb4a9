"""The tape: where the sound of a recorded leg waits, each sample at its own time.

Not the frame ring: that one gives the detectors frame after frame, in the order in which they came,
and lets time stand still over a loss. A recording must stay true to time. So a packet of a recorded
leg is also put here, at the place that its RTP timestamp says (RFC 3550 §5.1), counted from the
bridge; what nobody sent stays empty. Once a second the oldest part is taken off, both legs at once.

Only a joined leg has a tape, and only while the talk is paid. All functions are plain Python that
`pump` or `take_off` compiles.
"""

import sys
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.jit import compiled, stage, stamp
from dsp.leg import Flag
from switch.media import legs as legs_module
from switch.media import libc, rtp_stages
from switch.media.legs import (
    TAPE_BEGAN_NS,
    TAPE_BLOCK,
    TAPE_DONE,
    TAPE_IS_SET,
    TAPE_LEAST,
    TAPE_OUTSIDE,
    TAPE_PACKETS,
    TAPE_PLACE,
    TAPE_SAMPLES,
    TAPE_STAMP,
    Legs,
)
from switch.media.libc import memcpy
from switch.rtp import packet, serial

SAMPLE_NS: Final = 125_000
"""8 kHz."""

AHEAD_MAX: Final = 1_600
"""A packet this many samples before its time has another clock. Chosen: 200 ms."""

BEHIND_MAX: Final = 8_000
"""So many after it: the sender's timestamps stood still. Chosen: a second, longer than any jitter
that a call survives."""

CLOCK_PACKETS: Final = 256
"""Packets over which the least delay is sought. Chosen: five seconds; one of them was not held up,
and that one tells how far the sender's clock has run away from ours."""

DRIFT_MAX: Final = 160
"""So many samples may the sender's clock be off before its sound is moved. Chosen: 20 ms, what a
recording may be wrong."""

SILENCE: Final = 0xFF
"""No sound, u-law. ITU-T G.711 table 2b."""

PEAK_SAMPLES: Final = 400
"""Samples of one peak of the waveform. Chosen: 50 ms, twenty peaks a second."""

PEAK_SHIFT: Final = 7
"""A 16-bit magnitude becomes one byte."""

_ANEW: Final = int(Flag.NEW_SSRC)

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]


@stage
def put(  # noqa: PLR0917 - compiled: no keyword-only arguments there
    legs: Legs, index: int, offset: int, count: int, flags: int, now: int
) -> None:
    """Lay the sound at hand on the tape of its leg."""
    if legs.peer[index] < 0 or now >= legs.until_ns[index] or count <= 0:
        return
    tape = legs.tape[index]
    place = place_of(legs, tape, flags, now) & ~(TAPE_BLOCK - 1)
    done = legs.tape_state[tape, TAPE_DONE]
    skip = max(done - place, 0)
    length = min(count, done + TAPE_SAMPLES - place) - skip
    length = length & ~(TAPE_BLOCK - 1)
    if length <= 0:
        legs.tape_state[tape, TAPE_OUTSIDE] += 1
        return
    lay(legs, tape, place + skip, offset + skip, length)
    if legs.law[index] == 1:
        for i in range(length):
            at = (place + skip + i) % TAPE_SAMPLES
            legs.tape_sound[tape, at] = legs.other_law[1, legs.tape_sound[tape, at]]


@stage
def lay(legs: Legs, tape: int, place: int, offset: int, length: int) -> None:
    """Copy bytes of the packet at hand to a place, and note that they are there."""
    at = place % TAPE_SAMPLES
    first = min(length, TAPE_SAMPLES - at)
    target = legs.tape_sound.ctypes.data + int(tape) * TAPE_SAMPLES
    source = legs.packet.ctypes.data + int(offset)
    memcpy(target + at, source, first)
    memcpy(target, source + first, length - first)
    for block in range(place // TAPE_BLOCK, (place + length) // TAPE_BLOCK):
        legs.tape_there[tape, block % (TAPE_SAMPLES // TAPE_BLOCK)] = 1


@stage
def place_of(legs: Legs, tape: int, flags: int, now: int) -> int:
    """Return where the packet at hand begins, in samples since the bridge."""
    stamp_now = packet.word32(legs.packet, 4)
    by_clock = (now - legs.tape_state[tape, TAPE_BEGAN_NS]) // SAMPLE_NS
    place = by_clock
    is_known = legs.tape_state[tape, TAPE_IS_SET] == 1 and flags & _ANEW == 0
    if is_known:
        place = legs.tape_state[tape, TAPE_PLACE] + serial.timestamp_delta(
            stamp_now, legs.tape_state[tape, TAPE_STAMP]
        )
    behind = by_clock - place
    if not is_known or behind < -AHEAD_MAX or behind > BEHIND_MAX:
        place = by_clock
        behind = 0
        legs.tape_state[tape, TAPE_IS_SET] = 1
        legs.tape_state[tape, TAPE_PACKETS] = 0
    place += follow_clock(legs, tape, behind)
    legs.tape_state[tape, TAPE_STAMP] = stamp_now
    legs.tape_state[tape, TAPE_PLACE] = place
    return int(place)


@stage
def follow_clock(legs: Legs, tape: int, behind: int) -> int:
    """Return by how much the sender's sound is to be moved: its clock is not ours."""
    if legs.tape_state[tape, TAPE_PACKETS] == 0:
        legs.tape_state[tape, TAPE_LEAST] = behind
    least = min(legs.tape_state[tape, TAPE_LEAST], behind)
    legs.tape_state[tape, TAPE_LEAST] = least
    legs.tape_state[tape, TAPE_PACKETS] += 1
    if legs.tape_state[tape, TAPE_PACKETS] < CLOCK_PACKETS:
        return 0
    legs.tape_state[tape, TAPE_PACKETS] = 0
    if -DRIFT_MAX <= least <= DRIFT_MAX:
        return 0
    return int(least)


@stage
def take_leg(  # noqa: PLR0917 - compiled
    legs: Legs, tape: int, count: int, sound: Bytes, gaps: Ints, peaks: Bytes
) -> int:
    """Take the oldest `count` samples off one tape; return how many gaps they have."""
    done = legs.tape_state[tape, TAPE_DONE]
    found = 0
    is_gap = False
    for block in range((count + TAPE_BLOCK - 1) // TAPE_BLOCK):
        begin = block * TAPE_BLOCK
        length = min(TAPE_BLOCK, count - begin)
        slot = (done + begin) // TAPE_BLOCK % (TAPE_SAMPLES // TAPE_BLOCK)
        if legs.tape_there[tape, slot] == 1:
            legs.tape_there[tape, slot] = 0
            is_gap = False
            at = slot * TAPE_BLOCK
            for i in range(length):
                code = legs.tape_sound[tape, at + i]
                sound[begin + i] = code
                peak = min(abs(legs.linear[0, code]) >> PEAK_SHIFT, 255)
                peaks[(begin + i) // PEAK_SAMPLES] = max(peaks[(begin + i) // PEAK_SAMPLES], peak)
        else:
            for i in range(length):
                sound[begin + i] = SILENCE
            if not is_gap:
                gaps[found, 0] = begin
                gaps[found, 1] = 0
                found += 1
                is_gap = True
            gaps[found - 1, 1] += length
    legs.tape_state[tape, TAPE_DONE] = done + count
    return found


@stage
def take_both(  # noqa: PLR0917 - compiled
    legs: Legs, left: int, right: int, count: int, sound: Bytes, gaps: Ints, peaks: Bytes
) -> int:
    """Take the oldest `count` samples off the tapes of a call.

    Args:
        legs: the shared arrays.
        left: tape of the terminal.
        right: tape of the outside.
        count: how many; at most CHUNK_SAMPLES.
        sound: [2, CHUNK_SAMPLES] gets the sound.
        gaps: [2, GAPS_MAX, 2] gets where nothing was, and how long.
        peaks: [2, CHUNK_SAMPLES / PEAK_SAMPLES] gets the peaks; zero before.

    Returns:
        How many gaps the left has, plus 65,536 times how many the right has.
    """
    on_left = take_leg(legs, left, count, sound[0], gaps[0], peaks[0])
    on_right = take_leg(legs, right, count, sound[1], gaps[1], peaks[1])
    return on_left + on_right * 65_536


TakeOff = Callable[[Legs, int, int, int, Bytes, Ints, Bytes], int]


def _make_take_off(seal: int) -> TakeOff:
    def take_off(  # noqa: PLR0917 - compiled
        legs: Legs, left: int, right: int, count: int, sound: Bytes, gaps: Ints, peaks: Bytes
    ) -> int:
        assert seal >= 0
        return take_both(legs, left, right, count, sound, gaps, peaks)

    return take_off


take_off: Final = compiled(
    _make_take_off(stamp(sys.modules[__name__], legs_module, libc, rtp_stages, packet, serial))
)
"""`take_both`, compiled."""
