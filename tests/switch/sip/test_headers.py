import pytest

from switch.errors import PeerError
from switch.sip import headers as h
from switch.sip.headers import CSeq, NameAddr, Via
from switch.sip.message import Headers, Request, canonical
from switch.sip.parser import parse
from tests.vectors.messages import request


def asked(*fields: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:192.0.2.9", Headers(fields))


def test_headers_compare_without_case_and_by_long_name() -> None:
    fields = Headers((("v", "1"), ("VIA", "2"), ("X-Y", "3")))
    assert fields.every("Via") == ["1", "2"]
    assert fields.get("x-y") == "3"
    assert fields.get("to") is None
    assert fields.count("v") == 2
    assert fields.without("via").fields == (("X-Y", "3"),)
    assert list(fields.plus([("A", "b")]))[-1] == ("A", "b")
    assert canonical("K") == "supported"


def test_headers_are_equal_whatever_was_asked_of_them() -> None:
    one, other = Headers((("A", "b"),)), Headers((("A", "b"),))
    one.get("a")
    assert one == other
    assert hash(one) == hash(other)


def test_a_via_is_read() -> None:
    via = h.parse_via("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKx;received=192.0.2.7;ttl=1")
    assert via == Via(
        transport="UDP",
        host="192.0.2.1",
        port=5060,
        branch="z9hG4bKx",
        received="192.0.2.7",
        wants_rport=True,
        params={"ttl": "1"},
    )


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport=5061;received=192.0.2.7",
        "SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKx;rport",
        "SIP/2.0/TLS example.com;branch=z9hG4bKx;keep",
    ],
)
def test_a_via_is_written_as_it_was_read(text: str) -> None:
    assert h.build_via(h.parse_via(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0/UDP", "SIP/1.0/UDP h", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;rport=x", "HTTP/1.1 h",
        "SIP/2.0/UDP h;rport=99999", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h;a=b c", "SIP/2.0/UDP h;a;A",
    ],
)  # fmt: skip
def test_a_malformed_via_is_400(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        h.parse_via(text)


def test_where_a_request_really_came_from_is_written_into_its_via() -> None:
    message = parse(request())
    assert isinstance(message, Request)
    via = h.top_via(h.with_received(message, "192.0.2.77", 40_000))
    assert (via.received, via.rport) == ("192.0.2.77", 40_000)


def test_an_ipv6_source_is_written_too_and_other_vias_stay() -> None:
    message = asked(
        ("v", "SIP/2.0/UDP h;branch=1, SIP/2.0/UDP i;branch=2"), ("Via", "SIP/2.0/UDP j")
    )
    seen = h.with_received(message, "2001:db8::7", 40_000)
    assert seen.headers.every("via") == [
        "SIP/2.0/UDP h;branch=1;received=2001:db8::7, SIP/2.0/UDP i;branch=2",
        "SIP/2.0/UDP j",
    ]
    assert h.top_via(seen).received == "2001:db8::7"


def test_a_via_that_cannot_be_read_stays() -> None:
    message = asked(("Via", "SIP/2.0/UDP h;;;"))
    assert h.with_received(message, "192.0.2.77", 1) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<sip:a@h>", NameAddr("", "sip:a@h")),
        ("sip:a@h;tag=1", NameAddr("", "sip:a@h", {"tag": "1"})),
        ("A B <sip:a@h;lr>;Tag=x", NameAddr("A B", "sip:a@h;lr", {"tag": "x"})),
        ('"A, \\"B\\"" <sip:a@h> ; q = 0.5', NameAddr('A, "B"', "sip:a@h", {"q": "0.5"})),
        ('"É"<sip:a@h>', NameAddr("É", "sip:a@h")),
        ('<sip:a@h>;+a.b="<urn:uuid:1>"', NameAddr("", "sip:a@h", {"+a.b": "<urn:uuid:1>"})),
        ("tel:+15550100", NameAddr("", "tel:+15550100")),
        ("<sip:a@h,b>", NameAddr("", "sip:a@h,b")),
    ],
)  # fmt: skip
def test_an_address_is_read(text: str, expected: NameAddr) -> None:
    assert h.parse_name_addr(text) == expected
    again = h.build_name_addr(expected)
    assert h.parse_name_addr(again) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "<sip:a@h", "sip:a@h>", "<<sip:a@h>>", "A, B <sip:a@h>", '"A <sip:a@h>', "sip:a@h?b=c",
        "sip:a@h,sip:b@h", "<sip:a@h>;tag=1;tag=2", "<sip:a@h>;", "<a@h>", "<sip: a@h>",
        "<sip:a@h> x", "É <sip:a@h>",
    ],
)  # fmt: skip
def test_a_malformed_address_is_400(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        h.parse_name_addr(text)


def test_a_list_is_split_outside_quotes_and_brackets() -> None:
    value = '"a, b" <sip:a,b@h>;x="c,d" , <sip:e@h>'
    assert h.split_commas(value) == ['"a, b" <sip:a,b@h>;x="c,d"', "<sip:e@h>"]


@pytest.mark.parametrize("text", ["a,,b", ",", "a,", '"a,b', "<a,b"])
def test_a_list_with_holes_is_400(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        h.split_commas(text)


def test_cseq_is_a_number_and_a_method() -> None:
    assert h.parse_cseq("0009  INVITE") == CSeq(9, "INVITE")
    for bad in ("INVITE 9", "9", "2147483648 INVITE", "9 INVITE x", "٣ INVITE"):
        with pytest.raises(PeerError, match="400"):
            h.parse_cseq(bad)


def test_a_dialog_has_one_contact() -> None:
    contact = h.contact_of(asked(("m", "<sip:a@h>;expires=60")))
    assert contact is not None
    assert h.contact_expires(contact) == 60
    assert h.contact_of(asked()) is None
    for several in ("<sip:a@h>, <sip:b@h>", "*"):
        with pytest.raises(PeerError, match="400"):
            h.contact_of(asked(("Contact", several)))
    assert h.contacts(asked(("Contact", "*")))[0].uri == "*"


def test_routes_keep_their_order_over_lines() -> None:
    message = asked(("Route", "<sip:a;lr>, <sip:b;lr>"), ("Route", "<sip:c;lr>"))
    assert h.routes(message) == ["<sip:a;lr>", "<sip:b;lr>", "<sip:c;lr>"]
    assert h.record_routes(message) == []


def test_numbers_are_read_or_absent() -> None:
    message = asked(
        ("Expires", "60"), ("Retry-After", "5 (busy);duration=3"), ("Max-Forwards", "70")
    )
    assert (h.expires(message), h.retry_after(message), h.max_forwards(message)) == (60, 5, 70)
    assert h.expires(asked(("Expires", "soon"))) is None
    assert h.max_forwards(asked()) is None
    with pytest.raises(PeerError, match="400"):
        h.max_forwards(asked(("Max-Forwards", "-1")))


def test_option_tags_are_read_over_lines() -> None:
    message = asked(
        ("k", "Timer, 100rel"), ("Supported", "path"), ("Require", "a"), ("Allow", "BYE")
    )
    assert h.supported_tags(message) == {"timer", "100rel", "path"}
    assert h.required_tags(message) == ["a"]
    assert h.allowed_methods(message) == {"BYE"}
    assert h.supported_tags(asked(("Supported", ""))) == frozenset()


def test_a_content_type_is_read() -> None:
    message = asked(("c", 'Multipart/Mixed ; boundary="a b"'))
    assert h.content_type(message) == ("multipart/mixed", {"boundary": "a b"})
    assert h.content_type(asked()) == ("", {})
    for bad in ("text", "/", "a/b/c", "a b/c"):
        with pytest.raises(PeerError, match="400"):
            h.content_type(asked(("Content-Type", bad)))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Q.850;cause=16", 16),
        ('SIP;cause=200;text="a, b", q.850 ; cause=17 ;text="busy"', 17),
        ("SIP;cause=487", None),
        ("Q.850", None),
        ("Q.850;cause=x", None),
        ("Q.850;cause=128", None),
        ("Q.850;;;", None),
        ('"', None),
    ],
)
def test_a_reason_gives_its_q_850_cause(text: str, cause: int | None) -> None:
    assert h.reason_q850(text) == cause


def test_a_reason_is_written() -> None:
    value = h.build_reason(102, 'credit "exhausted"')
    assert value == 'Q.850;cause=102;text="credit \\"exhausted\\""'
    assert h.reason_q850(value) == 102
    assert h.build_reason(16) == "Q.850;cause=16"
