"""SRTP in the packet path: what proves itself passes, everything else is counted.

The stages run by the interpreter; the cipher is libsrtp itself.
"""

import pytest

from switch.media.legs import LATCH_LEARNING, LATCH_LOCKED, Drop, Latch
from switch.media.libsrtp import SrtpSession
from switch.media.srtp_stage import SOURCES_MAX
from switch.rtp import packet
from switch.rtp.srtp_suite import SIZES, MasterKey, Suite, secret_bytes
from tests.support.leg_pair import A, B, LegPair
from tests.support.srtp_far_end import SrtpFarEnd

SOUND = bytes(range(160))


def key(suite: Suite, seed: int) -> MasterKey:
    return MasterKey(suite, bytes((seed + i) % 256 for i in range(secret_bytes(suite))))


class SecretLeg:
    """Leg A of a pair with SRTP, and the telephone at its other end."""

    def __init__(self, pair: LegPair, suite: Suite = Suite.AES_CM_128_HMAC_SHA1_80) -> None:
        self.pair = pair
        self.far = SrtpFarEnd(sends=key(suite, 1), hears=key(suite, 2))
        self._in = SrtpSession(key(suite, 1), sends=False)
        self._out = SrtpSession(key(suite, 2), sends=True)
        pair.legs.srtp_in[A] = self._in.address
        pair.legs.srtp_out[A] = self._out.address

    def say(self, sequence: int, payload: bytes = SOUND, ssrc: int = 7) -> bytes:
        data = self.far.protect(self.pair.packet(sequence, payload, ssrc=ssrc))
        self.pair.put(A, data)
        return data


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> LegPair:
    return LegPair(monkeypatch)


@pytest.fixture
def leg(pair: LegPair) -> SecretLeg:
    pair.join()
    return SecretLeg(pair)


@pytest.mark.parametrize("suite", list(Suite))
def test_sound_passes_both_ways_under_each_suite(pair: LegPair, suite: Suite) -> None:
    pair.join()
    leg = SecretLeg(pair, suite)
    leg.say(1)
    pair.say(B, 1, SOUND[::-1])
    assert [one.payload for one in pair.heard(B)] == [SOUND]
    (sent,) = pair.libc.outbox[1:]
    assert len(sent.data) == packet.HEADER_BYTES + len(SOUND) + SIZES[suite].tag
    heard = packet.parse(leg.far.unprotect(sent.data) or b"")
    assert heard is not None
    assert heard.payload == SOUND[::-1]


def test_a_packet_in_the_clear_is_not_authentic(leg: SecretLeg) -> None:
    leg.pair.say(A, 1)
    assert leg.pair.libc.outbox == []
    assert leg.pair.dropped(A) == {Drop.NOT_AUTHENTIC: 1}
    assert leg.pair.legs.received_ns[A] == 0


@pytest.mark.parametrize("at", [1, 3, 5, 9, 12, 100, 171, 180])
def test_one_bit_changed_anywhere_is_a_forgery_and_changes_nothing(leg: SecretLeg, at: int) -> None:
    leg.say(1)
    before = leg.pair.legs.source[A].copy()
    data = bytearray(leg.far.protect(leg.pair.packet(2, SOUND)))
    data[at] ^= 1
    leg.pair.put(A, bytes(data))
    assert leg.pair.dropped(A) == {Drop.NOT_AUTHENTIC: 1}
    assert (leg.pair.legs.source[A] == before).all()
    assert leg.pair.legs.tokens[A] == leg.pair.legs.tokens[B] - 1
    leg.say(3)
    assert len(leg.pair.heard(B)) == 2


def test_a_replayed_packet_is_counted_and_changes_nothing(leg: SecretLeg) -> None:
    data = leg.say(1)
    before = leg.pair.legs.source[A].copy()
    leg.pair.put(A, data)
    assert leg.pair.dropped(A) == {Drop.REPLAYED: 1}
    assert (leg.pair.legs.source[A] == before).all()
    assert len(leg.pair.heard(B)) == 1


def test_a_packet_from_before_the_window_is_not_taken(leg: SecretLeg) -> None:
    late = leg.far.protect(leg.pair.packet(1, SOUND))
    for sequence in range(2, 700):
        leg.pair.legs.tokens[A] = 50
        leg.say(sequence)
    leg.pair.put(A, late)
    assert leg.pair.dropped(A) == {Drop.REPLAYED: 1}


def test_numbers_wrap_without_a_loss(leg: SecretLeg) -> None:
    for sequence in range(0xFFFD, 0x10003):
        leg.say(sequence)
    assert len(leg.pair.heard(B)) == 6
    assert leg.pair.dropped(A) == {}


def test_a_stranger_does_not_reach_the_cipher(leg: SecretLeg) -> None:
    data = leg.far.protect(leg.pair.packet(1, SOUND))
    leg.pair.put(A, data, port=4001)
    assert leg.pair.dropped(A) == {Drop.NOT_OUR_SOURCE: 1}
    leg.pair.put(A, data)
    assert len(leg.pair.heard(B)) == 1


def test_only_authentic_packets_lock_a_source_behind_a_nat(leg: SecretLeg) -> None:
    legs = leg.pair.legs
    legs.latch[A, Latch.MODE] = LATCH_LEARNING
    legs.latch[A, Latch.IP : Latch.IP + 4] = legs.from_ip[A]
    for sequence in range(1, 9):
        leg.pair.say(A, sequence, port=5000)
    assert legs.latch[A, Latch.MODE] == LATCH_LEARNING
    assert legs.latch[A, Latch.RUN] == 0
    for sequence in range(1, 6):
        leg.pair.put(A, leg.far.protect(leg.pair.packet(sequence, SOUND)), port=5002)
    assert legs.latch[A, Latch.MODE] == LATCH_LOCKED
    assert legs.from_port[A] == 5002


def test_a_leg_has_a_limit_of_sources(leg: SecretLeg) -> None:
    for ssrc in range(SOURCES_MAX + 2):
        leg.pair.legs.tokens[A] = 50
        leg.say(1 + ssrc, ssrc=ssrc)
    assert leg.pair.dropped(A)[Drop.TOO_MANY_SOURCES] == 2


def test_the_ring_hears_the_clear_sound(leg: SecretLeg) -> None:
    legs = leg.pair.legs
    legs.row[A], legs.row_leg[0], legs.row_top[0] = 0, A, 1
    leg.say(1)
    assert legs.ring[0, :160].tobytes() == SOUND
