import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.errors import LocalError, PeerError
from switch.sdp.parser import build, parse
from switch.sdp.session import Media, SessionDescription
from tests.vectors.messages import SDP

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def test_what_was_read_is_written_again() -> None:
    assert build(parse(SDP)) == SDP


def test_unknown_lines_keep_their_place() -> None:
    body = HEAD + (
        b"y=whatever\r\na=x\r\nm=audio 4000/2 RTP/AVP 0 8\r\nb=AS:64\r\nq=1\r\na=crypto:1 x\r\n"
        b"m=image 0 udptl t38\r\na=T38FaxVersion:0\r\n"
    )
    description = parse(body)
    assert build(description) == body
    assert description.media[0].ports == 2
    assert description.media[1].kind == "image"


def test_lines_may_end_in_lf_alone() -> None:
    assert parse(SDP.replace(b"\r\n", b"\n")) == parse(SDP)
    assert parse(SDP.removesuffix(b"\r\n")) == parse(SDP)
    assert parse(SDP + b"\r\n") == parse(SDP)


def test_text_that_is_not_utf_8_is_replaced() -> None:
    assert parse(SDP.replace(b"s=-", b"s=\xff")).every("s") == ["\ufffd"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"v=1\r\n",
        SDP.replace(b"v=0", b"v=1"),
        SDP.replace(b"v=0\r\n", b""),
        SDP.replace(b"o=-", b"o="),
        SDP.replace(b"o=- 7", b"o=- x"),
        SDP.replace(b"c=IN IP4 192.0.2.1\r\n", b""),
        SDP.replace(b"t=0 0", b"t0 0"),
        SDP.replace(b"t=0 0", b" t=0 0"),
        SDP.replace(b"s=-", b"s=\x00"),
        SDP.replace(b"s=-", b"s=a\rb"),
        SDP.replace(b"audio 4000", b"audio"),
        SDP.replace(b"audio 4000", b"audio 65536"),
        SDP.replace(b"audio 4000", b"audio -1"),
        SDP.replace(b"audio 4000", b"audio  4000"),
        SDP.replace(b"RTP/AVP 0 8 101", b"RTP/AVP"),
        SDP.replace(b"RTP/AVP 0 8 101", b"RTP/AVP" + b" 0" * 33),
        SDP + b"a=x\r\n" * 256,
        SDP + b"m=audio 4000 RTP/AVP 0\r\n" * 8,
    ],
)
def test_what_is_wrong_is_488(body: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        parse(body)
    assert caught.value.status == 488


def test_the_limits_themselves_pass() -> None:
    body = HEAD + b"m=audio 4000 RTP/AVP" + b" 0" * 32 + b"\r\n" + b"m=audio 0 RTP/AVP 0\r\n" * 7
    body += b"a=x\r\n" * (256 - body.count(b"\r\n"))
    assert len(parse(body).media) == 8


def test_a_refused_medium_needs_no_address() -> None:
    body = HEAD.replace(b"c=IN IP4 192.0.2.1\r\n", b"") + b"m=audio 0 RTP/AVP 0\r\n"
    assert parse(body).media[0].port == 0


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb"])
def test_no_value_breaks_out_of_its_line(value: str) -> None:
    with pytest.raises(LocalError):
        build(SessionDescription((("v", "0"), ("s", value))))


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20)
lines = st.lists(st.tuples(st.sampled_from("abikruyz"), text), max_size=6).map(tuple)
media = st.builds(
    Media,
    kind=st.sampled_from(["audio", "video", "image", "x-odd"]),
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl", "UDP/TLS/RTP/SAVPF"]),
    formats=st.lists(st.sampled_from(["0", "101", "t38", "*"]), min_size=1, max_size=5).map(tuple),
    lines=lines,
    ports=st.integers(1, 4),
)  # fmt: skip
descriptions = st.builds(
    SessionDescription,
    lines=lines.map(
        lambda more: (("v", "0"), ("o", "- 1 1 IN IP4 192.0.2.1"), ("c", "IN IP4 192.0.2.1"), *more)
    ),
    media=st.lists(media, max_size=8).map(tuple),
)


@given(descriptions)
def test_what_is_written_is_read_again(description: SessionDescription) -> None:
    assert parse(build(description)) == description


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_broken_descriptions_are_488_or_fine(data: st.DataObject) -> None:
    body = bytearray(SDP)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"\r\n", b"m=", b"a=rtpmap:", b"c=IN IP6 ", b"99999"])
        )  # fmt: skip
    try:
        description = parse(bytes(body))
    except PeerError as error:
        status = error.status
    else:
        status = 488
        assert parse(build(description)) == description
    assert status == 488
