from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.errors import PeerError
from switch.sdp.offer_answer import (
    Hold,
    LocalMedia,
    RemoteAudio,
    accept_answer,
    answer,
    audio_family,
    hold_of,
    make_offer,
    offer_description,
)
from switch.sdp.parser import build, parse
from switch.sdp.session import Direction, SessionDescription
from tests.vectors.messages import SDP

HERE = LocalMedia("198.51.100.9", 20_000)
AUDIO = "m=audio 4000 RTP/AVP 0 8 101"


def offered(*media: str, session: str = "", ip: str = "192.0.2.1") -> SessionDescription:
    family = "IP6" if ":" in ip else "IP4"
    lines = ["v=0", f"o=- 7 1 IN {family} {ip}", "s=-", f"c=IN {family} {ip}", "t=0 0"]
    lines += [session] if session else []
    return parse("\r\n".join([*lines, *media]).encode())


def test_an_offer_is_answered() -> None:
    found = answer(parse(SDP), HERE, session_id=5)
    assert found.body == (
        b"v=0\r\no=- 5 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n"
        b"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
    assert found.remote == RemoteAudio(
        ip="192.0.2.1",
        port=4000,
        law="PCMU",
        payload_type_send=0,
        payload_type_receive=0,
        event_type_send=101,
        event_type_receive=101,
        ptime_ms=20,
        direction=Direction.SENDRECV,
        hold=Hold.NONE,
        laws_receive=((0, "PCMU"),),
    )


def test_an_offer_of_ours_lists_both_laws_in_our_order() -> None:
    local = replace(HERE, laws=("PCMA", "PCMU"), event_max=16)
    assert make_offer(local, session_id=5, version=2) == (
        b"v=0\r\no=- 5 2 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n"
        b"m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_the_offers_first_law_wins() -> None:
    found = answer(offered("m=audio 4000 RTP/AVP 18 8 0"), HERE, session_id=5)
    assert found.remote.law == "PCMA"
    assert found.remote.event_type_send is None
    assert found.description.media[0].formats == ("8",)


def test_a_law_that_we_do_not_take_is_passed_over() -> None:
    found = answer(offered(AUDIO), replace(HERE, laws=("PCMA",)), session_id=5)
    assert found.remote.law == "PCMA"


def test_numbers_mean_what_rtpmap_says() -> None:
    media = ("m=audio 4000 RTP/AVP 0 97 98", "a=rtpmap:0 G729/8000", "a=rtpmap:97 pcma/8000/1",
             "a=rtpmap:98 Telephone-Event/8000")  # fmt: skip
    found = answer(offered(*media), HERE, session_id=5)
    assert (found.remote.law, found.remote.payload_type_send) == ("PCMA", 97)
    assert found.remote.event_type_receive == 98
    assert found.description.media[0].formats == ("97", "98")


@pytest.mark.parametrize(
    "rtpmap", ["a=rtpmap:101 telephone-event/16000", "a=rtpmap:128 telephone-event/8000", "a=x"]
)
def test_other_events_are_none(rtpmap: str) -> None:
    assert answer(offered(AUDIO, rtpmap), HERE, session_id=5).remote.event_type_send is None


def test_events_may_be_off_on_our_side() -> None:
    found = answer(parse(SDP), replace(HERE, event_type=None), session_id=5)
    assert found.remote.event_type_send is None
    assert found.description.media[0].formats == ("0",)


def test_the_answer_keeps_the_order_and_refuses_the_rest() -> None:
    offer = offered(
        "m=video 5000 RTP/AVP 31",
        "m=audio 5002 RTP/SAVP 0",
        "m=audio 5004 RTP/AVP 18",
        AUDIO,
        "m=audio 5006 RTP/AVP 0",
        "m=image 5008 udptl t38",
    )
    found = answer(offer, HERE, session_id=5)
    assert [m.port for m in found.description.media] == [0, 0, 0, 20_000, 0, 0]
    assert [m.kind for m in found.description.media] == [m.kind for m in offer.media]
    assert found.remote.port == 4000
    assert parse(found.body) == found.description


@pytest.mark.parametrize(
    "media",
    [
        "m=video 5000 RTP/AVP 31",
        "m=image 5008 udptl t38",
        "m=audio 5002 RTP/SAVP 0",
        "m=audio 5002 RTP/AVPF 0",
        "m=audio 5002 UDP/TLS/RTP/SAVPF 0",
        "m=audio 5002 RTP/AVP 18 101",
        "m=audio 0 RTP/AVP 0",
        "m=audio 1023 RTP/AVP 0",
        "m=audio 5002 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/127",
        "m=audio 5002 RTP/AVP 0\r\nc=IN IP4 255.255.255.255",
        "m=audio 5002 RTP/AVP 0\r\nc=IN IP4 host.example.com",
        "m=audio 5002 RTP/AVP 0\r\nc=IN IP6 2001:db8::1",
    ],
)
def test_an_offer_without_anything_acceptable_is_488(media: str) -> None:
    with pytest.raises(PeerError) as caught:
        answer(offered(media), HERE, session_id=5)
    assert caught.value.status == 488


def test_ipv6_is_answered_in_ipv6() -> None:
    offer = offered(AUDIO, ip="2001:db8::1")
    found = answer(offer, replace(HERE, ip="2001:db8::9"), session_id=5)
    assert b"c=IN IP6 2001:db8::9" in found.body
    assert found.remote.ip == "2001:db8::1"
    assert audio_family(offer) == "ip6"
    assert audio_family(parse(SDP)) == "ip4"
    assert audio_family(offered("m=video 5000 RTP/AVP 31")) is None


@pytest.mark.parametrize(
    ("line", "ours", "theirs", "hold"),
    [
        ("a=sendrecv", "sendrecv", "sendrecv", Hold.NONE),
        ("a=sendonly", "recvonly", "sendonly", Hold.SENDONLY),
        ("a=recvonly", "sendonly", "recvonly", Hold.NONE),
        ("a=inactive", "inactive", "inactive", Hold.INACTIVE),
        ("c=IN IP4 0.0.0.0", "recvonly", "sendonly", Hold.ZERO_ADDRESS),
    ],
)
def test_a_hold_is_answered_and_named(line: str, ours: str, theirs: str, hold: Hold) -> None:
    offer = offered(AUDIO, line)
    found = answer(offer, HERE, session_id=5)
    assert found.body.endswith(f"a={ours}\r\n".encode())
    assert str(found.remote.direction) == theirs
    assert found.remote.hold is hold
    assert hold_of(offer) is hold


def test_a_hold_for_the_whole_session_counts() -> None:
    offer = offered(AUDIO, session="a=sendonly")
    assert hold_of(offer) is Hold.SENDONLY
    assert hold_of(offered("m=video 5000 RTP/AVP 31", "a=inactive")) is Hold.NONE


def test_our_own_hold_narrows_the_answer() -> None:
    found = answer(parse(SDP), replace(HERE, direction=Direction.SENDONLY), session_id=5)
    assert found.body.endswith(b"a=sendonly\r\n")
    assert found.remote.direction is Direction.RECVONLY


@pytest.mark.parametrize(
    ("line", "ptime_ms"),
    [("a=ptime:10", 10), ("a=ptime:60", 60), ("a=ptime:80", 20), ("a=ptime:5", 20),
     ("a=ptime:25", 20), ("a=ptime:x", 20), ("a=x", 20)],
)  # fmt: skip
def test_a_packet_time_from_10_to_60_is_taken(line: str, ptime_ms: int) -> None:
    assert answer(offered(AUDIO, line), HERE, session_id=5).remote.ptime_ms == ptime_ms


def test_the_timing_of_the_offer_is_repeated() -> None:
    offer = parse(SDP.replace(b"t=0 0", b"t=3149328700 0"))
    assert answer(offer, HERE, session_id=5).description.every("t") == ["3149328700 0"]
    offer = parse(SDP.replace(b"t=0 0", b"t=now"))
    assert answer(offer, HERE, session_id=5).description.every("t") == ["0 0"]


def test_each_side_receives_with_its_own_numbers() -> None:
    reply = offered(
        "m=audio 4000 RTP/AVP 97 96", "a=rtpmap:97 PCMA/8000", "a=rtpmap:96 telephone-event/8000"
    )
    remote = accept_answer(HERE, reply)
    assert (remote.law, remote.payload_type_send, remote.payload_type_receive) == ("PCMA", 97, 8)
    assert (remote.event_type_send, remote.event_type_receive) == (96, 101)
    assert remote.laws_receive == ((0, "PCMU"), (8, "PCMA"))


def test_an_answer_without_events_turns_them_off() -> None:
    remote = accept_answer(HERE, offered("m=audio 4000 RTP/AVP 0"))
    assert (remote.event_type_send, remote.event_type_receive) == (None, None)


@pytest.mark.parametrize(
    "media",
    [
        ("m=audio 0 RTP/AVP 0",),
        ("m=audio 4000 RTP/AVP 18",),
        ("m=audio 4000 RTP/SAVP 0",),
        ("m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 31"),
        ("m=image 4000 udptl t38",),
        (),
    ],
)
def test_an_answer_that_does_not_fit_is_488(media: tuple[str, ...]) -> None:
    with pytest.raises(PeerError, match="488"):
        accept_answer(HERE, offered(*media))


def test_an_answer_of_hold_is_heard() -> None:
    remote = accept_answer(HERE, offered(AUDIO, "a=inactive"))
    assert (remote.direction, remote.hold) == (Direction.INACTIVE, Hold.INACTIVE)


locals_ = st.builds(
    LocalMedia,
    ip=st.just("198.51.100.9"),
    port=st.integers(1024, 65534),
    laws=st.sampled_from([("PCMU", "PCMA"), ("PCMA", "PCMU"), ("PCMU",), ("PCMA",)]),
    event_type=st.none() | st.integers(96, 127),
    event_max=st.sampled_from([15, 16]),
    direction=st.sampled_from(list(Direction)),
)


@settings(max_examples=100)
@given(locals_, locals_)
def test_both_sides_of_an_exchange_agree(caller: LocalMedia, called: LocalMedia) -> None:
    offer = parse(build(offer_description(caller)))
    if not set(caller.laws) & set(called.laws):
        with pytest.raises(PeerError, match="488"):
            answer(offer, called, session_id=5)
        return
    found = answer(offer, called, session_id=5)
    remote = accept_answer(caller, parse(found.body))
    assert remote.law == found.remote.law
    assert remote.payload_type_send == found.remote.payload_type_receive
    assert remote.payload_type_receive == found.remote.payload_type_send
    assert remote.event_type_send == found.remote.event_type_receive
    assert remote.event_type_receive == found.remote.event_type_send
    assert remote.direction is found.remote.direction.reversed
    assert (remote.port, found.remote.port) == (called.port, caller.port)
