import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.rtp import packet
from switch.rtp.packet import RtpPacket

PLAIN = packet.build(RtpPacket(0, 1, 160, 7, b"\xff" * 160))

PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 63),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    ssrc=st.integers(0, 0xFFFF_FFFF),
    payload=st.binary(max_size=480),
    marker=st.booleans(),
)


@given(PACKETS)
def test_what_is_built_is_read_again(one: RtpPacket) -> None:
    assert packet.parse(packet.build(one)) == one


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_be_looked_at(data: bytes) -> None:
    offset = packet.payload_offset(data, len(data))
    assert -4 <= offset <= len(data)
    packet.parse(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", packet.TOO_SHORT),
        (PLAIN[:11], packet.TOO_SHORT),
        (b"\x40" + PLAIN[1:], packet.BAD_VERSION),
        (b"\x80\xc8" + PLAIN[2:], packet.CONTROL),
        (b"\x80\xcd" + PLAIN[2:], packet.CONTROL),
        (b"\x8f" + PLAIN[1:40], packet.BAD_LENGTH),
        (b"\x90" + PLAIN[1:12], packet.BAD_LENGTH),
        (b"\x90" + PLAIN[1:12] + b"\0\0\0\x09", packet.BAD_LENGTH),
        (b"\xa0" + PLAIN[1:-1] + b"\xff", packet.BAD_LENGTH),
    ],
)
def test_a_datagram_that_is_no_packet_says_why(data: bytes, why: int) -> None:
    assert packet.payload_offset(data, len(data)) == why


def test_contributing_sources_and_an_extension_are_passed_over() -> None:
    data = b"\x92" + PLAIN[1:12] + bytes(8) + b"\xbe\xde\0\x01" + bytes(4) + b"sound"
    assert packet.payload_offset(data, len(data)) == 12 + 8 + 8
    found = packet.parse(data)
    assert found is not None
    assert found.payload == b"sound"


def test_padding_is_no_payload() -> None:
    found = packet.parse(b"\xa0" + PLAIN[1:12] + b"sound\0\0\x03")
    assert found is not None
    assert found.payload == b"sound"
