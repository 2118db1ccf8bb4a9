"""Finds the weights of `dsp.voice_score`: a small recurrent network, fitted to the fitting family.

    python -m tests.detection.fit_activity [--out build/detection] [--steps 1400] > weights

Talk of recorded and synthetic voices lies in noise, music and seeded tunes of 16 to -2 dB; the bank
gives the levels and the trace of each frame, from which the inputs are made as `voice_score` makes
them. Steps by Adam on stretches of 2.4 s; the frame that is asked about is 40 ms old. Prints the
matrix, the output and its bias in units of 1/256.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Kind
from dsp.leg import LegSpec, Role
from dsp.spectrum import BANDS
from dsp.voice_score import BEHIND_FRAMES, INPUTS, PAIRS, UNITS
from dsp.voice_weights import UNIT
from tests.corpus.conversation import Track
from tests.corpus.household import burst
from tests.corpus.scenes import frames
from tests.corpus.voices import CHILD, MAN, RATE_HZ, WOMAN, rms_of_dbm0, talk
from tests.detection.__main__ import SEEDS
from tests.detection.activity import sounds_of
from tests.detection.activity_scenes import Sounds, in_noise, spurts
from tests.detection.people import people

LEGS, LEG_S = 500, 40
LEGS_AT_ONCE = 250
STRETCH, BATCH, SETTLE = 120, 96, 25
RATE = 4e-3
NOISES = ("pink", "pink", "white", "babble", *("music",) * 3, *("tune",) * 4, "impacts", "none")
SCALES = ((0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 3, 5, 7, 8, 10, 12))

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


def tune(seconds: float, rng: np.random.Generator) -> Track:
    """Seeded music: notes of a scale with overtones, now and then a drum."""
    size = int(seconds * RATE_HZ)
    track = np.zeros(size + 2 * RATE_HZ, np.float32)
    root, beat_s, decay_s = rng.uniform(80, 260), rng.uniform(0.18, 0.6), rng.uniform(0.1, 1.5)
    overtones, fall, scale = rng.integers(2, 9), rng.uniform(0.4, 0.9), SCALES[rng.integers(2)]
    voices, drums = int(rng.integers(1, 4)), rng.random() < 0.6
    at_s = 0.0
    while at_s < seconds:
        first = int(at_s * RATE_HZ)
        for _ in range(voices):
            hz = root * 2 ** ((scale[rng.integers(8)] + 12 * rng.integers(0, 2)) / 12)
            t = np.arange(int(1.1 * beat_s * rng.choice([1, 2, 4]) * RATE_HZ)) / RATE_HZ
            ks = np.arange(1, min(int(3900 / hz), int(overtones)) + 1)
            note = np.sum(fall ** ks[:, None] * np.sin(2 * np.pi * hz * np.outer(ks, t)), axis=0)
            note *= np.minimum(t / 0.01, 1) * np.exp(-t / decay_s) * rng.uniform(0.4, 1)
            part = track[first : first + len(t)]
            part += note[: len(part)].astype(np.float32)
        if drums:
            drum = burst(rng, 0.2, rng.uniform(0.01, 0.06), rng.uniform(0.1, 0.95))
            track[first : first + len(drum)] += drum * np.float32(rng.uniform(0.3, 1.5))
        at_s += beat_s * rng.choice([0.5, 1, 1])
    return track[:size]


def coloured(track: Track, rng: np.random.Generator) -> Track:
    """The track through a short filter of its own: another room, another telephone."""
    response = np.concatenate([[1.0], rng.normal(0, 0.25, 8) * np.exp(-np.arange(8) / 3)])
    response = np.convolve(response, rng.uniform(-0.5, 0.5) ** np.arange(24))
    return np.asarray(np.convolve(track, response, "same")[: len(track)], np.float32)


def heard(tracks: list[Track]) -> Array:
    """[frames, legs, 25]: the inputs of `voice_score`, from a bank that hears the tracks."""
    rows = len(tracks)
    bank = Bank(legs_max=rows)
    for row in range(rows):
        bank.open(row, LegSpec(Role.B, kinds=frozenset({Kind.SILENCE_LONG})))
    valid, flags = np.ones(rows, np.bool_), np.zeros(rows, np.uint16)
    legs = [frames(track.astype(np.float64)) for track in tracks]
    found = []
    for payload in np.ascontiguousarray(np.stack(legs, axis=1)):
        bank.push(payload, valid, flags)
        level = np.maximum(bank._measures.levels[:rows], -90.0)
        trace = 10 * np.log10(bank._ears.floors.trace[:rows])
        whole = 10 * np.log10(bank._measures.bands[:rows].sum(axis=1) + BANDS * 1e-9)[:, None]
        over = np.clip(level - trace, -5, 40).reshape(rows, PAIRS, 2).mean(axis=2) / 10
        under = np.clip(level - whole, -45, 0).reshape(rows, PAIRS, 2).mean(axis=2) / 10 + 2
        found.append(np.concatenate([over, under, np.clip((whole + 45) / 20, -1.5, 2)], axis=1))
    return np.array(found, np.float32)


def scenes(build: Path, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs [frames, legs, 25], and which frames are talk."""
    everyone, sounds = people(build, "fit"), sounds_of(build, "fit")
    tracks, truths = [], []
    for k in range(LEGS):
        if k % 10 == 9:
            said = talk((MAN, WOMAN, CHILD)[k // 10 % 3], 60, rng).astype(np.float32)
        else:
            phrases = everyone[k % len(everyone)].phrases
            said = np.concatenate([phrases[i] for i in rng.permutation(len(phrases))[:30]])
        clean, active = spurts(coloured(said, rng) if rng.random() < 0.6 else said, LEG_S, rng)
        kind = NOISES[rng.integers(len(NOISES))]
        music = tune(LEG_S, rng) if kind == "tune" else sounds.music
        around = Sounds(sounds.talk, coloured(music, rng) if rng.random() < 0.6 else music)
        kind = "music" if kind == "tune" else kind
        noisy = in_noise(clean, kind, rng.uniform(-2, 16), around, rng)
        room = rng.standard_normal(len(noisy)) * rms_of_dbm0(rng.uniform(-75, -48))
        gain = 10 ** (rng.uniform(-12, 4) / 20)
        tracks.append(np.asarray((noisy + room) * gain, np.float32))
        truths.append(active)
    parts = [heard(tracks[at : at + LEGS_AT_ONCE]) for at in range(0, LEGS, LEGS_AT_ONCE)]
    return np.concatenate(parts, axis=1), np.stack(truths, axis=1).astype(np.float32)


def squash(a: Array) -> Array:
    """Between -1 and 1."""
    return np.asarray(a / (1 + np.abs(a)), np.float32)


def slope(a: Array) -> Array:
    """Of `squash`."""
    return np.asarray(1 / (1 + np.abs(a)) ** 2, np.float32)


class Network:
    """Weights in the form of `dsp.voice_weights`, and their steps."""

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        self.inputs = inputs
        gates = rng.standard_normal((inputs + 1 + UNITS, 2 * UNITS)) * 0.3
        gates[inputs] = np.repeat([1.0, 0.0], UNITS)
        out = rng.standard_normal(UNITS + 1) * 0.3
        self.weights: list[Array] = [gates.astype(np.float32), out.astype(np.float32)]
        self._means: list[Array] = [np.zeros_like(one) for one in self.weights]
        self._squares: list[Array] = [np.zeros_like(one) for one in self.weights]

    def slopes(self, given: Array, truth: Array) -> tuple[list[Array], float]:
        """Of the cross-entropy, back through time; and its value."""
        gates, out = self.weights
        size, legs = given.shape[:2]
        memory: Doubles = np.zeros((legs, UNITS))
        whole, sums, after = [], [], []
        for now in given:
            whole.append(np.concatenate([now, np.ones((legs, 1), np.float32), memory], axis=1))
            sums.append(whole[-1] @ gates)
            keep = 0.5 + 0.5 * squash(sums[-1][:, :UNITS])
            memory = keep * memory + (1 - keep) * squash(sums[-1][:, UNITS:])
            after.append(memory)
        score = np.stack(after) @ out[:-1] + out[-1]
        odds = 1 / (1 + np.exp(-score))
        wrong = odds - truth
        wrong[:SETTLE] = 0
        wrong /= (size - SETTLE) * legs
        of_gates, of_out = np.zeros_like(gates), np.zeros_like(out)
        back = np.zeros((legs, UNITS), np.float32)
        for t in range(size - 1, -1, -1):
            back = back + wrong[t][:, None] * out[:-1]
            of_out[:-1] += after[t].T @ wrong[t]
            of_out[-1] += wrong[t].sum()
            a, b = sums[t][:, :UNITS], sums[t][:, UNITS:]
            keep, before = 0.5 + 0.5 * squash(a), whole[t][:, self.inputs + 1 :]
            to_keep = back * (before - squash(b)) * 0.5 * slope(a)
            both = np.concatenate([to_keep, back * (1 - keep) * slope(b)], axis=1)
            of_gates += whole[t].T @ both
            back = back * keep + both @ gates[self.inputs + 1 :].T
        right = np.where(truth > 0, odds, 1 - odds)[SETTLE:]
        return [of_gates, of_out], float(-np.log(right + 1e-7).mean())

    def step(self, slopes: list[Array], number: int, rate: float) -> None:
        """One step by Adam (Kingma and Ba, 2015), the slopes cut to a length of one."""
        length = np.sqrt(sum(float(np.sum(one**2)) for one in slopes))
        for k, one in enumerate(slopes):
            cut = one * min(1.0, 1.0 / length)
            self._means[k] += 0.1 * (cut - self._means[k])
            self._squares[k] += 0.001 * (cut**2 - self._squares[k])
            mean = self._means[k] / (1 - 0.9**number)
            spread = np.sqrt(self._squares[k] / (1 - 0.999**number)) + 1e-8
            self.weights[k] -= (rate * mean / spread).astype(self.weights[k].dtype)


def main() -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.detection.fit_activity")
    parser.add_argument("--out", type=Path, default=Path("build/detection"))
    parser.add_argument("--steps", type=int, default=1400)
    told = parser.parse_args()
    rng = np.random.default_rng((SEEDS["fit"], 12))
    given, truth = scenes(told.out, rng)
    network = Network(given.shape[2], rng)
    for number in range(1, told.steps + 1):
        legs, begin = (rng.integers(0, n, BATCH) for n in (LEGS, len(given) - STRETCH))
        at = begin + np.arange(STRETCH)[:, None]
        about = np.maximum(at - BEHIND_FRAMES, 0)
        slopes, entropy = network.slopes(given[at, legs], truth[about, legs])
        fade = 0.5 * (1 + np.cos(np.pi * number / told.steps)) + 0.02
        network.step(slopes, number, RATE * min(1, number / 50) * fade)
        if number % 100 == 0:
            sys.stderr.write(f"step {number}: {entropy:.4f} nats a frame\n")
    gates, out = network.weights
    matrix = np.zeros((2 * UNITS, INPUTS + UNITS), np.float32)
    matrix[:, : network.inputs + 1] = gates[: network.inputs + 1].T
    matrix[:, INPUTS:] = gates[network.inputs + 1 :].T
    np.set_printoptions(threshold=sys.maxsize, linewidth=96)
    sys.stdout.write(f"{np.array2string(np.round(matrix * UNIT).astype(int), separator=', ')}\n")
    sys.stdout.write(f"{np.array2string(np.round(out[:-1] * UNIT).astype(int), separator=', ')}\n")
    sys.stdout.write(f"{out[-1]:.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
