"""Whatever comes in, `parse` returns, raises `PeerError` or raises `ParseDrop`."""

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.errors import PeerError
from switch.sdp import parser as sdp_parser
from switch.sip import headers
from switch.sip.body import sdp_of
from switch.sip.digest import parse_authorization
from switch.sip.message import Message, Request
from switch.sip.parser import BadMessage, ParseDrop, StreamParser, build, parse
from switch.sip.uri import parse_uri
from tests.vectors import torture
from tests.vectors.messages import request, response

SEEDS = [
    *torture.messages().values(),
    request(),
    response(),
    request("Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", nc=00000001"),
    request("Reason: Q.850;cause=16;text=\"x\"", "Route: <sip:192.0.2.9;lr>, <sip:[::1]>"),
]  # fmt: skip
SPLINTERS = [
    b"\r\n", b"\n", b"\r\n ", b":", b";", b",", b"<", b">", b'"', b"\\", b"=", b"@", b"%", b"%0",
    b"%00",
    b"\x00", b"\xff", b"SIP/2.0", b"sip:", b"[", b"]", b"::1", b" ", b"\t", b"-1", b"0", b"9" * 40,
    b"z9hG4bK", b"Via: ", b"Content-Length: ", b"\r\n\r\n", "٣".encode(), b"*", b"?", b"&",
]  # fmt: skip
QUESTIONS = (
    headers.top_via, headers.contacts, headers.contact_of, headers.routes, headers.record_routes,
    headers.max_forwards, headers.expires, headers.retry_after, headers.required_tags,
    headers.supported_tags, headers.allowed_methods, headers.content_type, sdp_of,
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([0, 1, 1, 2, 8, 60])))
        data[at:end] = draw(st.sampled_from(SPLINTERS) | st.binary(max_size=3))
    return bytes(data)


def ask_everything(message: Message) -> None:
    for question in QUESTIONS:
        try:
            question(message)
        except PeerError:
            continue
    for value in message.headers.every("reason"):
        headers.reason_q850(value)
    for value in message.headers.every("authorization"):
        parse_authorization(value)
    uris = [message.uri] if isinstance(message, Request) else []
    addresses = [message.headers.get(name) or "" for name in ("from", "to")]
    uris += [headers.parse_name_addr(address).uri for address in addresses]
    for uri in uris:
        try:
            parse_uri(uri)
        except PeerError:
            continue
    try:
        sdp_parser.parse(message.body)
    except PeerError:
        return


def swallow(data: bytes) -> None:
    try:
        message = parse(data)
    except ParseDrop:
        return
    except BadMessage as error:
        refused = error.request
    else:
        take(message)
        return
    assert refused.method not in {"", "ACK"}
    build(refused)


def take(message: Message) -> None:
    ask_everything(message)
    assert parse(build(message)).headers.get("call-id") == message.headers.get("call-id")
    if isinstance(message, Request):
        build(headers.with_received(message, "192.0.2.77", 5060))


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_mutated_messages_never_surprise_us(data: bytes) -> None:
    swallow(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_never_surprise_us(data: bytes) -> None:
    swallow(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_headers_never_surprise_us(data: bytes) -> None:
    swallow(request().replace(b"Max-Forwards: 70", data, 1))


@settings(max_examples=150, deadline=None)
@given(st.lists(mutations() | st.binary(max_size=40), max_size=4))
def test_a_stream_never_surprises_us(pieces: list[bytes]) -> None:
    stream = StreamParser()
    for piece in pieces:
        for found in stream.feed(piece):
            if isinstance(found, bytes):
                swallow(found)
    assert stream.held_bytes <= 8192 + 65_536
