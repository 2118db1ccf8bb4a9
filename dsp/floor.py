"""The floor of a leg: power in 24 bands, a fast trace of their minimum, a slow baseline of pauses.

Source: baseline tracing by bounded logarithmic steps is ordinary practice; the steps are chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.frame import FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage, summing_stage
from dsp.measure import Measures
from dsp.spectrum import BANDS
from dsp.state import Column, StateOwner

RISE: Final = np.float32(10**0.01)
FALL: Final = np.float32(10**-0.05)
"""The trace per frame: up 5 dB a second, down 25. Chosen."""
TRACE_MIN: Final = np.float32(power_of_dbm0(-68.0) / BANDS)
"""The trace stays above digital silence, so that noise after it is not taken for speech long."""

BASE_FRAMES: Final = 150
"""3 s of pauses until the baseline is believed. Chosen."""
BASE_MEAN_FRAMES: Final = 50
"""At first a mean, then a median that moves by bounded steps. Chosen."""
BASE_UP: Final = np.float32(10**0.005)
BASE_DOWN: Final = np.float32(10**-0.005)
"""2.5 dB a second. Chosen."""
BASE_LEVEL_MIN: Final = power_of_dbm0(-68.0)
"""A baseline below this is digital silence: that the floor vanishes says nothing then. Chosen."""

RECENT: Final = np.float32(0.2)
"""Weight of a frame in the recent spectrum, 0.1 s. Chosen."""


class Owned(NamedTuple):
    """What belongs to a row."""

    trace: FloatArray
    base: FloatArray
    base_frames: IntArray
    recent: FloatArray


class Floors(NamedTuple):
    """State: the two floors and the recent spectrum."""

    trace: FloatArray
    base: FloatArray
    base_frames: IntArray
    recent: FloatArray
    trace_bits: IntArray
    """The trace as integers, for `spectrum.measure_levels`."""


def allocate(owner: StateOwner) -> Floors:
    """The arrays."""
    owned = owner.allocate(
        Owned,
        {
            "trace": Column(np.float32, (BANDS,), -1.0),
            "base": Column(np.float32, (BANDS,)),
            "base_frames": Column(np.int32),
            "recent": Column(np.float32, (BANDS,), float(TRACE_MIN)),
        },
    )
    return Floors(*owned, owned.trace.view(np.int32))


@stage
def follow(i: int, measures: Measures, floors: Floors) -> None:
    """Take a frame into the trace and the recent spectrum."""
    row = measures.row[i]
    bands = measures.bands[i]
    trace = floors.trace[row]
    recent = floors.recent[row]
    if trace[0] < np.float32(0.0):
        for band in range(BANDS):
            trace[band] = max(bands[band], TRACE_MIN)
            recent[band] = bands[band]
    for band in range(BANDS):
        recent[band] += RECENT * (bands[band] - recent[band])
        rising = trace[band] * RISE
        falling = max(trace[band] * FALL, TRACE_MIN)
        trace[band] = min(max(bands[band], falling), rising)


@stage
def learn_base(row: int, bands: FloatArray, floors: Floors) -> None:
    """Take a frame of a pause into the baseline."""
    base = floors.base[row]
    frames = floors.base_frames[row]
    if frames < BASE_MEAN_FRAMES:
        share = np.float32(1.0) / np.float32(frames + 1)
        for band in range(BANDS):
            base[band] += share * (bands[band] - base[band])
    else:
        for band in range(BANDS):
            base[band] *= BASE_UP if bands[band] > base[band] else BASE_DOWN
    floors.base_frames[row] = frames + 1


@summing_stage
def total(bands: FloatArray) -> float:
    """Sum over the bands."""
    power = np.float32(0.0)
    for band in range(BANDS):
        power += bands[band]
    return float(power)


@stage
def is_known(row: int, floors: Floors) -> bool:
    """Whether the leg's baseline is learned and is more than digital silence."""
    if floors.base_frames[row] < BASE_FRAMES:
        return False
    return bool(total(floors.base[row]) > BASE_LEVEL_MIN)


@stage
def distance_db(row: int, floors: Floors) -> float:
    """Of the recent spectrum from the baseline: rms over the bands."""
    base = floors.base[row]
    recent = floors.recent[row]
    square = 0.0
    for band in range(BANDS):
        db = 10.0 * np.log10((recent[band] + 1e-10) / (base[band] + 1e-10))
        square += db * db
    return float(np.sqrt(square / BANDS))
