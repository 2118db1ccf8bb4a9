"""RTCP, the part we use: sender and receiver report, name, goodbye. Source: RFC 3550 §6.

Reports are read leniently (what follows an unknown packet is still read) and built as the compound
that §6.1 asks for: a report, then SDES with the CNAME.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TYPE_SR: Final = 200
TYPE_RR: Final = 201
TYPE_SDES: Final = 202
TYPE_BYE: Final = 203
"""RFC 3550 §12.1."""

SDES_CNAME: Final = 1
INTERVAL_S: Final = 5.0
"""Minimum mean interval. RFC 3550 §6.2."""

NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900 to 1970. RFC 5905 §6."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source is received. RFC 3550 §6.4.1."""

    ssrc: int
    fraction_lost: int
    """In 1/256, since the report before."""
    lost: int
    """In all; signed 24 bits on the wire."""
    max_sequence: int
    """Extended: cycles and highest sequence number."""
    jitter: int
    """Samples."""
    last_sr: int = 0
    """Middle 32 bits of the NTP time in the last SR from that source."""
    delay_since_sr: int = 0
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What we have sent. RFC 3550 §6.4.1."""

    wall: float
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report (`sender` is there) or a receiver report."""

    ssrc: int
    sender: SenderInfo | None
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources are gone."""

    ssrcs: tuple[int, ...]


def build_report(report: Report, *, cname: str) -> bytes:
    """Return the compound of a report and our CNAME."""
    body = b"".join(_build_block(block) for block in report.blocks)
    kind = TYPE_RR
    if report.sender is not None:
        kind = TYPE_SR
        body = _build_sender(report.sender) + body
    head = _header(len(report.blocks), kind, 4 + len(body)) + struct.pack("!I", report.ssrc)
    return head + body + _build_name(report.ssrc, cname)


def build_bye(ssrc: int, *, cname: str) -> bytes:
    """Return the compound that says goodbye. RFC 3550 §6.1: a report must stand before it."""
    empty = Report(ssrc=ssrc, sender=None, blocks=())
    return build_report(empty, cname=cname) + _header(1, TYPE_BYE, 4) + struct.pack("!I", ssrc)


def parse(data: bytes) -> list[Report | Bye]:
    """Read a compound; what is not understood is passed over, what is broken ends the reading."""
    found: list[Report | Bye] = []
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2:
        count, kind = data[at] & 31, data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        body = data[at + 4 : end]
        if kind in {TYPE_SR, TYPE_RR}:
            found.extend(_parse_report(body, count, is_sender=kind == TYPE_SR))
        elif kind == TYPE_BYE and len(body) >= 4 * count:
            found.append(Bye(struct.unpack_from(f"!{count}I", body)))
        at = end
    return found


def middle_ntp(wall: float) -> int:
    """Return the middle 32 bits of the NTP time. RFC 3550 §4."""
    return int((wall + NTP_EPOCH_S) * 65536) & 0xFFFF_FFFF


def round_trip_s(block: ReportBlock, *, wall: float) -> float | None:
    """Return the round trip that a report block about us shows; None: it cannot. §6.4.1."""
    if block.last_sr == 0:
        return None
    units = (middle_ntp(wall) - block.last_sr - block.delay_since_sr) & 0xFFFF_FFFF
    return units / 65536 if units < 1 << 31 else None


def _header(count: int, kind: int, body_bytes: int) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, body_bytes // 4)


def _build_sender(info: SenderInfo) -> bytes:
    ntp = int((info.wall + NTP_EPOCH_S) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
    rest = (info.timestamp, info.packets & 0xFFFF_FFFF, info.octets & 0xFFFF_FFFF)
    return struct.pack("!QIII", ntp, *rest)


def _build_block(block: ReportBlock) -> bytes:
    lost = min(max(block.lost, -(1 << 23)), (1 << 23) - 1) & 0xFF_FFFF
    return struct.pack(
        "!IIIIII",
        block.ssrc,
        (block.fraction_lost << 24) | lost,
        block.max_sequence & 0xFFFF_FFFF,
        block.jitter & 0xFFFF_FFFF,
        block.last_sr,
        block.delay_since_sr,
    )


def _build_name(ssrc: int, cname: str) -> bytes:
    text = cname.encode()[:255]
    item = bytes([SDES_CNAME, len(text)]) + text
    chunk = struct.pack("!I", ssrc) + item
    chunk += bytes(4 - len(chunk) % 4)
    return _header(1, TYPE_SDES, len(chunk)) + chunk


def _parse_report(body: bytes, count: int, *, is_sender: bool) -> Sequence[Report]:
    blocks_at = 24 if is_sender else 4
    if len(body) < blocks_at + 24 * count:
        return []
    sender = None
    if is_sender:
        ntp, timestamp, packets, octets = struct.unpack_from("!QIII", body, 4)
        sender = SenderInfo(ntp / (1 << 32) - NTP_EPOCH_S, timestamp, packets, octets)
    blocks = tuple(_parse_block(body, blocks_at + 24 * n) for n in range(count))
    return [Report(int.from_bytes(body[:4], "big"), sender, blocks)]


def _parse_block(body: bytes, at: int) -> ReportBlock:
    ssrc, lost, max_sequence, jitter, last_sr, delay = struct.unpack_from("!IIIIII", body, at)
    signed = ((lost & 0xFF_FFFF) ^ 0x80_0000) - 0x80_0000
    return ReportBlock(ssrc, lost >> 24, signed, max_sequence, jitter, last_sr, delay)
