from typing import Any

import pytest

from switch.errors import LocalError, PeerError
from switch.sip.limits import SipLimits
from switch.sip.message import Headers, Request, Response
from switch.sip.parser import BadMessage, ParseDrop, StreamParser, build, parse
from tests.vectors.messages import FIELDS, SDP, request, response

NO_FROM: dict[str, Any] = {"from": None}


def test_an_invite_is_read() -> None:
    message = parse(request())
    assert isinstance(message, Request)
    assert (message.method, message.uri) == ("INVITE", "sip:15550100@192.0.2.9")
    assert message.headers.get("call-id") == FIELDS["Call-ID"]
    assert message.body == SDP


def test_a_response_is_read() -> None:
    message = parse(response())
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (200, "OK")


@pytest.mark.parametrize("data", [request(), response()])
def test_what_was_read_is_written_again(data: bytes) -> None:
    assert build(parse(data)) == data


def test_compact_names_are_the_long_ones() -> None:
    data = request().replace(b"Via:", b"v:").replace(b"Call-ID:", b"i :")
    assert parse(data).headers.get("Call-ID") == FIELDS["Call-ID"]


def test_blank_lines_before_a_message_are_ignored() -> None:
    assert parse(b"\r\n\r\n" + request()) == parse(request())


def test_without_a_length_the_body_is_the_rest() -> None:
    data = request().replace(f"Content-Length: {len(SDP)}\r\n".encode(), b"")
    assert parse(data).body == SDP


def test_the_length_cuts_the_datagram() -> None:
    assert parse(request() + b"rest").body == SDP


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(line="INVITE  sip:a@192.0.2.9 SIP/2.0"), 400),
        (request(line="INVITE sip:a@192.0.2.9 SIP/2.0 "), 400),
        (request(line="INVITE sip:a @192.0.2.9 SIP/2.0"), 400),
        (request(line="INVITE <sip:a@192.0.2.9> SIP/2.0"), 400),
        (request(line="INVITE sip:a@192.0.2.9?Route=%3Csip:x%3E SIP/2.0"), 400),
        (request(line="INVITE a@192.0.2.9 SIP/2.0"), 400),
        (request(line="INVITE sip:a@192.0.2.9:99999 SIP/2.0"), 400),
        (request(line="INVITE sip:a@192.0.2.9 SIP/3.0"), 505),
        (request(line=f"INVITE sip:{'a' * 1024}@192.0.2.9 SIP/2.0"), 414),
        (request(line="DANCE sip:a@192.0.2.9 SIP/2.0"), 501),
        (request(line="BYE sip:a@192.0.2.9 SIP/2.0"), 400),
        (request(to=None), 400),
        (request(**NO_FROM), 400),
        (request(cseq=None), 400),
        (request(call_id=None), 400),
        (request(call_id="two words"), 400),
        (request(cseq="2147483648 INVITE"), 400),
        (request(cseq="-1 INVITE"), 400),
        (request(via="SIP/2.0/UDP 192.0.2.1;;,;,,"), 400),
        (request(via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"), 400),
        (request(via="SIP/2.0/UDP 192.0.2.1;branch=a;branch=b"), 400),
        (request(to='"Line <sip:a@192.0.2.9>'), 400),
        (request(to="Line, One <sip:a@192.0.2.9>"), 400),
        (request(to='"Line, One" < sip:a@192.0.2.9 >'), 400),
        (request(to="nobody@192.0.2.9"), 400),
        (request(to=f"<sip:{'a' * 1024}@192.0.2.9>"), 400),
        (request(length="9999"), 400),
        (request(length="-1"), 400),
        (request(length="1e1"), 400),
        (request(length="٣"), 400),
        (request("Content-Length: 0"), 400),
        (request("CSeq: 1 INVITE"), 400),
        (request("no colon here"), 400),
        (request("bad name: x"), 400),
        (request("X: a\x00b"), 400),
        (request("X: a\nb"), 400),
        (request("X: a\rb"), 400),
        (request(to="<sip:a@192.0.2.9>;x=\udcff"), 400),
        (request(*[f"X-{n}: 1" for n in range(128)]), 400),
        (request("X: " + "a" * 8192), 400),
        (request(*["Via: " + FIELDS["Via"]] * 64), 400),
        (request("Route: " + ",".join(["<sip:192.0.2.9;lr>"] * 17)), 400),
        (request(body=b"a" * 16_385), 413),
        (request(body=b"a" * 65_536), 513),
        (request().replace(b"\r\n\r\n", b"\r\n"), 400),
    ],
)
def test_what_is_wrong_has_its_status(data: bytes, status: int) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(data)
    assert caught.value.status == status
    assert caught.value.request.headers.get("via")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 20,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        request(via=None),
        request(line="INVITE sip:a@192.0.2.9"),
        request(line="ACK sip:a@192.0.2.9 SIP/2.0"),
        response(line="SIP/2.0 099 Low"),
        response(line="SIP/2.0 700 High"),
        response(line="SIP/2.0 4294967301 Big"),
        response(line="SIP/7.0 200 OK"),
        response(cseq="9292394834772304023312 INVITE"),
        response(via=None),
        response("X: a\x00b"),
    ],
)
def test_what_cannot_be_answered_is_dropped(data: bytes) -> None:
    with pytest.raises(ParseDrop):
        parse(data)


def test_text_that_is_not_utf_8_is_replaced_where_nothing_repeats_it() -> None:
    message = parse(response("P-Asserted-Identity: Jos\udce9 <sip:a@192.0.2.9>"))
    assert message.headers.get("p-asserted-identity") == "Jos\ufffd <sip:a@192.0.2.9>"


def test_a_refusal_can_repeat_bytes_that_are_not_utf_8() -> None:
    with pytest.raises(BadMessage) as caught:
        parse(request(to="<sip:a@192.0.2.9>;x=\udcff"))
    assert b"x=\xff" in build(Response(400, "", caught.value.request.headers))


def test_limits_are_read_from_the_settings() -> None:
    with pytest.raises(PeerError, match="413"):
        parse(request(), SipLimits(body_bytes_max=10))


def test_a_written_length_is_the_bodys() -> None:
    headers = Headers((("Content-Length", "999"), ("X", "1")))
    data = build(Response(200, "OK", headers, b"abc"))
    assert data == b"SIP/2.0 200 OK\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb"])
def test_no_value_breaks_out_of_its_line(value: str) -> None:
    with pytest.raises(LocalError):
        build(Response(200, "OK", Headers((("X", value),))))


def test_a_stream_is_cut_wherever_it_breaks() -> None:
    data = b"\r\n\r\n" + request() + b"\r\n" + response()
    for size in (1, 2, 7, 100, len(data)):
        stream = StreamParser()
        found = [
            message
            for at in range(0, len(data), size)
            for message in stream.feed(data[at : at + size])
        ]
        assert found == [request(), response()]
        assert stream.held_bytes == 0


def test_a_stream_reads_a_folded_length() -> None:
    data = request().replace(b"Content-Length:", b"l\t:\r\n ")
    assert StreamParser().feed(data) == [data]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request().replace(b"Content-Length", b"X-Length"), 400),
        (request(length="99999999999"), 400),
        (request(length="65536"), 513),
        (b"X" * 8193, 400),
        (request("X: " + "a" * 9000).partition(b"\r\n\r\n")[0], 400),
        (response().replace(b"Content-Length", b"X-Length"), 400),
        (b"no sip at all\r\n\r\n", 400),
    ],
)
def test_a_stream_that_loses_its_framing_ends(data: bytes, status: int) -> None:
    stream = StreamParser()
    (error,) = stream.feed(data)
    assert isinstance(error, PeerError)
    assert error.status == status
    assert stream.feed(request()) == []
    assert stream.held_bytes == 0
