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
    "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip
"""One-letter header names. RFC 3261 section 7.3.3 and the IANA registry."""


def canonical(name: str) -> str:
    """Return the lower-case long form of a header name."""
    lower = name.lower()
    return COMPACT.get(lower, lower)


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order. Names compare without case; compact forms are the long forms."""

    fields: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def get(self, name: str) -> str | None:
        """Return the first value of this name, or None."""
        wanted = canonical(name)
        for key, value in self.fields:
            if canonical(key) == wanted:
                return value
        return None

    def every(self, name: str) -> list[str]:
        """Return every value of this name, one per header line, in order."""
        wanted = canonical(name)
        return [value for key, value in self.fields if canonical(key) == wanted]

    def plus(self, extra: Iterable[tuple[str, str]]) -> "Headers":
        """Return these and then those."""
        return Headers((*self.fields, *extra))

    def without(self, name: str) -> "Headers":
        """Return all but this name."""
        unwanted = canonical(name)
        return Headers(tuple(f for f in self.fields if canonical(f[0]) != unwanted))


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
