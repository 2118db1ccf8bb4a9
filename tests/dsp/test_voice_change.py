import numpy as np
import pytest

from dsp.bank import Bank
from dsp.leg import LegSpec, Role
from dsp.voice_activity import REFERENCE
from dsp.voice_change import Verdict, VoiceChange, sounding
from tests.corpus.scenes import frames
from tests.corpus.voices import CHILD, MAN, WOMAN, Sound, Talker, talk


def verdict(before: Sound, after: Sound) -> Verdict | None:
    """What is said after the second sound, when the first was the reference."""
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.B))
    change, said = VoiceChange(), None
    voices = bank._ears.voices
    for watch, sound in enumerate((before, after)):
        bank._legs.watch[0] = watch
        for frame in frames(sound):
            bank._tick(frame[None], np.ones(1, np.bool_), np.zeros(1, np.uint16), 1)
            if voices.frames[0, 1] >= 25:
                said = change.take(voices, 0) or said
    return said


def spoken(talker: Talker, seed: int, seconds: float = 10.0) -> Sound:
    return talk(talker, seconds, np.random.default_rng(seed))


@pytest.mark.parametrize("talker", [MAN, WOMAN])
def test_the_same_talker_is_not_taken_for_another(talker: Talker) -> None:
    for seed in range(3):
        said = verdict(spoken(talker, seed), spoken(talker, seed + 10))
        assert said is not None
        assert said.p2_nats < 0.5
        assert not said.moved


@pytest.mark.parametrize(("one", "other"), [(MAN, WOMAN), (WOMAN, MAN), (MAN, CHILD)])
def test_another_talker_is_heard(one: Talker, other: Talker) -> None:
    for seed in range(3):
        said = verdict(spoken(one, seed), spoken(other, seed + 10))
        assert said is not None
        assert said.p2_nats >= 1.5


def test_a_louder_voice_of_another_shape_has_moved() -> None:
    said = verdict(spoken(MAN, 1), spoken(CHILD, 2))
    assert said is not None
    assert said.moved


def test_old_and_new_voice_together_are_two_voices() -> None:
    both = np.concatenate([spoken(MAN, 3, 4.0), spoken(WOMAN, 4, 4.0)])
    said = verdict(spoken(MAN, 1), both)
    assert said is not None
    assert said.two_voices


def test_too_little_before_or_after_says_nothing() -> None:
    assert verdict(spoken(MAN, 1, 1.5), spoken(WOMAN, 2)) is None
    assert verdict(spoken(MAN, 1), spoken(WOMAN, 2, 1.5)) is None


@pytest.mark.parametrize(("talker", "pitch_hz"), [(MAN, 115.0), (WOMAN, 210.0)])
def test_the_pitch_of_a_talker(talker: Talker, pitch_hz: float) -> None:
    bank = Bank(legs_max=1)
    bank.open(0, LegSpec(Role.B))
    for frame in frames(spoken(talker, 5)):
        bank._tick(frame[None], np.ones(1, np.bool_), np.zeros(1, np.uint16), 1)
    count, total, _ = sounding(bank._ears.voices, 0, REFERENCE).pitch
    assert float(np.exp(total / count)) == pytest.approx(pitch_hz, rel=0.15)
