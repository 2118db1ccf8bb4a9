"""Bytes to messages and back. Source: RFC 3261 sections 7, 18.3 and 25; RFC 4475 for the verdicts.

Lazy: the start line, Via, From, To, Call-ID and CSeq are checked here, the rest when it is asked
for. What is wrong is never guessed at, since a second reading of a number is a way round
screening. A broken request that can be answered is a `BadMessage`, which carries what could be
read of it; everything else that is broken is a `ParseDrop`.
"""

import re
from typing import Final

from switch.errors import KinlineError, LocalError, PeerError
from switch.sip.headers import TOKEN, parse_cseq, parse_name_addr, parse_via, split_commas
from switch.sip.limits import DEFAULT, SipLimits
from switch.sip.message import Headers, Message, Request, Response, canonical
from switch.sip.uri import SipUri, parse_uri, scheme_of

KNOWN_METHODS: Final = frozenset({
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK", "REFER",
    "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH",
})  # fmt: skip
"""The methods of the IANA registry; another one is 501."""

BRANCH_COOKIE: Final = "z9hG4bK"
"""RFC 3261 section 8.1.1.7."""

_PLAIN: Final = bytes([9, 10, 13, *range(32, 127), *range(128, 256)])
_REQUEST_LINE: Final = re.compile(rf"({TOKEN}) ([^ \t<>]+) SIP/([0-9]+\.[0-9]+)", re.IGNORECASE)
_STATUS_LINE: Final = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.IGNORECASE)
_METHOD: Final = re.compile(TOKEN)
_NAME: Final = re.compile(TOKEN)
_FOLD: Final = re.compile(r"\r\n[ \t]+")
_STRAY_CONTROL: Final = re.compile(r"(?<!\\)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRAY_BREAK: Final = re.compile(r"\r(?!\n)|(?<!\r)\n")
_SINGLE: Final = (
    "from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type",
)  # fmt: skip
_ECHOED: Final = frozenset({"via", "from", "to", "call-id", "cseq", "record-route"})
_LENGTH: Final = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_FOLD_BYTES: Final = re.compile(rb"\r\n[ \t]+")
_LENGTH_DIGITS_MAX: Final = 10


class ParseDrop(KinlineError):  # noqa: N818 - it is not always somebody's error
    """Nothing can be answered: not SIP, a broken response, a broken ACK.

    Args:
        reason: for the counter.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadMessage(PeerError):  # noqa: N818 - named for what came
    """A request that must be refused.

    Args:
        status: the SIP status to answer with.
        reason: what is wrong.
        request: what could be read: at least a method and a Via. Its values are unchecked.
    """

    def __init__(self, status: int, reason: str, request: Request) -> None:
        super().__init__(status, reason)
        self.request = request


def parse(data: bytes, limits: SipLimits = DEFAULT) -> Message:
    """Read one message; bytes after its Content-Length are ignored, as UDP wants it.

    Args:
        data: one datagram, or one message framed by `StreamParser`.
        limits: how much is accepted.

    Raises:
        PeerError: in practice `BadMessage`: the request must be answered with this status.
        ParseDrop: there is nothing to answer. Any other exception is a mistake of ours.
    """
    data = data.lstrip(b"\r\n")
    if not data:
        raise ParseDrop("empty")
    head, blank, rest = data.partition(b"\r\n\r\n")
    lines, fault = _split_lines(head, limits)
    headers, field_fault = _read_fields(lines)
    fault = fault or field_fault
    if not blank:
        fault = fault or PeerError(400, "No end of the header fields")
    if len(data) > limits.message_bytes_max:
        fault = PeerError(513, "Message too large")
    if lines[0][:4].upper() == "SIP/":
        return _parse_response(lines[0], headers, rest, fault=fault, limits=limits)
    return _parse_request(lines[0], headers, rest, fault=fault, limits=limits)


def build(message: Message) -> bytes:
    """Write a message. Content-Length is always written, as the last header.

    Raises:
        LocalError: a value would have broken out of its line.
    """
    if isinstance(message, Request):
        lines = [f"{message.method} {message.uri} SIP/2.0"]
    else:
        lines = [f"SIP/2.0 {message.status} {message.reason}"]
    lines += [
        f"{name}: {value}"
        for name, value in message.headers.fields
        if canonical(name) != "content-length"
    ]
    lines.append(f"Content-Length: {len(message.body)}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise LocalError("line break inside a header value")
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + message.body


class StreamParser:
    """Cuts a byte stream into messages by Content-Length. RFC 3261 section 18.3.

    Args:
        limits: how much is accepted; at most `message_bytes_max` is ever held.
    """

    def __init__(self, limits: SipLimits = DEFAULT) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scanned = 0
        self._dead = False

    def feed(self, data: bytes) -> list[bytes | PeerError]:
        """Take what came and return the messages that are complete, in order.

        A `PeerError` (a `BadMessage` where the request could be read) is always the last element:
        the framing is lost, so the connection must be closed, and nothing more is read from it.
        """
        found: list[bytes | PeerError] = []
        if self._dead:
            return found
        self._buffer += data
        try:
            while (message := self._take()) is not None:
                found.append(message)
        except PeerError as error:
            self._dead = True
            self._buffer.clear()
            found.append(error)
        return found

    @property
    def held_bytes(self) -> int:
        """How many bytes of an unfinished message wait."""
        return len(self._buffer)

    def _take(self) -> bytes | None:
        buffer = self._buffer
        if buffer.startswith((b"\r", b"\n")):
            del buffer[: len(buffer) - len(buffer.lstrip(b"\r\n"))]
            self._scanned = 0
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end < 0:
            self._scanned = max(0, len(buffer) - 3)
            if len(buffer) > self._limits.header_bytes_max:
                raise _refused(400, "Header fields too large", bytes(buffer), self._limits)
            return None
        head = bytes(buffer[:end])
        size = end + 4 + self._body_bytes(head)
        if size > self._limits.message_bytes_max:
            raise _refused(513, "Message too large", head, self._limits)
        if len(buffer) < size:
            self._scanned = end
            return None
        message = bytes(buffer[:size])
        del buffer[:size]
        self._scanned = 0
        return message

    def _body_bytes(self, head: bytes) -> int:
        lengths = _LENGTH.findall(_FOLD_BYTES.sub(b" ", head))
        if len(lengths) != 1:
            raise _refused(400, "Not exactly one Content-Length", head, self._limits)
        value = lengths[0].strip(b" \t")
        if not value.isdigit() or len(value) > _LENGTH_DIGITS_MAX:
            raise _refused(400, "Malformed Content-Length", head, self._limits)
        return int(value)


def _parse_request(
    line: str, headers: Headers, rest: bytes, *, fault: PeerError | None, limits: SipLimits
) -> Request:
    method, uri, line_fault = _read_request_line(line, limits)
    fault = line_fault or fault
    try:
        if fault is not None:
            raise fault
        _check_fields(headers, limits)
        _check_cseq(headers, method)
        return Request(method, uri, headers, _take_body(headers, rest, limits))
    except PeerError as error:
        if not method or method == "ACK" or headers.get("via") is None:
            raise ParseDrop(error.reason) from error
        raise BadMessage(error.status, error.reason, Request(method, uri, headers)) from error


def _parse_response(
    line: str, headers: Headers, rest: bytes, *, fault: PeerError | None, limits: SipLimits
) -> Response:
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        raise ParseDrop("Malformed status line")
    try:
        if fault is not None:
            raise fault
        _check_fields(headers, limits)
        parse_cseq(headers.get("cseq") or "")
        body = _take_body(headers, rest, limits)
    except PeerError as error:
        raise ParseDrop(error.reason) from error
    return Response(int(found.group(1)), found.group(2) or "", headers, body)


def _split_lines(head: bytes, limits: SipLimits) -> tuple[list[str], PeerError | None]:
    """Return the unfolded lines, at least one, and what is wrong with them."""
    fault = None
    if len(head) > limits.header_bytes_max:
        fault = PeerError(400, "Header fields too large")
        head = head[: limits.header_bytes_max].rpartition(b"\r\n")[0]
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text, fault = _decode_leniently(head, fault)
    if head.translate(None, _PLAIN) and _STRAY_CONTROL.search(text):
        fault = fault or PeerError(400, "Control character")
    breaks = text.count("\r\n")
    if text.count("\n") != breaks or text.count("\r") != breaks:
        fault = fault or PeerError(400, "Line break that is not CRLF")
        text = _STRAY_BREAK.sub(" ", text)
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if len(lines) - 1 > limits.header_lines_max:
        fault = fault or PeerError(400, "Too many header fields")
        del lines[limits.header_lines_max + 1 :]
    return lines, fault


def _decode_leniently(head: bytes, fault: PeerError | None) -> tuple[str, PeerError | None]:
    """Replace what is not UTF-8, but refuse it where an answer must repeat it to the byte."""
    lines = []
    for at, line in enumerate(_FOLD_BYTES.sub(b" ", head).split(b"\r\n")):
        name = canonical(line.partition(b":")[0].decode("latin-1").rstrip(" \t"))
        exact = at == 0 or name in _ECHOED
        text = line.decode("utf-8", "surrogateescape" if exact else "replace")
        if exact and not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text):
            fault = fault or PeerError(400, "Not UTF-8")
        lines.append(text)
    return "\r\n".join(lines), fault


def _read_fields(lines: list[str]) -> tuple[Headers, PeerError | None]:
    """Return what can be read of the header fields, and what is wrong with them."""
    fields: list[tuple[str, str]] = []
    fault = None
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not _NAME.fullmatch(name):
            fault = fault or PeerError(400, "Malformed header line")
            continue
        fields.append((name, value.strip(" \t")))
    return Headers(tuple(fields)), fault


def _read_request_line(line: str, limits: SipLimits) -> tuple[str, str, PeerError | None]:
    """Return method, URI and what is wrong; a method of '' means that this is not SIP at all."""
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        start = _METHOD.match(line)
        method = start.group() if start is not None and " SIP/" in line.upper() else ""
        return method, "", PeerError(400, "Malformed request line")
    method, uri, version = found.groups()
    if version != "2.0":
        return method, uri, PeerError(505, "Version Not Supported")
    if len(uri) > limits.uri_bytes_max:
        return method, "", PeerError(414, "Request-URI Too Long")
    return method, uri, _request_uri_fault(uri)


def _request_uri_fault(uri: str) -> PeerError | None:
    """A scheme that we do not know is for the stack to refuse."""
    scheme = scheme_of(uri)
    if scheme is None:
        return PeerError(400, "Malformed Request-URI")
    if scheme not in {"sip", "sips", "tel"}:
        return None
    try:
        read = parse_uri(uri)
    except PeerError as error:
        return error
    if isinstance(read, SipUri) and read.headers:
        return PeerError(400, "Header fields in the Request-URI")
    return None


def _check_fields(headers: Headers, limits: SipLimits) -> None:
    """Check what every message must have. RFC 3261 section 8.1.1."""
    for name in _SINGLE:
        if headers.count(name) > 1:
            raise PeerError(400, f"{name} given twice")
    _check_path(headers, limits)
    for name in ("from", "to"):
        value = headers.get(name)
        if value is None:
            raise PeerError(400, f"{name} missing")
        parse_name_addr(value, uri_bytes_max=limits.uri_bytes_max)
    call_id = headers.get("call-id")
    if not call_id or " " in call_id or "\t" in call_id:
        raise PeerError(400, "call-id missing or malformed")


def _check_path(headers: Headers, limits: SipLimits) -> None:
    vias = headers.every("via")
    if not vias:
        raise PeerError(400, "Via missing")
    if len(vias) + sum(via.count(",") for via in vias) > limits.vias_max:
        raise PeerError(400, "Too many Vias")
    top = parse_via(split_commas(vias[0])[0])
    if top.branch == BRANCH_COOKIE:
        raise PeerError(400, "Empty branch")
    for name in ("route", "record-route"):
        if sum(1 + value.count(",") for value in headers.every(name)) > limits.routes_max:
            raise PeerError(400, f"Too many {name}s")


def _check_cseq(headers: Headers, method: str) -> None:
    if parse_cseq(headers.get("cseq") or "").method != method:
        status = 400 if method in KNOWN_METHODS else 501
        raise PeerError(status, "CSeq method does not match")


def _take_body(headers: Headers, rest: bytes, limits: SipLimits) -> bytes:
    value = headers.get("content-length")
    body = rest
    if value is not None:
        if not (value.isascii() and value.isdigit()) or len(value) > _LENGTH_DIGITS_MAX:
            raise PeerError(400, "Malformed Content-Length")
        if int(value) > len(rest):
            raise PeerError(400, "Content-Length larger than the body")
        body = rest[: int(value)]
    if len(body) > limits.body_bytes_max:
        raise PeerError(413, "Request Entity Too Large")
    return body


def _refused(status: int, reason: str, head: bytes, limits: SipLimits) -> PeerError:
    """Return the error with what can be read of the request, so that it may be answered."""
    try:
        message = parse(head + b"\r\n\r\n", limits)
    except BadMessage as error:
        return BadMessage(status, reason, error.request)
    except ParseDrop:
        return PeerError(status, reason)
    if isinstance(message, Response) or message.method == "ACK":
        return PeerError(status, reason)
    return BadMessage(status, reason, message)
