"""Announcements on the tick, the end of paid time."""

from pathlib import Path

import numpy as np
import pytest

from dsp import g711
from switch.media import beat
from switch.media.announce import Announcer
from switch.media.legs import COUNT_MAIL_LOST, Mail
from tests.support.leg_pair import A, B, LegPair

TICK_NS = 20_000_000


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> LegPair:
    return LegPair(monkeypatch)


def play(pair: LegPair, index: int, sound: bytes, *, loops: bool = False) -> np.ndarray:
    kept = np.frombuffer(sound, np.uint8).copy()
    pair.legs.sound[index], pair.legs.sound_bytes[index] = kept.ctypes.data, kept.size
    pair.legs.sound_at[index], pair.legs.sound_loops[index] = 0, loops
    return kept


def tick(pair: LegPair, count: int = 1) -> None:
    for _ in range(count):
        pair.libc.now_ns += TICK_NS
        beat.beat(pair.legs, pair.libc.now_ns)


def test_a_sound_leaves_in_frames_and_its_end_is_told(pair: LegPair) -> None:
    sound = bytes(n % 256 for n in range(400))
    kept = play(pair, A, sound)
    tick(pair, 5)
    heard = pair.heard(A)
    assert b"".join(one.payload for one in heard) == sound + b"\xff" * 80
    assert pair.mail() == [[Mail.PLAY_ENDED, A, kept.size, 5_000_000_000 + 3 * TICK_NS]]
    assert pair.legs.sound[A] == 0


def test_a_sound_has_even_numbers_and_one_marker(pair: LegPair) -> None:
    kept = play(pair, A, b"\x10" * 640)
    tick(pair, 4)
    heard = pair.heard(A)
    assert [one.sequence for one in heard] == [501, 502, 503, 504]
    assert [one.timestamp for one in heard] == [8000, 8160, 8320, 8480]
    assert [one.marker for one in heard] == [True, False, False, False]
    assert kept.size == 640


def test_after_a_pause_the_timestamp_has_gone_on(pair: LegPair) -> None:
    first = play(pair, A, b"\x10" * 160)
    tick(pair)
    pair.libc.now_ns += 980_000_000
    second = play(pair, A, b"\x10" * 160)
    tick(pair)
    assert [one.timestamp for one in pair.heard(A)] == [8000, 16000]
    assert pair.heard(A)[1].marker
    assert first.size == second.size


def test_a_tone_goes_on(pair: LegPair) -> None:
    kept = play(pair, A, b"\x01" * 160 + b"\x02" * 160, loops=True)
    tick(pair, 5)
    assert [one.payload[0] for one in pair.heard(A)] == [1, 2, 1, 2, 1]
    assert pair.mail() == []
    assert kept.size == 320


@pytest.mark.parametrize("law", [0, 1])
def test_over_a_joined_leg_the_talk_goes_under_by_twelve_decibels(pair: LegPair, law: int) -> None:
    pair.legs.law[:2] = law
    pair.join()
    silence = bytes([(g711.ULAW_SILENCE, g711.ALAW_SILENCE)[law]])
    kept = play(pair, B, silence * 320)
    encode = (g711.encode_ulaw, g711.encode_alaw)[law]
    loud = encode(np.array([8000], np.int16))
    pair.say(A, 1, bytes(loud) * 160)
    assert pair.heard(B) == []
    tick(pair)
    said = pair.legs.linear[law, pair.heard(B)[0].payload[0]]
    assert 20 * np.log10(said / pair.legs.linear[law, loud[0]]) == pytest.approx(-12, abs=0.5)
    assert kept.size == 320


@pytest.mark.parametrize("law", [0, 1])
def test_talk_that_does_not_come_is_repeated_ever_softer_and_is_gone_after_sixty_ms(
    pair: LegPair, law: int
) -> None:
    pair.legs.law[:2] = law
    pair.join()
    silence = bytes([(g711.ULAW_SILENCE, g711.ALAW_SILENCE)[law]])
    kept = play(pair, B, silence * 1600)
    encode = (g711.encode_ulaw, g711.encode_alaw)[law]
    tick(pair)
    pair.say(A, 1, bytes(encode(np.array([8000], np.int16))) * 160)
    tick(pair, 5)
    heard = [pair.legs.linear[law, list(one.payload)] for one in pair.heard(B)]
    quiet, real, *concealed = heard
    assert set(quiet.tolist()) == {int(pair.legs.linear[law, silence[0]])}
    assert concealed[0][:80].tolist() == real[:80].tolist()
    faded = np.concatenate(concealed[:3])
    assert (np.diff(faded.astype(int)) <= 0).all()
    assert faded[240] == pytest.approx(real[0] * 0.6, rel=0.1)
    assert abs(int(faded[-1])) < real[0] / 50
    assert set(concealed[3].tolist()) == set(quiet.tolist())
    assert kept.size == 1600


def test_talk_that_comes_again_is_heard_again_and_nothing_is_concealed_without_any(
    pair: LegPair,
) -> None:
    pair.join()
    kept = play(pair, B, b"\xff" * 1600)
    tick(pair, 2)
    assert {bytes(one.payload) for one in pair.heard(B)} == {b"\xff" * 160}
    for sequence in (1, 4):
        pair.say(A, sequence, b"\x80" * 160)
        tick(pair, 3)
    loud = [pair.legs.linear[0, one.payload[0]] for one in pair.heard(B)]
    talk = loud[2]
    assert loud == [0, 0, talk, talk, loud[4], talk, talk, loud[4]]
    assert 0 < loud[4] < talk
    assert kept.size == 1600


def test_two_loud_sounds_clip_and_do_not_wrap(pair: LegPair) -> None:
    pair.join()
    kept = play(pair, B, b"\x80" * 160)
    pair.say(A, 1, b"\x80" * 160)
    tick(pair)
    assert set(pair.heard(B)[0].payload) == {0x80}
    assert kept.size == 160


def test_after_an_announcement_the_talk_goes_on_in_our_numbers(pair: LegPair) -> None:
    pair.join()
    pair.say(A, 1)
    kept = play(pair, B, b"\x10" * 320)
    for sequence in (2, 3):
        pair.say(A, sequence)
        tick(pair)
    pair.libc.now_ns += TICK_NS
    pair.say(A, 4, b"\x77" * 160)
    heard = pair.heard(B)
    assert [one.sequence for one in heard] == [501, 502, 503, 504]
    assert [one.timestamp for one in heard] == [8000, 8160, 8320, 8480]
    assert heard[-1].payload == b"\x77" * 160
    assert kept.size == 320


def test_no_talk_stays_behind_an_announcement(pair: LegPair) -> None:
    pair.join()
    kept = play(pair, B, b"\x10" * 160)
    for sequence in range(1, 4):
        pair.say(A, sequence)
    tick(pair, 2)
    assert not pair.legs.talk[B].any()
    assert pair.legs.talk_fill[B] == 0
    assert kept.size == 160


def test_a_call_that_is_not_paid_is_parted_on_the_tick(pair: LegPair) -> None:
    until = pair.libc.now_ns + TICK_NS
    pair.join(until_ns=until)
    tick(pair)
    assert pair.legs.peer[:2].tolist() == [-1, -1]
    assert pair.mail() == [[Mail.UNPAID, A, 0, until]]


def test_mail_that_finds_no_room_is_counted(pair: LegPair) -> None:
    pair.legs.mail_count[0] = len(pair.legs.mail)
    beat.mail(pair.legs, 1, A, 0, 0)
    assert pair.legs.counts[COUNT_MAIL_LOST] == 1


def test_the_announcer_says_what_it_cut_off(pair: LegPair, tmp_path: Path) -> None:
    path = tmp_path / "one.ulaw"
    path.write_bytes(b"\x10" * 1600)
    announcer = Announcer(pair.legs)
    announcer.play(A, [str(path), str(path)], 9)
    tick(pair, 3)
    assert announcer.stop(A) == (9, 0.06)
    tick(pair, 1)
    assert len(pair.heard(A)) == 3
