"""The `a=crypto` lines of a medium: what we offer, what we take, and the two keys of a leg.

    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key and salt>|2^31

Source: RFC 4568 sections 5, 6 and 9. Each side says the key that it sends with. A line with
anything in it that we do not do (a key identifier, several keys, a session without a cipher) is no
line for us; the next one may be. The keys stand in no text that these values make of themselves.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from switch.rtp.srtp_suite import OFFERED, MasterKey, Suite, secret_bytes
from switch.sdp.session import Line, Media

PROTOCOL: Final = "RTP/SAVP"
"""RFC 3711 section 12 through RFC 4568 section 6."""

LIFETIME_BITS_MIN: Final = 20
"""A key that is good for fewer packets is not taken. Chosen: 2^20 packets are 5.8 hours of talk;
we never ask for a new key in a call."""

_SUITES: Final = {suite.value: suite for suite in Suite}
_LINE: Final = re.compile(r"([0-9]{1,9}) +([A-Za-z0-9_]+) +([^ ]+)((?: +[^ ]+)*) *")
_INLINE: Final = re.compile(
    r"inline:([A-Za-z0-9+/]+={0,2})(?:\|(?:2\^([0-9]{1,2})|([0-9]{1,20})))?"
)
_WINDOW: Final = re.compile(r"WSH=[0-9]{1,5}")


class Srtp(StrEnum):
    """What a terminal or a trunk may do about SRTP. It is only ever used over TLS."""

    OFF = "off"
    ALLOWED = "allowed"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One line that we understand."""

    tag: int
    key: MasterKey


@dataclass(frozen=True, slots=True)
class LegKeys:
    """The keys of one leg, one for each direction."""

    ours: MasterKey = field(repr=False)
    """What we send with."""
    theirs: MasterKey = field(repr=False)


def fresh_keys(random: Random) -> tuple[MasterKey, ...]:
    """Return a new key of ours for each suite, the preferred first."""
    return tuple(MasterKey(suite, random.randbytes(secret_bytes(suite))) for suite in OFFERED)


def parse_line(value: str) -> CryptoLine | None:
    """Read what stands behind `crypto:`; None: we cannot do what it says."""
    found = _LINE.fullmatch(value)
    if found is None:
        return None
    tag, name, parameters, session = found.groups()
    if name not in _SUITES or not all(_WINDOW.fullmatch(one) for one in session.split()):
        return None
    inline = _INLINE.fullmatch(parameters)
    if inline is None or not _lives_long_enough(inline):
        return None
    try:
        return CryptoLine(int(tag), MasterKey(_SUITES[name], base64.b64decode(inline[1])))
    except (ValueError, binascii.Error):
        return None


def build_line(line: CryptoLine) -> Line:
    """Write a line."""
    key = base64.b64encode(line.key.secret).decode()
    return "a", f"crypto:{line.tag} {line.key.suite.value} inline:{key}"


def offered_lines(keys: Iterable[MasterKey]) -> tuple[Line, ...]:
    """Write the lines of an offer of ours: one for each key, numbered from 1."""
    return tuple(build_line(CryptoLine(tag, key)) for tag, key in enumerate(keys, start=1))


def choose(offered: Media, keys: Iterable[MasterKey]) -> tuple[CryptoLine, LegKeys] | None:
    """Take the first line of an offer whose suite we have a key for. RFC 4568 section 5.1.2.

    Returns:
        The line of our answer, and both keys.
    """
    by_suite = {key.suite: key for key in keys}
    for theirs in _lines_of(offered):
        ours = by_suite.get(theirs.key.suite)
        if ours is not None and ours != theirs.key:
            return CryptoLine(theirs.tag, ours), LegKeys(ours=ours, theirs=theirs.key)
    return None


def matched(answered: Media, keys: tuple[MasterKey, ...]) -> LegKeys | None:
    """Read which line of our offer an answer takes. RFC 4568 section 5.1.3.

    Returns:
        Both keys; None: the answer takes none of our lines, or more than one.
    """
    lines = _lines_of(answered)
    if len(lines) != 1 or not 1 <= lines[0].tag <= len(keys):
        return None
    ours, theirs = keys[lines[0].tag - 1], lines[0].key
    if theirs.suite is not ours.suite or theirs == ours:
        return None
    return LegKeys(ours=ours, theirs=theirs)


def _lines_of(media: Media) -> list[CryptoLine]:
    values = [a.removeprefix("crypto:") for a in media.every("a") if a.startswith("crypto:")]
    read = (parse_line(value) for value in values)
    return [line for line in read if line is not None]


def _lives_long_enough(inline: re.Match[str]) -> bool:
    """Tell whether a key's lifetime (RFC 4568 section 6.1) covers the longest call."""
    bits, packets = inline[2], inline[3]
    if bits is not None:
        return int(bits) >= LIFETIME_BITS_MIN
    return packets is None or int(packets) >= 1 << LIFETIME_BITS_MIN
