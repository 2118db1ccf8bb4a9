import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import PeerError
from switch.sip.uri import (
    SipUri,
    TelUri,
    build,
    build_host_port,
    parse_host_port,
    parse_sip_uri,
    parse_uri,
    same_uri,
    scheme_of,
)


def test_every_part_of_a_sip_uri_is_read() -> None:
    uri = parse_uri("SIPS:alice:s%20x@Example.COM:5061;Transport=TCP;lr?Subject=a%20b&X=")
    assert uri == SipUri(
        user="alice",
        host="example.com",
        port=5061,
        scheme="sips",
        password="s x",
        params={"transport": "TCP", "lr": None},
        headers={"Subject": "a b", "X": ""},
    )


def test_an_ipv6_host_has_its_brackets_only_on_the_wire() -> None:
    uri = parse_sip_uri("sip:alice@[2001:db8::1]:5060")
    assert (uri.host, uri.port) == ("2001:db8::1", 5060)
    assert build(uri) == "sip:alice@[2001:db8::1]:5060"


def test_a_telephone_number_is_read() -> None:
    uri = parse_uri("tel:+1-555-0100;phone-context=example.com")
    assert uri == TelUri("+1-555-0100", {"phone-context": "example.com"})
    assert build(uri) == "tel:+1-555-0100;phone-context=example.com"


def test_a_hash_may_be_dialled_unescaped_and_leaves_escaped() -> None:
    uri = parse_sip_uri("sip:*67#15550100@192.0.2.9")
    assert uri.user == "*67#15550100"
    assert build(uri) == "sip:*67%2315550100@192.0.2.9"


@pytest.mark.parametrize(
    "text",
    [
        "", "sip:", "sip:@host", "sip:a@", "sip:a@ho st", "sip:a@b@c", "sip:a b@host",
        "sip:a%4@host", "sip:a%ff@host", "sip:host:0", "sip:host:65536", "sip:[::1",
        "sip:[1.2.3.4]", "sip:[:::]",
        "sip:host;", "sip:host;;lr", "sip:host;lr;LR", "sip:host;a=", "sip:host?", "sip:host?a",
        "sip:host?=a", "sip:-host", "sip:host-", "tel:", "tel:+", "tel:alice", "host", "sip",
        "1sip:a", "sip:a@host\r\nX: y", "sip:a@host\n", "sip:٣@host", "tel:+٣",
    ],
)  # fmt: skip
def test_a_malformed_uri_is_400(text: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


def test_another_scheme_is_416() -> None:
    with pytest.raises(PeerError) as caught:
        parse_uri("http://example.com")
    assert caught.value.status == 416
    with pytest.raises(PeerError) as caught:
        parse_sip_uri("tel:+15550100")
    assert caught.value.status == 416
    assert scheme_of("HTTP://example.com") == "http"


def test_host_and_port_are_read_alone() -> None:
    assert parse_host_port("192.0.2.1") == ("192.0.2.1", None)
    assert parse_host_port("[::1]:5060") == ("::1", 5060)
    assert build_host_port("::1", 5060) == "[::1]:5060"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:%61lice@atlanta.example;x=TCP", "sip:alice@AtLanTa.Example;X=tcp", True),
        ("sip:carol@chicago.example", "sip:carol@chicago.example;newparam=5", True),
        ("sip:carol@chicago.example;security=on", "sip:carol@chicago.example;security=off", False),
        ("SIP:ALICE@atlanta.example", "sip:alice@atlanta.example", False),
        ("sip:bob@biloxi.example", "sip:bob@biloxi.example:5060", False),
        ("sip:bob@biloxi.example", "sip:bob@biloxi.example;transport=udp", False),
        ("sip:carol@chicago.example?Subject=a", "sip:carol@chicago.example", False),
        ("sip:carol@chicago.example?Subject=a", "sip:carol@chicago.example?subject=a", True),
        ("tel:+15550100", "tel:+15550100", True),
        ("tel:+15550100", "sip:+15550100@example.com", False),
    ],
)
def test_uris_compare_as_rfc_3261_section_19_1_4_says(one: str, other: str, same: bool) -> None:
    assert same_uri(parse_uri(one), parse_uri(other)) is same
    assert same_uri(parse_uri(other), parse_uri(one)) is same


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
sip_uris = st.builds(
    SipUri,
    user=st.none() | words,
    host=st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1"]),
    port=st.none() | st.integers(1, 65535),
    scheme=st.sampled_from(["sip", "sips"]),
    params=st.dictionaries(words.map(str.lower).map(str.lower), st.none() | words, max_size=3),
    headers=st.dictionaries(words, st.text(st.characters(exclude_categories=["Cs"])), max_size=2),
)


@given(sip_uris)
def test_what_is_written_is_read_again(uri: SipUri) -> None:
    lower = {name: value for name, value in uri.params.items() if name == name.lower()}
    uri = SipUri(uri.user, uri.host, uri.port, uri.scheme, None, lower, uri.headers)
    assert parse_uri(build(uri)) == uri
