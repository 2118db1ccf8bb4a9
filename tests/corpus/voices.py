"""Seeded synthetic talk: a pulse train through moving formants, in phrases with pauses.

Not speech, but with its envelope, pitch, spectrum and rhythm; two `Talker`s differ as people do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
Sound = NDArray[np.float64]

VOWELS_HZ = (
    (730.0, 1090.0, 2440.0), (530.0, 1840.0, 2480.0), (390.0, 1990.0, 2550.0),
    (570.0, 840.0, 2410.0), (440.0, 1020.0, 2240.0), (300.0, 870.0, 2240.0),
    (270.0, 2290.0, 3010.0), (640.0, 1190.0, 2390.0),
)  # fmt: skip
"""Peterson and Barney 1952, men."""


@dataclass(frozen=True)
class Talker:
    """What makes a voice: pitch, length of the throat, brightness, loudness."""

    pitch_hz: float
    formants: float = 1.0
    tilt: float = 0.9
    level_dbm0: float = -18.0


WOMAN = Talker(210.0, 1.17, 0.85)
MAN = Talker(115.0, 1.0, 0.92)
CHILD = Talker(290.0, 1.3, 0.75, -10.0)


def talk(talker: Talker, seconds: float, rng: np.random.Generator) -> Sound:
    """Phrases of 1 to 3 s with pauses of 0.2 to 0.9 s between; silence in them is digital."""
    parts: list[Sound] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        parts.append(phrase(talker, rng.uniform(1.0, 3.0), rng))
        parts.append(np.zeros(int(rng.uniform(0.2, 0.9) * RATE_HZ)))
    return np.concatenate(parts)[: int(seconds * RATE_HZ)]


def phrase(talker: Talker, seconds: float, rng: np.random.Generator) -> Sound:
    """Syllables without a pause between, at the talker's level."""
    parts: list[Sound] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        parts.append(syllable(talker, rng.uniform(0.12, 0.3), rng))
    sound = np.concatenate(parts)
    level = np.sqrt(np.mean(sound**2) + 1e-12)
    return np.asarray(sound / level * rms_of_dbm0(talker.level_dbm0))


def syllable(talker: Talker, seconds: float, rng: np.random.Generator) -> Sound:
    """A consonant of noise and a vowel."""
    count = int(seconds * RATE_HZ)
    pitch = talker.pitch_hz * rng.uniform(0.85, 1.25) * np.linspace(1.05, 0.95, count)
    phase = np.cumsum(pitch / RATE_HZ)
    source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(count)
    vowel = np.array(VOWELS_HZ[rng.integers(len(VOWELS_HZ))]) * talker.formants
    sound = source
    for hz, width_hz in zip(vowel, (80.0, 100.0, 140.0), strict=True):
        sound = resonate(sound, min(hz, 3600.0), width_hz)
    sound = resonate(sound, 0.0, 4000 * (1 - talker.tilt))
    burst = rng.standard_normal(count) * np.exp(-np.arange(count) / 240.0)
    sound = sound / (np.sqrt(np.mean(sound**2)) + 1e-9) + 0.4 * rng.random() * burst
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.03 * RATE_HZ)
    return np.asarray(sound * np.clip(edge, 0.05, 1.0) * rng.uniform(0.5, 1.2))


def resonate(sound: Sound, hz: float, width_hz: float) -> Sound:
    """Two-pole resonance by its impulse response."""
    n = np.arange(400)
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    turn = 2 * np.pi * hz / RATE_HZ
    response = radius**n * np.cos(turn * n)
    return np.convolve(sound, response)[: len(sound)]


def rms_of_dbm0(level_dbm0: float) -> float:
    """Full scale ±1.0 is +3.17 dBm0."""
    return float(10 ** ((level_dbm0 - 3.17) / 20) / np.sqrt(2))


def noise(seconds: float, level_dbm0: float, rng: np.random.Generator, pole: float = 0.8) -> Sound:
    """Room noise, low frequencies stronger."""
    sound = rng.standard_normal(int(seconds * RATE_HZ))
    response = pole ** np.arange(60)
    sound = np.convolve(sound, response)[: len(sound)]
    return np.asarray(sound / np.sqrt(np.mean(sound**2)) * rms_of_dbm0(level_dbm0))


def silence(seconds: float) -> Sound:
    """Digital silence."""
    return np.zeros(int(seconds * RATE_HZ))
