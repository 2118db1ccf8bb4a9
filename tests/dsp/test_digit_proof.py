"""A key is proved where a voice, two unrelated tones and a bent tone are not."""

import numpy as np
import pytest

from dsp.digit_proof import PROOF_NATS_MIN, prove
from tests.corpus import tones
from tests.corpus.voices import Sound, rms_of_dbm0

COUNT = 320


def nats(sound: Sound, low_hz: float = 770.0, high_hz: float = 1336.0) -> float:
    samples = sound[:COUNT].astype(np.float32)
    return prove(samples, np.zeros(COUNT, np.float32), low_hz, high_hz)


def test_a_key_is_proved() -> None:
    assert nats(tones.digit("5", 0.05)) > PROOF_NATS_MIN + 5


@pytest.mark.parametrize("off", [(0.015, 0.015), (0.015, -0.015), (-0.015, 0.015)])
def test_a_clean_key_at_the_limits_of_frequency_is_proved(off: tuple[float, float]) -> None:
    low = tones.tones((770.0 * (1 + off[0]),), 0.05)
    high = tones.tones((1336.0 * (1 + off[1]),), 0.05)
    assert nats(low + high) > PROOF_NATS_MIN


@pytest.mark.parametrize("snr_db", [10.0, 6.0, 3.0])
def test_a_key_in_noise_is_proved(snr_db: float) -> None:
    rng = np.random.default_rng(5)
    power = 2 * rms_of_dbm0(-13) ** 2 / 10 ** (snr_db / 10)
    noise = rng.standard_normal(400) * np.sqrt(power)
    assert nats(tones.digit("5", 0.05) + noise) > PROOF_NATS_MIN


def test_a_row_of_harmonics_is_not() -> None:
    pitch_hz = 192.0
    voice = tones.tones(tuple(pitch_hz * k for k in range(1, 12)), 0.05, -20.0)
    assert nats(voice) < PROOF_NATS_MIN


def test_two_tones_that_glide_are_not() -> None:
    t = np.arange(400) / 8000
    glide = sum(0.1 * np.sin(2 * np.pi * hz * (t + 2.0 * t * t)) for hz in (712.0, 1236.0))
    assert nats(np.asarray(glide)) < PROOF_NATS_MIN


def test_silence_is_not() -> None:
    assert nats(np.zeros(400)) < PROOF_NATS_MIN
