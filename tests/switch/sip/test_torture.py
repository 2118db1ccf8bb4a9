"""RFC 4475, the 50 torture messages: what the parser makes of each."""

import pytest

from switch.errors import PeerError
from switch.sip.body import parts_of
from switch.sip.headers import (
    contact_of,
    contacts,
    every_value,
    expires,
    max_forwards,
    parse_cseq,
    parse_name_addr,
    parse_via,
    record_routes,
    required_tags,
    retry_after,
    routes,
    tag_of,
    top_via,
)
from switch.sip.message import Message, Request, Response
from switch.sip.parser import BadMessage, ParseDrop, StreamParser, parse
from switch.sip.uri import parse_sip_uri, parse_uri
from tests.vectors import torture

HERE = torture.messages()
pytestmark = pytest.mark.skipif(
    not HERE, reason="no RFC 4475 messages; see tests/vectors/README.md"
)


def parsed(name: str) -> Message:
    return parse(HERE[name])


def asked(name: str) -> Request:
    message = parsed(name)
    assert isinstance(message, Request)
    return message


def of(message: Message, name: str) -> str:
    value = message.headers.get(name)
    assert value is not None
    return value


def verdict(data: bytes) -> int:
    try:
        parse(data)
    except BadMessage as error:
        return error.status
    except ParseDrop:
        return torture.DROP
    return torture.OK


@pytest.mark.parametrize("name", torture.EXPECTED)
def test_every_message_gets_its_verdict(name: str) -> None:
    assert verdict(HERE[name]) == torture.EXPECTED[name].parser


def test_there_are_fifty() -> None:
    assert len(torture.EXPECTED) == 50


def test_a_refused_request_still_says_whom_to_answer() -> None:
    for name, expected in torture.EXPECTED.items():
        if expected.parser > 0:
            with pytest.raises(BadMessage) as caught:
                parse(HERE[name])
            assert caught.value.request.method
            assert caught.value.request.headers.get("via")


def test_wsinv_is_read_through_all_its_white_space() -> None:
    message = asked("wsinv")
    assert tag_of(of(message, "to")) == "1918181833n"
    sender = parse_name_addr(of(message, "from"))
    assert (sender.display, sender.uri) == ('J Rosenberg \\"', "sip:jdrosen@example.com")
    assert sender.tag == "98asjd8"
    assert max_forwards(message) == 68
    assert parse_cseq(of(message, "cseq")).number == 9
    vias = [parse_via(value) for value in every_value(message, "via")]
    assert [v.branch for v in vias] == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]
    assert [v.transport for v in vias] == ["UDP", "TCP", "UDP"]
    contact = contact_of(message)
    assert contact is not None
    assert contact.display == 'Quoted string ""'
    assert contact.params == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert len(message.body) == 150
    assert len(routes(message)) == 1


def test_intmeth_has_every_character_that_is_permitted() -> None:
    message = asked("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    uri = parse_sip_uri(message.uri)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert parse_name_addr(of(message, "to")).display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    sender = parse_name_addr(of(message, "from"))
    assert sender.display == "token1~` token2'+_ token3*%!.-"
    assert sender.params["fromparam''~+*_!.-%"] == "работающий"


def test_escapes_are_decoded_once() -> None:
    message = asked("esc01")
    assert parse_sip_uri(message.uri).user == "sips:user@example.com"
    assert parse_sip_uri(parse_name_addr(of(message, "to")).uri).user == "user"
    contact = contact_of(message)
    assert contact is not None
    assert parse_sip_uri(contact.uri).params == {"lr": None, "name": "value%41"}


def test_an_escaped_nul_shortens_nothing() -> None:
    message = asked("escnull")
    users = [parse_sip_uri(contact.uri).user for contact in contacts(message)]
    assert users == ["\x00", "\x00\x00"]
    assert parse_sip_uri(parse_name_addr(of(message, "to")).uri).user == "null-\x00-null"


def test_a_percent_sign_in_a_name_is_no_escape() -> None:
    message = asked("esc02")
    assert message.method == "RE%47IST%45R"
    assert len(contacts(message)) == 2
    assert parse_name_addr(of(message, "to")).display == "%Z%45"


def test_a_display_name_may_touch_its_bracket() -> None:
    assert parse_name_addr(of(parsed("lwsdisp"), "from")).display == "caller"


def test_the_long_request_passes_every_limit() -> None:
    message = asked("longreq")
    assert len(HERE["longreq"]) == 3515
    assert len(every_value(message, "via")) == 34
    assert len(contacts(message)) == 1
    assert all(parse_via(via) for via in every_value(message, "via"))


def test_what_follows_a_message_in_a_datagram_is_ignored() -> None:
    message = asked("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")


def test_on_a_stream_what_follows_is_a_second_message() -> None:
    first, second, *_ = StreamParser().feed(HERE["dblreq"])
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert parse(first).headers.get("call-id") != parse(second).headers.get("call-id")


@pytest.mark.parametrize("name", ["ncl", "mcl01"])
def test_a_stream_ends_with_a_broken_length(name: str) -> None:
    stream = StreamParser()
    (error,) = stream.feed(HERE[name])
    assert isinstance(error, BadMessage)
    assert error.status == 400
    assert stream.feed(HERE["lwsdisp"]) == []


def test_a_stream_waits_for_the_rest() -> None:
    stream = StreamParser()
    assert stream.feed(HERE["clerr"]) == []
    assert stream.held_bytes == len(HERE["clerr"])


def test_a_semicolon_belongs_to_the_user() -> None:
    assert parse_sip_uri(asked("semiuri").uri).user == "user;par=u@example.net"


def test_a_via_may_name_any_transport() -> None:
    vias = every_value(parsed("transports"), "via")
    assert [parse_via(via).transport for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_a_binary_body_comes_through_whole() -> None:
    message = asked("mpart01")
    assert len(message.body) == 553
    text, binary = parts_of(message)
    assert (text.kind, text.data) == ("text/plain", b"Hello")
    assert binary.kind == "application/octet-stream"
    assert b"\x00" in binary.data


def test_a_reason_phrase_is_text_or_nothing() -> None:
    odd, none = parsed("unreason"), parsed("noreason")
    assert isinstance(odd, Response)
    assert odd.reason.startswith("= 2**3 * 5**2 но сто")
    assert isinstance(none, Response)
    assert (none.status, none.reason) == (100, "")


def test_a_method_that_nobody_knows_is_501_even_if_cseq_disagrees() -> None:
    assert verdict(HERE["mismatch02"]) == 501


def test_seconds_out_of_range_count_as_absent() -> None:
    with pytest.raises(BadMessage) as caught:
        parsed("scalar02")
    assert expires(caught.value.request) is None
    assert max_forwards(caught.value.request) == 255


def test_a_retry_after_out_of_range_is_the_longest() -> None:
    assert verdict(HERE["scalarlg"]) == torture.DROP
    fixed = HERE["scalarlg"].replace(b"9292394834772304023312", b"9")
    assert retry_after(parse(fixed)) == 2**32 - 1


def test_baddn_is_refused_for_its_display_name_too() -> None:
    with pytest.raises(BadMessage, match="Malformed address"):
        parse(HERE["baddn"] + b"\r\n")


def test_a_header_in_the_contact_needs_brackets() -> None:
    with pytest.raises(PeerError) as caught:
        contacts(parsed("regbadct"))
    assert caught.value.status == 400


def test_an_escaped_route_stays_inside_the_contact() -> None:
    message = parsed("regescrt")
    contact = contact_of(message)
    assert contact is not None
    assert parse_sip_uri(contact.uri).headers == {"Route": "<sip:sip.example.com>"}
    assert routes(message) == []


@pytest.mark.parametrize("name", ["unkscm", "novelsc"])
def test_a_scheme_that_we_do_not_serve_is_416(name: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_uri(asked(name).uri)
    assert caught.value.status == 416


def test_addresses_may_have_any_scheme() -> None:
    message = parsed("unksm2")
    assert parse_name_addr(of(message, "to")).uri == "isbn:2983792873"
    assert contacts(message)[0].uri == "name:John_Smith"


def test_only_what_is_required_of_us_is_listed() -> None:
    tags = required_tags(parsed("bext01"))
    assert tags == ["nothingSupportsThis", "nothingSupportsThisEither"]


def test_no_more_hops_is_zero() -> None:
    assert max_forwards(parsed("zeromf")) == 0


def test_a_parameter_outside_the_brackets_is_the_headers() -> None:
    outside, inside = contact_of(parsed("cparam01")), contact_of(parsed("cparam02"))
    assert outside is not None
    assert inside is not None
    assert (outside.uri, outside.params) == (
        "sip:+19725552222@gw1.example.net",
        {"unknownparam": None},
    )
    assert parse_sip_uri(inside.uri).params == {"unknownparam": None}
    assert inside.params == {}


def test_a_call_of_rfc_2543_can_be_read() -> None:
    message = asked("inv2543")
    assert top_via(message).branch is None
    assert tag_of(of(message, "from")) is None
    assert message.headers.get("content-length") is None
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")
    assert record_routes(message) == ["<sip:UserB@example.com;maddr=ss1.example.com>"]
