"""What header values mean, read when they are asked for. Source: RFC 3261 sections 20 and 25.1.

Everything here is pure and raises `PeerError(400, …)` for what a peer wrote wrongly. White space
may stand wherever the grammar has LWS; folded lines were unfolded by the parser.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from switch.errors import PeerError
from switch.sip.limits import DEFAULT
from switch.sip.message import Message, Request
from switch.sip.uri import build_host_port, parse_host_port, scheme_of

CSEQ_MAX: Final = 2**31 - 1
"""RFC 3261 section 8.1.1.5."""

DELTA_S_MAX: Final = 2**32 - 1
"""The largest number of seconds in a header. RFC 3261 section 20.19."""

MAX_FORWARDS_MAX: Final = 255
"""RFC 3261 section 20.22."""

TOKEN: Final = r"[A-Za-z0-9\-.!%*_+`'~]+"  # noqa: S105 - a grammar rule, not a password
"""RFC 3261 section 25.1."""

_QUOTED: Final = r'"[^"\\]*(?:\\[\x00-\x09\x0b\x0c\x0e-\x7f][^"\\]*)*"'
_VIA: Final = re.compile(
    rf"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*({TOKEN})[ \t]+"
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.\-_]+)(?:[ \t]*:[ \t]*([0-9]{1,5}))?[ \t]*(;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_NAME_ADDR: Final = re.compile(
    rf"(?:({_QUOTED})[ \t]*|([A-Za-z0-9\-.!%*_+`'~ \t]*))<([^<>]*)>[ \t]*(;.*)?", re.DOTALL
)
_ADDR_SPEC: Final = re.compile(r'([^\s<>",;?]+)[ \t]*(;.*)?', re.DOTALL)
_PARAM: Final = re.compile(
    rf"[ \t]*;[ \t]*({TOKEN})(?:[ \t]*=[ \t]*({_QUOTED}|[^\s\";,<>]*))?[ \t]*", re.DOTALL
)
_CSEQ: Final = re.compile(rf"([0-9]{{1,20}})[ \t]+({TOKEN})")
_TOKEN: Final = re.compile(TOKEN)
_PIECE: Final = re.compile(rf'(?:[^,"<]++|{_QUOTED}|<[^>]*>)*+', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NUMBER: Final = re.compile(r"([0-9]{1,40})[ \t]*(?:[;(].*)?", re.DOTALL)

Params = dict[str, str | None]
"""Names in lower case; None for a parameter without a value; quotes taken off."""


@dataclass(frozen=True, slots=True)
class Via:
    """One hop. RFC 3261 section 20.42, RFC 3581."""

    transport: str
    """In capitals: `UDP`, `TCP`, `TLS` …"""
    host: str
    """The sent-by host, without the brackets of IPv6."""
    port: int | None = None
    branch: str | None = None
    received: str | None = None
    wants_rport: bool = False
    """An `rport` parameter is there, with or without its value."""
    rport: int | None = None
    params: Params = field(default_factory=dict)
    """The other parameters."""


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A display name, a URI and the parameters of the header. RFC 3261 section 20.10."""

    display: str
    uri: str
    """As it came; `*` for a Contact that means all."""
    params: Params = field(default_factory=dict)

    @property
    def tag(self) -> str | None:
        """The dialog tag, or None."""
        return self.params.get("tag")


@dataclass(frozen=True, slots=True)
class CSeq:
    """RFC 3261 section 20.16."""

    number: int
    method: str


def parse_params(text: str) -> Params:
    """Read `;name=value;name…`. A name that comes twice is refused: it has two readings.

    Raises:
        PeerError: 400.
    """
    params: Params = {}
    at, end = 0, len(text)
    while at < end:
        found = _PARAM.match(text, at)
        if found is None:
            raise PeerError(400, "Malformed header parameter")
        name, value = found.groups()
        key = name.lower()
        if key in params:
            raise PeerError(400, "Header parameter given twice")
        params[key] = unquote(value) if value else value
        at = found.end()
    return params


def build_params(params: Params) -> str:
    """Write parameters; a value that is no token is quoted."""
    return "".join(
        f";{name}" if value is None else f";{name}={_token_or_quoted(value)}"
        for name, value in params.items()
    )


def quote(text: str) -> str:
    """Write a quoted string. RFC 3261 section 25.1."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Take the quotes and backslashes off, if there are quotes."""
    if text[:1] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def split_commas(value: str) -> list[str]:
    """Split a list at its commas, but not inside quotes or angle brackets.

    Raises:
        PeerError: 400 for quotes or brackets that never close, or an empty element.
    """
    if "," not in value:
        return [value.strip(" \t")]
    pieces: list[str] = []
    at = 0
    while True:
        found = _PIECE.match(value, at)
        assert found is not None
        pieces.append(found.group().strip(" \t"))
        at = found.end()
        if at == len(value):
            break
        if value[at] != ",":
            raise PeerError(400, "Unbalanced quotes or brackets")
        at += 1
    if not all(pieces):
        raise PeerError(400, "Empty element in a header list")
    return pieces


def every_value(message: Message, name: str) -> list[str]:
    """Return all elements of a list header, over all its lines, in order."""
    values = message.headers.every(name)
    return [piece for value in values for piece in split_commas(value)]


def parse_via(value: str) -> Via:
    """Read one Via element.

    Raises:
        PeerError: 400.
    """
    found = _VIA.fullmatch(value)
    if found is None:
        raise PeerError(400, "Malformed Via")
    transport, host, port, rest = found.groups()
    host, number = parse_host_port(f"{host}:{port}" if port else host)
    params = parse_params(rest) if rest else {}
    branch = params.pop("branch", None)
    received = params.pop("received", None)
    wants_rport = "rport" in params
    rport = params.pop("rport", None)
    if rport and not (rport.isascii() and rport.isdigit() and 0 < int(rport[:6]) < 65536):
        raise PeerError(400, "Malformed rport")
    return Via(
        transport=transport.upper(),
        host=host,
        port=number,
        branch=branch,
        received=received,
        wants_rport=wants_rport,
        rport=int(rport) if rport else None,
        params=params,
    )


def build_via(via: Via) -> str:
    """Write one Via element."""
    params: Params = {}
    if via.branch is not None:
        params["branch"] = via.branch
    if via.wants_rport:
        params["rport"] = None if via.rport is None else str(via.rport)
    where = build_host_port(via.host, via.port)
    received = "" if via.received is None else f";received={via.received}"
    tail = f"{build_params(params)}{received}{build_params(via.params)}"
    return f"SIP/2.0/{via.transport} {where}{tail}"


def top_via(message: Message) -> Via:
    """Return the first Via: who sent this message to us.

    Raises:
        PeerError: 400 if there is none, or it is malformed.
    """
    value = message.headers.get("via")
    if value is None:
        raise PeerError(400, "Via missing")
    return parse_via(split_commas(value)[0])


def with_received(request: Request, ip: str, port: int) -> Request:
    """Write into the top Via where the request really came from. RFC 3581 section 4.

    `received` and, if it was asked for, `rport` are always written. A top Via that cannot be read
    stays as it is.
    """
    fields = list(request.headers.fields)
    for at, (name, value) in enumerate(fields):
        if name.lower() not in {"via", "v"}:
            continue
        try:
            first, *rest = split_commas(value)
            via = parse_via(first)
        except PeerError:
            return request
        seen = Via(
            transport=via.transport,
            host=via.host,
            port=via.port,
            branch=via.branch,
            received=ip,
            wants_rport=via.wants_rport,
            rport=port if via.wants_rport else None,
            params=via.params,
        )
        fields[at] = (name, ", ".join([build_via(seen), *rest]))
        break
    headers = type(request.headers)(tuple(fields))
    return Request(request.method, request.uri, headers, request.body)


def parse_name_addr(value: str, *, uri_bytes_max: int = DEFAULT.uri_bytes_max) -> NameAddr:
    """Read From, To, Contact, a Route element … in either form, with or without `<>`.

    Raises:
        PeerError: 400; also for a URI over `uri_bytes_max`, or one that is not absolute.
    """
    found = _NAME_ADDR.fullmatch(value)
    if found is not None:
        quoted, tokens, uri, rest = found.groups()
        display = unquote(quoted) if quoted else tokens.strip(" \t")
    else:
        bare = _ADDR_SPEC.fullmatch(value)
        if bare is None:
            raise PeerError(400, "Malformed address")
        uri, rest = bare.groups()
        display = ""
    if len(uri) > uri_bytes_max:
        raise PeerError(400, "URI too long")
    if " " in uri or "\t" in uri or scheme_of(uri) is None:
        raise PeerError(400, "Malformed URI in an address")
    return NameAddr(display, uri, parse_params(rest) if rest else {})


def build_name_addr(address: NameAddr) -> str:
    """Write an address, always with `<>`."""
    display = f"{quote(address.display)} " if address.display else ""
    return f"{display}<{address.uri}>{build_params(address.params)}"


def tag_of(value: str) -> str | None:
    """Return the tag of a From or To value, or None."""
    return parse_name_addr(value).tag


def parse_cseq(value: str) -> CSeq:
    """Read CSeq.

    Raises:
        PeerError: 400; a number of 2^31 or more too.
    """
    found = _CSEQ.fullmatch(value)
    if found is None or int(found.group(1)) > CSEQ_MAX:
        raise PeerError(400, "Malformed CSeq")
    return CSeq(int(found.group(1)), found.group(2))


def contacts(message: Message) -> list[NameAddr]:
    """Return every Contact; `*` comes as an address with the URI `*`."""
    found = []
    for value in every_value(message, "contact"):
        address = NameAddr("", "*") if value == "*" else parse_name_addr(value)
        found.append(address)
    return found


def contact_of(message: Message) -> NameAddr | None:
    """Return the one Contact that a dialog has, or None.

    Raises:
        PeerError: 400 if there are several, or `*`.
    """
    found = contacts(message)
    if not found:
        return None
    if len(found) > 1 or found[0].uri == "*":
        raise PeerError(400, "More than one Contact")
    return found[0]


def name_addrs(message: Message, name: str) -> list[NameAddr]:
    """Return every address of a list header, as P-Asserted-Identity."""
    return [parse_name_addr(value) for value in every_value(message, name)]


def routes(message: Message) -> list[str]:
    """Return the Route elements as they came, in order."""
    return _checked_addresses(message, "route")


def record_routes(message: Message) -> list[str]:
    """Return the Record-Route elements as they came, in order."""
    return _checked_addresses(message, "record-route")


def max_forwards(message: Message) -> int | None:
    """Return Max-Forwards, or None if it is missing; over 255 it counts as 255.

    Raises:
        PeerError: 400 if it is no number.
    """
    value = message.headers.get("max-forwards")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise PeerError(400, "Malformed Max-Forwards")
    return min(int(value[:20]), MAX_FORWARDS_MAX)


def expires(message: Message) -> int | None:
    """Return Expires in seconds, or None if missing or malformed. RFC 3261 section 20.19."""
    return parse_seconds(message.headers.get("expires"))


def contact_expires(contact: NameAddr) -> int | None:
    """Return the `expires` of one Contact in seconds, or None if missing or malformed."""
    return parse_seconds(contact.params.get("expires"))


def retry_after(message: Message) -> int | None:
    """Return Retry-After in seconds, or None if missing or malformed. RFC 3261 section 20.33."""
    return parse_seconds(message.headers.get("retry-after"))


def parse_seconds(value: str | None) -> int | None:
    """Read a number of seconds; too large a number is the largest there is."""
    found = _NUMBER.fullmatch(value) if value is not None else None
    return None if found is None else min(int(found.group(1)), DELTA_S_MAX)


def option_tags(message: Message, name: str) -> list[str]:
    """Return the option tags or methods of `require`, `supported`, `allow` … as they came."""
    return [tag for value in message.headers.every(name) for tag in split_commas(value) if tag]


def required_tags(message: Message) -> list[str]:
    """Return the extensions that the peer requires."""
    return option_tags(message, "require")


def supported_tags(message: Message) -> frozenset[str]:
    """Return the extensions that the peer supports, in lower case."""
    return frozenset(tag.lower() for tag in option_tags(message, "supported"))


def allowed_methods(message: Message) -> frozenset[str]:
    """Return the methods in Allow."""
    return frozenset(option_tags(message, "allow"))


def content_type(message: Message) -> tuple[str, Params]:
    """Return the media type in lower case, '' if there is none, and its parameters.

    Raises:
        PeerError: 400.
    """
    value = message.headers.get("content-type")
    if value is None:
        return "", {}
    kind, semicolon, rest = value.partition(";")
    parts = [part.strip(" \t") for part in kind.split("/")]
    if len(parts) != 2 or not all(_TOKEN.fullmatch(part) for part in parts):
        raise PeerError(400, "Malformed Content-Type")
    return "/".join(parts).lower(), parse_params(semicolon + rest)


def reason_q850(value: str) -> int | None:
    """Return the Q.850 cause in a Reason header, or None. RFC 3326 section 2."""
    try:
        for piece in split_commas(value):
            protocol, semicolon, rest = piece.partition(";")
            if protocol.strip(" \t").upper() != "Q.850":
                continue
            cause = parse_params(semicolon + rest).get("cause") or ""
            if cause.isascii() and cause.isdigit() and int(cause[:4]) <= 127:
                return int(cause[:4])
    except PeerError:
        return None
    return None


def build_reason(cause: int, text: str = "") -> str:
    """Write a Reason header with a Q.850 cause. RFC 3326 section 2."""
    return f"Q.850;cause={cause}" + (f";text={quote(text)}" if text else "")


def _checked_addresses(message: Message, name: str) -> list[str]:
    values = every_value(message, name)
    for value in values:
        parse_name_addr(value)
    return values


def _token_or_quoted(value: str) -> str:
    return value if _TOKEN.fullmatch(value) else quote(value)
