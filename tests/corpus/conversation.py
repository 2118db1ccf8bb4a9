"""Two or three people in conversation: who says what when, as one track each.

Source: the four states and the mean talk-spurt of ITU-T P.59 (from a secondary source); pauses are
log-normal, because real talk has a longer tail than that model. All numbers are chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.corpus.voices import RATE_HZ, rms_of_dbm0

Track = NDArray[np.float32]

TURN_S = (1.0, 6.0)
PAUSE_MEDIAN_S = 0.5
PAUSE_SIGMA = 0.9
PAUSE_MAX_S = 8.0
OVERLAP_SHARE = 0.15
OVERLAP_S = 0.3
STAY_SHARE = 0.2
"""So many turns are followed by one of the same person."""
TRIM = 0.02
"""Of a phrase's peak: what is below at its ends is cut off."""


@dataclass(frozen=True)
class Person:
    """A voice: phrases at one active level, ±1.0 is full scale."""

    name: str
    phrases: tuple[Track, ...]


def person(name: str, sounds: Sequence[NDArray[np.int16]], level_dbm0: float = -18.0) -> Person:
    """Trim and level recordings of one voice."""
    phrases = []
    for sound in sounds:
        loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > TRIM * np.abs(sound).max(initial=1))
        if len(loud) < RATE_HZ // 4:
            continue
        phrase = sound[loud[0] : loud[-1] + 1].astype(np.float32)
        loudest = np.abs(phrase) > 0.1 * np.abs(phrase).max()
        level = np.sqrt(np.mean(phrase[loudest] ** 2))
        phrases.append(np.asarray(phrase * (rms_of_dbm0(level_dbm0) / level), np.float32))
    return Person(name, tuple(phrases))


def says(who: Person, seconds: float, rng: np.random.Generator) -> Track:
    """Phrases one after the other, the last one cut off."""
    parts: list[Track] = []
    size = int(seconds * RATE_HZ)
    while sum(map(len, parts)) < size:
        parts.append(who.phrases[rng.integers(len(who.phrases))])
        parts.append(np.zeros(int(rng.uniform(0.1, 0.35) * RATE_HZ), np.float32))
    return np.concatenate(parts)[:size]


def pause(rng: np.random.Generator) -> float:
    """Seconds between two turns; below zero they overlap."""
    if rng.random() < OVERLAP_SHARE:
        return -OVERLAP_S
    return float(min(PAUSE_MEDIAN_S * np.exp(PAUSE_SIGMA * rng.standard_normal()), PAUSE_MAX_S))


def converse(
    people: Sequence[Person],
    seconds: float,
    rng: np.random.Generator,
    *,
    first: int = 0,
) -> list[Track]:
    """Tracks of equal length, one for each person; `first` begins."""
    size = int(seconds * RATE_HZ)
    tracks = [np.zeros(size, np.float32) for _ in people]
    at, who = 0, first
    while at < size:
        turn = says(people[who], rng.uniform(*TURN_S), rng)[: size - at]
        tracks[who][at : at + len(turn)] += turn
        at = max(at + len(turn) + int(pause(rng) * RATE_HZ), 0)
        if rng.random() >= STAY_SHARE:
            who = (who + 1 + int(rng.integers(len(people) - 1))) % len(people)
    return tracks


def room(size: int, level_dbm0: float, rng: np.random.Generator) -> Track:
    """A far room: coloured noise that drifts by some decibels, of its own colour."""
    pole = rng.uniform(0.3, 0.95)
    noise = rng.standard_normal(size + 64).astype(np.float32)
    response = (pole ** np.arange(64)).astype(np.float32)
    sound = np.convolve(noise, response, "valid")[:size]
    knots = rng.uniform(-1.5, 1.5, size // (4 * RATE_HZ) + 2)
    drift = np.interp(np.arange(size) / (4 * RATE_HZ), np.arange(len(knots)), knots)
    sound *= 10 ** (drift / 20)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)) * rms_of_dbm0(level_dbm0), np.float32)


def echo(sound: Track, loss_db: float, delay_s: float) -> Track:
    """A sound that comes back."""
    delay = int(delay_s * RATE_HZ)
    late = np.zeros_like(sound)
    late[delay:] = sound[: len(sound) - delay]
    return np.asarray(late * np.float32(10 ** (-loss_db / 20)), np.float32)
