"""How a worker goes on for one that died: each leg where it stood, and what waited in its socket.

What came while no worker was there is late by the length of the gap: sound would only lengthen
every delay after it and is thrown away, counted; keys are read, for somebody pressed them.
"""

import ipaddress
import os
from typing import Final

from switch.ids import LegId
from switch.media import address
from switch.media.estate import Estate, Letter
from switch.media.legs import PACKET_BYTES, Drop, Legs, Mail
from switch.media.messages import LegResumed
from switch.media.seats import NS, Seat
from switch.rtp import packet, telephone_event

STALE_MAX: Final = 256
"""Datagrams thrown away of one leg. Chosen: three times what its receive buffer holds."""


class Heir:
    """Hands out what dead workers left.

    Args:
        legs: the shared arrays.
    """

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._estate: Estate | None = None

    def inherit(self, rights: list[int]) -> None:
        """Read what a worker left; the one before is forgotten."""
        for fd in rights[1:]:
            os.close(fd)
        self._estate = Estate(rights[0], self._legs) if rights else None

    def resume(self, seat: Seat, *, now: float) -> tuple[LegResumed, list[Letter]]:
        """Let a leg go on; return what to say of it, and the keys that nobody may have heard of."""
        letters: list[Letter] = []
        lost_at = 0.0
        estate = self._estate
        if estate is not None and estate.pass_on(seat.leg, self._legs, seat.index):
            lost_at = estate.alive_at_ns / NS
            letters = [one for one in estate.letters if one.leg == seat.leg]
        letters += self._empty(seat, now)
        return LegResumed(leg=seat.leg, lost_at=lost_at, at=now), letters

    def played(self, leg: LegId, play: int, size: int) -> int:
        """Return how many bytes of a play a leg had heard."""
        return 0 if self._estate is None else self._estate.played(leg, play, size)

    def _empty(self, seat: Seat, now: float) -> list[Letter]:
        """Throw away what waits in a leg's socket, but for keys."""
        letters: list[Letter] = []
        for _ in range(STALE_MAX):
            try:
                data, peer = seat.rtp.recvfrom(PACKET_BYTES)
            except OSError:
                break
            self._legs.drops[seat.index, Drop.STALE] += 1
            code = self._new_key(seat.index, data, peer)
            if code >= 0:
                kind = Mail.FLASH if code == telephone_event.FLASH_CODE else Mail.KEY
                letters.append(Letter(kind, seat.leg, code, round(now * NS)))
        return letters

    def _new_key(self, index: int, data: bytes, peer: tuple[str, int]) -> int:
        """Return the key that this packet is the first of; -1: none."""
        legs = self._legs
        numbers = memoryview(data)
        offset = packet.payload_offset(numbers, len(data))
        if (
            offset < 0
            or legs.keys_told[index] == 0
            or legs.srtp_ssrc[index] >= 0  # its keys are behind a cipher that is not here yet
            or data[1] & 0x7F != legs.event_in[index]
            or peer[1] != legs.from_port[index]
            or list(address.words(ipaddress.ip_address(peer[0]))) != legs.from_ip[index].tolist()
            or len(data) - offset < telephone_event.EVENT_BYTES
        ):
            return -1
        code, duration = data[offset], int.from_bytes(data[offset + 2 : offset + 4], "big")
        timestamp = int.from_bytes(data[4:8], "big")
        ends = data[offset + 1] >= 0x80
        is_new = telephone_event.press(legs.press[index], timestamp, code, duration, ends)
        return code if is_new and code <= telephone_event.CODE_MAX else -1
