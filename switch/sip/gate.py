"""Who may ask for what: the checks before a new request gets a transaction.

In this order, the first that fails decides: is the line within its rate, is the switch taking such
requests now, is the method one of ours, may the request travel on, do we know what it requires,
is the terminal who it says it is. Nothing here keeps state for a stranger.

Source: RFC 3261 section 8.2 (order), 16.3 (loops), 22 (digest); `signalling.md` sections 4, 5, 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from switch.sip.compose import ALLOW
from switch.sip.digest import Algorithm, Credential, NonceBook, Verdict, for_realm, user_of
from switch.sip.events import Source, SourceKind
from switch.sip.headers import content_type, max_forwards, required_tags
from switch.sip.incoming import Incoming
from switch.sip.parser import KNOWN_METHODS
from switch.sip.rate import Buckets, DigestFailures
from switch.sip.rate import Verdict as RateVerdict
from switch.sip.settings import SipSettings
from switch.sip.sources import parse_address
from switch.sip.tokens import Tokens
from switch.sip.uri import parse_uri, scheme_of

RETRY_S: Final = (5, 15)
"""Retry-After of a 503, drawn at random so that not all come back at once. `signalling.md` 8."""

SHEDDABLE: Final = ("OPTIONS", "REGISTER", "INVITE")
"""What may be turned away under load, the first first. `signalling.md` section 8."""

LOAD: Final = frozenset({"shed", "full"})
"""Refusals because of load: a method that is turned away now, or a table that is full."""

GUESSES: Final = frozenset({"digest_wrong", "digest_silence"})
"""Refusals of a wrong digest; with the second one silence begins."""

NOT_OFFERED: Final = KNOWN_METHODS - {
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE",
}  # fmt: skip
"""Known methods that we answer with 405, or 489 for event packages."""

REQUIRED_MAX: Final = 16
"""Option tags named in Unsupported. Chosen: the rest is noise."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with this and forget the request. Status 0: say nothing at all."""

    status: int
    what: str
    """For the counter and the event; '' if it is everyday, as a challenge."""
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    source: Source | None = None


class Gate:
    """The admission of one stack.

    Args:
        settings: see there.
        credentials: of the terminals, by digest user; may change while we run.
        nonce_secret: the key of our nonces.
        tokens: for Retry-After.
    """

    def __init__(
        self,
        *,
        settings: SipSettings,
        credentials: Mapping[str, Credential],
        nonce_secret: bytes,
        tokens: Tokens,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._nonces = NonceBook(nonce_secret)
        self._tokens = tokens
        self._requests = Buckets(
            per_second=settings.requests_per_second_max, burst_max=settings.requests_burst_max
        )
        self._registers = Buckets(
            per_second=settings.registers_per_second_max, burst_max=settings.registers_burst_max
        )
        self._failures = DigestFailures(failures_max=settings.digest_failures_max)
        self._exempt = [ip_network(text, strict=False) for text in settings.rate_exempt_networks]
        self._exempt_ips: dict[str, bool] = {}
        self._swept_at = 0.0
        self.closed: frozenset[str] = frozenset()
        """Methods that get 503 because we drain: OPTIONS and INVITE."""
        self.shed: frozenset[str] = frozenset()
        """Methods that get 503 because of load: some of SHEDDABLE."""

    def rate(self, incoming: Incoming, *, now: float) -> Refusal | None:
        """Take a token of this line."""
        if self._is_exempt(incoming.flow.peer[0]):
            return None
        known, method = incoming.known, incoming.request.method
        line = self._line_of(incoming)
        if method == "REGISTER":
            verdict = self._registers.take(line, now=now)
        elif method == "INVITE" and known.calls_per_second_max is not None:
            per_second = known.calls_per_second_max
            verdict = self._requests.take(f"calls {line}", now=now, per_second=per_second)
        else:
            verdict = self._requests.take(line, now=now)
        match verdict:
            case RateVerdict.PASS:
                return None
            case RateVerdict.REFUSE:
                return self.unavailable("rate", known.source)
            case RateVerdict.IGNORE:
                return Refusal(0, "rate", source=known.source)

    def unavailable(self, what: str, source: Source | None = None) -> Refusal:
        """503 with a random Retry-After."""
        return Refusal(503, what, headers=(self.retry_after(),), source=source)

    def retry_after(self) -> tuple[str, str]:
        """Return a random Retry-After header."""
        return ("Retry-After", str(round(self._tokens.between(*RETRY_S))))

    def new_request(self, incoming: Incoming, *, now: float) -> Refusal | Source:
        """Check a request outside any dialog; return who sent it, or why not.

        Raises:
            PeerError: a header that had to be read is malformed.
        """
        request, source = incoming.request, incoming.known.source
        if request.method in self.closed:
            return self.unavailable("closed", source)
        if request.method in self.shed:
            return self.unavailable("shed", source)
        refusal = method_refusal(incoming) or self._headers_refusal(incoming)
        if refusal is not None:
            return refusal
        if source.kind is SourceKind.TERMINAL and request.method in {"INVITE", "REGISTER"}:
            return self._prove(incoming, now=now)
        return source

    def _headers_refusal(self, incoming: Incoming) -> Refusal | None:
        request, source = incoming.request, incoming.known.source
        if scheme_of(request.uri) not in {"sip", "sips", "tel"}:
            return Refusal(416, "uri_scheme", source=source)
        parse_uri(request.uri)
        if max_forwards(request) == 0 and request.method != "OPTIONS":
            return Refusal(483, "max_forwards", source=source)
        if any(self._tokens.instance in via for via in request.headers.every("via")):
            return Refusal(482, "loop", source=source)
        replaced = [name for name in ("replaces", "join") if request.headers.get(name)]
        if request.method == "INVITE" and replaced:
            return Refusal(403, replaced[0], source=source)
        return require_refusal(incoming) or body_refusal(incoming) or accept_refusal(incoming)

    def _prove(self, incoming: Incoming, *, now: float) -> Refusal | Source:
        """Digest. RFC 3261 section 22; the 401 leaves without a transaction."""
        self._sweep(now=now)
        request, ip = incoming.request, incoming.flow.peer[0]
        header = for_realm(request.headers.every("authorization"), self._settings.realm)
        user = user_of(header) or self._user_hint(incoming)
        credential = self._credentials.get(user)
        line = f"{ip} {user}"
        if self._failures.is_silent(line, now=now):
            return Refusal(0, "digest_silence", source=incoming.known.source)
        verdict = self._nonces.check(
            header, request.method, request.uri, credential, source_ip=ip, now=now
        )
        match verdict:
            case Verdict.OK:
                self._failures.succeeded(line)
                return Source(SourceKind.TERMINAL, user)
            case Verdict.MISSING:
                return self._challenge(credential, ip, now=now, what="")
            case Verdict.STALE:
                return self._challenge(credential, ip, now=now, what="", stale=True)
            case Verdict.WRONG:
                silent = self._failures.failed(line, now=now)
                what = "digest_silence" if silent else "digest_wrong"
                return self._challenge(credential, ip, now=now, what=what)

    def _challenge(
        self,
        credential: Credential | None,
        ip: str,
        *,
        now: float,
        what: str,
        stale: bool = False,
    ) -> Refusal:
        algorithm = credential.algorithm if credential is not None else Algorithm.MD5
        value = self._nonces.challenge(
            algorithm, self._settings.realm, source_ip=ip, now=now, stale=stale
        )
        return Refusal(401, what, headers=(("WWW-Authenticate", value),))

    def _user_hint(self, incoming: Incoming) -> str:
        """Whom a request without credentials seems to come from: decides the algorithm only."""
        uri = incoming.sender.uri
        return uri.partition(":")[2].partition("@")[0]

    def _line_of(self, incoming: Incoming) -> str:
        known, (ip, port) = incoming.known, incoming.flow.peer
        match known.source.kind:
            case SourceKind.TERMINAL:
                return f"{ip}:{port}"
            case SourceKind.GATEWAY:
                return f"{known.source.name} {self._user_hint(incoming)}"
            case SourceKind.TRUNK:
                return known.source.name

    def _is_exempt(self, ip: str) -> bool:
        if not self._exempt:
            return False
        if ip not in self._exempt_ips:
            address = parse_address(ip)
            held = [n for n in self._exempt if address is not None and address.version == n.version]
            self._exempt_ips[ip] = any(address in network for network in held)
        return self._exempt_ips[ip]

    def _sweep(self, *, now: float) -> None:
        if now - self._swept_at > 60:  # chosen: a fifth of a nonce's life
            self._swept_at = now
            self._nonces.forget_old(now=now)


def method_refusal(incoming: Incoming) -> Refusal | None:
    """Turn away a method that we do not serve."""
    method, source = incoming.request.method, incoming.known.source
    if method not in KNOWN_METHODS:
        return Refusal(501, "unknown_method", headers=(("Allow", ALLOW),), source=source)
    if method in {"SUBSCRIBE", "NOTIFY"}:
        return Refusal(489, method.lower(), source=source)
    if method in NOT_OFFERED:
        return Refusal(405, method.lower(), headers=(("Allow", ALLOW),), source=source)
    return None


def require_refusal(incoming: Incoming) -> Refusal | None:
    """Turn away what requires an extension: we have none yet. RFC 3261 section 8.2.2.3."""
    required = required_tags(incoming.request)[:REQUIRED_MAX]
    if not required:
        return None
    unsupported = (("Unsupported", ", ".join(required)),)
    return Refusal(420, "require", headers=unsupported, source=incoming.known.source)


def body_refusal(incoming: Incoming) -> Refusal | None:
    """Turn away an INVITE whose body we cannot read. RFC 3261 section 8.2.3."""
    request = incoming.request
    if request.method != "INVITE" or not request.body:
        return None
    encoding = request.headers.get("content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        headers = (("Accept-Encoding", "identity"),)
        return Refusal(415, "content_encoding", headers=headers, source=incoming.known.source)
    kind = content_type(request)[0]
    if kind != "application/sdp" and not kind.startswith("multipart/"):
        headers = (("Accept", "application/sdp"),)
        return Refusal(415, "content_type", headers=headers, source=incoming.known.source)
    return None


def accept_refusal(incoming: Incoming) -> Refusal | None:
    """Turn away an INVITE whose sender could not read our answer. RFC 3261 section 21.4.7."""
    accepted = ",".join(incoming.request.headers.every("accept")).lower()
    if incoming.request.method != "INVITE" or not accepted:
        return None
    if any(kind in accepted for kind in ("application/sdp", "application/*", "*/*")):
        return None
    warning = (("Warning", '399 kinline "Only application/sdp is offered"'),)
    return Refusal(406, "accept", headers=warning, source=incoming.known.source)
