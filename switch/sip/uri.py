"""SIP, SIPS and tel URIs as values. Source: RFC 3261 section 19.1 and 25.1, RFC 3966 section 3.

Escapes are decoded once on reading and written back on building, so that a user part compares
as what it means. A scheme we do not know is 416; anything malformed is 400.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from switch.errors import PeerError

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.+)", re.DOTALL)
_USER: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+")
"""`#` is outside RFC 3261's user-unreserved, yet telephones dial it unescaped: chosen."""
_PASSWORD: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*")
_HOST_PORT: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.\-_]*[A-Za-z0-9.])?)(?::([0-9]{1,5}))?"
)
"""Host names with `_` exist in the field, though RFC 1123 has none: chosen."""
_PARAM: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+")
_HEADER: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$]|%[0-9A-Fa-f]{2})*")
_TEL_NUMBER: Final = re.compile(r"\+[\-.()]*[0-9][0-9\-.()]*|[0-9A-Fa-f*#\-.()]+")

_USER_PLAIN: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/"
)
_PASSWORD_PLAIN: Final = _USER_PLAIN - frozenset(";?/")
_PARAM_PLAIN: Final = _USER_PLAIN - frozenset("=,;?") | frozenset("[]:")
_HEADER_PLAIN: Final = _USER_PLAIN - frozenset("&=,;") | frozenset("[]:")


@dataclass(frozen=True, slots=True)
class SipUri:
    """A `sip:` or `sips:` URI. All parts are decoded."""

    user: str | None
    host: str
    """Lower case; an IPv6 address is without its brackets."""
    port: int | None = None
    scheme: str = "sip"
    password: str | None = None
    params: dict[str, str | None] = field(default_factory=dict)
    """Names in lower case; None for a parameter without a value."""
    headers: dict[str, str] = field(default_factory=dict)
    """What would become header fields of a request; we never let it. RFC 3261 section 19.1.5."""


@dataclass(frozen=True, slots=True)
class TelUri:
    """A `tel:` URI."""

    number: str
    """As written: visual separators are still there."""
    params: dict[str, str | None] = field(default_factory=dict)


Uri = SipUri | TelUri


def scheme_of(text: str) -> str | None:
    """Return the scheme in lower case, or None if this is no absolute URI."""
    found = _SCHEME.fullmatch(text)
    return found.group(1).lower() if found else None


def parse_uri(text: str) -> Uri:
    """Read a URI.

    Raises:
        PeerError: 416 for a scheme that we do not serve, 400 for a malformed URI.
    """
    found = _SCHEME.fullmatch(text)
    if found is None:
        raise PeerError(400, "Malformed URI")
    scheme, rest = found.group(1).lower(), found.group(2)
    if scheme in {"sip", "sips"}:
        return _parse_sip(scheme, rest)
    if scheme == "tel":
        return _parse_tel(rest)
    raise PeerError(416, "Unsupported URI scheme")


def parse_sip_uri(text: str) -> SipUri:
    """Read a URI that must be `sip:` or `sips:`.

    Raises:
        PeerError: as `parse_uri`; 416 for `tel:` too.
    """
    uri = parse_uri(text)
    if isinstance(uri, TelUri):
        raise PeerError(416, "Unsupported URI scheme")
    return uri


def build(uri: Uri) -> str:
    """Write a URI, escaping what its part of the grammar does not allow."""
    if isinstance(uri, TelUri):
        return f"tel:{uri.number}{_build_params(uri.params)}"
    user = ""
    if uri.user is not None:
        password = "" if uri.password is None else ":" + escape(uri.password, _PASSWORD_PLAIN)
        user = f"{escape(uri.user, _USER_PLAIN)}{password}@"
    headers = "&".join(
        f"{escape(name, _HEADER_PLAIN)}={escape(value, _HEADER_PLAIN)}"
        for name, value in uri.headers.items()
    )
    where = build_host_port(uri.host, uri.port)
    return f"{uri.scheme}:{user}{where}{_build_params(uri.params)}{'?' if headers else ''}{headers}"


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read `host`, `host:port` or `[address]:port`.

    Raises:
        PeerError: 400.
    """
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise PeerError(400, "Malformed host")
    host, port = found.group(1).lower(), found.group(2)
    if host[0] == "[":
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise PeerError(400, "Malformed IPv6 address") from None
    if port is None:
        return host, None
    number = int(port)
    if not 0 < number < 65536:
        raise PeerError(400, "Port out of range")
    return host, number


def build_host_port(host: str, port: int | None) -> str:
    """Write a host and a port, with brackets around an IPv6 address."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def same_uri(one: Uri, other: Uri) -> bool:
    """Say whether two URIs name the same resource. RFC 3261 section 19.1.4."""
    if isinstance(one, TelUri) or isinstance(other, TelUri):
        return one == other
    parts = ("scheme", "user", "password", "host", "port")
    if any(getattr(one, part) != getattr(other, part) for part in parts):
        return False
    if {k.lower(): v for k, v in one.headers.items()} != {
        k.lower(): v for k, v in other.headers.items()
    }:
        return False
    for name in one.params.keys() | other.params.keys():
        if name in one.params and name in other.params:
            if (one.params[name] or "").lower() != (other.params[name] or "").lower():
                return False
        elif name in {"user", "ttl", "method", "maddr", "transport"}:
            return False
    return True


def escape(text: str, plain: frozenset[str]) -> str:
    """Percent-escape every character that is not in `plain`, as UTF-8."""
    return "".join(
        char if char in plain else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in text
    )


def unescape(text: str) -> str:
    """Decode percent escapes, once.

    Raises:
        PeerError: 400 if what comes out is not UTF-8.
    """
    if "%" not in text:
        return text
    head, *rest = text.split("%")
    data = head.encode() + b"".join(
        bytes((int(part[:2], 16),)) + part[2:].encode() for part in rest
    )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise PeerError(400, "Escapes that are not UTF-8") from None


def _parse_sip(scheme: str, rest: str) -> SipUri:
    userinfo, at, remainder = rest.rpartition("@")
    user = password = None
    if at:
        name, colon, secret = userinfo.partition(":")
        if not _USER.fullmatch(name) or not _PASSWORD.fullmatch(secret):
            raise PeerError(400, "Malformed user part")
        user = unescape(name)
        password = unescape(secret) if colon else None
    address, question, header_text = remainder.partition("?")
    where, semicolon, param_text = address.partition(";")
    host, port = parse_host_port(where)
    return SipUri(
        user=user,
        host=host,
        port=port,
        scheme=scheme,
        password=password,
        params=_parse_params(param_text) if semicolon else {},
        headers=_parse_headers(header_text) if question else {},
    )


def _parse_tel(rest: str) -> TelUri:
    number, semicolon, param_text = rest.partition(";")
    if not _TEL_NUMBER.fullmatch(number):
        raise PeerError(400, "Malformed telephone number")
    return TelUri(number, _parse_params(param_text) if semicolon else {})


def _parse_params(text: str) -> dict[str, str | None]:
    params: dict[str, str | None] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not _PARAM.fullmatch(name) or (equals and not _PARAM.fullmatch(value)):
            raise PeerError(400, "Malformed URI parameter")
        key = unescape(name).lower()
        if key in params:
            raise PeerError(400, "URI parameter given twice")
        params[key] = unescape(value) if equals else None
    return params


def _parse_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals or not _HEADER.fullmatch(name) or not _HEADER.fullmatch(value):
            raise PeerError(400, "Malformed header in a URI")
        headers[unescape(name)] = unescape(value)
    return headers


def _build_params(params: dict[str, str | None]) -> str:
    return "".join(
        f";{escape(name, _PARAM_PLAIN)}"
        + ("" if value is None else f"={escape(value, _PARAM_PLAIN)}")
        for name, value in params.items()
    )
