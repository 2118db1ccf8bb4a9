"""Frames out of packets of any length, and what is said of a tick without one."""

import pytest

from dsp.leg import Flag
from switch.media import legs as legs_module
from switch.media import ring
from switch.media.legs import FRAME_BYTES, RING_BYTES
from tests.support.leg_pair import A, B, LegPair

ABSENT, CN, LOST, PLAYING = (int(f) for f in (Flag.ABSENT, Flag.CN, Flag.LOST, Flag.PLAYING))


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> LegPair:
    pair = LegPair(monkeypatch)
    pair.legs.row[A], pair.legs.row_leg[0], pair.legs.row_top[0] = 0, A, 1
    return pair


def look(pair: LegPair) -> tuple[bytes | None, int]:
    """Return the frame of this tick, if there is one, and its flags."""
    ring.look(pair.legs)
    frame = pair.legs.payload[0].tobytes() if pair.legs.valid[0] else None
    return frame, int(pair.legs.flags[0])


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 40, 60])
def test_frames_are_the_same_whatever_the_packet_time(pair: LegPair, packet_ms: int) -> None:
    sound = bytes(n % 251 for n in range(8 * 120))
    step = 8 * packet_ms
    for sequence, at in enumerate(range(0, len(sound), step)):
        pair.say(A, sequence, sound[at : at + step], timestamp=at)
    frames = [look(pair)[0] for _ in range(len(sound) // FRAME_BYTES)]
    assert b"".join(frame or b"?" for frame in frames) == sound


def test_a_ring_that_is_full_lets_the_oldest_go(pair: LegPair) -> None:
    for sequence in range(20):
        pair.say(A, sequence, bytes([sequence]) * 160)
    assert pair.legs.ring_fill[0] == RING_BYTES
    assert look(pair)[0] == bytes([20 - RING_BYTES // 160]) * 160


def test_a_loss_is_said_with_the_frame_after_it(pair: LegPair) -> None:
    for sequence in (1, 3, 4):
        pair.say(A, sequence)
    assert look(pair)[1] == LOST
    assert look(pair)[1] == 0


def test_time_stands_still_until_a_frame_is_absent_for_sure(pair: LegPair) -> None:
    pair.say(A, 1)
    look(pair)
    assert [look(pair) for _ in range(4)] == [(None, 0), (None, 0), (None, ABSENT), (None, ABSENT)]
    pair.say(A, 2)
    assert look(pair)[0] is not None


def test_comfort_noise_stands_for_silence_until_sound_comes(pair: LegPair) -> None:
    pair.say(A, 1, b"\x40", payload_type=13)
    for _ in range(5):
        assert look(pair) == (None, CN)
        assert pair.legs.payload[0, 0] == 0x40
    pair.say(A, 2)
    assert look(pair)[0] is not None
    assert look(pair) == (None, 0)


def test_a_prompt_on_the_leg_is_said(pair: LegPair) -> None:
    pair.legs.sound[A] = 1
    pair.say(A, 1)
    assert look(pair)[1] == PLAYING


def test_a_row_that_is_behind_is_taken_again_and_others_stand_still(pair: LegPair) -> None:
    pair.legs.row[B], pair.legs.row_leg[1], pair.legs.row_top[0] = 1, B, 2
    for sequence in range(5):
        pair.say(A, sequence)
    pair.say(B, 1)
    assert ring.look(pair.legs) == 1
    assert pair.legs.valid[:2].tolist() == [True, True]
    assert ring.look_again(pair.legs) == 0
    assert pair.legs.valid[:2].tolist() == [True, False]
    assert pair.legs.ring_fill[0] == 3 * FRAME_BYTES


def test_a_cleared_row_keeps_no_byte_of_the_leg_before(pair: LegPair) -> None:
    pair.say(A, 1, b"\x55" * 160)
    look(pair)
    pair.say(A, 2, b"\x55" * 160)
    legs_module.clear_row(pair.legs, 0)
    assert not pair.legs.ring[0].any()
    assert not pair.legs.payload[0].any()
    assert pair.legs.row_leg[0] == -1
