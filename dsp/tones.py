"""Call-progress tones: phasors of a frame in; dial tone, ringback, busy, SIT, fax and TTY out.

Source: the Precise Tone Plan and ITU-T E.180 (dial, ring, busy: frequencies and cadences), the
special information tones of ITU-T E.180 §6 in their North American form, ITU-T V.18 (TTY),
ITU-T T.30 (CNG, CED); all by way of secondary sources.

A frame of 20 ms cannot part 440 from 480 Hz by itself; but for a known pair what each column picks
up of the other tone is known too, and two equations give both phasors. What a run of frames then
has to show: purity, a steady phase, and the frequency within tolerance.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp import fired
from dsp.fired import Fired, fire
from dsp.frame import FRAME_S, FRAME_SAMPLES, FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage
from dsp.measure import Measures
from dsp.spectrum import TONES_HZ, TONES_SIN, cross_gain
from dsp.state import Column, StateOwner

LEVEL_DBM0_MIN: Final = -42.0
"""Each tone. Field receivers take -40 dBm (Blueworx)."""
POWER_MIN: Final = power_of_dbm0(LEVEL_DBM0_MIN)

DIAL, RING, BUSY, NO_PAIR = 0, 1, 2, -1
PAIRS_HZ: Final = ((350.0, 440.0), (440.0, 480.0), (480.0, 620.0))
PAIRS: Final = np.array([[TONES_HZ.index(f) for f in pair] for pair in PAIRS_HZ], np.int32)
PURITY_PAIR_MIN: Final = np.array([0.75, 0.6, 0.75], np.float32)
"""Share of the frame's power; less for ringback, which comes in noise. Chosen."""
TWIST_MAX: Final = 10**0.8
"""8 dB either way: sent within 1.5 dB each (Precise Tone Plan), the rest is the line. Chosen."""
DEVIATION_MAX: Final = 0.02
"""Sent within 0.5 % (Precise Tone Plan). Chosen: field windows are ±9 %, music needs less."""
COHERENCE_MIN: Final = 0.88
"""Of the phase from frame to frame: no vibrato, no voice. Chosen."""

DIAL_FRAMES: Final = 8
"""160 ms: dial tone must be known within 0.2 s, to hold the caller's digits back. Chosen."""
RING_FRAMES: Final = 45
"""0.9 s of the 2 s (or of a PBX's 1 s). Chosen."""
REPEAT_FRAMES: Final = 50
"""A lasting tone is told again each second. Chosen."""
BUSY_ON_FRAMES: Final = (19, 29)
BUSY_OFF_FRAMES: Final = (19, 33)
REORDER_ON_FRAMES: Final = (7, 17)
REORDER_OFF_FRAMES: Final = (7, 19)
"""0.5/0.5 s and 0.25/0.25 s (old 0.2/0.3), Precise Tone Plan; a run may miss two edge frames."""

SINGLES_HZ: Final = (913.8, 950.0, 985.2, 1370.6, 1400.0, 1428.5, 1776.7, 1800.0, 1100.0, 2100.0)
SINGLES: Final = np.array([TONES_HZ.index(f) for f in SINGLES_HZ], np.int32)
SINGLES_AT_HZ: Final = np.array(SINGLES_HZ, np.float32)
FIRST, SECOND, THIRD, CNG, CED, NO_SINGLE = 0, 1, 2, 3, 4, -1
SINGLES_GROUP: Final = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3, 4], np.int32)
PURITY_SINGLE_MIN: Final = 0.55
"""A tone midway between two columns still shows 0.75 of its power. Chosen."""

SIT_FRAMES: Final = (10, 24)
"""274 or 380 ms, or 330±70 in the ITU-T form, less the edge frames."""
SIT_LONG_FRAMES: Final = 16
"""From here on long: 274 ms gives 12 to 14 whole frames, 380 gives 17 to 19."""
SIT_PAUSE_FRAMES: Final = 4
"""ITU-T: ≤ 30 ms; and two edge frames."""
SIT_THIRD_FRAMES: Final = 12
"""240 ms of the last tone suffice. Chosen."""
SIT_ITU_HZ: Final = (938.0, 962.0)
"""Between the low (913.8) and the high (985.2) first tone lies the ITU-T form's 950."""
SIT_CLASSES: Final = ("intercept", "reorder", "vacant", "no_circuit", "unknown")
"""By the length of the first two tones: SS, SL, LS, LL."""

CNG_FRAMES: Final = 22
"""0.5 s sent, ITU-T T.30."""
CED_FRAMES: Final = 50
"""2.6 to 4 s sent, ITU-T T.30; 1 s is enough."""

TTY_MARK: Final = TONES_HZ.index(1400.0)
TTY_SPACE: Final = TONES_HZ.index(1800.0)
TTY_PURITY_MIN: Final = 0.45
"""A frame in which a 22 ms bit changes halfway shows half its power (ITU-T V.18: 45.45 Bd)."""
TTY_FRAMES: Final = 15
"""300 ms of toggling. Chosen."""
TTY_TOGGLES: Final = 4
TTY_REST_FRAMES: Final = 250
"""5 s without it: the next is told again. Chosen."""


def _parting() -> np.ndarray[tuple[int, ...], np.dtype[np.complex64]]:
    """[3, 2]: for each pair what the first column picks up of the second tone, and vice versa."""
    return np.array(
        [
            [cross_gain(a, b, FRAME_SAMPLES), cross_gain(b, a, FRAME_SAMPLES)]
            for a, b in PAIRS_HZ
        ],
        np.complex64,
    )  # fmt: skip


PARTING: Final = _parting()
FRAME_STEP: Final = np.array([np.exp(-2j * np.pi * f * FRAME_S) for f in TONES_HZ], np.complex64)
"""Turns a phasor back by the 20 ms in which a tone on its frequency turns forward."""

# Columns of the state: numbers, then the runs of the pair and of the single tone.
(
    _PAIR, _PAIR_FRAMES, _PAIR_MISSES, _SINCE_PAIR, _CYCLES, _CADENCE,
    _GROUP, _COLUMN, _GROUP_FRAMES, _SIT, _SINCE_SIT, _SIT_ONE, _SIT_TWO, _SIT_ITU,
    _TTY, _TTY_SIDE, _TTY_TOGGLES, _TTY_LATCH, _NUMBERS,
) = range(19)  # fmt: skip
(
    _A_RE, _A_IM, _B_RE, _B_IM, _LAG_A_RE, _LAG_A_IM, _LAG_B_RE, _LAG_B_IM, _NORM_A, _NORM_B,
    _S_RE, _S_IM, _LAG_S_RE, _LAG_S_IM, _RUN,
) = range(15)  # fmt: skip


class Tones(NamedTuple):
    """State of the tone machines."""

    number: IntArray
    run: FloatArray


def allocate(owner: StateOwner) -> Tones:
    """The machines' arrays."""
    return owner.allocate(
        Tones, {"number": Column(np.int32, (_NUMBERS,)), "run": Column(np.float32, (_RUN,))}
    )


@stage
def hear_tones(i: int, measures: Measures, tones: Tones, codes: Fired) -> None:
    """Take one leg's frame; fires DIAL_TONE, RINGBACK, BUSY, REORDER, SIT, FAX, TTY.

    Args:
        i: place of the leg in `measures`.
        measures: its frame's phasors and power are read.
        tones: runs, cadences and sequences, all in this state.
        codes: what fires.
    """
    row = measures.row[i]
    z = measures.frame_z[i]
    power = measures.power[i]
    number = tones.number[row]
    if power < POWER_MIN:
        lose_tones(row, tones, codes)
        if number[_TTY] > 0:
            number[_TTY] -= 1
        elif number[_TTY_LATCH] > 0:
            number[_TTY_LATCH] -= 1
        return
    pair, phasors = best_pair(z, power)
    step_pair(pair, phasors, row, tones, codes)
    column, phasor = best_single(z, power, number)
    step_single(column, phasor, row, tones, codes)
    hear_tty(z, power, row, number, codes)


@stage
def lose_tones(row: int, tones: Tones, codes: Fired) -> None:
    """20 ms passed without sound: every run ends."""
    step_pair(NO_PAIR, (0j, 0j), row, tones, codes)
    step_single(-1, 0j, row, tones, codes)


@stage
def is_tonal(row: int, tones: Tones) -> bool:
    """Whether a machine's tone is on; a voice may hit one frame, not three."""
    number = tones.number[row]
    return bool(number[_PAIR_FRAMES] > 0 or number[_GROUP_FRAMES] > 2 or number[_TTY_LATCH] > 0)


@stage
def square(z: complex) -> float:
    """|z|²."""
    return z.real * z.real + z.imag * z.imag


@stage
def best_pair(z: FloatArray, power: float) -> tuple[int, tuple[complex, complex]]:
    """The pair that explains the frame best, or NO_PAIR, and its phasors."""
    best = NO_PAIR
    most = 0.0
    phasors = (0j, 0j)
    for pair in range(3):
        one = PAIRS[pair, 0]
        two = PAIRS[pair, 1]
        raw_a = complex(z[one], z[TONES_SIN + one])
        raw_b = complex(z[two], z[TONES_SIN + two])
        if square(raw_a) + square(raw_b) < 0.4 * power:
            continue
        whole = 1.0 / (1.0 - PARTING[pair, 0] * PARTING[pair, 1])
        a = (raw_a - PARTING[pair, 0] * raw_b) * whole
        b = (raw_b - PARTING[pair, 1] * raw_a) * whole
        power_a = square(a)
        power_b = square(b)
        if power_a < POWER_MIN or power_b < POWER_MIN:
            continue
        if power_a > TWIST_MAX * power_b or power_b > TWIST_MAX * power_a:
            continue
        purity = (power_a + power_b) / power
        if purity > PURITY_PAIR_MIN[pair] and purity > most:
            most = purity
            best = pair
            phasors = (a, b)
    return best, phasors


@stage
def step_pair(
    pair: int, phasors: tuple[complex, complex], row: int, tones: Tones, codes: Fired
) -> None:
    """Lengthen the run of a pair, or end it."""
    number = tones.number[row]
    run = tones.run[row]
    if number[_PAIR_FRAMES] > 0 and pair != number[_PAIR]:
        number[_PAIR_MISSES] += 1
        if pair == NO_PAIR and number[_PAIR_MISSES] == 1:
            return
        if is_steady(run, number[_PAIR]):
            end_pair(row, number, codes)
        number[_PAIR_FRAMES] = 0
        number[_SINCE_PAIR] = number[_PAIR_MISSES] - 1
    if pair == NO_PAIR:
        number[_SINCE_PAIR] += 1
        return
    if number[_PAIR_FRAMES] == 0:
        number[_PAIR] = pair
        run[: _NORM_B + 1] = 0.0
    elif number[_PAIR_MISSES] == 0:
        add_lags(run, pair, phasors)
    number[_PAIR_FRAMES] += 1
    number[_PAIR_MISSES] = 0
    run[_A_RE], run[_A_IM] = phasors[0].real, phasors[0].imag
    run[_B_RE], run[_B_IM] = phasors[1].real, phasors[1].imag
    tell_lasting(row, number, run, codes)


@stage
def add_lags(run: FloatArray, pair: int, phasors: tuple[complex, complex]) -> None:
    """Add the phase advance of both tones from the last frame to this one."""
    last_a = complex(run[_A_RE], run[_A_IM])
    last_b = complex(run[_B_RE], run[_B_IM])
    lag_a = phasors[0] * last_a.conjugate() * FRAME_STEP[PAIRS[pair, 0]]
    lag_b = phasors[1] * last_b.conjugate() * FRAME_STEP[PAIRS[pair, 1]]
    run[_LAG_A_RE] += lag_a.real
    run[_LAG_A_IM] += lag_a.imag
    run[_LAG_B_RE] += lag_b.real
    run[_LAG_B_IM] += lag_b.imag
    run[_NORM_A] += abs(phasors[0]) * abs(last_a)
    run[_NORM_B] += abs(phasors[1]) * abs(last_b)


@stage
def is_steady(run: FloatArray, pair: int) -> bool:
    """Both tones on their frequency, with a phase that a machine made."""
    if np.hypot(run[_LAG_A_RE], run[_LAG_A_IM]) < COHERENCE_MIN * run[_NORM_A]:
        return False
    if np.hypot(run[_LAG_B_RE], run[_LAG_B_IM]) < COHERENCE_MIN * run[_NORM_B]:
        return False
    off_a = np.arctan2(run[_LAG_A_IM], run[_LAG_A_RE]) / (2.0 * np.pi * FRAME_S)
    off_b = np.arctan2(run[_LAG_B_IM], run[_LAG_B_RE]) / (2.0 * np.pi * FRAME_S)
    if abs(off_a) > DEVIATION_MAX * TONES_HZ[PAIRS[pair, 0]]:
        return False
    return bool(abs(off_b) <= DEVIATION_MAX * TONES_HZ[PAIRS[pair, 1]])


@stage
def tell_lasting(row: int, number: IntArray, run: FloatArray, codes: Fired) -> None:
    """Dial tone and ringback are told while they last."""
    frames = number[_PAIR_FRAMES]
    first = DIAL_FRAMES if number[_PAIR] == DIAL else RING_FRAMES
    if number[_PAIR] == BUSY or frames < first or (frames - first) % REPEAT_FRAMES != 0:
        return
    if is_steady(run, number[_PAIR]):
        code = fired.DIAL_TONE if number[_PAIR] == DIAL else fired.RINGBACK
        fire(codes, row, code, frames * FRAME_S, 0.0)


@stage
def end_pair(row: int, number: IntArray, codes: Fired) -> None:
    """A steady run ended: busy and reorder are known by their cadence."""
    if number[_PAIR] != BUSY:
        number[_CYCLES] = 0
        return
    on = number[_PAIR_FRAMES]
    off = number[_SINCE_PAIR]
    cadence = 0
    in_time = False
    if BUSY_ON_FRAMES[0] <= on <= BUSY_ON_FRAMES[1]:
        cadence = fired.BUSY
        in_time = BUSY_OFF_FRAMES[0] <= off <= BUSY_OFF_FRAMES[1]
    elif REORDER_ON_FRAMES[0] <= on <= REORDER_ON_FRAMES[1]:
        cadence = fired.REORDER
        in_time = REORDER_OFF_FRAMES[0] <= off <= REORDER_OFF_FRAMES[1]
    if cadence == 0 or cadence != number[_CADENCE] or not in_time:
        number[_CYCLES] = 0
    number[_CADENCE] = cadence
    if cadence != 0:
        number[_CYCLES] += 1
        if number[_CYCLES] >= 2:
            fire(codes, row, cadence, number[_CYCLES], 0.0)


@stage
def best_single(z: FloatArray, power: float, number: IntArray) -> tuple[int, complex]:
    """The single tone that explains the frame, as a place in SINGLES, or -1."""
    best = -1
    most = PURITY_SINGLE_MIN * power
    for at in range(10):
        column = SINGLES[at]
        tone = square(complex(z[column], z[TONES_SIN + column]))
        if tone > most:
            most = tone
            best = at
    if best < 0:
        return -1, 0j
    if number[_GROUP_FRAMES] > 0 and SINGLES_GROUP[best] == number[_GROUP]:
        best = number[_COLUMN]
    column = SINGLES[best]
    return best, complex(z[column], z[TONES_SIN + column])


@stage
def step_single(at: int, phasor: complex, row: int, tones: Tones, codes: Fired) -> None:
    """Lengthen the run of a single tone, or end it."""
    number = tones.number[row]
    run = tones.run[row]
    group = SINGLES_GROUP[at] if at >= 0 else NO_SINGLE
    if number[_GROUP_FRAMES] > 0 and group != number[_GROUP]:
        end_single(number, run)
        number[_GROUP_FRAMES] = 0
    number[_SINCE_SIT] += 1
    if group == NO_SINGLE:
        return
    if number[_GROUP_FRAMES] == 0:
        number[_GROUP] = group
        number[_COLUMN] = at
        run[_LAG_S_RE] = 0.0
        run[_LAG_S_IM] = 0.0
        if group == SECOND and number[_SIT] == 1 and number[_SINCE_SIT] > SIT_PAUSE_FRAMES:
            number[_SIT] = 0
        if group == THIRD and number[_SIT] == 2 and number[_SINCE_SIT] > SIT_PAUSE_FRAMES:
            number[_SIT] = 0
    else:
        last = complex(run[_S_RE], run[_S_IM])
        lag = phasor * last.conjugate() * FRAME_STEP[SINGLES[at]]
        run[_LAG_S_RE] += lag.real
        run[_LAG_S_IM] += lag.imag
    run[_S_RE], run[_S_IM] = phasor.real, phasor.imag
    number[_GROUP_FRAMES] += 1
    tell_single(row, number, codes)


@stage
def end_single(number: IntArray, run: FloatArray) -> None:
    """A single tone ended: the first or second of a SIT?"""
    frames = number[_GROUP_FRAMES]
    long_enough = SIT_FRAMES[0] <= frames <= SIT_FRAMES[1]
    is_long = 1 if frames >= SIT_LONG_FRAMES else 0
    if number[_GROUP] == FIRST and long_enough:
        off = np.arctan2(run[_LAG_S_IM], run[_LAG_S_RE]) / (2.0 * np.pi * FRAME_S)
        heard_hz = SINGLES_AT_HZ[number[_COLUMN]] + off
        number[_SIT] = 1
        number[_SIT_ONE] = is_long
        number[_SIT_ITU] = 1 if SIT_ITU_HZ[0] < heard_hz < SIT_ITU_HZ[1] else 0
        number[_SINCE_SIT] = 0
    elif number[_GROUP] == SECOND and long_enough and number[_SIT] == 1:
        number[_SIT] = 2
        number[_SIT_TWO] = is_long
        number[_SINCE_SIT] = 0
    elif frames > 2:
        number[_SIT] = 0


@stage
def tell_single(row: int, number: IntArray, codes: Fired) -> None:
    """The last tone of a SIT, CNG and CED are told while they last."""
    frames = number[_GROUP_FRAMES]
    group = number[_GROUP]
    if group == THIRD and number[_SIT] == 2 and frames == SIT_THIRD_FRAMES:
        heard = 4 if number[_SIT_ITU] == 1 else 2 * number[_SIT_ONE] + number[_SIT_TWO]
        fire(codes, row, fired.SIT, heard, 0.0)
        number[_SIT] = 0
    elif group == CNG and frames == CNG_FRAMES:
        fire(codes, row, fired.FAX, 0.0, frames * FRAME_S)
    elif group == CED and frames == CED_FRAMES:
        fire(codes, row, fired.FAX, 1.0, frames * FRAME_S)


@stage
def hear_tty(z: FloatArray, power: float, row: int, number: IntArray, codes: Fired) -> None:
    """Toggling between mark and space with nearly all of the power."""
    mark = square(complex(z[TTY_MARK], z[TONES_SIN + TTY_MARK]))
    space = square(complex(z[TTY_SPACE], z[TONES_SIN + TTY_SPACE]))
    if mark + space < TTY_PURITY_MIN * power:
        if number[_TTY] > 0:
            number[_TTY] -= 1
        else:
            number[_TTY_TOGGLES] = 0
            if number[_TTY_LATCH] > 0:
                number[_TTY_LATCH] -= 1
        return
    number[_TTY] = min(number[_TTY] + 1, 2 * TTY_FRAMES)
    side = 1 if mark > 2.0 * space else (2 if space > 2.0 * mark else 0)
    if side != 0 and side != number[_TTY_SIDE]:
        number[_TTY_SIDE] = side
        number[_TTY_TOGGLES] += 1
    if number[_TTY] >= TTY_FRAMES and number[_TTY_TOGGLES] >= TTY_TOGGLES:
        if number[_TTY_LATCH] == 0:
            fire(codes, row, fired.TTY, number[_TTY] * FRAME_S, 0.0)
        number[_TTY_LATCH] = TTY_REST_FRAMES
