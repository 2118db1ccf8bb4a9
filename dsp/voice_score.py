"""Is this frame talk? A small network with a memory over the levels of the bands.

Source: a recurrent unit with one gate ("minimal gated unit", Zhou et al. 2016, from a secondary
source); its weights were found by `tests.detection.fit_activity` on voices, music and noises of the
fitting family. The squashing function is a/(1+|a|), the network was fitted with it: no exponential
is taken, and all units are done at once.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.floor import Floors, total
from dsp.frame import FloatArray, IntArray
from dsp.jit import stage, summing_stage
from dsp.measure import Measures
from dsp.spectrum import BANDS, measure_levels
from dsp.state import Column, StateOwner
from dsp.voice_weights import BY_INPUT, OUT, OUT_BIAS

PAIRS: Final = BANDS // 2
UNITS: Final = 24
BEHIND_FRAMES: Final = 2
"""The score is of the frame 40 ms before: what comes after helps to tell. Chosen: measured, it
lifts the area under the curve in music from 0.90 to 0.93."""
INPUTS: Final = 32
"""Twelve pairs of bands over the floor, the same over the frame, the level; zeros to fill."""

LEVEL_DB_MIN: Final = np.float32(-90.0)
"""Below it a band is digital silence."""
OVER_FLOOR_DB: Final = (np.float32(-5.0), np.float32(40.0))
UNDER_TOTAL_DB: Final = (np.float32(-45.0), np.float32(0.0))
"""Inputs are cut here. Chosen."""
TOTAL_MIN: Final = BANDS * 1e-9

SCORE_MIN: Final = -2.0
"""Nats from which a frame that is loud enough is talk. Measured on the fitting family: it keeps
98 % of talk in quiet, in pink noise and in music of 5 dB, and refuses 86 % of the noise and 67 % of
the music. Chosen on the side of talk: what is kept wrongly only lengthens a talk-spurt."""

TALK_FRAMES: Final = 12
"""240 ms after its last frame a talk-spurt is over: pauses inside words are shorter. Chosen."""

_FLOOR, _SHAPE, _LEVEL, _ONE = 0, PAIRS, 2 * PAIRS, 2 * PAIRS + 1


class Owned(NamedTuple):
    """What belongs to a row."""

    memory: FloatArray
    score: FloatArray
    talking: IntArray


class Scores(NamedTuple):
    """State: the network's memory, and what it says of the last frame."""

    memory: FloatArray
    """[rows, 24]."""
    score: FloatArray
    """Logarithm of the odds that the frame of 40 ms ago was talk, nats."""
    talking: IntArray
    """Frames until the leg's talk is over; 0 while nobody talks."""
    given: FloatArray
    """Scratch of all rows: inputs, then the memory."""
    trace_db: FloatArray
    """Scratch: the trace of a row in dB."""
    made: FloatArray
    """Scratch: the gates' sums."""


def allocate(owner: StateOwner) -> Scores:
    """The arrays."""
    owned = owner.allocate(
        Owned,
        {
            "memory": Column(np.float32, (UNITS,)),
            "score": Column(np.float32),
            "talking": Column(np.int32),
        },
    )
    sizes = (INPUTS + UNITS, BANDS, 2 * UNITS)
    given, trace_db, made = (np.zeros(size, np.float32) for size in sizes)
    given[_ONE] = 1.0
    return Scores(*owned, given, trace_db, made)


@stage
def score_frame(i: int, measures: Measures, floors: Floors, scores: Scores) -> None:
    """Take a frame, its floor already followed, into the network; writes its score.

    Args:
        i: place of the leg in `measures`.
        measures: the levels of its bands are read.
        floors: the trace is read.
        scores: memory and score; all in this state.
    """
    row = measures.row[i]
    measure_levels(floors.trace_bits[row], scores.trace_db)
    level_db = float(10.0 * np.log10(total(measures.bands[i]) + TOTAL_MIN))
    present(measures.levels[i], scores.trace_db, level_db, scores.given)
    memory = scores.memory[row]
    for unit in range(UNITS):
        scores.given[INPUTS + unit] = memory[unit]
    for gate in range(2 * UNITS):
        scores.made[gate] = np.float32(0.0)
    for k in range(INPUTS + UNITS):
        weigh(BY_INPUT[k], scores.given[k], scores.made)
    scores.score[row] = remember(memory, scores.made)


@stage
def hear_talk(row: int, speech: bool, scores: Scores) -> None:
    """Take a frame into the talk-spurts: it is loud enough for speech, and scores as talk."""
    if speech and scores.score[row] >= SCORE_MIN:
        scores.talking[row] = TALK_FRAMES
    elif scores.talking[row] > 0:
        scores.talking[row] -= 1


@summing_stage
def present(levels: FloatArray, trace_db: FloatArray, level_db: float, given: FloatArray) -> None:
    """Write the inputs: pairs of bands over the floor and under the level, in units of 20 dB."""
    for pair in range(PAIRS):
        over = np.float32(0.0)
        under = np.float32(0.0)
        for band in range(2 * pair, 2 * pair + 2):
            level = max(levels[band], LEVEL_DB_MIN)
            over += min(max(level - trace_db[band], OVER_FLOOR_DB[0]), OVER_FLOOR_DB[1])
            under += min(max(level - np.float32(level_db), UNDER_TOTAL_DB[0]), UNDER_TOTAL_DB[1])
        given[_FLOOR + pair] = over * np.float32(0.05)
        given[_SHAPE + pair] = under * np.float32(0.05) + np.float32(2.0)
    given[_LEVEL] = min(max((level_db + 45.0) * 0.05, -1.5), 2.0)


@stage
def weigh(weights: FloatArray, given: float, made: FloatArray) -> None:
    """Add one input to the sums of all gates: eight at a time, four times as fast as by gate."""
    for gate in range(2 * UNITS):
        made[gate] += weights[gate] * given


@summing_stage
def remember(memory: FloatArray, made: FloatArray) -> float:
    """Move the memory towards what is new, by the gates; return the score."""
    score = OUT_BIAS
    for unit in range(UNITS):
        a = made[unit]
        b = made[UNITS + unit]
        keep = np.float32(0.5) + np.float32(0.5) * (a / (np.float32(1.0) + abs(a)))
        new = b / (np.float32(1.0) + abs(b))
        memory[unit] = keep * memory[unit] + (np.float32(1.0) - keep) * new
        score += OUT[unit] * memory[unit]
    return float(score)
