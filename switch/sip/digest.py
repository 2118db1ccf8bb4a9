"""Digest authentication, both sides. Source: RFC 7616, RFC 8760, RFC 3261 section 22.

The server keeps no state for a stranger: a nonce is a time, a number and a keyed hash of both and
of the source address. Only a nonce that was answered correctly is remembered, so that each of
its counts is accepted once. A wrong user costs the same work as a wrong password.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from switch.errors import PeerError
from switch.sip.headers import TOKEN, quote, unquote
from switch.sip.uri import SipUri, parse_uri

NONCE_LIFE_S: Final = 300.0
"""After it a nonce is stale. Chosen: about as long as a registration lasts by default."""

NONCES_MAX: Final = 20_000
"""Remembered nonces at most; the oldest is forgotten, and so is stale. Chosen: some 200 bytes
each, and every one of them was paid for with a correct password."""

COUNT_WINDOW: Final = 64
"""Nonce counts may arrive this much out of order. Chosen, as RFC 4303 section 3.4.3 has it."""

_AUTH_PARAM: Final = re.compile(
    rf'[ \t]*({TOKEN})[ \t]*=[ \t]*("[^"\\]*(?:\\.[^"\\]*)*"|[^\s",]*)[ \t]*(?:,|$)', re.DOTALL
)
_SCHEME: Final = re.compile(r"[ \t]*digest[ \t]+", re.IGNORECASE)
_HEX_8: Final = re.compile(r"[0-9A-Fa-f]{8}")
_NONCE_HEAD_BYTES: Final = 12
_NONCE_HASH_BYTES: Final = 16


class Algorithm(StrEnum):
    """Hashes that we know, weakest first."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"


class Verdict(Enum):
    """What became of an Authorization header."""

    OK = auto()
    STALE = auto()
    """The password is right, the nonce is too old, used up or not ours: challenge again."""
    WRONG = auto()
    MISSING = auto()
    """No digest credentials at all: challenge."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is stored of a password."""

    user: str
    realm: str
    algorithm: Algorithm
    ha1: str
    """H(user:realm:password) in hexadecimal; the password itself is stored nowhere."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """An Authorization header, read but not checked."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    """'' if the client knows only RFC 2069."""
    nc: str
    cnonce: str


def ha1(user: str, realm: str, password: str, algorithm: Algorithm) -> str:
    """Return what to store instead of a password. RFC 7616 section 3.4.2."""
    return _digest(algorithm, f"{user}:{realm}:{password}")


def parse_authorization(header: str | None) -> Authorization | None:
    """Read an Authorization header; None if there is none, or it is another scheme."""
    params = _parse_digest(header or "")
    if params is None:
        return None
    return Authorization(
        user=params.get("username", ""),
        realm=params.get("realm", ""),
        nonce=params.get("nonce", ""),
        uri=params.get("uri", ""),
        response=params.get("response", "").lower(),
        algorithm=params.get("algorithm", "MD5").upper(),
        qop=params.get("qop", "").lower(),
        nc=params.get("nc", ""),
        cnonce=params.get("cnonce", ""),
    )


def user_of(header: str | None) -> str:
    """Return the user who claims to have written the header, or ''."""
    found = parse_authorization(header)
    return found.user if found is not None else ""


def for_realm(headers: Iterable[str], realm: str) -> str | None:
    """Return the Authorization among several that is meant for this realm, or None."""
    for header in headers:
        found = parse_authorization(header)
        if found is not None and found.realm == realm:
            return header
    return None


class NonceBook:
    """Makes challenges and checks what comes back.

    Args:
        secret: the key of the nonces; random, for this process alone.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._made = 0
        self._counts: dict[str, tuple[int, int]] = {}
        """Nonce to the highest count that was accepted and a bit map of those below it."""

    def challenge(
        self, algorithm: Algorithm, realm: str, *, source_ip: str, now: float, stale: bool = False
    ) -> str:
        """Return the value of a WWW-Authenticate header."""
        self._made = (self._made + 1) % 2**32
        nonce = self._nonce(int(now * 1000), self._made, source_ip)
        return (
            f'Digest realm={quote(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"'
            + (", stale=true" if stale else "")
        )

    def check(
        self,
        header: str | None,
        method: str,
        uri: str,
        credential: Credential | None,
        *,
        source_ip: str,
        now: float,
    ) -> Verdict:
        """Say whether the header proves the credential for this request.

        Args:
            header: the Authorization header, if there was one.
            method: of the request.
            uri: the Request-URI as it came.
            credential: of the user that the header names; None if there is no such user, which
                is WRONG after the same work.
            source_ip: where the request came from.
            now: monotonic seconds.
        """
        claim = parse_authorization(header)
        if claim is None:
            return Verdict.MISSING
        known = credential or _nobody(claim)
        proved = hmac.compare_digest(
            _response(known, claim, method).encode(), claim.response.encode("utf-8", "replace")
        )
        sound = (
            claim.algorithm == known.algorithm
            and claim.realm == known.realm
            and claim.user == known.user
            and _is_sound(claim)
            and _same_target(claim.uri, uri)
        )
        if credential is None or not proved or not sound:
            return Verdict.WRONG
        if not self._is_fresh(claim.nonce, source_ip, now):
            return Verdict.STALE
        return Verdict.OK if self._take_count(claim) else Verdict.STALE

    def forget_old(self, *, now: float) -> None:
        """Forget the counts of nonces that are stale by now; call it every minute or so."""
        limit_ms = int((now - NONCE_LIFE_S) * 1000)
        self._counts = {n: c for n, c in self._counts.items() if _made_ms(n) >= limit_ms}

    @property
    def remembered(self) -> int:
        """How many nonces have a count."""
        return len(self._counts)

    def _nonce(self, made_ms: int, number: int, source_ip: str) -> str:
        head = made_ms.to_bytes(8, "big") + number.to_bytes(4, "big")
        mac = hmac.digest(self._secret, head + source_ip.encode(), "sha256")[:_NONCE_HASH_BYTES]
        return base64.urlsafe_b64encode(head + mac).decode().rstrip("=")

    def _is_fresh(self, nonce: str, source_ip: str, now: float) -> bool:
        raw = _decode_nonce(nonce)
        if raw is None:
            return False
        made_ms, number = int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:12], "big")
        ours = hmac.compare_digest(self._nonce(made_ms, number, source_ip), nonce)
        return ours and 0 <= int(now * 1000) - made_ms <= NONCE_LIFE_S * 1000

    def _take_count(self, claim: Authorization) -> bool:
        """Accept each count of a nonce once; without qop there is one count only."""
        count = int(claim.nc, 16) if claim.qop else 1
        highest, seen = self._counts.get(claim.nonce, (0, 0))
        if count > highest:
            seen = (seen << min(count - highest, COUNT_WINDOW)) | 1
            highest = count
        else:
            bit = 1 << (highest - count) if highest - count < COUNT_WINDOW else 0
            if count < 1 or not bit or seen & bit:
                return False
            seen |= bit
        if claim.nonce not in self._counts and len(self._counts) >= NONCES_MAX:
            del self._counts[next(iter(self._counts))]
        self._counts[claim.nonce] = (highest, seen & (2**COUNT_WINDOW - 1))
        return True


def answer_challenge(
    header_value: str | Iterable[str],
    *,
    method: str,
    uri: str,
    user: str,
    password: str,
    cnonce: str,
    nc: int = 1,
    body: bytes = b"",  # noqa: ARG001 - for auth-int, which we never choose
) -> str:
    """Return the Authorization value that answers a challenge.

    Args:
        header_value: one WWW-Authenticate or Proxy-Authenticate value, or all of them; the
            strongest algorithm that we know is taken.
        method: of the request that was challenged.
        uri: its Request-URI.
        user: who we are there.
        password: and our password.
        cnonce: something random of ours.
        nc: how often this nonce has been used, with this time.
        body: of the request.

    Raises:
        PeerError: 401 if there is no challenge that we can answer.
    """
    values = [header_value] if isinstance(header_value, str) else list(header_value)
    algorithm, challenge = _strongest(values)
    offered = {tag.strip().lower() for tag in challenge.get("qop", "").split(",")}
    qop = "auth" if "auth" in offered else ""
    claim = Authorization(
        user=user,
        realm=challenge["realm"],
        nonce=challenge["nonce"],
        uri=uri,
        response="",
        algorithm=algorithm,
        qop=qop,
        nc=f"{nc:08x}",
        cnonce=cnonce,
    )
    secret = ha1(user, claim.realm, password, algorithm)
    response = _response(Credential(user, claim.realm, algorithm, secret), claim, method)
    parts = [
        f"username={quote(user)}",
        f"realm={quote(claim.realm)}",
        f"nonce={quote(claim.nonce)}",
        f"uri={quote(uri)}",
        f'response="{response}"',
        f"algorithm={algorithm}",
    ]
    if "opaque" in challenge:
        parts.append(f"opaque={quote(challenge['opaque'])}")
    if qop:
        parts += [f"qop={qop}", f"nc={claim.nc}", f"cnonce={quote(cnonce)}"]
    return "Digest " + ", ".join(parts)


def is_stale(header_value: str) -> bool:
    """Say whether a challenge only wants a new nonce, not another password."""
    return ((_parse_digest(header_value) or {}).get("stale", "")).lower() == "true"


def _strongest(values: list[str]) -> tuple[Algorithm, dict[str, str]]:
    found: dict[Algorithm, dict[str, str]] = {}
    for value in values:
        params = _parse_digest(value)
        if params is None or "realm" not in params or not params.get("nonce"):
            continue
        offered = {tag.strip().lower() for tag in params.get("qop", "auth").split(",")}
        for algorithm in Algorithm:
            if params.get("algorithm", "MD5").upper() == algorithm and "auth" in offered:
                found.setdefault(algorithm, params)
    for algorithm in reversed(Algorithm):
        if algorithm in found:
            return algorithm, found[algorithm]
    raise PeerError(401, "No challenge that we know")


def _parse_digest(header: str) -> dict[str, str] | None:
    """Return the parameters; None if this is not Digest. A malformed one has no parameters."""
    scheme = _SCHEME.match(header)
    if scheme is None:
        return None
    params: dict[str, str] = {}
    at = scheme.end()
    while at < len(header):
        found = _AUTH_PARAM.match(header, at)
        if found is None or found.group(1).lower() in params:
            return {}
        params[found.group(1).lower()] = unquote(found.group(2))
        at = found.end()
    return params


def _nobody(claim: Authorization) -> Credential:
    """What to check an unknown user against, so that it takes as long as a known one."""
    algorithm = next((a for a in Algorithm if a == claim.algorithm), Algorithm.MD5)
    return Credential(claim.user, claim.realm, algorithm, _digest(algorithm, ""))


def _is_sound(claim: Authorization) -> bool:
    """RFC 2069 clients (no qop) are let in with MD5, since their nonces are good for one use."""
    if not claim.qop:
        return claim.algorithm == Algorithm.MD5
    return claim.qop == "auth" and bool(_HEX_8.fullmatch(claim.nc)) and bool(claim.cnonce)


def _same_target(claimed: str, uri: str) -> bool:
    """The digest URI must mean the Request-URI; clients differ in its parameters."""
    if claimed == uri:
        return True
    try:
        one, other = parse_uri(claimed), parse_uri(uri)
    except PeerError:
        return False
    if not isinstance(one, SipUri) or not isinstance(other, SipUri):
        return one == other
    return (one.scheme, one.user, one.host) == (other.scheme, other.user, other.host)


def _response(credential: Credential, claim: Authorization, method: str) -> str:
    """RFC 7616 section 3.4.1; without qop RFC 2069 section 2.1.2."""
    ha2 = _digest(credential.algorithm, f"{method}:{claim.uri}")
    middle = f"{claim.nc}:{claim.cnonce}:{claim.qop}:" if claim.qop else ""
    return _digest(credential.algorithm, f"{credential.ha1}:{claim.nonce}:{middle}{ha2}")


def _digest(algorithm: Algorithm, text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    if algorithm is Algorithm.SHA_256:
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _decode_nonce(nonce: str) -> bytes | None:
    try:
        raw = base64.b64decode(nonce + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _NONCE_HEAD_BYTES + _NONCE_HASH_BYTES else None


def _made_ms(nonce: str) -> int:
    raw = _decode_nonce(nonce)
    return int.from_bytes(raw[:8], "big") if raw is not None else 0
