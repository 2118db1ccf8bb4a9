"""Cost of a tick of the bank, per leg: one JSON line per number of legs.

The targets are 5 ms at the median and 12 ms at p99 for 2,000 legs, and a cost per leg that does not
grow with their number; 0.5 µs for the voice activity of a frame.

Run: OPENBLAS_NUM_THREADS=1 python -m tests.bench.bench_dsp
"""

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
import numba
import numpy as np

from dsp.bank import Bank
from dsp.event import Kind
from dsp.g711 import encode_ulaw
from dsp.leg import LegSpec, Role
from dsp.listen import Ears
from dsp.measure import Measures
from dsp.voice_activity import hear_voice, is_speech
from dsp.voice_score import score_frame

TICKS = 300
LEGS = (100, 300, 1000, 2000)
AS_KERNELS: dict[str, Any] = {"_nrt": False}
"""As `dsp.jit` compiles."""


def talk(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Talk-like noise in spurts over a floor, µ-law frames."""
    sound = rng.standard_normal(frames * 160) * 3e-3
    spurts = np.repeat(rng.random(frames // 25 + 1) < 0.4, 25 * 160)[: frames * 160]
    colour = np.convolve(rng.standard_normal(frames * 160), [0.5, 0.4, 0.3, 0.2], "same")
    sound += spurts * colour * 0.1
    return encode_ulaw((np.clip(sound, -1, 1) * 32000).astype(np.int16)).reshape(frames, 160)


def measure(legs: int, kinds: frozenset[Kind]) -> dict[str, float]:
    """Median and p99 of a tick in ms."""
    rng = np.random.default_rng(1)
    bank = Bank(legs_max=4096)
    bank.warm()
    for row in range(legs):
        bank.open(row, LegSpec(Role.B if row % 2 else Role.A, kinds=kinds))
        if row % 2 and len(kinds) > 1:
            bank.join(row - 1, row)
    voices = [talk(rng, TICKS) for _ in range(16)]
    valid, flags = np.ones(legs, np.bool_), np.zeros(legs, np.uint16)
    payload = np.empty((legs, 160), np.uint8)
    took = []
    for tick in range(TICKS):
        for row in range(legs):
            payload[row] = voices[row % 16][(tick + row) % TICKS]
        begin = time.perf_counter()
        bank.push(payload, valid, flags)
        took.append(time.perf_counter() - begin)
    return {
        "ms": round(float(np.median(took)) * 1e3, 3),
        "p99_ms": round(float(np.percentile(took, 99)) * 1e3, 3),
        "us_per_leg": round(float(np.median(took)) * 1e6 / legs, 3),
    }


def _score_kernel(legs: int, measures: Measures, ears: Ears) -> None:
    for i in range(legs):
        score_frame(i, measures, ears.floors, ears.scores)
        trace = ears.floors.trace[measures.row[i]]
        hear_voice(measures.row[i], is_speech(measures.bands[i], trace), ears.voices)


def voice_activity(legs: int) -> float:
    """Microseconds of a frame's voice activity, for so many legs after one another."""
    bank = Bank(legs_max=legs)
    for row in range(legs):
        bank.open(row, LegSpec(Role.B))
    voice = talk(np.random.default_rng(1), 1)
    none = np.zeros(legs, np.uint16)
    bank.push(np.repeat(voice, legs, axis=0), np.ones(legs, np.bool_), none)
    kernel = numba.njit(**AS_KERNELS)(_score_kernel)  # not cached: a cache forgets what it calls
    kernel(legs, bank._measures, bank._ears)
    took = []
    for _ in range(TICKS):
        begin = time.perf_counter()
        kernel(legs, bank._measures, bank._ears)
        took.append(time.perf_counter() - begin)
    return float(np.median(took)) * 1e6 / legs


def main() -> None:
    """Print every bench."""
    line = {"bench": "dsp_voice_activity", "us_per_frame": round(voice_activity(256), 3)}
    sys.stdout.write(json.dumps(line) + "\n")
    for name, kinds in (("dsp_tick", frozenset(Kind)), ("dsp_tick_digits", frozenset({Kind.DTMF}))):
        for legs in LEGS:
            line = {"bench": name, "legs": legs, **measure(legs, kinds)}
            sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
