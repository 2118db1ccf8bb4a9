"""Is it the same voice, in the same room, as before the hold?

Source: a model of two covariances over cepstra and pitch, fitted (see `unlikeness`). A soft cue: it
misses changes and sees some that are none, hence the bounds.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.voice_activity import REFERENCE, STEP, STEP_FRAMES, Voices

Vector = NDArray[np.float64]

REFERENCE_FRAMES_MIN: Final = 100
"""2 s of speech before the hold; with less there is nothing to compare. Chosen."""
STEPS_MIN: Final = 4
"""2 s of speech after it. Chosen: the full 3 to 5 s come too late for a warning."""
STEPS_MAX: Final = 20
"""10 s of speech: decided or never. Chosen: a third person need not be the first to speak."""

LEVEL_DB: Final = 6.0
SHAPE_DB: Final = 1.2
MOVED_STEPS_MIN: Final = 6
"""P1: level moved by 6 dB and shape by this (rms over the cepstra), over 3 s of speech. Chosen."""

TURN: Final = np.array(
    [
        [-0.105, -0.295, -0.113, -0.363, 0.193, 0.205, 0.520, -0.030],
        [0.182, -0.169, 0.006, -0.585, -0.175, -0.149, -1.010, 0.743],
        [-0.357, -0.084, 0.003, 0.262, 0.134, 0.201, -1.011, -0.091],
        [0.128, -0.094, -0.246, 0.079, -0.954, 0.394, -0.568, -0.418],
        [0.121, -0.439, 0.308, -0.293, 0.339, -0.716, -0.126, -1.265],
        [-0.162, 0.336, -0.521, -0.079, -0.229, -0.798, 0.088, -0.573],
    ]
)
BETWEEN: Final = np.array([0.1, 0.13, 0.35, 0.81, 1.55, 6.05])
"""Of the cepstra without the level: the matrix that makes the half-seconds of one voice white, and
the variances between voices after it; two directions in which all voices are alike are left out.
Found by `tests.detection.fit_voices` on the fitting family, over six codecs."""
PITCH_ONE: Final = 0.12
PITCH_BETWEEN: Final = 0.32
"""Spread of the logarithm's mean over half a second of one talker, and between talkers. Measured
in the same way."""
STEP_VARIANCE: Final = 2.0
LINE_VARIANCE: Final = 0.1
"""Half-seconds that follow each other are alike, so that their mean is less sure than that of as
many independent ones; and no mean is surer than the line is constant. Chosen."""
PITCH_FRAMES_MIN: Final = 12
"""Fewer clear frames say nothing."""

WINDOWS_STEPS: Final = (4, 8)
"""A third person may be the second to speak: the last 2 and 4 s are asked as well. Chosen."""
P2_NATS_MIN: Final = -1.5
P2_NATS_MAX: Final = 5.0
"""Measured on the other family, six codecs, 2 s after a hold: over 2 nats are 0.5 % of the same
voices and 79 % of others, over 4 nats none (of 1100) and 75 %. A third voice is told from its last
2 or 4 s, at the price of the logarithm of how many such stretches were asked."""

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
    whole_nats: float
    """The same over all of it; far below zero it is the voice of before."""
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


def unlikeness(since: Sounding, reference: Sounding) -> float:
    """Log-likelihood ratio in nats: another voice against the same one.

    Source: two covariances, one within a voice and one between voices (probabilistic linear
    discriminant analysis in its simplest form).
    """
    fewer = 1.0 / max(since.frames, 1) + 1.0 / max(reference.frames, 1)
    one = STEP_VARIANCE * STEP_FRAMES * fewer + LINE_VARIANCE
    turned = TURN @ (since.mean[1:] - reference.mean[1:])
    nats = _ratio(turned**2, one, one + 2.0 * BETWEEN)
    if min(since.pitch[0], reference.pitch[0]) >= PITCH_FRAMES_MIN:
        off = since.pitch[1] / since.pitch[0] - reference.pitch[1] / reference.pitch[0]
        pitch = one * PITCH_ONE**2
        nats += _ratio(np.array(off**2), pitch, np.array(pitch + 2.0 * PITCH_BETWEEN**2))
    return nats


def _ratio(squares: Vector, same: float, other: Vector) -> float:
    """Of two centred Gaussians."""
    return float(0.5 * np.sum(squares * (1.0 / same - 1.0 / other) - np.log(other / same)))


def has_reference(voices: Voices, row: int) -> bool:
    """Whether enough speech was heard to compare with."""
    return bool(voices.frames[row, REFERENCE] >= REFERENCE_FRAMES_MIN)


class VoiceChange:
    """The comparison after one hold: the reference, and the steps since."""

    def __init__(self) -> None:
        self._steps: list[Sounding] = []
        self._most = -np.inf

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

    def learn(self, voices: Voices, row: int) -> None:
        """It was the voice of before: what was heard of it goes into the reference."""
        for step in self._steps:
            n = step.frames
            voices.frames[row, REFERENCE] += n
            voices.sums[row, REFERENCE] += step.mean * n
            voices.squares[row, REFERENCE] += (step.variance + step.mean**2) * n
            voices.pitch[row, REFERENCE] += step.pitch
        self._steps.clear()

    @property
    def is_over(self) -> bool:
        """10 s of speech were heard."""
        return len(self._steps) >= STEPS_MAX

    def _judge(self, reference: Sounding) -> Verdict:
        since = pool(self._steps)
        shape = since.mean[1:] - reference.mean[1:]
        whole = unlikeness(since, reference)
        for size in WINDOWS_STEPS:
            if len(self._steps) >= size:
                last = unlikeness(pool(self._steps[-size:]), reference)
                self._most = max(self._most, last - float(np.log(len(self._steps) / size)))
        nats = max(whole, self._most)
        return Verdict(
            steps=len(self._steps),
            level_db=float(since.mean[0] - reference.mean[0]),
            shape_db=float(np.sqrt(np.mean(shape**2))),
            p2_nats=max(P2_NATS_MIN, min(P2_NATS_MAX, nats)),
            whole_nats=whole,
            two_voices=has_two_voices(self._steps, reference),
        )


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
