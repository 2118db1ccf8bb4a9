"""Talk in noise for the voice activity rows: spurts and pauses, and where the talk is.

Source: talk-spurts and pauses of ITU-T P.59 (exponential, means from a secondary source); ratios
and kinds of noise are those of the target table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.corpus.conversation import Track
from tests.corpus.household import burst
from tests.corpus.voices import RATE_HZ, rms_of_dbm0

SPURT_S, PAUSE_S = 1.004, 1.587
"""Means. ITU-T P.59, from a secondary source."""
SPURT_MIN_S = 0.2
LEVEL_DBM0 = -18.0
"""Of the talk while it is active."""
ACTIVE_DB = 25.0
"""Frames within this of the loudest tenth are talk, the others are not. Chosen, as for digits."""
IMPACTS_PER_S = 2.0
BABBLERS = 8
FRAME = 160

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sounds:
    """What noise is made of, ±1.0 is full scale."""

    talk: Track
    music: Track


def spurts(sound: Track, seconds: float, rng: np.random.Generator) -> tuple[Track, Mask]:
    """A track of talk with digital silence between, and which of its frames are talk."""
    size = int(seconds * RATE_HZ) // FRAME * FRAME
    track = np.zeros(size, np.float32)
    at = int(rng.exponential(PAUSE_S) * RATE_HZ)
    read = int(rng.integers(len(sound)))
    while at < size:
        long = int(max(rng.exponential(SPURT_S), SPURT_MIN_S) * RATE_HZ)
        part = np.take(sound, range(read, read + long), mode="wrap")[: size - at]
        track[at : at + len(part)] = part
        at += long + int(rng.exponential(PAUSE_S) * RATE_HZ)
        read += long
    power = np.mean(track.reshape(-1, FRAME) ** 2, axis=1)
    loudest = np.quantile(power[power > 0], 0.9)
    active = power > loudest / 10 ** (ACTIVE_DB / 10)
    level = np.sqrt(np.mean(power[active]))
    return track * np.float32(rms_of_dbm0(LEVEL_DBM0) / level), active


def noise(kind: str, size: int, sounds: Sounds, rng: np.random.Generator) -> Track:
    """Noise of one kind with an rms of one."""
    made: Track | NDArray[np.float64]
    match kind:
        case "none":
            return np.zeros(size, np.float32)
        case "white":
            made = rng.standard_normal(size)
        case "pink":
            made = coloured(size, rng)
        case "babble":
            made = np.sum([rolled(sounds.talk, size, rng) for _ in range(BABBLERS)], axis=0)
        case "music":
            made = rolled(sounds.music, size, rng)
        case "impacts":
            made = impacts(size, rng)
        case _:
            raise ValueError(f"no noise is called {kind}")
    return np.asarray(made / np.sqrt(np.mean(np.square(made)) + 1e-12), np.float32)


def coloured(size: int, rng: np.random.Generator) -> Track:
    """Pink noise: power falls with the frequency, from 50 Hz."""
    lines = np.fft.rfft(rng.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    return np.asarray(np.fft.irfft(lines / np.sqrt(np.maximum(hz, 50.0)), size), np.float32)


def rolled(sound: Track, size: int, rng: np.random.Generator) -> Track:
    """A stretch from anywhere in a sound, its end followed by its begin."""
    first = int(rng.integers(len(sound)))
    return np.take(sound, range(first, first + size), mode="wrap")


def impacts(size: int, rng: np.random.Generator) -> Track:
    """Doors and plates at random moments."""
    track = np.zeros(size + RATE_HZ, np.float32)
    for at in rng.integers(0, size, rng.poisson(IMPACTS_PER_S * size / RATE_HZ)):
        one = burst(rng, 0.4, rng.uniform(0.02, 0.09), rng.uniform(0.2, 0.93))
        track[at : at + len(one)] += one * np.float32(10 ** (rng.uniform(-10, 0) / 20))
    return track[:size]


def in_noise(
    clean: Track, kind: str, snr_db: float, sounds: Sounds, rng: np.random.Generator
) -> Track:
    """The talk in noise; the ratio is that of the active level to the noise's rms."""
    level = rms_of_dbm0(LEVEL_DBM0 - snr_db)
    return clean + noise(kind, len(clean), sounds, rng) * np.float32(level)


def area(scores: Sequence[float] | NDArray[np.float64], active: Mask) -> float:
    """Under the ROC curve: how often a frame of talk has the higher score than one of none."""
    values = np.asarray(scores, np.float64)
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    _, first, count = np.unique(values[order], return_index=True, return_counts=True)
    ranks[order] = np.repeat(first + (count + 1) / 2, count)
    talks = int(active.sum())
    above = ranks[active].sum() - talks * (talks + 1) / 2
    return float(above / (talks * (len(values) - talks)))
