"""Where a terminal is: one binding each, made and refreshed by REGISTER.

    expires asked    none      0         < 60              60 .. 3600    > 3600
    answer           default   removed   423 Min-Expires   granted       3600

An older CSeq under the same Call-ID changes nothing. A second Contact replaces the first: a
terminal is one device.

Source: RFC 3261 section 10.3; `signalling.md` section 4 (60 to 3600 s, one binding).
"""

from dataclasses import dataclass
from typing import Final

from switch.errors import PeerError
from switch.sip.events import Flow
from switch.sip.headers import NameAddr, contact_expires, contacts, expires, parse_cseq
from switch.sip.message import Request
from switch.sip.uri import parse_sip_uri

EXPIRES_S_MIN: Final = 60
"""`signalling.md` section 4."""

EXPIRES_S_MAX: Final = 3600
"""`signalling.md` section 4."""

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where one terminal is."""

    terminal: str
    contact: str
    """The URI, parameters and all, as it came."""
    path: tuple[str, ...]
    """RFC 3327, in order."""
    flow: Flow
    """Where the REGISTER came from: the way back through a NAT."""
    call_id: str
    cseq: int
    expires_at: float
    """Monotonic seconds."""


class BindingBook:
    """All bindings of this node.

    Args:
        expires_s_default: granted if the terminal names none.
    """

    def __init__(self, *, expires_s_default: int = 300) -> None:
        self._default_s = expires_s_default
        self._bindings: dict[str, Binding] = {}

    def __len__(self) -> int:
        """Return how many terminals are bound, those just expired too."""
        return len(self._bindings)

    def register(
        self, request: Request, flow: Flow, terminal: str, *, now: float
    ) -> tuple[int, Fields]:
        """Take a REGISTER that was authenticated; return status and headers of the answer."""
        try:
            return self._register(request, flow, terminal, now=now)
        except PeerError as error:
            return error.status, []

    def lookup(self, terminal: str, *, now: float) -> Binding | None:
        """Return where a terminal is, or None."""
        found = self._bindings.get(terminal)
        return found if found is not None and found.expires_at > now else None

    def expire(self, *, now: float) -> list[Binding]:
        """Remove and return the bindings whose time is over."""
        over = [found for found in self._bindings.values() if found.expires_at <= now]
        for found in over:
            del self._bindings[found.terminal]
        return over

    def next_deadline(self) -> float | None:
        """Return when `expire` is worth calling next, or None."""
        return min((found.expires_at for found in self._bindings.values()), default=None)

    def _register(
        self, request: Request, flow: Flow, terminal: str, *, now: float
    ) -> tuple[int, Fields]:
        asked = contacts(request)
        call_id = request.headers.get("call-id") or ""
        cseq = parse_cseq(request.headers.get("cseq") or "").number
        known = self.lookup(terminal, now=now)
        if not asked:
            return 200, self._fields(known, now=now)
        if known is not None and known.call_id == call_id and cseq <= known.cseq:
            return 200, self._fields(known, now=now)
        if any(contact.uri == "*" for contact in asked):
            return self._remove_all(request, asked, terminal)
        seconds = [self._granted_s(request, contact) for contact in asked]
        if any(0 < wish < EXPIRES_S_MIN for wish in seconds):
            return 423, [("Min-Expires", str(EXPIRES_S_MIN))]
        for contact in asked:
            parse_sip_uri(contact.uri)
        wanted = [pair for pair in zip(asked, seconds, strict=True) if pair[1] > 0]
        if not wanted:
            if known is not None and any(contact.uri == known.contact for contact in asked):
                del self._bindings[terminal]
            return 200, self._fields(self.lookup(terminal, now=now), now=now)
        contact, seconds_granted = wanted[-1]
        bound = Binding(
            terminal=terminal,
            contact=contact.uri,
            path=tuple(request.headers.every("path")),
            flow=flow,
            call_id=call_id,
            cseq=cseq,
            expires_at=now + min(seconds_granted, EXPIRES_S_MAX),
        )
        self._bindings[terminal] = bound
        return 200, self._fields(bound, now=now)

    def _remove_all(
        self, request: Request, asked: list[NameAddr], terminal: str
    ) -> tuple[int, Fields]:
        """`Contact: *` needs `Expires: 0` and stands alone. RFC 3261 section 10.2.2."""
        if len(asked) != 1 or expires(request) != 0:
            return 400, []
        self._bindings.pop(terminal, None)
        return 200, []

    def _granted_s(self, request: Request, contact: NameAddr) -> int:
        wish = contact_expires(contact)
        if wish is None:
            wish = expires(request)
        return self._default_s if wish is None else wish

    def _fields(self, bound: Binding | None, *, now: float) -> Fields:
        if bound is None:
            return []
        left_s = max(0, round(bound.expires_at - now))
        return [("Contact", f"<{bound.contact}>;expires={left_s}")]
