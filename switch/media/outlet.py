"""What leaves a leg: our own SSRC, sequence and timestamp, whoever's sound it is.

Source: RFC 3550 §5.1. A relayed packet keeps the distances of the sender's numbers (so the far end
sees the sender's losses as they were); after a prompt, a new source or a pause the shift is chosen
anew, and the timestamp goes on by the time that has passed.
"""

from typing import Final

from dsp.jit import stage
from switch.media import srtp_stage
from switch.media.legs import FRAME_BYTES, Drop, Legs
from switch.media.libc import MSG_DONTWAIT, sendto
from switch.rtp import packet, serial

SAMPLE_NS: Final = 125_000
"""8 kHz."""

PAUSE_SAMPLES: Final = 400
"""More than 50 ms since the packet before, and a new talk spurt begins. Chosen."""

MARKER: Final = 0x80
"""RFC 3551 §4.1: the first packet of a talk spurt."""


@stage
def send(legs: Legs, index: int, start: int, size: int) -> None:
    """Send `size` bytes at address `start` to the far end of a leg.

    Behind them there is room for the tag of SRTP, which also takes their place: they are gone.
    """
    if legs.target_bytes[index] == 0 or legs.may_send[index] == 0:
        legs.drops[index, Drop.NOT_SENT.value] += 1
        return
    protected = size
    if legs.srtp_out[index] != 0:
        protected = srtp_stage.protect(legs, index, start, size)
        if protected < 0:
            legs.drops[index, Drop.NOT_SENT.value] += 1
            return
    done = sendto(
        legs.fd[index],
        start,
        protected,
        MSG_DONTWAIT,
        legs.target[index].ctypes.data,
        legs.target_bytes[index],
    )
    if done < 0:
        legs.drops[index, Drop.NOT_SENT.value] += 1
    else:
        legs.sent[index] += 1
        legs.sent_octets[index] += size - packet.HEADER_BYTES


@stage
def gap_samples(legs: Legs, index: int, now: int) -> int:
    """Return how far the timestamp goes on to a packet that follows no other: whole frames."""
    if legs.sent_ns[index] == 0:
        return 0
    frames = (now - legs.sent_ns[index]) // SAMPLE_NS // FRAME_BYTES
    return int(max(frames, 1) * FRAME_BYTES)


@stage
def fall_in(legs: Legs, index: int, sequence: int, timestamp: int, now: int) -> None:
    """Choose the shifts so that a packet with these numbers is our next one."""
    gap = gap_samples(legs, index, now)
    legs.sequence_shift[index] = legs.sequence[index] + 1 - sequence
    legs.timestamp_shift[index] = legs.timestamp[index] + gap - timestamp
    legs.in_step[index] = 1


@stage
def relay(  # noqa: PLR0917 - compiled: no keyword-only arguments there
    legs: Legs, peer: int, offset: int, count: int, kind: int, now: int
) -> None:
    """Send the payload of the packet at hand to `peer` under our own header."""
    their_sequence = packet.word16(legs.packet, 2)
    their_timestamp = packet.word32(legs.packet, 4)
    marker = legs.packet[1] & MARKER
    if legs.in_step[peer] == 0:
        fall_in(legs, peer, their_sequence, their_timestamp, now)
        marker = marker | MARKER
    sequence = (their_sequence + legs.sequence_shift[peer]) & serial.SEQUENCE_MASK
    timestamp = (their_timestamp + legs.timestamp_shift[peer]) & serial.TIMESTAMP_MASK
    if serial.sequence_delta(sequence, legs.sequence[peer]) > 0:
        legs.sequence[peer] = sequence
        legs.timestamp[peer] = timestamp
        legs.sent_ns[peer] = now
    start = offset - packet.HEADER_BYTES
    packet.put_header(legs.packet, start, kind | marker, sequence, timestamp, legs.ssrc[peer])
    send(legs, peer, legs.packet.ctypes.data + start, count + packet.HEADER_BYTES)


@stage
def leave_out(legs: Legs, peer: int) -> None:
    """Let the sender's next packet follow as if this one had not been: it is no loss."""
    legs.sequence_shift[peer] -= 1


@stage
def speak(legs: Legs, index: int, now: int) -> None:
    """Send `frame` (a header's room and 20 ms) to a leg as our own sound."""
    gap = FRAME_BYTES
    marker = 0
    if legs.sent_ns[index] == 0 or now - legs.sent_ns[index] > PAUSE_SAMPLES * SAMPLE_NS:
        gap = gap_samples(legs, index, now)
        marker = MARKER
    legs.sequence[index] = (legs.sequence[index] + 1) & serial.SEQUENCE_MASK
    legs.timestamp[index] = (legs.timestamp[index] + gap) & serial.TIMESTAMP_MASK
    legs.sent_ns[index] = now
    legs.in_step[index] = 0
    kind = legs.type_out[index] | marker
    packet.put_header(
        legs.frame, 0, kind, legs.sequence[index], legs.timestamp[index], legs.ssrc[index]
    )
    send(legs, index, legs.frame.ctypes.data, packet.HEADER_BYTES + FRAME_BYTES)
