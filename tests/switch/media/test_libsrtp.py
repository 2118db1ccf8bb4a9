"""Our sessions against RFC 3711 and RFC 7714: vectors, and a reference written from the clauses."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.media.libsrtp import AUTH_FAILED, OK, REPLAYED, SrtpSession, plain
from switch.rtp.packet import RtpPacket, build
from switch.rtp.srtp_suite import MasterKey, Suite, secret_bytes
from tests.support.srtp_far_end import SrtpFarEnd
from tests.support.srtp_reference import derive, keystream, protect

MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
"""RFC 3711 appendix B.3."""

CM_80, CM_32 = Suite.AES_CM_128_HMAC_SHA1_80, Suite.AES_CM_128_HMAC_SHA1_32
TAG_BYTES = {CM_80: 10, CM_32: 4}
COMPOUND = bytes.fromhex("80ca0006") + bytes(range(24))


def run(name: str, session: SrtpSession, data: bytes) -> tuple[int, bytes]:
    """Call libsrtp as the pump does."""
    buffer = ctypes.create_string_buffer(data, len(data) + 16)
    size = ctypes.c_int(len(data))
    done = plain(name)(session.address, ctypes.addressof(buffer), ctypes.addressof(size))
    return done, buffer.raw[: size.value]


def test_the_reference_makes_the_keystream_of_the_rfc() -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    counter = int("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", 16)
    assert keystream(key, counter, 48).hex().upper() == (
        "E03EAD0935C95E80E166B16DD92B4EB4"
        "D23513162B02D0F72A43A2FE4A5F97AB"
        "41E95B3BB0A2E8DD477901E4FCA894C0"
    )


def test_the_reference_derives_the_keys_of_the_rfc() -> None:
    def derived(label: int, size: int) -> str:
        return derive(MASTER_KEY, MASTER_SALT, label, size).hex().upper()

    assert derived(0, 16) == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derived(2, 14) == "30CBBC08863D8C85D49DB34A9AE1"
    assert derived(1, 20) == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


@pytest.mark.parametrize("suite", [CM_80, CM_32])
def test_a_packet_leaves_as_the_rfc_says(suite: Suite) -> None:
    session = SrtpSession(MasterKey(suite, MASTER_KEY + MASTER_SALT), sends=True)
    data = build(RtpPacket(0, 0x1234, 0xDECAFBAD, 0xCAFEBABE, b"\xab" * 160))
    done, made = run("srtp_protect", session, data)
    assert done == OK
    assert made == protect(MASTER_KEY + MASTER_SALT, data, roc=0, tag_bytes=TAG_BYTES[suite])


@given(secret=st.binary(min_size=30, max_size=30), ssrc=st.integers(0, 2**32 - 1))
def test_the_rollover_counter_goes_into_key_and_tag(secret: bytes, ssrc: int) -> None:
    sender = SrtpSession(MasterKey(CM_80, secret), sends=True)
    for sequence, roc in ((0xFFFF, 0), (0, 1), (1, 1)):
        data = build(RtpPacket(0, sequence, 7, ssrc, b"\x55" * 20))
        done, made = run("srtp_protect", sender, data)
        assert done == OK
        assert made == protect(secret, data, roc=roc, tag_bytes=10)


@pytest.mark.parametrize("suite", list(Suite))
def test_a_round_trip_a_forgery_and_a_replay(suite: Suite) -> None:
    key = MasterKey(suite, bytes(range(secret_bytes(suite))))
    sender, receiver = SrtpSession(key, sends=True), SrtpSession(key, sends=False)
    data = build(RtpPacket(0, 1, 160, 7, bytes(range(160))))
    _, made = run("srtp_protect", sender, data)
    assert run("srtp_unprotect", receiver, made[:-1] + bytes([made[-1] ^ 1]))[0] == AUTH_FAILED
    assert run("srtp_unprotect", receiver, made) == (OK, data)
    assert run("srtp_unprotect", receiver, made)[0] == REPLAYED


@pytest.mark.parametrize("suite", list(Suite))
def test_reports_travel_as_srtcp(suite: Suite) -> None:
    ours = MasterKey(suite, bytes(range(secret_bytes(suite))))
    theirs = MasterKey(suite, bytes(secret_bytes(suite)))
    far = SrtpFarEnd(sends=theirs, hears=ours)
    sender, receiver = SrtpSession(ours, sends=True), SrtpSession(theirs, sends=False)
    made = sender.protect_rtcp(COMPOUND)
    assert COMPOUND[8:] not in made
    assert far.unprotect_rtcp(made) == COMPOUND
    came = far.protect_rtcp(COMPOUND)
    assert receiver.unprotect_rtcp(came[:-1] + bytes([came[-1] ^ 1])) is None
    assert receiver.unprotect_rtcp(came) == COMPOUND
    assert receiver.unprotect_rtcp(came) is None
    assert receiver.unprotect_rtcp(bytes(3000)) is None


def test_a_session_goes_on_with_a_source_that_has_wrapped() -> None:
    key = MasterKey(CM_80, bytes(range(30)))
    sender, heir = SrtpSession(key, sends=True), SrtpSession(key, sends=False)
    data = made = b""
    for number in range(0xFFF0, 0x20010, 0x4000):
        data = build(RtpPacket(0, number & 0xFFFF, 7, 9, b"\x55" * 20))
        _, made = run("srtp_protect", sender, data)
    assert run("srtp_unprotect", SrtpSession(key, sends=False), made)[0] == AUTH_FAILED
    heir.go_on(9, 1)
    assert run("srtp_unprotect", heir, made) == (OK, data)
    other = build(RtpPacket(0, 5, 7, 10, b"\x55" * 20))
    assert run("srtp_unprotect", heir, run("srtp_protect", sender, other)[1]) == (OK, other)


def test_a_key_shows_itself_nowhere() -> None:
    key = MasterKey(CM_80, b"secret secret secret secret 30")
    assert "secret " not in f"{key!r} {key}"
    with pytest.raises(ValueError, match="30 bytes"):
        MasterKey(CM_80, b"short")
