"""What the compiled machines say to the Python that reports it: a row, a code, two numbers.

Source: chosen. Python objects are made only when a row fires; the array is allocated once.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.frame import FloatArray, IntArray
from dsp.jit import stage

DIGIT: Final = 1
"""A key; x = its number in `dtmf.KEYS`, y = halves so far."""
DIAL_TONE: Final = 2
RINGBACK: Final = 3
"""A tone lasts; x = seconds so far."""
BUSY: Final = 4
REORDER: Final = 5
"""Two cycles or more; x = cycles."""
SIT: Final = 6
"""Three tones in order; x = place in `tones.SIT_CLASSES`."""
TTY: Final = 7
"""x = seconds of it."""
FAX: Final = 8
"""x = 0 CNG, 1 CED; y = seconds."""
MUSIC: Final = 9
"""Each 0.5 s of it; x = seconds so far."""
CLICK: Final = 10
"""x = crest in dB, y = 1 if the leg was talking."""
FLASH: Final = 11
"""A pair of clicks with quiet between; x = seconds apart."""
MUSIC_OVER: Final = 12
GAP_BEGAN: Final = 20
"""x = how long ago in seconds, y = 1 if its edge was sharp."""
GAP_STEP: Final = 21
"""Each 0.5 s of a gap; x = share of it in which the other side talked, y = `gap.DISTANCE_*` or dB
of the floor's distance to the baseline."""
GAP_ENDED: Final = 22
"""x = its length in seconds, y = `gap.ENDED_*`."""
VOICE_STEP: Final = 23
"""Each 0.5 s of speech on a watched leg: the sums of `voice_activity.Voices` are ready."""
LOSS: Final = 24
LOSS_OVER: Final = 25
STREAM: Final = 26
"""x = the flag bits TS_JUMP to NEW_PT of this frame."""
NOISE: Final = 30
NOISE_OVER: Final = 31
"""Masking noise; x = dB over the baseline."""
SILENCE: Final = 32
"""Neither side spoke; x = seconds."""

FIRED_PER_ROW_MAX: Final = 8
"""More codes of one tick are dropped. Chosen: a row that says more than eight things is noise."""


class Fired(NamedTuple):
    """The codes of one tick."""

    row: IntArray
    code: IntArray
    x: FloatArray
    y: FloatArray
    used: IntArray
    """One element: how many."""


def allocate(rows_max: int) -> Fired:
    """Room for the codes of one tick."""
    size = rows_max * FIRED_PER_ROW_MAX
    return Fired(
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
        np.zeros(1, np.int32),
    )


@stage
def fire(fired: Fired, row: int, code: int, x: float, y: float) -> None:
    """Put one code down; silently dropped when the array is full."""
    at = fired.used[0]
    if at < fired.row.shape[0]:
        fired.row[at] = row
        fired.code[at] = code
        fired.x[at] = x
        fired.y[at] = y
        fired.used[0] = at + 1
