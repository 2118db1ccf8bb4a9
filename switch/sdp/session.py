"""A session description as a value, every line in its place. Source: RFC 8866 section 5.

Lines that we do not know are kept where they stood, for the ladder and for the record; nothing
of one leg's description is ever copied to the other.
"""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum

from switch.errors import PeerError

Line = tuple[str, str]
"""The letter and what stands behind its `=`."""


class Direction(StrEnum):
    """Which way audio flows, seen from the side that wrote it. RFC 8866 section 6.7."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the side that wrote it sends."""
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        """Whether the side that wrote it receives."""
        return self in {Direction.SENDRECV, Direction.RECVONLY}

    @property
    def reversed(self) -> "Direction":
        """The same, seen from the other side."""
        return direction(sends=self.receives, receives=self.sends)


def direction(*, sends: bool, receives: bool) -> Direction:
    """Return the direction of a side that sends, receives, both or neither."""
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line. RFC 8866 section 5.2."""

    user: str
    session_id: int
    version: int
    address: str


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line and what belongs to it. RFC 8866 section 5.14."""

    kind: str
    """`audio`, `video`, `image` …"""
    port: int
    """0: refused."""
    protocol: str
    """`RTP/AVP`, `RTP/SAVP`, `udptl` …"""
    formats: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    ports: int = 1
    """How many, as in `m=audio 4000/2`."""

    def every(self, letter: str) -> list[str]:
        """Return the values of all lines with this letter, in order."""
        return [value for key, value in self.lines if key == letter]

    def attribute(self, name: str) -> str | None:
        """Return the value of the first `a=name:value`; '' for `a=name`; None if there is none."""
        return _attribute(self.lines, name)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description."""

    lines: tuple[Line, ...]
    """What stands above the first `m=`, in order, `v=` included."""
    media: tuple[Media, ...] = field(default=())

    def every(self, letter: str) -> list[str]:
        """Return the values of all session lines with this letter, in order."""
        return [value for key, value in self.lines if key == letter]

    def attribute(self, name: str) -> str | None:
        """Return the value of the first session `a=name:value`; '' for `a=name`; else None."""
        return _attribute(self.lines, name)

    @property
    def origin(self) -> Origin:
        """The `o=` line.

        Raises:
            PeerError: 488 if it is missing or malformed.
        """
        values = self.every("o")
        parts = values[0].split() if values else []
        if len(parts) != 6 or not _are_numbers(parts[1:3]):
            raise PeerError(488, "Malformed o= line")
        return Origin(parts[0], int(parts[1]), int(parts[2]), parts[5])

    def address_of(self, media: Media) -> str | None:
        """Return the IP address for this medium: its own `c=`, else the session's.

        None if there is no `c=`, or it holds no plain IP address (a host name, multicast).
        """
        values = media.every("c") or self.every("c")
        return _parse_connection(values[0]) if values else None

    def direction_of(self, media: Media) -> Direction:
        """Return the direction of this medium: its own, else the session's, else both ways."""
        for lines in (media.lines, self.lines):
            for key, value in lines:
                if key == "a" and value in _DIRECTIONS:
                    return Direction(value)
        return Direction.SENDRECV


_DIRECTIONS = frozenset(Direction)


def ip_family(ip: str) -> str:
    """Return `IP6` for an IPv6 address, else `IP4`."""
    return "IP6" if ":" in ip else "IP4"


def _attribute(lines: tuple[Line, ...], name: str) -> str | None:
    for key, value in lines:
        if key == "a":
            found, _, rest = value.partition(":")
            if found == name:
                return rest
    return None


def _parse_connection(value: str) -> str | None:
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN":
        return None
    try:
        address = ipaddress.ip_address(parts[2])
    except ValueError:
        return None
    if f"IP{address.version}" != parts[1] or address.is_multicast or "%" in parts[2]:
        return None
    return str(address)


def _are_numbers(parts: list[str]) -> bool:
    return all(part.isascii() and part.isdigit() and len(part) <= 20 for part in parts)
