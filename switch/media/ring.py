"""The frame ring: where the path of a packet and the look at the sound meet.

Bytes of an inspected leg go in when they come, frames of 20 ms come out on the tick, with what RTP
knew about them. Whatever the packet time of the sender is, a frame is a frame. All functions are
plain Python that `pump` compiles.
"""

from typing import Final

from dsp.jit import stage
from dsp.leg import Flag
from switch.media.legs import FRAME_BYTES, RING_BYTES, TALK_BYTES, Legs
from switch.media.libc import memcpy

ABSENT_TICKS: Final = 3
"""So many ticks without a frame, and the frame is absent. Chosen: 60 ms, as long as a packet may
be; a frame that is only late makes the row stand still, not jump."""

BACKLOG_BYTES: Final = 3 * FRAME_BYTES
"""More than this waiting after a tick, and the row takes another frame. Chosen: 60 ms."""

_ABSENT: Final = int(Flag.ABSENT)
_COMFORT: Final = int(Flag.CN)
_PLAYING: Final = int(Flag.PLAYING)


@stage
def put(legs: Legs, row: int, start: int, count: int, flags: int) -> None:
    """Put `count` bytes of the packet at hand into a ring; new bytes push old ones out."""
    if count > RING_BYTES:
        return
    head, fill = legs.ring_head[row], legs.ring_fill[row]
    at = (head + fill) % RING_BYTES
    first = min(count, RING_BYTES - at)
    target = legs.ring.ctypes.data + int(row) * RING_BYTES
    source = legs.packet.ctypes.data + start
    memcpy(target + at, source, first)
    memcpy(target, source + first, count - first)
    fill += count
    if fill > RING_BYTES:
        head = (head + fill - RING_BYTES) % RING_BYTES
        fill = RING_BYTES
    legs.ring_head[row] = head
    legs.ring_fill[row] = fill
    legs.ring_flags[row] |= flags
    legs.ring_comfort[row] = -1


@stage
def put_comfort(legs: Legs, row: int, level: int, flags: int) -> None:
    """Note that the sender is silent from now on, at this level (RFC 3389 §3.1)."""
    legs.ring_comfort[row] = level
    legs.ring_flags[row] |= flags


@stage
def look(legs: Legs) -> int:
    """Take one frame from every ring into `payload`, `valid`, `flags`; return how many still wait.

    A row with nothing to say is neither valid nor absent: its time stands still.
    """
    waiting = 0
    for row in range(legs.row_top[0]):
        legs.valid[row] = False
        legs.flags[row] = 0
        if legs.row_leg[row] >= 0:
            take(legs, row)
            waiting += legs.ring_fill[row] > BACKLOG_BYTES
    return waiting


@stage
def look_again(legs: Legs) -> int:
    """Take another frame from those rings in which too many wait; return how many still do."""
    waiting = 0
    for row in range(legs.row_top[0]):
        behind = legs.row_leg[row] >= 0 and legs.ring_fill[row] > BACKLOG_BYTES
        legs.valid[row] = False
        legs.flags[row] = 0
        if behind:
            take(legs, row)
            waiting += legs.ring_fill[row] > BACKLOG_BYTES
    return waiting


@stage
def take(legs: Legs, row: int) -> None:
    """Take one frame of one ring, or say that it is absent, or that the sender is silent."""
    playing = _PLAYING if legs.sound[legs.row_leg[row]] != 0 else 0
    head = legs.ring_head[row]
    if legs.ring_fill[row] >= FRAME_BYTES:
        source = legs.ring.ctypes.data + int(row) * RING_BYTES
        target = legs.payload.ctypes.data + int(row) * FRAME_BYTES
        first = min(FRAME_BYTES, RING_BYTES - head)
        memcpy(target, source + head, first)
        memcpy(target + first, source, FRAME_BYTES - first)
        legs.ring_head[row] = (head + FRAME_BYTES) % RING_BYTES
        legs.ring_fill[row] -= FRAME_BYTES
        legs.ring_missed[row] = 0
        legs.valid[row] = True
        legs.flags[row] = legs.ring_flags[row] | playing
        legs.ring_flags[row] = 0
    elif legs.ring_comfort[row] >= 0:
        legs.payload[row, 0] = legs.ring_comfort[row]
        legs.flags[row] = legs.ring_flags[row] | _COMFORT | playing
        legs.ring_flags[row] = 0
    else:
        legs.ring_missed[row] += 1
        if legs.ring_missed[row] >= ABSENT_TICKS:
            legs.flags[row] = _ABSENT | playing


@stage
def put_talk(legs: Legs, index: int, start: int, count: int) -> None:
    """Keep talk that is to be mixed under an announcement to `index`; the oldest gives way."""
    head, fill = legs.talk_head[index], legs.talk_fill[index]
    for i in range(count):
        legs.talk[index, (head + fill + i) % TALK_BYTES] = legs.packet[start + i]
    fill += count
    if fill > TALK_BYTES:
        head = (head + fill - TALK_BYTES) % TALK_BYTES
        fill = TALK_BYTES
    legs.talk_head[index] = head
    legs.talk_fill[index] = fill
