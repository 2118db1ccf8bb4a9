"""Is this datagram from the leg's far end? Source: RFC 7362.

The signalled address and port; for a trunk with media networks, any port there; for a terminal
behind a NAT, the first source at its SIP address that sends five good packets in a row, and that
may be the signalled one: once locked, no other is followed.
"""

from typing import Final

import numpy as np

from dsp.jit import stage
from switch.media.legs import (
    LATCH_LEARNING,
    LATCH_LOCKED,
    LATCH_PACKETS,
    SOCKADDR_BYTES,
    Latch,
    Legs,
)
from switch.rtp import packet

SOCKADDR_IP4_BYTES: Final = 16
"""sockaddr_in; anything else is sockaddr_in6."""


@stage
def is_known(legs: Legs, index: int) -> bool:
    """Tell whether the datagram at hand is from the leg's far end."""
    port = packet.word16(legs.sender, 2)
    learning = legs.latch[index, Latch.MODE.value] == LATCH_LEARNING
    if learning and learn(legs, index, port):
        return True
    if port == legs.from_port[index] and is_same_address(legs, index):
        return True
    return not learning and bool(legs.network_count[index] > 0) and is_in_networks(legs, index)


@stage
def may_be_known(legs: Legs, index: int) -> bool:
    """Tell whether the datagram at hand could be from the far end, and learn nothing from it."""
    port = packet.word16(legs.sender, 2)
    if port == legs.from_port[index] and is_same_address(legs, index):
        return True
    if legs.latch[index, Latch.MODE.value] == LATCH_LEARNING:
        return is_latch_address(legs, index)
    return bool(legs.network_count[index] > 0) and is_in_networks(legs, index)


@stage
def is_latch_address(legs: Legs, index: int) -> bool:
    """Compare the sender with the address that a source behind a NAT must have."""
    for word in range(4):
        if sender_word(legs, word) != legs.latch[index, Latch.IP.value + word]:
            return False
    return True


@stage
def sender_word(legs: Legs, word: int) -> int:
    """Return one of the four words of the sender's address; IPv4 is the last."""
    if legs.sender_bytes[0] != SOCKADDR_IP4_BYTES:
        return packet.word32(legs.sender, 8 + 4 * word)
    if word == 3:
        return packet.word32(legs.sender, 4)
    return int(np.uint64(0))


@stage
def is_same_address(legs: Legs, index: int) -> bool:
    """Compare the sender with the signalled address."""
    if legs.sender_bytes[0] == SOCKADDR_IP4_BYTES:
        return bool(packet.word32(legs.sender, 4) == legs.from_ip[index, 3])
    same = True
    for word in range(4):
        same = same and sender_word(legs, word) == legs.from_ip[index, word]
    return same


@stage
def is_in_networks(legs: Legs, index: int) -> bool:
    """Tell whether the sender is in one of the leg's media networks."""
    for n in range(legs.network_count[index]):
        same = True
        for word in range(4):
            masked = sender_word(legs, word) & legs.networks[index, n, 4 + word]
            same = same and masked == legs.networks[index, n, word]
        if same:
            return True
    return False


@stage
def learn(legs: Legs, index: int, port: int) -> bool:
    """Follow a source behind a NAT: one address, one SSRC, so many good packets in a row."""
    latch = legs.latch[index]
    if not is_latch_address(legs, index):
        return False
    kind = legs.packet[1] & 0x7F
    if kind != legs.type_in[index] and kind != legs.event_in[index]:
        return False
    ssrc = packet.word32(legs.packet, 8)
    is_same = ssrc == latch[Latch.SSRC.value] and port == latch[Latch.PORT.value]
    latch[Latch.RUN.value] = latch[Latch.RUN.value] + 1 if is_same else 1
    latch[Latch.SSRC.value] = ssrc
    latch[Latch.PORT.value] = port
    if latch[Latch.RUN.value] >= LATCH_PACKETS:
        lock(legs, index, port)
    return True


@stage
def lock(legs: Legs, index: int, port: int) -> None:
    """Take the sender of the datagram at hand as the far end, until an SDP says otherwise."""
    legs.latch[index, Latch.MODE.value] = LATCH_LOCKED
    for word in range(4):
        legs.from_ip[index, word] = legs.latch[index, Latch.IP.value + word]
    legs.from_port[index] = port
    for i in range(SOCKADDR_BYTES):
        legs.target[index, i] = legs.sender[i]
    legs.target_bytes[index] = legs.sender_bytes[0]
