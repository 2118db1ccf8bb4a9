"""The state of all legs of one worker: a structure of arrays that Python and the pump share.

One row per leg (`index`), and one row per inspected leg (`row`) for the frame ring; a leg that
nobody may hear has `row == -1` and no ring exists for it. Python opens, points and closes; the
compiled side (`pump`, `beat`, `ring`) reads and counts.

Addresses are four words of 32 bits; IPv4 uses the last.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import g711
from switch.media.epoll_event import EVENT_WORDS
from switch.rtp import source, telephone_event
from switch.rtp.srtp_suite import TAG_BYTES_MAX

FRAME_BYTES: Final = 160
"""20 ms of G.711 at 8 kHz."""

TICK_NS: Final = 20_000_000

RING_BYTES: Final = 12 * FRAME_BYTES
"""Per inspected leg. Chosen: a worker that is 200 ms late loses no frame."""

TALK_BYTES: Final = 1024
"""Talk that waits to be mixed under an announcement: 6 frames. Chosen: packet time 60, twice."""

PACKET_BYTES: Final = 2048
"""More than an Ethernet frame carries."""

SOCKADDR_BYTES: Final = 28
"""sockaddr_in6, the longer one."""

NETWORKS_MAX: Final = 4
"""Media networks of one trunk. Chosen."""

FDS_MAX: Final = 1 << 16
"""Highest descriptor of a worker, above `ulimit -n` of any installation we know."""

EVENTS_MAX: Final = 512
"""Sockets that one epoll_wait reports. Chosen."""

MAIL_MAX: Final = 4096
"""Things that one tick may have to tell Python; more are dropped and counted."""


class Drop(IntEnum):
    """Why a packet of a leg went no further. The first four follow `packet`."""

    NONE = 0
    TOO_SHORT = 1
    BAD_VERSION = 2
    CONTROL = 3
    BAD_LENGTH = 4
    NOT_OUR_SOURCE = 5
    TOO_FAST = 6
    NOT_OUR_PAYLOAD_TYPE = 7
    BAD_SEQUENCE = 8
    NOT_JOINED = 9
    HELD_BACK = 10
    KEY_MUTED = 11
    UNPAID = 12
    NO_EVENTS = 13
    NOT_SENT = 14
    STALE = 15
    """It waited in the socket while no worker was there."""
    NOT_AUTHENTIC = 16
    """Without the tag of SRTP, or with a forged one."""
    REPLAYED = 17
    """A packet of SRTP that came before, or too late to tell."""
    TOO_MANY_SOURCES = 18


class Mail(IntEnum):
    """What the compiled side tells Python: kind, leg index, value, time in ns."""

    KEY = 1
    FLASH = 2
    PLAY_ENDED = 3
    UNPAID = 4
    RTCP = 5


class Latch(IntEnum):
    """Columns of `Legs.latch`: how a leg behind a NAT finds its far end."""

    MODE = 0
    IP = 1
    """Four words."""
    SSRC = 5
    PORT = 6
    RUN = 7


LATCH_OFF: Final = 0
LATCH_LEARNING: Final = 1
LATCH_LOCKED: Final = 2
LATCH_PACKETS: Final = 5
"""Packets in a row that lock a source. The signalling rules, §4; reasons in RFC 7362."""

COUNT_PACKETS: Final = 0
COUNT_WAKES: Final = 1
COUNT_MAIL_LOST: Final = 2
COUNT_TICK_PACKETS: Final = 3
COUNT_CONTROL: Final = 4
COUNT_UNREAD: Final = 5
"""Places in `Legs.counts`: packets, wakes, mail that found no room, packets of the last tick, how
often something came from control, and how many sockets were left before they were empty."""

CONTROL_INDEX: Final = -2
"""In `leg_of_fd`: a socket to control."""

RTCP_INDEX: Final = -3
"""In `leg_of_fd`: the RTCP socket of index 0; -4 that of index 1, and so on."""

TAPE_SAMPLES: Final = 16_384
"""Per recorded leg. Chosen: two seconds; what is taken off once a second may wait for one more."""

TAPE_BLOCK: Final = 8
"""Samples that are there or not there together: a millisecond. Chosen: every packet time is whole
milliseconds."""

(
    TAPE_BEGAN_NS, TAPE_DONE, TAPE_IS_SET, TAPE_STAMP, TAPE_PLACE, TAPE_LEAST, TAPE_PACKETS,
    TAPE_OUTSIDE, TAPE_FIELDS,
) = range(9)  # fmt: skip
"""Columns of `Legs.tape_state`: when the bridge began; samples taken off so far; 1 once a packet
has come; timestamp and place of the newest packet; least delay and packets of the clock's watch;
packets that came too late or too early to be kept."""

Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class Legs(NamedTuple):
    """All arrays. [L] is `legs_max`, [R] `rows_max`."""

    # the worker
    alive_ns: Int64
    """[1] when a tick last began: until here it lived."""

    # the leg
    leg_id: Int64
    """[L] which leg sits here; -1: none."""
    fd: Int32
    """[L] its RTP socket; -1: this index is free."""
    peer: Int32
    """[L] index of the other leg while joined, else -1."""
    row: Int32
    """[L] its ring and its row in the bank, else -1."""
    tape: Int32
    """[L] its tape, else -1: it is not recorded."""
    top: Int64
    """[1] one above the highest index in use."""
    leg_of_fd: Int32
    """[FDS_MAX] index of a socket; below zero see CONTROL_INDEX, RTCP_INDEX."""

    # the far end
    target: Bytes
    """[L, SOCKADDR_BYTES] where we send."""
    target_bytes: Int32
    """[L] 0: nowhere yet."""
    may_send: Bytes
    """[L] 0: the far end is on hold."""
    from_ip: Int64
    """[L, 4] whom we hear."""
    from_port: Int64
    """[L] -1: nobody."""
    networks: Int64
    """[L, NETWORKS_MAX, 8] address and mask of networks that may send from any port."""
    network_count: Int64
    """[L]"""
    latch: Int64
    """[L, 8] see `Latch`."""
    pointed: Int64
    """[L] checksum of the address that was last signalled; 0: none was."""
    law: Bytes
    """[L] 0 u-law, 1 A-law."""
    type_in: Int16
    other_type_in: Int16
    event_in: Int16
    type_out: Int16
    event_out: Int16
    """[L] payload types; -1: none."""

    # SRTP
    srtp_in: Int64
    srtp_out: Int64
    """[L] address of the session of each direction; 0: in the clear."""
    srtp_ssrc: Int64
    srtp_ssrcs: Int64
    """[L] the last proved source, and how many there were under this key."""

    # what we send
    ssrc: Int64
    sequence: Int64
    timestamp: Int64
    """[L] of the newest packet sent."""
    sent_ns: Int64
    """[L] when it was sent."""
    in_step: Bytes
    """[L] 1: the shifts below continue the peer's numbers."""
    sequence_shift: Int64
    timestamp_shift: Int64
    """[L] from the peer's numbers to ours."""
    sent: Int64
    sent_octets: Int64

    # what came
    source: Int64
    """[L, source.FIELDS]"""
    press: Int64
    """[L, telephone_event.FIELDS]"""
    unread: Bytes
    """[L] 1: its socket was left before it was empty."""
    tokens: Int32
    """[L] packets that may still come in this moment."""
    received_ns: Int64
    """[L] when the last good packet came; 0: none did."""
    source_changes: Int64
    comfort: Bytes
    """[L] 1: the last good packet was comfort noise: the far end is silent on purpose."""
    drops: Int64
    """[L, len(Drop)]"""

    # the bridge
    until_ns: Int64
    """[L] the talk is paid until here."""
    both_heard_ns: Int64
    """[L] on the a-leg: when both legs had last been heard within a second."""
    is_a: Bytes
    held: Bytes
    """[L] 1: what comes from here stays here."""
    keys_muted: Bytes
    """[L] 1: keys from here are not passed on."""
    keys_told: Bytes
    """[L] 1: keys from here are reported."""
    hush_until_ns: Int64
    """[L] sound from here is replaced by silence until then."""

    # announcements to this leg
    sound: Int64
    """[L] address of bytes in the leg's law; 0: nothing plays."""
    sound_bytes: Int64
    sound_at: Int64
    sound_loops: Bytes
    sound_play: Int64
    """[L] which play it is; -1: a tone, or none yet."""
    talk: Bytes
    """[L, TALK_BYTES] the peer's talk, to be mixed under what plays."""
    talk_head: Int64
    talk_fill: Int64
    talk_kept: Int64
    """[L] how often the last of it may be repeated where it does not come."""

    # rings
    row_leg: Int32
    """[R] index of the leg; -1: free."""
    row_top: Int64
    """[1] one above the highest row in use."""
    ring: Bytes
    """[R, RING_BYTES]"""
    ring_head: Int64
    ring_fill: Int64
    """[R] oldest byte, and how many there are."""
    ring_flags: Int64
    """[R] `dsp` flags for the next frame."""
    ring_comfort: Int64
    """[R] level of the comfort noise that stands for silence; -1: none."""
    ring_missed: Int64
    """[R] ticks in a row without a frame."""
    payload: Bytes
    """[R, FRAME_BYTES] what the bank gets."""
    valid: NDArray[np.bool_]
    flags: NDArray[np.uint16]

    # tapes
    tape_sound: Bytes
    """[R, TAPE_SAMPLES] u-law, each sample at its time modulo the length."""
    tape_there: Bytes
    """[R, TAPE_SAMPLES / TAPE_BLOCK] 1: this millisecond was sent."""
    tape_state: Int64
    """[R, TAPE_FIELDS]"""

    # scratch
    packet: Bytes
    frame: Bytes
    srtp_bytes: Int32
    sender: Bytes
    sender_bytes: NDArray[np.uint32]
    events: Int32
    time: Int64
    mail: Int64
    """[MAIL_MAX, 4]"""
    mail_count: Int64
    counts: Int64

    # tables of G.711
    other_law: Bytes
    """[2, 256] the code of the other law."""
    linear: Int32
    """[2, 256] 16-bit value of a code."""
    code: Bytes
    """[2, 65536] code of a 16-bit value plus 32768."""


def build(*, legs_max: int, rows_max: int) -> Legs:
    """Return empty arrays."""

    def longs(*shape: int) -> Int64:
        return np.zeros(shape, np.int64)

    def ints(*shape: int) -> Int32:
        return np.full(shape, -1, np.int32)

    def shorts(*shape: int) -> Int16:
        return np.full(shape, -1, np.int16)

    def octets(*shape: int) -> Bytes:
        return np.zeros(shape, np.uint8)

    n, r = legs_max, rows_max
    return Legs(
        alive_ns=longs(1), leg_id=longs(n) - 1,
        fd=ints(n), peer=ints(n), row=ints(n), tape=ints(n), top=longs(1), leg_of_fd=ints(FDS_MAX),
        target=octets(n, SOCKADDR_BYTES), target_bytes=np.zeros(n, np.int32), may_send=octets(n),
        from_ip=longs(n, 4), from_port=longs(n) - 1, networks=longs(n, NETWORKS_MAX, 8),
        network_count=longs(n), latch=longs(n, len(Latch) + 3), pointed=longs(n),
        law=octets(n),
        type_in=shorts(n), other_type_in=shorts(n), event_in=shorts(n), type_out=shorts(n),
        event_out=shorts(n),
        srtp_in=longs(n), srtp_out=longs(n), srtp_ssrc=longs(n) - 1, srtp_ssrcs=longs(n),
        ssrc=longs(n), sequence=longs(n), timestamp=longs(n), sent_ns=longs(n),
        in_step=octets(n), sequence_shift=longs(n), timestamp_shift=longs(n),
        sent=longs(n), sent_octets=longs(n),
        source=longs(n, source.FIELDS), press=longs(n, telephone_event.FIELDS),
        tokens=np.zeros(n, np.int32), unread=octets(n), received_ns=longs(n),
        source_changes=longs(n), comfort=octets(n), drops=longs(n, len(Drop)),
        until_ns=longs(n), both_heard_ns=longs(n), is_a=octets(n), held=octets(n),
        keys_muted=octets(n), keys_told=octets(n), hush_until_ns=longs(n),
        sound=longs(n), sound_bytes=longs(n), sound_at=longs(n), sound_loops=octets(n),
        sound_play=longs(n) - 1,
        talk=octets(n, TALK_BYTES), talk_head=longs(n), talk_fill=longs(n),
        talk_kept=longs(n),
        row_leg=ints(r), row_top=longs(1), ring=octets(r, RING_BYTES), ring_head=longs(r),
        ring_fill=longs(r), ring_flags=longs(r), ring_comfort=longs(r) - 1, ring_missed=longs(r),
        payload=octets(r, FRAME_BYTES), valid=np.zeros(r, np.bool_), flags=np.zeros(r, np.uint16),
        tape_sound=octets(r, TAPE_SAMPLES), tape_there=octets(r, TAPE_SAMPLES // TAPE_BLOCK),
        tape_state=longs(r, TAPE_FIELDS),
        packet=octets(PACKET_BYTES + TAG_BYTES_MAX),
        frame=octets(12 + FRAME_BYTES + TAG_BYTES_MAX), srtp_bytes=np.zeros(1, np.int32),
        sender=octets(SOCKADDR_BYTES),
        sender_bytes=np.zeros(1, np.uint32), events=ints(EVENTS_MAX * EVENT_WORDS), time=longs(2),
        mail=longs(MAIL_MAX, 4), mail_count=longs(1), counts=longs(6),
        other_law=np.stack([g711.ULAW_TO_ALAW, g711.ALAW_TO_ULAW]),
        linear=np.stack([g711.ULAW_TO_LINEAR14 * 4, g711.ALAW_TO_LINEAR13 * 8]).astype(np.int32),
        code=np.stack([g711.encode_ulaw(_ALL_16_BIT), g711.encode_alaw(_ALL_16_BIT)]),
    )  # fmt: skip


_ALL_16_BIT: Final = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)


def clear(legs: Legs, index: int) -> None:
    """Make an index ready for a new leg: nothing of the one before is left."""
    for array in PER_LEG:
        getattr(legs, array)[index] = 0
    for array in NONE_PER_LEG:
        getattr(legs, array)[index] = -1


def clear_row(legs: Legs, row: int) -> None:
    """Make a ring empty and silent: no byte of the leg before is left."""
    for array in ("ring", "ring_head", "ring_fill", "ring_flags", "ring_missed", "payload"):
        getattr(legs, array)[row] = 0
    legs.ring_comfort[row] = -1
    legs.row_leg[row] = -1


def clear_tape(legs: Legs, tape: int, *, began_ns: int) -> None:
    """Make a tape empty: no sample of the leg before is left. Its time begins at `began_ns`."""
    legs.tape_sound[tape] = 0
    legs.tape_there[tape] = 0
    legs.tape_state[tape] = 0
    legs.tape_state[tape, TAPE_BEGAN_NS] = began_ns


NONE_PER_LEG: Final = (
    "leg_id", "fd", "peer", "row", "tape", "from_port", "type_in", "other_type_in", "event_in",
    "type_out", "event_out", "srtp_ssrc", "sound_play",
)  # fmt: skip

PER_LEG: Final = (
    "target", "target_bytes", "may_send", "from_ip", "networks", "network_count", "latch",
    "pointed", "law", "srtp_in", "srtp_out", "srtp_ssrcs", "ssrc", "sequence", "timestamp",
    "sent_ns", "in_step", "sequence_shift", "timestamp_shift", "sent", "sent_octets", "source",
    "press", "unread", "tokens", "received_ns", "source_changes", "comfort", "drops",
    "until_ns", "both_heard_ns", "is_a", "held", "keys_muted", "keys_told", "hush_until_ns",
    "sound", "sound_bytes", "sound_at", "sound_loops", "talk", "talk_head", "talk_fill",
    "talk_kept",
)  # fmt: skip
