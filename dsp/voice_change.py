"""Is it the same voice, in the same room, as before the hold?

Source: comparison of Gaussian segments over cepstra (the criterion of Chen and Gopalakrishnan,
1998, in a simple form). A soft cue: it misses changes and sees some that are none; hence ±3 nats.
The scales are chosen on synthetic voices.
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
"""P1: level moved by 6 dB and shape by this, rms over the cepstra. Chosen."""

DISTANCE_NEUTRAL: Final = 0.22
DISTANCE_SCALE: Final = 14.0
"""P2 in nats = scale · (distance - neutral), at most ±3. Chosen, see the module's tests."""
STEP_FAR: Final = 0.9
STEP_NEAR: Final = 0.35
"""P3: half-second steps of the old and of a new voice. Chosen."""


class Sounding(NamedTuple):
    """Sums of a stretch of speech: frames, mean and variance of each cepstrum."""

    frames: int
    mean: Vector
    variance: Vector


class Verdict(NamedTuple):
    """What is known so far."""

    level_db: float
    shape_db: float
    p2_nats: float
    two_voices: bool
    """Steps that sound like before, and steps that do not."""

    @property
    def moved(self) -> bool:
        """Level and spectrum are not what they were (P1)."""
        return abs(self.level_db) >= LEVEL_DB and self.shape_db >= SHAPE_DB


def sounding(voices: Voices, row: int, which: int) -> Sounding:
    """Read one of the two sums of a leg."""
    frames = int(voices.frames[row, which])
    n = max(frames, 1)
    mean = voices.sums[row, which].astype(np.float64) / n
    variance = np.maximum(voices.squares[row, which].astype(np.float64) / n - mean**2, 0.5)
    return Sounding(frames, mean, variance)


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
        for sums in (voices.sums, voices.squares):
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
        d = distance(since, reference)
        near = sum(distance(step, reference) < STEP_NEAR for step in self._steps)
        far = sum(distance(step, reference) > STEP_FAR for step in self._steps)
        return Verdict(
            level_db=float(since.mean[0] - reference.mean[0]),
            shape_db=float(np.sqrt(np.mean(shape**2))),
            p2_nats=float(np.clip(DISTANCE_SCALE * (d - DISTANCE_NEUTRAL), -3.0, 3.0)),
            two_voices=near >= 2 and far >= 2,
        )


def pool(steps: list[Sounding]) -> Sounding:
    """One sounding over several."""
    frames = sum(step.frames for step in steps)
    weights = np.array([step.frames for step in steps], np.float64)[:, None] / frames
    means = np.array([step.mean for step in steps])
    mean = np.sum(weights * means, axis=0)
    variances = np.array([step.variance for step in steps])
    variance = np.sum(weights * (variances + means**2), axis=0) - mean**2
    return Sounding(frames, mean, np.maximum(variance, 0.5))
