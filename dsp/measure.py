"""One pass over the samples: decode, and what can be measured without a transform.

Source: ITU-T G.711 (decoding, by `g711.TO_FLOAT`); the measures are ordinary and their grain chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.frame import (
    FRAME_SAMPLES,
    HALF_SAMPLES,
    BoolArray,
    ByteArray,
    FlagArray,
    FloatArray,
    IntArray,
)
from dsp.jit import stage, summing_stage
from dsp.spectrum import BLOCK_ROWS

CELL_SAMPLES: Final = 5
"""0.625 ms, the grain of the click scan. Chosen: a click lasts 5 to 8 ms on G.711 (measured)."""
CELLS: Final = FRAME_SAMPLES // CELL_SAMPLES

CLOSED: Final = 0
DIGITS_ONLY: Final = 1
FULL: Final = 2

ABSENT_BIT: Final = 1
LOSS_BITS: Final = 1 | 2 | 4
CN_BIT: Final = 8
STREAM_BITS: Final = 16 | 32 | 64 | 128
PLAYING_BIT: Final = 256
"""`leg.Flag`, as plain numbers for the kernels."""

QUIET_STEP: Final = 2.5 / 8159
"""Within one step of zero: µ-law's first step is 2 of 8159, A-law's first values are ±1 of 4096."""


class Legs(NamedTuple):
    """What every machine needs to know of a row."""

    level: IntArray
    """CLOSED, DIGITS_ONLY or FULL."""
    law: IntArray
    partner: IntArray
    """The joined row, or −1."""
    is_b: IntArray
    frames: IntArray
    """20 ms beats since the row was opened."""


class Measures(NamedTuple):
    """One chunk of legs in packed order; the first `full` of them get everything."""

    row: IntArray
    flags: IntArray
    half_power: FloatArray
    """[n, 2] mean square without DC."""
    power: FloatArray
    peak: FloatArray
    """Largest square of a sample."""
    quiet: IntArray
    """Samples within one step of zero."""
    cell_power: FloatArray
    cell_peak: FloatArray
    """[n, 32] each 0.625 ms."""


def allocate(rows: int) -> Measures:
    """Room for a chunk."""
    return Measures(
        np.zeros(rows, np.int32),
        np.zeros(rows, np.int32),
        np.zeros((rows, 2), np.float32),
        np.zeros(rows, np.float32),
        np.zeros(rows, np.float32),
        np.zeros(rows, np.int32),
        np.zeros((rows, CELLS), np.float32),
        np.zeros((rows, CELLS), np.float32),
    )


@stage
def gather(
    payload: ByteArray,
    valid: BoolArray,
    flags: FlagArray,
    rows: tuple[int, int],
    legs: Legs,
    table: FloatArray,
    samples: FloatArray,
    measures: Measures,
) -> tuple[int, int, int]:
    """Pack the legs of `rows` whose time passes: full ones, digit-only ones, those without sound.

    Returns:
        How many are full, how many have sound, how many there are in all.
    """
    full = _pack(payload, valid, flags, rows, legs, table, samples, measures, FULL, 0)
    sound = _pack(payload, valid, flags, rows, legs, table, samples, measures, DIGITS_ONLY, full)
    for i in range(sound, (sound + BLOCK_ROWS - 1) // BLOCK_ROWS * BLOCK_ROWS):
        samples[i, :] = 0.0
    passed = sound
    for row in range(rows[0], rows[1]):
        if legs.level[row] != CLOSED and (flags[row] & (ABSENT_BIT | CN_BIT)) != 0:
            measures.row[passed] = row
            measures.flags[passed] = flags[row]
            measures.power[passed] = 0.0
            if (flags[row] & CN_BIT) != 0:
                measures.power[passed] = 0.5 * 10.0 ** (-0.1 * (payload[row, 0] & 127))
            legs.frames[row] += 1
            passed += 1
    return full, sound, passed


@stage
def _pack(
    payload: ByteArray,
    valid: BoolArray,
    flags: FlagArray,
    rows: tuple[int, int],
    legs: Legs,
    table: FloatArray,
    samples: FloatArray,
    measures: Measures,
    level: int,
    start: int,
) -> int:
    at = start
    for row in range(rows[0], rows[1]):
        if legs.level[row] != level or not valid[row]:
            continue
        if (flags[row] & (ABSENT_BIT | CN_BIT)) != 0:
            continue
        measures.row[at] = row
        measures.flags[at] = flags[row]
        for n in range(FRAME_SAMPLES):
            samples[at, n] = table[legs.law[row], payload[row, n]]
        measure_halves(samples[at], measures, at)
        if level == FULL:
            measure_cells(samples[at], measures, at)
        legs.frames[row] += 1
        at += 1
    return at


@summing_stage
def measure_halves(samples: FloatArray, measures: Measures, at: int) -> None:
    """Mean square of both halves, each without its mean."""
    for half in range(2):
        mean = np.float32(0.0)
        square = np.float32(0.0)
        for n in range(half * HALF_SAMPLES, (half + 1) * HALF_SAMPLES):
            mean += samples[n]
            square += samples[n] * samples[n]
        mean /= np.float32(HALF_SAMPLES)
        square = square / np.float32(HALF_SAMPLES) - mean * mean
        measures.half_power[at, half] = max(square, np.float32(0.0))
    measures.power[at] = np.float32(0.5) * (measures.half_power[at, 0] + measures.half_power[at, 1])


@summing_stage
def measure_cells(samples: FloatArray, measures: Measures, at: int) -> None:
    """Peak, quiet samples and the 0.625 ms cells."""
    quiet = 0
    for n in range(FRAME_SAMPLES):
        quiet += abs(samples[n]) < np.float32(QUIET_STEP)
    measures.quiet[at] = quiet
    frame_peak = np.float32(0.0)
    for cell in range(CELLS):
        square = np.float32(0.0)
        peak = np.float32(0.0)
        for n in range(cell * CELL_SAMPLES, (cell + 1) * CELL_SAMPLES):
            one = samples[n] * samples[n]
            square += one
            peak = max(peak, one)
        measures.cell_power[at, cell] = square / np.float32(CELL_SAMPLES)
        measures.cell_peak[at, cell] = peak
        frame_peak = max(frame_peak, peak)
    measures.peak[at] = frame_peak
