"""The talk-off tape: the same sound at many speeds, as µ-law rows.

Source: the re-speeding of the Bellcore talk-off tests; a voice at 0.7 of its speed is a low one, at
1.4 a child's. Band-limited by a windowed sinc.
"""

from collections.abc import Iterator

import numba
import numpy as np
from numpy.typing import NDArray

from dsp.g711 import encode_ulaw
from tests.detection.sources import Pcm

SPEED_MIN, SPEED_MAX = 0.70, 1.40
TAPS = 24
PHASES = 512
ROW_S = 60
"""A tape is cut into rows of this length, which are heard side by side."""

Rows = NDArray[np.uint8]
"""[rows, frames, 160]"""


def speeds(count: int, shift: float = 0.0) -> NDArray[np.float64]:
    """`count` speeds over the whole range; `shift` (of a step) makes another set."""
    step = (SPEED_MAX - SPEED_MIN) / count
    return np.asarray(SPEED_MIN + (np.arange(count) + 0.5 + shift) * step, np.float64)


def respeed(sound: Pcm, speed: float) -> Pcm:
    """The sound played faster or slower; what would alias is filtered out."""
    cut = min(1.0, 1.0 / speed) * 0.95
    offset = np.arange(PHASES)[:, None] / PHASES - np.arange(TAPS)[None, :] + TAPS / 2 - 1
    window = np.cos(np.pi * offset / (TAPS + 1)) ** 2
    table = (cut * np.sinc(cut * offset) * window).astype(np.float32)
    made: Pcm = _interpolate(sound.astype(np.float32), np.float64(speed), table)
    return made


@numba.njit(fastmath=True, cache=True)
def _interpolate(sound, speed, table):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - numba
    phases = table.shape[0]
    made = np.zeros(int((len(sound) - TAPS) / speed), np.int16)
    for n in range(len(made)):
        at = n * speed
        first = int(at)
        row = table[int((at - first) * phases)]
        under = sound[first : first + TAPS]
        total = np.float32(0.0)
        for k in range(TAPS):
            total += row[k] * under[k]
        made[n] = int(min(max(total, np.float32(-32768.0)), np.float32(32767.0)))
    return made


def rows(sound: Pcm) -> Rows:
    """µ-law rows of 60 s; the last part is filled with silence."""
    size = ROW_S * 8000
    count = -(-len(sound) // size)
    filled = np.zeros(count * size, np.int16)
    filled[: len(sound)] = sound
    return encode_ulaw(filled).reshape(count, -1, 160)


def tapes(sound: Pcm, count: int, shift: float = 0.0) -> Iterator[tuple[float, Rows]]:
    """The tape at each speed."""
    for speed in speeds(count, shift):
        yield float(speed), rows(respeed(sound, float(speed)))
