import pytest

from switch.errors import PeerError
from switch.sip.body import Part, parts_of, sdp_of
from switch.sip.message import Headers, Request


def carrying(kind: str, body: bytes) -> Request:
    return Request("INVITE", "sip:192.0.2.9", Headers((("Content-Type", kind),)), body)


def parts(*kinds: str, end: bytes = b"\r\n--x--\r\n") -> Request:
    pieces = [f"--x\r\nContent-Type: {kind}\r\n\r\n{kind}".encode() for kind in kinds]
    return carrying("multipart/mixed;boundary=x", b"\r\n".join(pieces) + end)


def test_a_plain_body_is_one_part() -> None:
    assert parts_of(carrying("Application/SDP", b"v=0")) == [Part("application/sdp", b"v=0")]
    assert sdp_of(carrying("application/sdp", b"v=0")) == b"v=0"
    assert sdp_of(Request("INVITE", "sip:192.0.2.9")) is None


def test_sdp_is_found_among_several_parts() -> None:
    message = parts("text/plain", "application/sdp")
    assert [part.kind for part in parts_of(message)] == ["text/plain", "application/sdp"]
    assert sdp_of(message) == b"application/sdp"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (carrying("text/plain", b"x"), 415),
        (parts("text/plain"), 415),
        (parts("multipart/mixed"), 415),
        (parts(*["text/plain"] * 5), 413),
        (parts(*["text/plain"] * 50), 413),
        (parts("text/plain", end=b""), 400),
        (carrying("multipart/mixed", b"x"), 400),
        (carrying("multipart/mixed;boundary=x", b"x"), 400),
        (carrying("multipart/mixed;boundary=x", b"--xy\r\n\r\n\r\n--x--"), 400),
    ],
)
def test_other_bodies_are_refused(message: Request, status: int) -> None:
    with pytest.raises(PeerError) as caught:
        sdp_of(message)
    assert caught.value.status == status


def test_four_parts_are_enough() -> None:
    assert len(parts_of(parts(*["text/plain"] * 4))) == 4
