"""The SRTP sessions of one leg: made when its keys come, kept while the pump points at them.

A session lives as long as its key: a description that says the same again changes nothing, so the
rollover counters and the replay list go on (RFC 3711 §3.3.1, §3.3.2). A session that begins in the
middle of a leg (a new key of ours, or the same one at another worker) speaks as a new source with
new numbers: nothing is ever enciphered twice with the same counter, and the far end need not guess
whether ours began anew. Theirs goes on where what we heard of them stood.
"""

from random import SystemRandom
from typing import Final

from switch.media import wire
from switch.media.legs import Drop, Legs
from switch.media.libsrtp import SrtpSession
from switch.rtp import source
from switch.rtp.srtp_suite import MasterKey, Suite

_RANDOM: Final = SystemRandom()


class SeatKeys:
    """Both directions of one leg.

    Args:
        legs: the shared arrays.
        index: the leg's place there.
    """

    def __init__(self, legs: Legs, index: int) -> None:
        self._legs = legs
        self._index = index
        self._sends: dict[MasterKey, SrtpSession] = {}
        """Every key that we ever sent with: none may begin again at zero."""
        self._hears: tuple[MasterKey, SrtpSession] | None = None
        self._out: SrtpSession | None = None
        self._in: SrtpSession | None = None

    def take(self, srtp: wire.Srtp | None) -> None:
        """Use these keys from now on; None: the leg is in the clear."""
        legs, index = self._legs, self._index
        if srtp is None:
            self._in = self._out = None
            legs.srtp_in[index] = legs.srtp_out[index] = 0
            legs.srtp_ssrc[index] = -1
            return
        suite = Suite(srtp.suite)
        self._hear_with(MasterKey(suite, srtp.theirs))
        key = MasterKey(suite, srtp.ours)
        if key not in self._sends:
            self._sends[key] = SrtpSession(key, sends=True)
            if legs.sent[index] or legs.received_ns[index]:
                legs.ssrc[index] = _RANDOM.getrandbits(32)
                legs.sequence[index] = _RANDOM.getrandbits(15)
                legs.in_step[index] = 0
        self._out = self._sends[key]
        legs.srtp_out[index] = self._out.address

    def _hear_with(self, key: MasterKey) -> None:
        legs, index = self._legs, self._index
        if self._hears is None or self._hears[0] != key:
            session = SrtpSession(key, sends=False)
            if self._hears is None and legs.srtp_ssrc[index] >= 0:  # at a worker that died
                rollovers = int(legs.source[index, source.CYCLES]) >> 16
                session.go_on(int(legs.srtp_ssrc[index]), rollovers)
            self._hears = key, session
            legs.srtp_ssrc[index] = -1
            legs.srtp_ssrcs[index] = 0
        self._in = self._hears[1]
        self._legs.srtp_in[self._index] = self._in.address

    def protect_rtcp(self, data: bytes) -> bytes:
        """Return a report as it goes over the wire."""
        return data if self._out is None else self._out.protect_rtcp(data)

    def unprotect_rtcp(self, data: bytes) -> bytes:
        """Return a report in the clear; empty: it did not prove itself, and is counted."""
        if self._in is None:
            return data
        clear = self._in.unprotect_rtcp(data)
        if clear is None:
            self._legs.drops[self._index, Drop.NOT_AUTHENTIC] += 1
        return clear or b""
