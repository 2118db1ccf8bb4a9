"""What is inside a body: one part, or several. Source: RFC 3261 section 7.4, RFC 5621, RFC 2046.

A multipart body is not nested, and has `body_parts_max` parts at most.
"""

from dataclasses import dataclass
from typing import Final

from switch.errors import PeerError
from switch.sip.headers import content_type
from switch.sip.limits import DEFAULT, SipLimits
from switch.sip.message import Headers, Message, Request

SDP: Final = "application/sdp"
BOUNDARY_CHARS_MAX: Final = 70
"""RFC 2046 section 5.1.1."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body."""

    kind: str
    """The media type in lower case."""
    data: bytes


def parts_of(message: Message, limits: SipLimits = DEFAULT) -> list[Part]:
    """Return the parts of a body; a body that is not multipart is one part, an empty one none.

    Raises:
        PeerError: 400 for a malformed body, 413 for too many parts, 415 for nested ones.
    """
    if not message.body:
        return []
    kind, params = content_type(message)
    if not kind.startswith("multipart/"):
        return [Part(kind, message.body)]
    boundary = params.get("boundary") or ""
    if not 0 < len(boundary) <= BOUNDARY_CHARS_MAX:
        raise PeerError(400, "No boundary")
    mark = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    _, *pieces = (b"\r\n" + message.body).split(mark, limits.body_parts_max + 2)
    closing = next((at for at, piece in enumerate(pieces) if piece.startswith(b"--")), None)
    if closing is None and len(pieces) <= limits.body_parts_max:
        raise PeerError(400, "The multipart body does not end")
    if closing is None or closing > limits.body_parts_max:
        raise PeerError(413, "Too many body parts")
    return [_parse_part(piece) for piece in pieces[:closing]]


def sdp_of(message: Message, limits: SipLimits = DEFAULT) -> bytes | None:
    """Return the session description that a message carries, or None if it has no body.

    Raises:
        PeerError: 415 if there is a body, but no SDP in it; and as `parts_of`.
    """
    parts = parts_of(message, limits)
    if not parts:
        return None
    for part in parts:
        if part.kind == SDP:
            return part.data
    raise PeerError(415, "Unsupported Media Type")


def _parse_part(piece: bytes) -> Part:
    head, blank, data = piece.partition(b"\r\n\r\n")
    if not blank or head.split(b"\r\n", 1)[0].strip(b" \t"):
        raise PeerError(400, "Malformed body part")
    fields = []
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields.append((name.strip(" \t"), value.strip(" \t")))
    kind, _ = content_type(Request("", "", Headers(tuple(fields))))
    if kind.startswith("multipart/"):
        raise PeerError(415, "Nested body parts")
    return Part(kind or "text/plain", data)
