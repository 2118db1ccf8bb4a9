"""What the compiled machines say to the Python that reports it: a row, a code, two numbers.

Source: chosen. Python objects are made only when a row fires; the array is allocated once.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.frame import FloatArray, IntArray
from dsp.jit import stage

DIGIT: Final = 1
"""A digit; x = key number, y = its length in halves so far."""
DIAL_TONE: Final = 2
RINGBACK: Final = 3
"""A tone lasts; x = seconds so far."""
BUSY: Final = 4
REORDER: Final = 5
"""Two cycles or more; x = cycles."""
SIT: Final = 6
"""Three tones in order; x = class number of `tones.SIT_CLASSES`."""
TTY: Final = 7
FAX: Final = 8
"""x = 0 CNG, 1 CED; y = seconds."""
CLICK: Final = 10
"""x = crest in dB, y = 1 if the far end was talking."""
FLASH: Final = 11
"""A pair of clicks with quiet between; x = seconds apart."""
GAP_BEGAN: Final = 20
"""x = distance to the baseline in dB (−1: no baseline), y = 1 if digital silence."""
GAP_ENDED: Final = 21
"""x = seconds it lasted, y = 1 if it is a call-waiting mute."""
FLOOR_SAME: Final = 22
"""In a gap: the room is back, x = distance in dB."""
GAP_STEP: Final = 23
"""Each 0.5 s while a leg is watched; x = 1 if the caller talked, y = distance in dB."""
VOICE_BACK: Final = 24
"""In a watched leg a live room for 200 ms; x = level of it against the baseline in dB."""
VOICE_STEP: Final = 25
"""Each 0.5 s of speech in a watched leg; x, y = level and spectrum difference in dB."""
LOSS: Final = 26
LOSS_OVER: Final = 27
NOISE: Final = 30
NOISE_OVER: Final = 31
"""Masking noise began, x = level in dB over the baseline; ended."""
SILENCE: Final = 32
"""Neither side spoke; x = seconds."""
TWO_VOICES: Final = 33
"""Two uncorrelated talkers at once on the leg; x = seconds."""
SPEECH_LONG: Final = 34
"""x = seconds of speech without a pause for reply."""

FIRED_PER_ROW_MAX: Final = 8
"""More codes of one tick are dropped. Chosen: a row that says more than eight things is noise."""


class Fired(NamedTuple):
    """The codes of one tick."""

    row: IntArray
    code: IntArray
    x: FloatArray
    y: FloatArray
    count: IntArray
    """One element."""


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
    at = fired.count[0]
    if at < fired.row.shape[0]:
        fired.row[at] = row
        fired.code[at] = code
        fired.x[at] = x
        fired.y[at] = y
        fired.count[0] = at + 1
