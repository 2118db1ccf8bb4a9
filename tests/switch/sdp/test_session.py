import pytest

from switch.errors import PeerError
from switch.sdp.session import Direction, Media, Origin, SessionDescription, direction

AUDIO = Media("audio", 4000, "RTP/AVP", ("0",))


def described(*lines: tuple[str, str], media: Media = AUDIO) -> SessionDescription:
    return SessionDescription((("v", "0"), *lines), (media,))


@pytest.mark.parametrize("one", list(Direction))
def test_a_direction_reversed_twice_is_itself(one: Direction) -> None:
    assert one.reversed.reversed is one
    assert one.reversed.sends is one.receives
    assert direction(sends=one.sends, receives=one.receives) is one


def test_the_mediums_direction_beats_the_sessions() -> None:
    media = Media("audio", 4000, "RTP/AVP", ("0",), (("a", "sendonly"),))
    description = described(("a", "inactive"), media=media)
    assert description.direction_of(media) is Direction.SENDONLY
    assert description.direction_of(AUDIO) is Direction.INACTIVE
    assert described().direction_of(AUDIO) is Direction.SENDRECV


def test_the_mediums_address_beats_the_sessions() -> None:
    media = Media("audio", 4000, "RTP/AVP", ("0",), (("c", "IN IP6 2001:db8::0:1"),))
    description = described(("c", "IN IP4 192.0.2.1"))
    assert description.address_of(media) == "2001:db8::1"
    assert description.address_of(AUDIO) == "192.0.2.1"


@pytest.mark.parametrize(
    "value",
    ["IN IP4 host.example.com", "IN IP4 233.252.0.1/127", "IN IP4 233.252.0.1", "IN IP6 ff02::1",
     "IN IP6 192.0.2.1", "IN IP4", "ATM NSAP x", "IN IP6 fe80::1%eth0", ""],
)  # fmt: skip
def test_only_a_plain_address_counts(value: str) -> None:
    assert described(("c", value)).address_of(AUDIO) is None


def test_an_origin_is_read() -> None:
    value = described(("o", "alice 2890844526 7 IN IP4 192.0.2.1")).origin
    assert value == Origin("alice", 2890844526, 7, "192.0.2.1")
    for bad in ("alice 1 2 IN IP4", "alice x 2 IN IP4 192.0.2.1", "alice 1 -2 IN IP4 192.0.2.1"):
        with pytest.raises(PeerError, match="488"):
            _ = described(("o", bad)).origin


def test_attributes_are_found_by_name() -> None:
    media = Media("audio", 4000, "RTP/AVP", ("0",), (("a", "ptime:30"), ("a", "sendrecv")))
    assert media.attribute("ptime") == "30"
    assert media.attribute("sendrecv") == ""
    assert media.attribute("maxptime") is None
    assert described(("a", "x:1")).attribute("x") == "1"
