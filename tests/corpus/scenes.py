"""Whole calls: what both legs carry, as µ-law frames, and what should be found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsp.g711 import encode_ulaw
from tests.corpus import tones
from tests.corpus.voices import CHILD, MAN, RATE_HZ, WOMAN, Sound, Talker, noise, silence, talk

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """Both legs of a call, and when the third party was there."""

    a: Frames
    b: Frames
    held_s: float = 0.0
    rejoined_s: float = 0.0


def frames(sound: Sound) -> Frames:
    """µ-law frames of a sound; a last part frame is dropped."""
    pcm = np.round(np.clip(sound, -1, 1) * 32635).astype(np.int16)
    return encode_ulaw(pcm[: len(pcm) // 160 * 160]).reshape(-1, 160)


def turns(
    one: Talker, other: Talker, seconds: float, rng: np.random.Generator
) -> tuple[Sound, Sound]:
    """Two people who take turns of 2 to 7 s, with now and then a long pause of both."""
    a, b = silence(0), silence(0)
    while len(a) < seconds * RATE_HZ:
        for who in (0, 1):
            said = talk(other if who else one, rng.uniform(2, 7), rng)
            pause = silence(rng.choice([0.2, 0.5, 1.0, 3.0], p=[0.4, 0.3, 0.2, 0.1]))
            said = np.concatenate([said, pause])
            quiet = np.zeros(len(said))
            a = np.concatenate([a, quiet if who else said])
            b = np.concatenate([b, said if who else quiet])
    size = int(seconds * RATE_HZ)
    return a[:size], b[:size]


def two_party(seed: int, seconds: float, floor_dbm0: float | None = -55.0) -> Scene:
    """Ordinary talk; the outside room has a floor, or digital silence between words."""
    rng = np.random.default_rng(seed)
    a, b = turns(MAN, WOMAN, seconds, rng)
    if floor_dbm0 is not None:
        b = b + noise(seconds, floor_dbm0, rng)[: len(b)]
        a = a + noise(seconds, floor_dbm0, rng)[: len(a)]
    return Scene(frames(a), frames(b))


def second_call(
    seed: int,
    *,
    floor_dbm0: float | None = -55.0,
    talk_s: float = 16.0,
    hold_s: float = 5.0,
    third: Talker = CHILD,
    ring: bool = True,
) -> Scene:
    """The outside party talks, holds, rings a third one, and merges; or comes back alone."""
    rng = np.random.default_rng(seed)
    a, b = turns(MAN, WOMAN, talk_s, rng)
    b[-RATE_HZ:] = talk(WOMAN, 1.0, rng)
    merged = 10.0
    new = talk(third, merged, rng)
    old = np.concatenate([silence(4.0), talk(WOMAN, merged - 4.0, rng)])
    late = new if third == WOMAN else new + old[: len(new)]
    if floor_dbm0 is not None:
        b = b + noise(talk_s, floor_dbm0, rng)[: len(b)]
        same = third == WOMAN
        floor = noise(merged, floor_dbm0 + (0 if same else 3), rng, 0.8 if same else 0.3)
        late = late + floor[: len(late)]
    hold = silence(hold_s)
    if ring:
        begin = int((hold_s - 3.0) / 2 * RATE_HZ)
        tone = tones.ringback(2.0)
        hold[begin : begin + len(tone)] = tone
    b = np.concatenate([b, hold, late])
    a = np.concatenate([a, np.zeros(len(b) - len(a))]) + noise(len(b) / RATE_HZ, -60, rng)[: len(b)]
    return Scene(frames(a), frames(b), talk_s, talk_s + hold_s)
