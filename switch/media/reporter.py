"""RTCP of each leg: it ends at us. Sender or receiver reports, the goodbye.

Source: RFC 3550 §6. A leg's reports go from its RTCP socket to the signalled address, one port up.
What the far end reports is read for its time, so that it can measure the round trip.
"""

import contextlib
from typing import Final

from switch.media.legs import Legs
from switch.media.seats import NS, SAMPLES_PER_MS, Seat
from switch.rtp import rtcp, source

PACKETS_MAX: Final = 4
"""Compounds read from one leg at a time. Chosen: twenty seconds' worth."""

COMPOUND_BYTES_MAX: Final = 1500

ROUND_TRIP_S_MAX: Final = 10.0
JITTER_MAX: Final = 80_000
"""Ten seconds, in samples. More than this is no measurement: a far end may write anything.
Chosen."""


class Reporter:
    """Speaks and hears RTCP for all legs.

    Args:
        legs: the shared arrays.
    """

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._wall_ahead = 0.0
        """What the wall clock has beyond the monotonic one, when we last looked."""

    def report(self, seat: Seat, *, now: float, wall: float) -> None:
        """Send a report; there is one to send if the leg has sent or heard anything."""
        self._wall_ahead = wall - now
        if seat.signalled is None:
            return
        if self._legs.sent[seat.index] or self._legs.received_ns[seat.index]:
            self._say(seat, rtcp.build_report(self._report(seat, now, wall), cname=_cname(seat)))

    def goodbye(self, seat: Seat) -> None:
        """Tell the far end that our source ends."""
        if seat.signalled is not None and self._legs.sent[seat.index]:
            ssrc = int(self._legs.ssrc[seat.index])
            self._say(seat, rtcp.build_bye(ssrc, cname=_cname(seat)))

    def _report(self, seat: Seat, now: float, wall: float) -> rtcp.Report:
        legs, index = self._legs, seat.index
        sender = None
        if legs.sent[index]:
            since = now - float(legs.sent_ns[index]) / NS
            sender = rtcp.SenderInfo(
                wall=wall,
                timestamp=(int(legs.timestamp[index]) + round(since * 8000)) & 0xFFFF_FFFF,
                packets=int(legs.sent[index]),
                octets=int(legs.sent_octets[index]),
            )
        blocks = (self._block(seat, now),) if legs.source[index, source.STARTED] else ()
        return rtcp.Report(int(legs.ssrc[index]), sender, blocks)

    def _block(self, seat: Seat, now: float) -> rtcp.ReportBlock:
        s = self._legs.source[seat.index]
        delay = now - seat.last_report_at if seat.last_report else 0.0
        return rtcp.ReportBlock(
            ssrc=int(s[source.SSRC]),
            fraction_lost=source.fraction_lost(s),
            lost=source.lost(s),
            max_sequence=int(s[source.CYCLES] + s[source.MAX_SEQ]),
            jitter=source.jitter_samples(s),
            last_sr=seat.last_report,
            delay_since_sr=round(delay * 65536) & 0xFFFF_FFFF,
        )

    def hear(self, seat: Seat, *, now: float) -> None:
        """Read what came for a leg."""
        for _ in range(PACKETS_MAX):
            try:
                data, peer = seat.rtcp.recvfrom(COMPOUND_BYTES_MAX)
            except OSError:
                return
            if seat.signalled is None or peer[0] != seat.signalled[0]:
                continue
            for one in rtcp.parse(seat.keys.unprotect_rtcp(data)):
                if isinstance(one, rtcp.Report):
                    self._read(seat, one, now)

    def _read(self, seat: Seat, report: rtcp.Report, now: float) -> None:
        """Take what the far end says of its own stream, and of ours."""
        seat.heard_report_at = now
        if report.sender is not None:
            seat.last_report = rtcp.middle_ntp(report.sender.wall)
            seat.last_report_at = now
        ours = int(self._legs.ssrc[seat.index])
        for block in (one for one in report.blocks if one.ssrc == ours):
            sent = int(self._legs.sent[seat.index])
            seat.far_lost = min(max(0, block.lost), sent)
            seat.far_jitter_ms = round(min(block.jitter, JITTER_MAX) / SAMPLES_PER_MS, 3)
            trip_s = rtcp.round_trip_s(block, wall=now + self._wall_ahead)
            if trip_s is not None and trip_s <= ROUND_TRIP_S_MAX:
                seat.round_trip_ms = round(1000 * trip_s, 3)

    def _say(self, seat: Seat, data: bytes) -> None:
        ip, port, _ = seat.signalled or ("", 0, "")
        if self._legs.may_send[seat.index] and port < 65535:
            with contextlib.suppress(OSError):
                seat.rtcp.sendto(seat.keys.protect_rtcp(data), (ip, port + 1))


def _cname(seat: Seat) -> str:
    """One name for each leg, so that legs are not linked by it. RFC 7022 §4.2 (short-term)."""
    return f"{seat.port:x}@{seat.ip}"
