"""Finds the constants of `dsp.voice_change`: how one voice varies, and how voices differ.

    python -m tests.detection.fit_voices [--family fit] [--out build/detection]

Every voice of the family talks on every codec; the bank gives the sums over each half-second of
speech. Their covariance about the mean of their call is that of one voice; the covariance of the
means of the voices on a codec is that between voices. Both are made diagonal by one matrix, which
is printed with the variances. With `--family report` it tells how well the constants in the code
part the other family.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Kind
from dsp.leg import LegSpec, Role
from dsp.voice_activity import STEP, STEP_FRAMES
from dsp.voice_change import Sounding, pool, sounding, unlikeness
from tests.corpus.conversation import Person, converse, room
from tests.corpus.scenes import frames
from tests.detection.__main__ import SEEDS, say
from tests.detection.legs import Frames
from tests.detection.paths import through
from tests.detection.people import people

CODECS = ("", "gsm", "opus", "amr 7", "amr 4", "amr 0")
CALLS_PER_VOICE = 3
CALL_S = 70
BEFORE, AFTER = 20, 4
"""Half-seconds of speech before and after a hold, in the trial."""

Steps = list[Sounding]
Vector = NDArray[np.float64]


def harvest(everyone: Sequence[Person], codec: str, rng: np.random.Generator) -> list[Steps]:
    """The half-seconds of each call; `CALLS_PER_VOICE` calls of each person in turn."""
    tracks = []
    for one in [who for who in everyone for _ in range(CALLS_PER_VOICE)]:
        other = everyone[int(rng.integers(len(everyone)))]
        _, voice = converse((other, one), CALL_S, rng)
        voice = voice * np.float32(10 ** (rng.uniform(-6, 3) / 20))
        tracks.append(voice + room(len(voice), rng.uniform(-62, -42), rng))
    return steps_of([frames(track.astype(np.float64)) for track in through(codec, tracks)])


def steps_of(legs: Sequence[Frames]) -> list[Steps]:
    """Let a bank hear legs that it watches from the start."""
    bank = Bank(legs_max=len(legs))
    for row in range(len(legs)):
        bank.open(row, LegSpec(Role.B, kinds=frozenset({Kind.SILENCE_LONG})))
    bank._legs.watch[:] = 1
    bank._legs.compared[:] = 1
    voices = bank._ears.voices
    found: list[Steps] = [[] for _ in legs]
    valid, flags = np.ones(len(legs), np.bool_), np.zeros(len(legs), np.uint16)
    for payload in np.ascontiguousarray(np.stack(legs, axis=1)):
        bank.push(payload, valid, flags)
        bank._legs.watch[:] = 1
        for row in map(int, np.flatnonzero(voices.frames[:, STEP] >= STEP_FRAMES)):
            found[row].append(sounding(voices, row, STEP))
            for sums in (voices.sums, voices.squares, voices.pitch):
                sums[row, STEP] = 0.0
            voices.frames[row, STEP] = 0
    return found


def pitch_of(steps: Steps) -> Vector:
    """Mean logarithm of the pitch of each half-second that has enough of it."""
    return np.array([s.pitch[1] / s.pitch[0] for s in steps if s.pitch[0] >= 4])


def fit(by_codec: Sequence[list[Steps]]) -> None:
    """Print the matrix, the variances between voices, and both variances of the pitch."""
    within: list[Vector] = []
    between: list[Vector] = []
    pitch_within: list[Vector] = []
    pitch_between: list[float] = []
    for calls in by_codec:
        means = [np.array([s.mean[1:] for s in steps]) for steps in calls]
        within += [steps - steps.mean(axis=0) for steps in means]
        voices = np.array([steps.mean(axis=0) for steps in means])
        voices = voices.reshape(-1, CALLS_PER_VOICE, voices.shape[1]).mean(axis=1)
        between.append(np.cov(voices.T))
        pitches = [pitch_of(steps) for steps in calls]
        pitch_within += [one - one.mean() for one in pitches if len(one)]
        centres = [one.mean() for one in pitches[::CALLS_PER_VOICE] if len(one)]
        pitch_between.append(float(np.var(centres, ddof=1)))
    one_voice = np.cov(np.concatenate(within).T)
    root = np.linalg.inv(np.linalg.cholesky(one_voice))
    variances, turn = np.linalg.eigh(root @ np.mean(between, axis=0) @ root.T)
    matrix = turn.T @ root
    say(f"TURN\n{np.array2string(matrix, separator=', ', precision=3, suppress_small=True)}")
    say(f"BETWEEN\n{np.array2string(variances, separator=', ', precision=2)}")
    say(
        f"pitch: one voice {np.sqrt(np.var(np.concatenate(pitch_within))):.3f},"
        f" between {np.sqrt(np.mean(pitch_between)):.3f}"
    )


def judge(by_codec: Sequence[list[Steps]], rng: np.random.Generator) -> None:
    """Say how well the constants in the code part one voice from another."""
    same: list[float] = []
    other: list[float] = []
    for calls in by_codec:
        for k, steps in enumerate(calls):
            before = pool(steps[:BEFORE])
            for _ in range(8):
                j = int(rng.integers(len(calls)))
                is_same = j // CALLS_PER_VOICE == k // CALLS_PER_VOICE
                source = steps[BEFORE:] if is_same else calls[j]
                if len(source) > AFTER:
                    at = int(rng.integers(len(source) - AFTER))
                    score = unlikeness(pool(source[at : at + AFTER]), before)
                    (same if is_same else other).append(score)
            rest = range(BEFORE, len(steps) - AFTER, AFTER)
            same += [unlikeness(pool(steps[at : at + AFTER]), before) for at in rest]
    for limit in (0, 2, 4, 6, 8, 12, 16):
        say(
            f"over {limit:2d} nats: same voice {np.mean(np.array(same) > limit):.3%},"
            f" another {np.mean(np.array(other) > limit):.2%}"
        )


def main() -> int:
    """Fit, or judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.detection.fit_voices")
    parser.add_argument("--family", choices=sorted(SEEDS), default="fit")
    parser.add_argument("--out", type=Path, default=Path("build/detection"))
    told = parser.parse_args()
    rng = np.random.default_rng((SEEDS[told.family], 5))
    everyone = people(told.out, told.family)
    by_codec = [harvest(everyone, codec, rng) for codec in CODECS]
    if told.family == "fit":
        fit(by_codec)
    judge(by_codec, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())
