"""How much a peer may send. Source: RFC 3261 (what must fit), RFC 4475 section 3.1.1.7.

The longest valid torture message has 3,515 bytes, 43 header lines, 34 Vias and a line of 593
bytes; all of it passes. Every figure below is chosen with room above that.
"""

from typing import Annotated

import msgspec

Limit = Annotated[int, msgspec.Meta(ge=1)]


class SipLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The limits of signalling, by name."""

    datagram_bytes_max: Limit = 16_384
    """Over it a datagram is dropped, or gets 513 if its source is known."""
    message_bytes_max: Limit = 65_536
    """Over it a message on a connection gets 513, and the connection is closed."""
    header_lines_max: Limit = 128
    """Over it: 400."""
    header_bytes_max: Limit = 8_192
    """Start line and header fields together. Over it: 400."""
    vias_max: Limit = 64
    """Over it: 400."""
    routes_max: Limit = 16
    """Route, and Record-Route, each. Over it: 400."""
    uri_bytes_max: Limit = 1_024
    """Over it: 414 for the Request-URI, else 400."""
    body_bytes_max: Limit = 16_384
    """Over it: 413."""
    body_parts_max: Limit = 4
    """Parts of a multipart body, which may not be nested. Over it: 413."""
    sdp_lines_max: Limit = 256
    """Over it: 488."""
    sdp_media_max: Limit = 8
    """`m=` lines. Over it: 488."""
    sdp_formats_max: Limit = 32
    """Formats of one `m=` line. Over it: 488."""


DEFAULT = SipLimits()
"""The limits of an installation that sets none."""
