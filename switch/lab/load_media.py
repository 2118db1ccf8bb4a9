"""The sound of many telephones at once: one compiled loop in a thread of its own.

Each leg says its own stretch of one recording of talk, and knows what its other side has said last:
a frame that comes is looked for among those, so that what was kept back, spoilt or another call's
is counted. A leg with keys says SRTP and looks at what it hears after opening it; what does not
open is wrong. The loop turns once a millisecond; delays are told to that grain.

Source: RFC 3550 section 5.1 (RTP), RFC 3711 (SRTP), ITU-T G.711.
"""

import select
import socket
import threading
from collections import deque
from random import Random
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from switch.lab import sounds
from switch.media.epoll_event import EVENT_DATA_WORD, EVENT_WORDS
from switch.media.libc import (
    CLOCK_MONOTONIC,
    MSG_DONTWAIT,
    TIMER_ABSTIME,
    clock_gettime,
    clock_nanosleep,
    epoll_wait,
    recvfrom,
    sendto,
)
from switch.media.libsrtp import OK, SrtpSession, srtp_protect, srtp_unprotect
from switch.rtp.srtp_suite import TAG_BYTES_MAX
from switch.sdp.crypto import LegKeys

SLOTS: Final = 20
"""The legs of a tick are sent in so many turns. Chosen: telephones do not keep step."""

SLOT_NS: Final = 1_000_000
HEADER_BYTES: Final = 12
FRAME_BYTES: Final = sounds.FRAME_SAMPLES
PACKET_BYTES: Final = HEADER_BYTES + FRAME_BYTES
EVENTS_MAX: Final = 1024
READS_MAX: Final = 16
"""Packets read from one leg in a turn. Chosen: a third of a second's worth."""

LATE_NS: Final = 5_000_000
"""A turn that begins so late says that the load itself is behind. Chosen."""

RECENT: Final = 32
"""So many of the other side's last frames are looked through. Chosen: 640 ms."""

SAME_BYTES: Final = 16
"""So much of a frame tells it from its neighbours: it is talk with a hiss under it."""

DELAY_NS: Final = 100_000
"""Width of a step of the table of delays."""

DELAYS: Final = RECENT * 200
"""Steps: as long as frames are looked for."""

IDLE, HEARING, TALKING = range(3)
"""What a leg does."""

SENT, RECEIVED, WRONG = range(3)
"""Places in `counted`."""

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Bytes = NDArray[np.uint8]


class Legs(NamedTuple):
    """All legs; Python writes a leg's row while it is idle, the loop while it is not."""

    fd: Int32
    state: Bytes
    target: Bytes
    """[n, 16] sockaddr_in of the switch's port."""
    other: Int32
    """The leg at the other end of the call."""
    start: Int64
    """Frame of the recording that it began with."""
    said: Int64
    """Frames that it has said."""
    said_ns: Int64
    """[n, RECENT] when it said each of the last ones."""
    ssrc: Int64
    counted: Int64
    """[n, 3] sent, received, wrong."""
    delays: Int64
    """Frames by how long they took."""
    heard_ns: Int64
    """When the last frame of the other side was heard; 0: none was."""
    pause_ns: Int64
    """The longest time between two of them, since somebody set it to 0."""
    stopped: Int64
    late: Int64
    """Turns that began late."""
    packet: Bytes
    buffer: Bytes
    events: Int32
    time: Int64
    leg_of_fd: Int32
    srtp_in: Int64
    srtp_out: Int64
    """Address of the session of each direction; 0: in the clear."""
    size: Int32
    """[1] of the packet at hand, for libsrtp."""
    turns: Int64
    """[1] turns begun: what a leg had before the last one is not in use any more."""


def allocate(legs_max: int) -> Legs:
    """Room for so many legs."""
    return Legs(
        fd=np.full(legs_max, -1, np.int32),
        state=np.zeros(legs_max, np.uint8),
        target=np.zeros((legs_max, 16), np.uint8),
        other=np.full(legs_max, -1, np.int32),
        start=np.zeros(legs_max, np.int64),
        said=np.zeros(legs_max, np.int64),
        said_ns=np.zeros((legs_max, RECENT), np.int64),
        ssrc=np.zeros(legs_max, np.int64),
        counted=np.zeros((legs_max, 3), np.int64),
        delays=np.zeros(DELAYS, np.int64),
        heard_ns=np.zeros(legs_max, np.int64),
        pause_ns=np.zeros(legs_max, np.int64),
        stopped=np.zeros(1, np.int64),
        late=np.zeros(1, np.int64),
        packet=np.zeros(PACKET_BYTES + TAG_BYTES_MAX, np.uint8),
        buffer=np.zeros(2048, np.uint8),
        events=np.zeros(EVENTS_MAX * EVENT_WORDS, np.int32),
        time=np.zeros(2, np.int64),
        leg_of_fd=np.full(1 << 16, -1, np.int32),
        srtp_in=np.zeros(legs_max, np.int64),
        srtp_out=np.zeros(legs_max, np.int64),
        size=np.zeros(1, np.int32),
        turns=np.zeros(1, np.int64),
    )


@njit(cache=True, nogil=True)
def now_ns(legs: Legs) -> int:
    """Return the monotonic time."""
    clock_gettime(CLOCK_MONOTONIC, legs.time.ctypes.data)
    return int(legs.time[0] * 1_000_000_000 + legs.time[1])


@njit(cache=True, nogil=True)
def say(legs: Legs, leg: int, sound: Bytes, now: int) -> None:
    """Send a leg's next frame."""
    count = legs.said[leg]
    packet = legs.packet
    packet[0] = 0x80
    packet[1] = 0
    packet[2] = (count >> 8) & 255
    packet[3] = count & 255
    for k in range(4):
        packet[4 + k] = (count * FRAME_BYTES >> (24 - 8 * k)) & 255
        packet[8 + k] = (legs.ssrc[leg] >> (24 - 8 * k)) & 255
    frame = (legs.start[leg] + count) % sound.shape[0]
    for k in range(FRAME_BYTES):
        packet[HEADER_BYTES + k] = sound[frame, k]
    legs.said_ns[leg, count % RECENT] = now
    legs.said[leg] = count + 1
    legs.size[0] = PACKET_BYTES
    session = legs.srtp_out[leg]
    if session != 0 and srtp_protect(session, packet.ctypes.data, legs.size.ctypes.data) != OK:
        return
    sendto(
        legs.fd[leg],
        packet.ctypes.data,
        legs.size[0],
        MSG_DONTWAIT,
        legs.target[leg].ctypes.data,
        16,
    )
    legs.counted[leg, SENT] += 1


@njit(cache=True, nogil=True)
def is_frame(heard: Bytes, frame: Bytes) -> bool:
    """Whether the packet at hand carries this frame."""
    same = 0
    while same < SAME_BYTES and heard[HEADER_BYTES + same] == frame[same]:
        same += 1
    return same == SAME_BYTES


@njit(cache=True, nogil=True)
def opened(legs: Legs, leg: int, size: int) -> int:
    """Open the packet at hand if its leg has keys; return its size then, or -1: it is not right."""
    if legs.srtp_in[leg] == 0:
        return size
    legs.size[0] = size
    buffer, out = legs.buffer.ctypes.data, legs.size.ctypes.data
    return legs.size[0] if srtp_unprotect(legs.srtp_in[leg], buffer, out) == OK else -1


@njit(cache=True, nogil=True)
def hear(legs: Legs, leg: int, sound: Bytes, now: int) -> None:
    """Read what has come to a leg, and find it among what its other side has said."""
    for _ in range(READS_MAX):
        size = recvfrom(legs.fd[leg], legs.buffer.ctypes.data, 2048, MSG_DONTWAIT, 0, 0)
        if size < 0:
            return
        if legs.state[leg] == IDLE:
            continue
        size = opened(legs, leg, size)
        if size < 0:
            legs.counted[leg, WRONG] += 1
            continue
        if size != PACKET_BYTES or legs.buffer[1] & 127 != 0:
            continue
        other = legs.other[leg]
        said = legs.said[other]
        found = False
        for count in range(said - 1, max(said - RECENT, 0) - 1, -1):
            frame = (legs.start[other] + count) % sound.shape[0]
            if is_frame(legs.buffer, sound[frame]):
                step = (now - legs.said_ns[other, count % RECENT]) // DELAY_NS
                legs.delays[min(max(step, 0), DELAYS - 1)] += 1
                found = True
                break
        if found:
            legs.counted[leg, RECEIVED] += 1
            if legs.heard_ns[leg] != 0:
                legs.pause_ns[leg] = max(legs.pause_ns[leg], now - legs.heard_ns[leg])
            legs.heard_ns[leg] = now
        else:
            legs.counted[leg, WRONG] += 1


@njit(cache=True, nogil=True)
def turn(legs: Legs, epoll: int, sound: Bytes, slot: int) -> None:
    """Read what has come, send what is due in this millisecond."""
    legs.turns[0] += 1
    count = epoll_wait(epoll, legs.events.ctypes.data, EVENTS_MAX, 0)
    now = now_ns(legs)
    for i in range(count):
        leg = legs.leg_of_fd[legs.events[EVENT_WORDS * i + EVENT_DATA_WORD]]
        if leg >= 0:
            hear(legs, leg, sound, now)
    for leg in range(slot, legs.fd.size, SLOTS):
        if legs.state[leg] == TALKING:
            say(legs, leg, sound, now_ns(legs))


@njit(cache=True, nogil=True)
def talk(legs: Legs, epoll: int, sound: Bytes) -> None:
    """Let all legs talk until `stopped`."""
    due = now_ns(legs)
    slot = 0
    while legs.stopped[0] == 0:
        legs.time[0] = due // 1_000_000_000
        legs.time[1] = due % 1_000_000_000
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, legs.time.ctypes.data, 0)
        legs.late[0] += now_ns(legs) > due + LATE_NS
        turn(legs, epoll, sound, slot)
        slot = (slot + 1) % SLOTS
        due += SLOT_NS


def speech(seconds: float, seed: int) -> Bytes:
    """[frames, 160] µ-law: something like talk, phrases and pauses with a room's hiss under all.

    A pulse train of changing pitch through a few resonances: the envelope, spectrum and rhythm of
    talk, without words.
    """
    rng = np.random.default_rng(seed)
    out = rng.normal(0.0, 0.003, round(seconds * sounds.RATE_HZ))
    at = 0
    while at < out.size:
        count = min(round(rng.uniform(0.12, 0.3) * sounds.RATE_HZ), out.size - at)
        pitch_hz = rng.uniform(90.0, 240.0)
        time_s = np.arange(count) / sounds.RATE_HZ
        strong = np.exp(-0.5 * ((np.arange(1, 16) * pitch_hz - rng.uniform(300, 900)) / 350) ** 2)
        voice = sum(
            a * np.sin(2 * np.pi * n * pitch_hz * time_s) for n, a in enumerate(strong + 0.03, 1)
        )
        out[at : at + count] += 0.08 * np.hanning(count) * voice
        at += count + (0 if rng.random() < 0.8 else round(rng.uniform(0.2, 0.9) * sounds.RATE_HZ))
    frames = np.frombuffer(sounds.encode(out), np.uint8)
    return frames[: frames.size // FRAME_BYTES * FRAME_BYTES].reshape(-1, FRAME_BYTES).copy()


class LoadMedia:
    """The legs of a load, and the thread that lets them talk. Use it as a context.

    Args:
        legs_max: how many may be open at once.
        random: starts and SSRCs.
    """

    def __init__(self, legs_max: int, random: Random) -> None:
        self.legs: Final = allocate(legs_max)
        self._random = random
        self.sound: Final = speech(60.0, random.getrandbits(32))
        """[frames, 160] what every leg says a stretch of."""
        self.gone: Int64 = np.zeros(3, np.int64)
        """Sent, received and wrong of legs that are closed."""
        self._free = list(range(legs_max))
        self._sockets: dict[int, socket.socket] = {}
        self._sessions: dict[int, tuple[SrtpSession, SrtpSession]] = {}
        self._put_away: deque[tuple[int, tuple[SrtpSession, SrtpSession]]] = deque()
        """Sessions of closed legs, and the turn in which the loop may still use them."""
        self._epoll = select.epoll()
        self._thread = threading.Thread(
            target=lambda: talk(self.legs, self._epoll.fileno(), self.sound), daemon=True
        )

    def __enter__(self) -> "LoadMedia":
        """Compile, or find that it is compiled; begin."""
        turn(self.legs, self._epoll.fileno(), self.sound, 0)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop, close everything."""
        self.legs.stopped[0] = 1
        self._thread.join()
        for leg in list(self._sockets):
            self.close(leg)
        self._epoll.close()

    def open(self, ip: str) -> tuple[int, int]:
        """Open a leg; return its number and its port."""
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.bind((ip, 0))
        leg = self._free.pop()
        legs = self.legs
        legs.said[leg] = 0
        legs.heard_ns[leg] = legs.pause_ns[leg] = 0
        legs.start[leg] = self._random.randrange(len(self.sound))
        legs.ssrc[leg] = self._random.getrandbits(32)
        legs.fd[leg] = one.fileno()
        legs.leg_of_fd[one.fileno()] = leg
        self._sockets[leg] = one
        self._epoll.register(one.fileno(), select.EPOLLIN)
        return leg, int(one.getsockname()[1])

    def point(self, leg: int, ip: str, port: int) -> None:
        """Say where a leg talks to."""
        address = [2, 0, port >> 8, port & 255, *(int(part) for part in ip.split("."))]
        self.legs.target[leg, :8] = address

    def lock(self, leg: int, keys: LegKeys) -> None:
        """Let a leg talk and hear under these keys from now on."""
        sends, hears = SrtpSession(keys.ours, sends=True), SrtpSession(keys.theirs, sends=False)
        self._put_sessions_away(leg)
        self._sessions[leg] = (sends, hears)
        self.legs.srtp_out[leg], self.legs.srtp_in[leg] = sends.address, hears.address

    def begin(self, leg: int, other: int) -> None:
        """Let the two legs of a call talk, each to the other."""
        for one, two in ((leg, other), (other, leg)):
            self.legs.other[one] = two
        for one in (leg, other):
            self.legs.state[one] = TALKING

    def quiet(self, *legs: int) -> None:
        """Let them say nothing more, and hear what is under way."""
        for leg in legs:
            self.legs.state[leg] = HEARING

    def counted(self, *legs: int) -> Int64:
        """Return sent, received and wrong of these legs together."""
        total: Int64 = self.legs.counted[list(legs)].sum(axis=0)
        return total

    def pauses_s(self, *, now: float) -> list[float]:
        """Return the longest pause that each talking leg has heard, and begin to measure anew.

        A leg that hears nothing now is told with what it waits for.

        Args:
            now: monotonic time.
        """
        legs = self.legs
        talking = np.flatnonzero(legs.state == TALKING)
        heard = legs.heard_ns[talking]
        waits = np.where(heard, round(now * 1e9) - heard, 0)
        found: list[float] = (np.maximum(legs.pause_ns[talking], waits) / 1e9).tolist()
        legs.pause_ns[talking] = 0
        return found

    def stretch(self, leg: int) -> tuple[int, int]:
        """Return the frame of the talk that a leg began with, and how many it has said."""
        return int(self.legs.start[leg]), int(self.legs.said[leg])

    def close(self, leg: int) -> None:
        """Close a leg; its number is free again."""
        one = self._sockets.pop(leg, None)
        if one is None:
            return
        self.legs.state[leg] = IDLE
        self.gone += self.legs.counted[leg]
        self.legs.counted[leg] = 0
        self._epoll.unregister(one.fileno())
        self.legs.leg_of_fd[one.fileno()] = -1
        self.legs.fd[leg] = -1
        self._put_sessions_away(leg)
        one.close()
        self._free.append(leg)

    def _put_sessions_away(self, leg: int) -> None:
        """Take the keys from a leg; the loop may be in the midst of using them."""
        self.legs.srtp_out[leg] = self.legs.srtp_in[leg] = 0
        turn_now = int(self.legs.turns[0])
        if leg in self._sessions:
            self._put_away.append((turn_now, self._sessions.pop(leg)))
        while self._put_away and self._put_away[0][0] < turn_now - 1:
            self._put_away.popleft()

    def delay_ms(self, share: float, since: Int64 | None = None) -> float:
        """Return what this share of the frames took at most.

        Args:
            share: 0.99 is the 99th percentile, 1.0 the longest.
            since: a former copy of `legs.delays`: only what came after it.
        """
        table: Any = self.legs.delays - (0 if since is None else since)
        total = int(table.sum())
        if not total:
            return 0.0
        at = int(np.searchsorted(np.cumsum(table), max(1, share * total)))
        return round((at + 1) * DELAY_NS / 1e6, 2)
