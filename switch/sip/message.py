"""SIP requests and responses as plain values. Source: RFC 3261 section 7.

Header fields stay as they came: a list of (name, raw value) in order. What a value means is
parsed when it is asked for, by `switch.sip.headers`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

COMPACT: Final = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to",
    "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
    "y": "identity",
}  # fmt: skip
"""One-letter header names. RFC 3261 section 7.3.3 and the IANA registry."""


_SPELLINGS: Final = {
    spelling: COMPACT.get(name.lower(), name.lower())
    for name in (
        *COMPACT, "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Route",
        "Record-Route", "Content-Type", "Content-Length", "Allow", "Supported", "Require",
        "User-Agent", "Server", "Expires", "Min-Expires", "Authorization", "WWW-Authenticate",
        "Proxy-Authorization", "Proxy-Authenticate", "Session-Expires", "Min-SE", "Accept",
        "P-Asserted-Identity", "Reason", "Date", "Privacy", "Warning", "Retry-After", "RSeq",
        "RAck", "Allow-Events", "Subject", "Organization", "Unsupported", "Diversion",
    )
    for spelling in (name, name.lower(), name.upper())
}  # fmt: skip
"""The usual spellings, so that most header names cost one look-up."""


def canonical(name: str) -> str:
    """Return the lower-case long form of a header name."""
    known = _SPELLINGS.get(name)
    if known is not None:
        return known
    lower = name.lower()
    return COMPACT.get(lower, lower)


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order. Names compare without case; compact forms are the long forms."""

    fields: tuple[tuple[str, str], ...] = ()
    _index: dict[str, list[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Canonical name to values; filled when it is first asked for."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def get(self, name: str) -> str | None:
        """Return the first value of this name, or None."""
        values = self._values(name)
        return values[0] if values else None

    def every(self, name: str) -> list[str]:
        """Return every value of this name, one per header line, in order."""
        return list(self._values(name) or ())

    def count(self, name: str) -> int:
        """Return how many header lines have this name."""
        return len(self._values(name) or ())

    def plus(self, extra: Iterable[tuple[str, str]]) -> "Headers":
        """Return these and then those."""
        return Headers((*self.fields, *extra))

    def without(self, name: str) -> "Headers":
        """Return all but this name."""
        unwanted = canonical(name)
        return Headers(tuple(f for f in self.fields if canonical(f[0]) != unwanted))

    def _values(self, name: str) -> list[str] | None:
        index = self._index
        if not index:
            for key, value in self.fields:
                index.setdefault(_SPELLINGS.get(key) or canonical(key), []).append(value)
        return index.get(_SPELLINGS.get(name) or canonical(name))


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request. RFC 3261 section 7.1."""

    method: str
    uri: str
    """The Request-URI as it came."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A SIP response. RFC 3261 section 7.2."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def is_provisional(self) -> bool:
        """1xx: the request is still being worked on. RFC 3261 section 7.2."""
        return 100 <= self.status < 200

    @property
    def is_success(self) -> bool:
        """2xx. RFC 3261 section 7.2."""
        return 200 <= self.status < 300


Message = Request | Response
