"""Arithmetic on numbers that wrap around. Source: RFC 3550 §5.1, RFC 1982 §3."""

from typing import Final

SEQUENCE_MASK: Final = 0xFFFF
TIMESTAMP_MASK: Final = 0xFFFF_FFFF


def sequence_delta(new: int, old: int) -> int:
    """Return by how much a 16-bit sequence number is ahead: -32768 to 32767."""
    return ((new - old + 0x8000) & 0xFFFF) - 0x8000


def timestamp_delta(new: int, old: int) -> int:
    """Return by how much a 32-bit timestamp is ahead: -2^31 to 2^31 - 1."""
    return ((new - old + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
