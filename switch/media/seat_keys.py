"""The SRTP sessions of one leg: made when its keys come, kept while the pump points at them.

A session lives as long as its key: a description that says the same again changes nothing, so the
rollover counters and the replay list go on (RFC 3711 §3.3.1, §3.3.2). A new key of ours starts a
new source with new numbers, so that the far end need not guess whether our counter began anew.
"""

from switch.media import wire
from switch.media.legs import Drop, Legs
from switch.media.libsrtp import SrtpSession
from switch.rtp.srtp_suite import MasterKey, Suite


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
            return
        suite = Suite(srtp.suite)
        self._hear_with(MasterKey(suite, srtp.theirs))
        key = MasterKey(suite, srtp.ours)
        if key not in self._sends:
            self._sends[key] = SrtpSession(key, sends=True)
            legs.ssrc[index] = srtp.ssrc
            legs.sequence[index] = srtp.sequence
            legs.in_step[index] = 0
        self._out = self._sends[key]
        legs.srtp_out[index] = self._out.address

    def _hear_with(self, key: MasterKey) -> None:
        if self._hears is None or self._hears[0] != key:
            self._hears = key, SrtpSession(key, sends=False)
            self._legs.srtp_ssrc[self._index] = -1
            self._legs.srtp_ssrcs[self._index] = 0
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
