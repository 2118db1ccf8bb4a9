"""The packet path: wait, receive, check, rewrite, send. Compiled; no Python per packet.

`pump` runs from one tick to the next. While few packets come it wakes for each; from
BUSY_PACKETS a tick it sleeps on a quantum and serves all that came, because a wake costs more
than a packet. What only Python can do is left in `legs.mail`.
"""

import sys
from collections.abc import Callable
from typing import Final

from dsp.jit import compiled, stage, stamp
from dsp.leg import Flag
from switch.media import (
    beat,
    epoll_event,
    far_end,
    libsrtp,
    outlet,
    ring,
    rtp_stages,
    srtp_stage,
    tape,
)
from switch.media import legs as legs_module
from switch.media.epoll_event import EVENT_DATA_WORD, EVENT_WORDS
from switch.media.legs import (
    CONTROL_INDEX,
    COUNT_CONTROL,
    COUNT_PACKETS,
    COUNT_TICK_PACKETS,
    COUNT_UNREAD,
    COUNT_WAKES,
    EVENTS_MAX,
    PACKET_BYTES,
    RTCP_INDEX,
    SOCKADDR_BYTES,
    Drop,
    Legs,
    Mail,
)
from switch.media.libc import (
    CLOCK_MONOTONIC,
    MSG_DONTWAIT,
    TIMER_ABSTIME,
    clock_gettime,
    clock_nanosleep,
    epoll_wait,
    recvfrom,
)
from switch.rtp import packet, serial, source, telephone_event

QUANTUM_NS: Final = 4_000_000
"""How long packets may wait for each other. Measured: a wake costs about 30 us here, so 250 a
second cost 0.75 % of a core; chosen below the 5 ms that a call may be delayed."""

BUSY_PACKETS: Final = 8
"""Packets of the last tick from which the quantum is cheaper than a wake for each. Computed:
five quanta a tick."""

READS_MAX: Final = 16
"""Datagrams read from one socket at a time; the rest waits for the next one or the tick. Chosen: a
flood of 4,000 packets a second to one leg neither crowds it out nor holds up the others."""

ROUNDS_MAX: Final = 16
"""epoll_wait calls in a row. Chosen: 16 x 512 sockets are all legs of a full worker."""

Pump = Callable[[Legs, int, int], int]
LookAgain = Callable[[Legs], int]

_NEW_SSRC: Final = int(Flag.NEW_SSRC)
_TS_JUMP: Final = int(Flag.TS_JUMP)
_LOST: Final = int(Flag.LOST)
_LATE: Final = int(Flag.LATE)


@stage
def read_clock(legs: Legs) -> int:
    """Return the monotonic time in ns."""
    clock_gettime(CLOCK_MONOTONIC, legs.time.ctypes.data)
    return int(legs.time[0] * 1_000_000_000 + legs.time[1])


@stage
def serve_until(legs: Legs, epoll: int, until_ns: int) -> int:
    """Serve packets until the tick, then do what a tick does; return how many rings lag."""
    before = legs.counts[COUNT_PACKETS]
    is_quiet = legs.counts[COUNT_TICK_PACKETS] < BUSY_PACKETS
    now = drain(legs, epoll, 0)
    while now < until_ns:
        wait_ms = 0
        if is_quiet:
            wait_ms = (until_ns - now) // 1_000_000
        if wait_ms == 0:
            rest(legs, now, until_ns, is_quiet)
        now = drain(legs, epoll, wait_ms)
    if legs.counts[COUNT_UNREAD] > 0:
        serve_unread(legs, now)
    legs.counts[COUNT_TICK_PACKETS] = legs.counts[COUNT_PACKETS] - before
    beat.beat(legs, now)
    return ring.look(legs)


@stage
def rest(legs: Legs, now: int, until_ns: int, is_quiet: bool) -> None:
    """Sleep to the next quantum, or to the tick."""
    wake = until_ns
    if not is_quiet:
        wake = until_ns - (until_ns - now - 1) // QUANTUM_NS * QUANTUM_NS
    legs.time[0] = wake // 1_000_000_000
    legs.time[1] = wake % 1_000_000_000
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, legs.time.ctypes.data, 0)


@stage
def drain(legs: Legs, epoll: int, wait_ms: int) -> int:
    """Serve every socket on which something waits, waiting for the first; return the time.

    Each socket is reported once for what came (edge-triggered): every event must be served.
    """
    legs.counts[COUNT_WAKES] += 1
    count = epoll_wait(epoll, legs.events.ctypes.data, EVENTS_MAX, wait_ms)
    now = read_clock(legs)
    for _ in range(ROUNDS_MAX):
        for i in range(count):
            index = legs.leg_of_fd[legs.events[EVENT_WORDS * i + EVENT_DATA_WORD]]
            if index >= 0:
                serve(legs, index, now)
            elif index == CONTROL_INDEX:
                legs.counts[COUNT_CONTROL] += 1
            elif index <= RTCP_INDEX:
                beat.mail(legs, Mail.RTCP.value, RTCP_INDEX - index, 0, now)
        if count < EVENTS_MAX:
            break
        count = epoll_wait(epoll, legs.events.ctypes.data, EVENTS_MAX, 0)
    return now


@stage
def serve(legs: Legs, index: int, now: int) -> None:
    """Receive what waits for a leg and pass the good packets on.

    The socket is watched edge-triggered, so it is read until it is empty: one call more for each
    packet, and still cheaper than what level-triggered costs (measured, 0.4 us a packet).
    """
    for _ in range(READS_MAX):
        legs.sender_bytes[0] = SOCKADDR_BYTES
        size = recvfrom(
            legs.fd[index],
            legs.packet.ctypes.data,
            PACKET_BYTES,
            MSG_DONTWAIT,
            legs.sender.ctypes.data,
            legs.sender_bytes.ctypes.data,
        )
        if size < 0:
            return
        legs.counts[COUNT_PACKETS] += 1
        if legs.srtp_in[index] != 0:
            size = srtp_stage.unprotect(legs, index, size)
            if size < 0:
                continue
        offset = accept(legs, index, size)
        if offset >= 0:
            deliver(legs, index, offset, size, now)
    legs.unread[index] = 1
    legs.counts[COUNT_UNREAD] += 1


@stage
def serve_unread(legs: Legs, now: int) -> None:
    """Read on where sockets were left before they were empty.

    A socket whose buffer is full gets no new packet, and so is never reported again.
    """
    legs.counts[COUNT_UNREAD] = 0
    for index in range(legs.top[0]):
        if legs.unread[index] == 1:
            legs.unread[index] = 0
            serve(legs, index, now)


@stage
def accept(legs: Legs, index: int, size: int) -> int:
    """Return where the payload begins; -1: dropped and counted."""
    if not far_end.is_known(legs, index):
        legs.drops[index, Drop.NOT_OUR_SOURCE.value] += 1
        return -1
    offset = packet.payload_offset(legs.packet, size)
    if offset < 0:
        legs.drops[index, -offset] += 1
        return -1
    if legs.tokens[index] <= 0:
        legs.drops[index, Drop.TOO_FAST.value] += 1
        return -1
    legs.tokens[index] -= 1
    return offset


@stage
def deliver(legs: Legs, index: int, offset: int, size: int, now: int) -> None:
    """Follow the sender's numbers; give the packet to the ring, the keys and the other leg."""
    kind = legs.packet[1] & 0x7F
    is_other = kind == legs.other_type_in[index]
    is_audio = kind == legs.type_in[index] or is_other
    is_event = kind == legs.event_in[index]
    if not is_audio and not is_event and kind != packet.PAYLOAD_TYPE_CN:
        legs.drops[index, Drop.NOT_OUR_PAYLOAD_TYPE.value] += 1
        return
    flags = follow(legs, index, now)
    if flags < 0:
        legs.drops[index, Drop.BAD_SEQUENCE.value] += 1
        return
    legs.received_ns[index] = now
    legs.comfort[index] = not is_audio and not is_event
    count = size - packet.padding_bytes(legs.packet, size) - offset
    row = legs.row[index]
    if is_event:
        if count >= telephone_event.EVENT_BYTES:
            hear_event(legs, index, offset, count, now)
    elif is_audio:
        if is_other:
            change_law(legs, 1 - legs.law[index], offset, count)
        if row >= 0:
            ring.put(legs, row, offset, count, flags)
        if legs.tape[index] >= 0:
            tape.put(legs, index, offset, count, flags, now)
        forward(legs, index, offset, count, now)
    elif row >= 0 and count > 0:
        ring.put_comfort(legs, row, legs.packet[offset] & 0x7F, flags)


@stage
def change_law(legs: Legs, law: int, offset: int, count: int) -> None:
    """Turn the sound at hand, which is in `law`, into the other one."""
    for i in range(offset, offset + count):
        legs.packet[i] = legs.other_law[law, legs.packet[i]]


@stage
def follow(legs: Legs, index: int, now: int) -> int:
    """Note the packet at hand in the sender's state; return the flags of its frame, or -1."""
    ssrc = packet.word32(legs.packet, 8)
    seen = source.receive(
        legs.source[index],
        packet.word16(legs.packet, 2),
        packet.word32(legs.packet, 4),
        ssrc,
        now // outlet.SAMPLE_NS,
    )
    if seen & source.BAD:
        return -1
    flags = 0
    if seen == source.GOOD:
        return flags
    if seen & (source.SAW_NEW_SSRC | source.SAW_JUMP) and legs.peer[index] >= 0:
        legs.in_step[legs.peer[index]] = 0
    if seen & source.SAW_NEW_SSRC:
        legs.source_changes[index] += 1
        flags |= _NEW_SSRC
    if seen & source.SAW_JUMP:
        flags |= _TS_JUMP
    if seen & source.SAW_LOSS:
        flags |= _LOST
    if seen & source.SAW_LATE:
        flags |= _LATE
    return flags


@stage
def barrier(legs: Legs, index: int, now: int) -> int:
    """Return why nothing of this leg may reach the other side now, or Drop.NONE."""
    if legs.peer[index] < 0:
        return Drop.NOT_JOINED.value
    if now >= legs.until_ns[index]:
        return Drop.UNPAID.value
    if legs.held[index] == 1:
        return Drop.HELD_BACK.value
    return Drop.NONE.value


@stage
def forward(legs: Legs, index: int, offset: int, count: int, now: int) -> None:
    """Send the sound at hand to the other leg in its law, or keep it to go under a prompt."""
    why = barrier(legs, index, now)
    if why != Drop.NONE.value:
        legs.drops[index, why] += 1
        if legs.peer[index] >= 0:
            outlet.leave_out(legs, legs.peer[index])
        return
    peer = legs.peer[index]
    law = legs.law[index]
    if now < legs.hush_until_ns[index]:
        silence = legs.code[law, 32768]
        for i in range(offset, offset + count):
            legs.packet[i] = silence
    if law != legs.law[peer]:
        change_law(legs, law, offset, count)
    if legs.sound[peer] != 0:
        ring.put_talk(legs, peer, offset, count)
        return
    outlet.relay(legs, peer, offset, count, legs.type_out[peer], now)


@stage
def hear_event(legs: Legs, index: int, offset: int, count: int, now: int) -> None:
    """Report a key at its first packet; pass its packets on where keys are passed on."""
    code = legs.packet[offset]
    is_new = telephone_event.press(
        legs.press[index],
        packet.word32(legs.packet, 4),
        code,
        packet.word16(legs.packet, offset + 2),
        legs.packet[offset + 1] >= 0x80,
    )
    is_flash = code == telephone_event.FLASH_CODE
    if is_new and code <= telephone_event.CODE_MAX and legs.keys_told[index] == 1:
        kind = Mail.FLASH.value if is_flash else Mail.KEY.value
        beat.mail(legs, kind, index, code, now)
    why = barrier(legs, index, now)
    peer = legs.peer[index]
    if why == Drop.NONE.value and (legs.keys_muted[index] == 1 or is_flash):
        why = Drop.KEY_MUTED.value
    if why == Drop.NONE.value and (legs.event_out[peer] < 0 or legs.sound[peer] != 0):
        why = Drop.NO_EVENTS.value
    if why == Drop.NONE.value:
        outlet.relay(legs, peer, offset, count, legs.event_out[peer], now)
        return
    legs.drops[index, why] += 1
    if peer >= 0:
        outlet.leave_out(legs, peer)


def _make_pump(seal: int) -> Pump:
    def pump(legs: Legs, epoll: int, until_ns: int) -> int:
        assert seal >= 0
        return serve_until(legs, epoll, until_ns)

    return pump


def _make_look_again(seal: int) -> LookAgain:
    def look_again(legs: Legs) -> int:
        assert seal >= 0
        return ring.look_again(legs)

    return look_again


_SEAL: Final = stamp(
    sys.modules[__name__], beat, epoll_event, far_end, legs_module, libsrtp, outlet, ring,
    rtp_stages, srtp_stage, tape, packet, serial, source, telephone_event,
)  # fmt: skip

pump: Final = compiled(_make_pump(_SEAL))
"""Serve packets until a time (ns), do what a tick does; returns how many rings lag behind."""

look_again: Final = compiled(_make_look_again(_SEAL))
"""Take one more frame from each ring that lags; returns how many still do."""
