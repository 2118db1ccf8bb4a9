"""Session descriptions from bytes and back. Source: RFC 8866 sections 5 and 9.

Whatever is wrong is 488: the peer could be understood as SIP, but not as a call.
"""

import re
from itertools import pairwise
from typing import Final

from switch.errors import LocalError, PeerError
from switch.sdp.session import Line, Media, SessionDescription
from switch.sip.limits import DEFAULT, SipLimits

_MEDIA: Final = re.compile(
    r"([A-Za-z0-9!#$%&'*+\-.^_`{|}~]+) ([0-9]{1,5})(?:/([0-9]{1,5}))? "
    r"([A-Za-z0-9!#$%&'*+\-.^_`{|}~/]+)((?: [^ ]+)+) *"
)
_LINE: Final = re.compile(r"([a-z])=([^\x00\r\n]*)")


def parse(body: bytes, limits: SipLimits = DEFAULT) -> SessionDescription:
    """Read a session description.

    Lines may end in LF alone (RFC 8866 section 5); text that is not UTF-8 is replaced.

    Raises:
        PeerError: 488; for a bad `m=` line, for a medium without `c=`, and over each limit.
    """
    text = body.decode("utf-8", "replace")
    raw = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(raw) > limits.sdp_lines_max:
        raise PeerError(488, "Too many SDP lines")
    lines: list[Line] = []
    for line in raw:
        found = _LINE.fullmatch(line)
        if found is None:
            raise PeerError(488, "Malformed SDP line")
        lines.append((found.group(1), found.group(2)))
    starts = [at for at, (letter, _) in enumerate(lines) if letter == "m"]
    if len(starts) > limits.sdp_media_max:
        raise PeerError(488, "Too many m= lines")
    head = tuple(lines[: starts[0]] if starts else lines)
    if head[:1] != (("v", "0"),):
        raise PeerError(488, "Not SDP version 0")
    media = tuple(
        _parse_media(lines[start][1], tuple(lines[start + 1 : end]), limits)
        for start, end in pairwise([*starts, len(lines)])
    )
    description = SessionDescription(head, media)
    _ = description.origin  # raises if it is malformed
    if not description.every("c") and not all(m.every("c") for m in media if m.port):
        raise PeerError(488, "No c= line")
    return description


def build(description: SessionDescription) -> bytes:
    """Write a session description, each line where it stood.

    Raises:
        LocalError: a value would have broken out of its line.
    """
    lines = [f"{letter}={value}" for letter, value in description.lines]
    for media in description.media:
        ports = f"/{media.ports}" if media.ports != 1 else ""
        formats = " ".join(media.formats)
        lines.append(f"m={media.kind} {media.port}{ports} {media.protocol} {formats}")
        lines += [f"{letter}={value}" for letter, value in media.lines]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise LocalError("line break inside an SDP value")
    return text.encode() + b"\r\n"


def _parse_media(value: str, lines: tuple[Line, ...], limits: SipLimits) -> Media:
    found = _MEDIA.fullmatch(value)
    if found is None:
        raise PeerError(488, "Malformed m= line")
    kind, port, ports, protocol, rest = found.groups()
    formats = tuple(rest.split(" ")[1:])
    if int(port) > 65535 or len(formats) > limits.sdp_formats_max:
        raise PeerError(488, "m= line out of range")
    return Media(kind, int(port), protocol, formats, lines, int(ports) if ports else 1)
