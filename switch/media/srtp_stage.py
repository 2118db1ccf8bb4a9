"""SRTP in the packet path: open what comes, close what leaves, in place. Source: RFC 3711.

Only here is a packet of such a leg in the clear: rings, prompts and detectors stand behind it.
What does not prove itself is counted and changes nothing.
"""

from typing import Final

from dsp.jit import stage
from switch.media import far_end
from switch.media.legs import Drop, Legs
from switch.media.libsrtp import OK, REPLAYED, TOO_OLD, srtp_protect, srtp_unprotect
from switch.rtp import packet

SOURCES_MAX: Final = 64
"""Sources (SSRC) that one leg may have under one key. Chosen: each costs libsrtp a kilobyte for as
long as the leg lives; a telephone has one or two."""


@stage
def unprotect(legs: Legs, index: int, size: int) -> int:
    """Open the datagram at hand; return its size in the clear, or -1: dropped and counted."""
    why = judge(legs, index, size)
    if why != Drop.NONE.value:
        legs.drops[index, why] += 1
        return -1
    ssrc = packet.word32(legs.packet, 8)
    is_new = ssrc != legs.srtp_ssrc[index]
    if is_new and legs.srtp_ssrcs[index] >= SOURCES_MAX:
        legs.drops[index, Drop.TOO_MANY_SOURCES.value] += 1
        return -1
    legs.srtp_bytes[0] = size
    done = srtp_unprotect(legs.srtp_in[index], legs.packet.ctypes.data, legs.srtp_bytes.ctypes.data)
    if done == OK:
        if is_new:
            legs.srtp_ssrc[index] = ssrc
            legs.srtp_ssrcs[index] += 1
        return int(legs.srtp_bytes[0])
    why = Drop.NOT_AUTHENTIC.value
    if REPLAYED <= done <= TOO_OLD:
        why = Drop.REPLAYED.value
    legs.drops[index, why] += 1
    return -1


@stage
def judge(legs: Legs, index: int, size: int) -> int:
    """Return what is wrong with a datagram that need not be deciphered, or Drop.NONE."""
    if not far_end.may_be_known(legs, index):
        return Drop.NOT_OUR_SOURCE.value
    if size < packet.HEADER_BYTES:
        return Drop.TOO_SHORT.value
    if legs.packet[0] >> 6 != packet.VERSION:
        return Drop.BAD_VERSION.value
    if packet.CONTROL_TYPE_MIN <= legs.packet[1] <= packet.CONTROL_TYPE_MAX:
        return Drop.CONTROL.value
    return Drop.NONE.value


@stage
def protect(legs: Legs, index: int, start: int, size: int) -> int:
    """Close `size` bytes at address `start`; return the new size, or -1: the key gives no more."""
    legs.srtp_bytes[0] = size
    if srtp_protect(legs.srtp_out[index], start, legs.srtp_bytes.ctypes.data) != OK:
        return -1
    return int(legs.srtp_bytes[0])
