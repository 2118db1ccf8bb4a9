"""One pass over the samples: decode, and what can be measured without a transform.

Source: ITU-T G.711 (decoding, by `g711.TO_FLOAT`); the measures are ordinary, their grain chosen.
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
from dsp.g711 import TO_FLOAT
from dsp.jit import stage, summing_stage
from dsp.spectrum import BANDS, BLOCK_ROWS, Products, fold
from dsp.state import Column, StateOwner

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

KEPT_FRAMES: Final = 6
"""The proof of a digit looks back 100 ms from the middle of a frame."""

QUIET_SAMPLE: Final = 2.5 / 8159
"""Within one step of zero: µ-law's first step is 2 of 8159, A-law's first values are 1 of 4096."""


class Tick(NamedTuple):
    """What came in: `Bank.push`'s three arrays."""

    payload: ByteArray
    valid: BoolArray
    flags: FlagArray


class Legs(NamedTuple):
    """What every machine needs to know of a row."""

    level: IntArray
    """CLOSED, DIGITS_ONLY or FULL."""
    law: IntArray
    partner: IntArray
    """The joined row, or -1."""
    is_b: IntArray
    frames: IntArray
    """20 ms beats since the row was opened."""
    absent: IntArray
    """How many of them were absent."""
    watch: IntArray
    """1 while `three_way` wants to know how the leg's voice sounds."""
    compared: IntArray
    """1 if it may ever want to: only then is the voice taken into sums."""
    music: IntArray
    """1 if music is listened for."""
    newest: IntArray
    """The place of the last frame in `kept`."""
    kept: ByteArray
    """[rows, KEPT_FRAMES, 160] the codes of the last frames; a ring."""


class Measures(NamedTuple):
    """One chunk of legs in packed order: full ones, digit-only ones, those without sound."""

    row: IntArray
    flags: IntArray
    half_power: FloatArray
    """[n, 2] mean square without DC."""
    power: FloatArray
    """Mean square; of a CN frame what its level says."""
    quiet: IntArray
    """Samples within one step of zero."""
    cell_power: FloatArray
    cell_peak: FloatArray
    """[n, 32] mean and largest square of each 0.625 ms."""
    bands: FloatArray
    """[n, 24] power, from `spectrum.measure_bands`."""
    band_bits: IntArray
    """The same as integers, for `spectrum.measure_levels`."""
    levels: FloatArray
    """[n, 24] the bands in dB."""
    calm: IntArray
    """1 if no frame was lost just before."""
    tonal: IntArray
    """1 if a tone or a digit is on."""
    speech: IntArray
    """1 if the frame is one of speech."""
    samples: FloatArray
    even: FloatArray
    odd: FloatArray
    frame_z: FloatArray
    halves_z: FloatArray
    """The arrays of `spectrum.Products`."""


def allocate(rows: int, products: Products) -> Measures:
    """Room for a chunk."""
    bands = np.zeros((rows, BANDS), np.float32)
    return Measures(
        row=np.zeros(rows, np.int32),
        flags=np.zeros(rows, np.int32),
        half_power=np.zeros((rows, 2), np.float32),
        power=np.zeros(rows, np.float32),
        quiet=np.zeros(rows, np.int32),
        cell_power=np.zeros((rows, CELLS), np.float32),
        cell_peak=np.zeros((rows, CELLS), np.float32),
        bands=bands,
        band_bits=bands.view(np.int32),
        levels=np.zeros((rows, BANDS), np.float32),
        calm=np.zeros(rows, np.int32),
        tonal=np.zeros(rows, np.int32),
        speech=np.zeros(rows, np.int32),
        samples=products.samples,
        even=products.even,
        odd=products.odd,
        frame_z=products.frame,
        halves_z=products.halves,
    )


def allocate_legs(owner: StateOwner) -> Legs:
    """The rows' own arrays."""
    columns = {name: Column(np.int32) for name in Legs._fields}
    columns["partner"] = Column(np.int32, fresh=-1)
    columns["kept"] = Column(np.uint8, (KEPT_FRAMES, FRAME_SAMPLES))
    return owner.allocate(Legs, columns)


@stage
def gather(
    tick: Tick, rows: tuple[int, int], legs: Legs, measures: Measures
) -> tuple[int, int, int]:
    """Pack and measure the legs of `rows` whose time passes; it passes by one frame.

    Returns:
        How many are full, how many have sound, how many there are in all.
    """
    full = pack(tick, rows, legs, measures, (FULL, 0))
    sound = pack(tick, rows, legs, measures, (DIGITS_ONLY, full))
    for i in range(sound, (sound + BLOCK_ROWS - 1) // BLOCK_ROWS * BLOCK_ROWS):
        measures.samples[i, :] = np.float32(0.0)
        measures.even[i, :] = np.float32(0.0)
        measures.odd[i, :] = np.float32(0.0)
    passed = sound
    for row in range(rows[0], rows[1]):
        flags = tick.flags[row]
        if legs.level[row] != CLOSED and (flags & (ABSENT_BIT | CN_BIT)) != 0:
            measures.row[passed] = row
            measures.flags[passed] = flags
            measures.power[passed] = 0.0
            if (flags & CN_BIT) != 0:
                measures.power[passed] = 0.5 * 10.0 ** (-0.1 * (tick.payload[row, 0] & 127))
            legs.absent[row] += flags & ABSENT_BIT
            legs.frames[row] += 1
            passed += 1
    return full, sound, passed


@stage
def pack(
    tick: Tick, rows: tuple[int, int], legs: Legs, measures: Measures, what: tuple[int, int]
) -> int:
    """Put all legs of one level behind those that are packed; returns how many there are then."""
    level, at = what
    for row in range(rows[0], rows[1]):
        if legs.level[row] != level or not tick.valid[row]:
            continue
        if (tick.flags[row] & (ABSENT_BIT | CN_BIT)) != 0:
            continue
        measures.row[at] = row
        measures.flags[at] = tick.flags[row]
        decode(tick.payload[row], legs.law[row], measures.samples[at])
        keep(tick.payload[row], row, legs)
        measure_halves(measures.samples[at], measures.half_power[at])
        measures.power[at] = 0.5 * (measures.half_power[at, 0] + measures.half_power[at, 1])
        if level == FULL:
            fold(measures.samples[at], measures.even[at], measures.odd[at])
            measure_cells(measures.samples[at], measures.cell_power[at], measures.cell_peak[at])
            measures.quiet[at] = count_quiet(measures.samples[at])
        legs.frames[row] += 1
        at += 1
    return at


@stage
def keep(payload: ByteArray, row: int, legs: Legs) -> None:
    """Put a frame into the row's ring."""
    newest = legs.newest[row] + 1
    if newest == KEPT_FRAMES:
        newest = 0
    legs.newest[row] = newest
    kept = legs.kept[row, newest]
    for n in range(FRAME_SAMPLES):
        kept[n] = payload[n]


@stage
def decode(payload: ByteArray, law: int, samples: FloatArray) -> None:
    """Codes to samples."""
    for n in range(FRAME_SAMPLES):
        samples[n] = TO_FLOAT[law, payload[n]]


@summing_stage
def measure_halves(samples: FloatArray, half_power: FloatArray) -> None:
    """Mean square of both halves, each without its mean."""
    for half in range(2):
        mean = np.float32(0.0)
        square = np.float32(0.0)
        for n in range(half * HALF_SAMPLES, (half + 1) * HALF_SAMPLES):
            mean += samples[n]
            square += samples[n] * samples[n]
        mean /= np.float32(HALF_SAMPLES)
        half_power[half] = max(square / np.float32(HALF_SAMPLES) - mean * mean, np.float32(0.0))


@summing_stage
def count_quiet(samples: FloatArray) -> int:
    """How many samples are zero but for one step."""
    quiet = 0
    for n in range(FRAME_SAMPLES):
        if abs(samples[n]) < np.float32(QUIET_SAMPLE):
            quiet += 1
    return quiet


@summing_stage
def measure_cells(samples: FloatArray, cell_power: FloatArray, cell_peak: FloatArray) -> None:
    """Mean and largest square of each cell; written out, for then many cells are done at once."""
    for cell in range(CELLS):
        at = cell * CELL_SAMPLES
        a = samples[at] * samples[at]
        b = samples[at + 1] * samples[at + 1]
        c = samples[at + 2] * samples[at + 2]
        d = samples[at + 3] * samples[at + 3]
        e = samples[at + 4] * samples[at + 4]
        cell_power[cell] = (a + b + c + d + e) / np.float32(CELL_SAMPLES)
        cell_peak[cell] = max(a, b, c, d, e)
