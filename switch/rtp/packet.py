"""The RTP packet: find the payload, write a header. Source: RFC 3550 §5.1, RFC 5761 §4.

 0                   1                   2                   3
|V=2|P|X|  CC   |M|     PT      |       sequence number         |
|                           timestamp                           |
|                             SSRC                              |
|            CSRC, 4 bytes each, CC of them                     |
|  extension, if X: 16 bits profile, 16 bits length in words    |
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

VERSION: Final = 2
HEADER_BYTES: Final = 12

PAYLOAD_TYPE_PCMU: Final = 0
PAYLOAD_TYPE_PCMA: Final = 8
PAYLOAD_TYPE_CN: Final = 13
"""RFC 3551 §6 Table 4; 13: RFC 3389 §4."""

TOO_SHORT: Final = -1
BAD_VERSION: Final = -2
CONTROL: Final = -3
"""RTCP on the RTP port (RFC 5761 §4)."""
BAD_LENGTH: Final = -4
"""Contributing sources, extension or padding reach beyond the datagram."""

CONTROL_TYPE_MIN: Final = 192
CONTROL_TYPE_MAX: Final = 223
"""Second bytes that mean RTCP: no RTP with or without marker uses them. RFC 5761 §4."""


class Numbers(Protocol):
    """Bytes, a list or an array: what can be read by index."""

    def __getitem__(self, at: int, /) -> Any: ...  # noqa: ANN401 - an int of any kind


class MutableNumbers(Numbers, Protocol):
    """The same, and can be written."""

    def __setitem__(self, at: int, value: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet, for tests, tools and whatever is not in a hurry."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def payload_offset(data: Numbers, size: int) -> int:
    """Return where the payload of a datagram begins, or why it has none (negative).

    Args:
        data: at least `size` bytes.
        size: length of the datagram.
    """
    if size < HEADER_BYTES:
        return TOO_SHORT
    if data[0] >> 6 != VERSION:
        return BAD_VERSION
    if CONTROL_TYPE_MIN <= data[1] <= CONTROL_TYPE_MAX:
        return CONTROL
    offset = HEADER_BYTES + 4 * (int(data[0]) & 15)
    if data[0] & 0x10:
        if offset + 4 > size:
            return BAD_LENGTH
        offset += 4 + 4 * word16(data, offset + 2)
    return offset if offset <= size - padding_bytes(data, size) else BAD_LENGTH


def padding_bytes(data: Numbers, size: int) -> int:
    """Return how many bytes at the end are padding. RFC 3550 §5.1, bit P."""
    return int(data[size - 1]) if data[0] & 0x20 else 0


def word16(data: Numbers, at: int) -> int:
    """Read 16 bits, most significant byte first."""
    return (int(data[at]) << 8) | int(data[at + 1])


def word32(data: Numbers, at: int) -> int:
    """Read 32 bits, most significant byte first."""
    return (word16(data, at) << 16) | word16(data, at + 2)


def put_word16(data: MutableNumbers, at: int, value: int) -> None:
    """Write 16 bits, most significant byte first."""
    data[at] = (value >> 8) & 255
    data[at + 1] = value & 255


def put_word32(data: MutableNumbers, at: int, value: int) -> None:
    """Write 32 bits, most significant byte first."""
    put_word16(data, at, (value >> 16) & 0xFFFF)
    put_word16(data, at + 2, value & 0xFFFF)


def put_header(  # noqa: PLR0917 - compiled by the media room: no keyword-only there
    data: MutableNumbers,
    at: int,
    type_byte: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
) -> None:
    """Write twelve bytes of header at `at`; `type_byte` is payload type plus 128 for the marker."""
    data[at] = VERSION << 6
    data[at + 1] = type_byte
    put_word16(data, at + 2, sequence)
    put_word32(data, at + 4, timestamp)
    put_word32(data, at + 8, ssrc)


def parse(data: bytes) -> RtpPacket | None:
    """Read a packet; None: it is none."""
    offset = payload_offset(data, len(data))
    if offset < 0:
        return None
    return RtpPacket(
        payload_type=data[1] & 0x7F,
        marker=bool(data[1] & 0x80),
        sequence=word16(data, 2),
        timestamp=word32(data, 4),
        ssrc=word32(data, 8),
        payload=data[offset : len(data) - padding_bytes(data, len(data))],
    )


def build(packet: RtpPacket) -> bytes:
    """Return the bytes of a packet."""
    data = bytearray(HEADER_BYTES)
    type_byte = packet.payload_type | (0x80 if packet.marker else 0)
    put_header(data, 0, type_byte, packet.sequence, packet.timestamp, packet.ssrc)
    return bytes(data) + packet.payload
