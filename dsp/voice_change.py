"""Is it the same voice, in the same room, as before the hold?

Source: comparison of Gaussian segments over cepstra (the criterion of Chen and Gopalakrishnan,
1998, in a simple form), and of the mean pitch. A soft cue: it misses changes and sees some that are
none; hence ±3 nats.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.voice_activity import REFERENCE, STEP, Voices

Vector = NDArray[np.float64]

REFERENCE_FRAMES_MIN: Final = 100
"""2 s of speech before the hold; with less there is nothing to compare. Chosen."""
STEPS_MIN: Final = 4
"""2 s of speech after it. Chosen: the full 3 to 5 s come too late for a warning."""
STEPS_MAX: Final = 10
"""5 s of speech: decided or never."""

LEVEL_DB: Final = 6.0
SHAPE_DB: Final = 1.2
MOVED_STEPS_MIN: Final = 6
"""P1: level moved by 6 dB and shape by this (rms over the cepstra), over 3 s of speech. Chosen."""

DISTANCE_NEUTRAL_STEPS: Final = 0.3
DISTANCE_SCALE: Final = 15.0
SHAPE_NATS_MAX: Final = 1.5
"""P2's part of the cepstra: scale · (distance - neutral / steps), at most ±1.5. Measured on ten
synthetic voices: after 4, 6, 10 steps the same voice has 0.054, 0.018, 0.008, another one 0.071,
0.050, 0.046 (medians). Real voices move more, hence the bound."""

PITCH_SAME: Final = 0.12
PITCH_OTHER: Final = 0.35
"""P2's part of the pitch: spread of the logarithm's mean over 2 to 5 s, of one talker (measured on
synthetic voices 0.02 to 0.09; chosen wider) and between talkers (a woman and a man: 0.5)."""
PITCH_FRAMES_MIN: Final = 12
"""Fewer clear frames say nothing."""
P2_NATS_MAX: Final = 3.0

STEP_PITCH_FRAMES_MIN: Final = 4
STEP_NEAR: Final = 0.1
STEP_FAR: Final = 0.25
STEP_SPREADS: Final = 2.0
"""P3: half-second steps with the old pitch and with another: off by more than a quarter and by
two of the old voice's own spreads. Chosen."""


class Sounding(NamedTuple):
    """A stretch of speech: frames, mean and variance of each cepstrum, sums of its pitch."""

    frames: int
    mean: Vector
    variance: Vector
    pitch: Vector
    """Count, sum and sum of squares of the logarithm."""


class Verdict(NamedTuple):
    """What is known so far."""

    steps: int
    level_db: float
    shape_db: float
    p2_nats: float
    two_voices: bool
    """Steps that sound like before, and steps that do not."""

    @property
    def moved(self) -> bool:
        """Level and spectrum are not what they were (P1)."""
        heard = self.steps >= MOVED_STEPS_MIN
        return heard and abs(self.level_db) >= LEVEL_DB and self.shape_db >= SHAPE_DB


def sounding(voices: Voices, row: int, which: int) -> Sounding:
    """Read one of the two sums of a leg."""
    frames = int(voices.frames[row, which])
    n = max(frames, 1)
    mean = voices.sums[row, which].astype(np.float64) / n
    variance = np.maximum(voices.squares[row, which].astype(np.float64) / n - mean**2, 0.5)
    return Sounding(frames, mean, variance, voices.pitch[row, which].astype(np.float64))


def distance(one: Sounding, two: Sounding) -> float:
    """Mean over the cepstra (not the level) of squared difference against the variances."""
    d = (one.mean[1:] - two.mean[1:]) ** 2 / (one.variance[1:] + two.variance[1:])
    return float(np.mean(d))


class VoiceChange:
    """The comparison after one hold: the reference, and the steps since."""

    def __init__(self) -> None:
        self._steps: list[Sounding] = []

    def take(self, voices: Voices, row: int) -> Verdict | None:
        """Take the step that is ready and reset it; None while there is too little to say."""
        step = sounding(voices, row, STEP)
        for sums in (voices.sums, voices.squares, voices.pitch):
            sums[row, STEP] = 0.0
        voices.frames[row, STEP] = 0
        self._steps.append(step)
        reference = sounding(voices, row, REFERENCE)
        if reference.frames < REFERENCE_FRAMES_MIN or len(self._steps) < STEPS_MIN:
            return None
        return self._judge(reference)

    @property
    def is_over(self) -> bool:
        """5 s of speech were heard."""
        return len(self._steps) >= STEPS_MAX

    def _judge(self, reference: Sounding) -> Verdict:
        since = pool(self._steps)
        shape = since.mean[1:] - reference.mean[1:]
        neutral = DISTANCE_NEUTRAL_STEPS / len(self._steps)
        nats = DISTANCE_SCALE * (distance(since, reference) - neutral)
        nats = max(-SHAPE_NATS_MAX, min(SHAPE_NATS_MAX, nats)) + pitch_nats(since, reference)
        return Verdict(
            steps=len(self._steps),
            level_db=float(since.mean[0] - reference.mean[0]),
            shape_db=float(np.sqrt(np.mean(shape**2))),
            p2_nats=max(-P2_NATS_MAX, min(P2_NATS_MAX, nats)),
            two_voices=has_two_voices(self._steps, reference),
        )


def pitch_nats(since: Sounding, reference: Sounding) -> float:
    """Log-likelihood ratio of the pitch: another talker against the same."""
    if min(since.pitch[0], reference.pitch[0]) < PITCH_FRAMES_MIN:
        return 0.0
    off = since.pitch[1] / since.pitch[0] - reference.pitch[1] / reference.pitch[0]
    spread = 0.5 * (PITCH_SAME**-2 - PITCH_OTHER**-2)
    return float(np.log(PITCH_SAME / PITCH_OTHER) + spread * off**2)


def has_two_voices(steps: list[Sounding], reference: Sounding) -> bool:
    """Whether two steps at least have the old pitch, and two another."""
    count, total, squares = (float(one) for one in reference.pitch)
    if count < PITCH_FRAMES_MIN:
        return False
    mean = total / count
    spread = max(squares / count - mean**2, 0.0) ** 0.5
    far_off = max(STEP_FAR, STEP_SPREADS * spread)
    clear = [step.pitch for step in steps if step.pitch[0] >= STEP_PITCH_FRAMES_MIN]
    off = [abs(float(pitch[1] / pitch[0]) - mean) for pitch in clear]
    return sum(o < STEP_NEAR for o in off) >= 2 and sum(o > far_off for o in off) >= 2


def pool(steps: list[Sounding]) -> Sounding:
    """One sounding over several."""
    frames = sum(step.frames for step in steps)
    weights = np.array([step.frames for step in steps], np.float64)[:, None] / frames
    means = np.array([step.mean for step in steps])
    mean = np.sum(weights * means, axis=0)
    variances = np.array([step.variance for step in steps])
    variance = np.sum(weights * (variances + means**2), axis=0) - mean**2
    pitch = np.sum([step.pitch for step in steps], axis=0)
    return Sounding(frames, mean, np.maximum(variance, 0.5), pitch)
