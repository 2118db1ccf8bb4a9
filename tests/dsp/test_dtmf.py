"""Limits: ITU-T Q.24 Annex A, AT&T column. Every case is heard at eight offsets to the frame."""

import numpy as np
import pytest

from dsp.event import Kind
from tests.corpus import tones
from tests.corpus.voices import Sound, noise, silence
from tests.dsp.listening import heard, keys

OFFSETS = range(0, 160, 20)


def shifted(sound: Sound, offset: int) -> Sound:
    return np.concatenate([np.zeros(offset), sound, silence(0.08)])


def accepted(**tone: float) -> float:
    """Share of all sixteen keys at all offsets that is taken, in order."""
    sent = tones.KEYS
    sounds = [shifted(tones.digits(sent, **tone), offset) for offset in OFFSETS]
    return sum(keys(sound) == sent for sound in sounds) / len(sounds)


def test_every_key_is_heard_once() -> None:
    assert accepted(on_s=0.1, off_s=0.1) == 1


def test_40_ms_are_a_digit() -> None:
    assert accepted(on_s=0.04, off_s=0.053) == 1


@pytest.mark.parametrize("on_s", [0.015, 0.023])
def test_23_ms_are_none(on_s: float) -> None:
    for offset in OFFSETS:
        assert keys(shifted(tones.digits(tones.KEYS, on_s=on_s, off_s=0.07), offset)) == ""


@pytest.mark.parametrize("twist_db", [-8.0, 4.0])
def test_the_limits_of_twist_are_taken(twist_db: float) -> None:
    assert accepted(on_s=0.05, off_s=0.05, twist_db=twist_db) == 1


@pytest.mark.parametrize("twist_db", [-12.0, 8.0])
def test_far_more_twist_is_refused(twist_db: float) -> None:
    assert accepted(on_s=0.05, off_s=0.05, twist_db=twist_db) == 0


@pytest.mark.parametrize("deviation", [-0.015, 0.015])
def test_one_and_a_half_percent_off_is_taken(deviation: float) -> None:
    assert accepted(on_s=0.05, off_s=0.05, deviation=deviation) == 1


@pytest.mark.parametrize("deviation", [-0.035, 0.035])
def test_three_and_a_half_percent_off_is_refused(deviation: float) -> None:
    for offset in OFFSETS:
        sound = tones.digits(tones.KEYS, on_s=0.08, deviation=deviation)
        assert keys(shifted(sound, offset)) == ""


@pytest.mark.parametrize("off", [(0.035, 0.0), (0.0, 0.035), (0.0, -0.035), (-0.035, 0.0)])
@pytest.mark.parametrize("key", ["1", "D"])
def test_one_tone_three_and_a_half_percent_off_is_enough(
    key: str, off: tuple[float, float]
) -> None:
    k = tones.KEYS.index(key)
    low = tones.tones((tones.ROWS_HZ[k // 4] * (1 + off[0]),), 0.08)
    high = tones.tones((tones.COLUMNS_HZ[k % 4] * (1 + off[1]),), 0.08)
    for offset in OFFSETS:
        assert keys(shifted(low + high, offset)) == ""


@pytest.mark.parametrize("snr_db", [6.0, 3.0])
def test_digits_are_heard_in_noise(snr_db: float) -> None:
    rng = np.random.default_rng(4)
    sound = shifted(tones.digits(tones.KEYS), 40)
    total_dbm0 = -13 + 3
    assert keys(sound + noise(9, total_dbm0 - snr_db, rng, 0.0)[: len(sound)]) == tones.KEYS


@pytest.mark.parametrize(("level_dbm0", "share"), [(-3.0, 1), (-25.0, 1), (-55.0, 0)])
def test_levels(level_dbm0: float, share: float) -> None:
    assert accepted(on_s=0.05, off_s=0.05, level_dbm0=level_dbm0) == share


def test_an_interruption_of_10_ms_does_not_split_a_digit() -> None:
    for offset in OFFSETS:
        tone = tones.digit("5", 0.12)
        tone[400:480] = 0
        assert keys(shifted(np.concatenate([silence(0.05), tone]), offset)) == "5"


def test_the_same_key_twice_with_40_ms_between_is_two_digits() -> None:
    for offset in OFFSETS:
        assert keys(shifted(tones.digits("777", 0.053, 0.04), offset)) == "777"


def test_a_key_held_long_is_one_digit() -> None:
    assert keys(shifted(tones.digit("1", 2.0), 30)) == "1"


def test_keys_without_a_pause_between_are_told_apart() -> None:
    sound = np.concatenate([tones.digit(key, 0.1) for key in "159D"])
    assert keys(shifted(sound, 50)) == "159D"


def test_digits_are_heard_10_db_over_noise() -> None:
    rng = np.random.default_rng(1)
    sound = shifted(tones.digits(tones.KEYS), 40)
    total_dbm0 = -13 + 3
    assert keys(sound + noise(9, total_dbm0 - 10, rng, 0.0)[: len(sound)]) == tones.KEYS


@pytest.mark.parametrize("tone", ["dial_tone", "ringback"])
def test_call_progress_is_no_digit(tone: str) -> None:
    assert keys(getattr(tones, tone)(3.0)) == ""


def test_noise_and_sweeps_are_no_digits() -> None:
    rng = np.random.default_rng(2)
    sweep = 0.3 * np.sin(2 * np.pi * np.cumsum(np.linspace(300, 3400, 16000)) / 8000)
    assert keys(np.concatenate([noise(5, -10, rng, 0.0), sweep])) == ""


def test_latency_is_under_45_ms_and_a_frame() -> None:
    events = heard(np.concatenate([silence(0.1), tones.digit("8", 0.1)]))
    digit = next(event for event in events if event.kind is Kind.DTMF)
    assert digit.t_s - 0.1 <= 0.045 + 0.02
