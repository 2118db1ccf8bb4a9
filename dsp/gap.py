"""Gaps: stretches in which the far end's floor falls away; and silence, and masking noise.

Source: the floor-drop gate is in expired art (US 5,768,355); silence alone is only the gate here.
Times and levels are chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp import fired
from dsp.fired import Fired, fire
from dsp.floor import BASE_FRAMES, Floors, distance_db, is_known, total
from dsp.frame import FRAME_S, FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage
from dsp.measure import LOSS_BITS, PLAYING_BIT, Legs, Measures
from dsp.state import Column, StateOwner
from dsp.voice_activity import Voices
from dsp.voice_score import Scores

LOW: Final = 0.25
"""6 dB under the baseline."""
LOW_FRAMES: Final = 8
"""60 ms of it, and 100 ms more in which no frame may be lost."""
QUIET_SAMPLES: Final = 80
"""Half of the samples within one step of zero make a frame digitally silent."""
QUIET_FRAMES: Final = 10
"""200 ms of it."""
LOSS_FRAMES: Final = 5
"""Nothing counts within 100 ms of lost, late or absent frames."""
SHARP_POWER: Final = power_of_dbm0(-36.0)
"""A gap's edge is sharp if the frame beside it is this loud: cut in mid-word. Chosen."""

FLOOR_SAME_DB: Final = 3.0
FLOOR_SAME_FRAMES: Final = 10
OTHER_FRAMES: Final = 25
"""The old room's floor for 0.2 s, or any other floor for 0.5 s, ends a gap. Chosen."""
GAP_FRAMES_MAX: Final = 3000
"""After a minute the new floor is the floor, and the baseline is learned anew. Chosen."""
STEP_FRAMES: Final = 25

ENDED_FLOOR, ENDED_VOICE, ENDED_OTHER, ENDED_LOSS = 0, 1, 2, 3
ENDED_SHARP: Final = 10
"""Added if both edges were sharp, on a line with a known floor: others gate themselves."""
DISTANCE_UNKNOWN: Final = -1.0
DISTANCE_SILENCE: Final = 99.0
"""Of a floor that vanished into digital silence while the baseline is a room."""

NOISE_POWER: Final = power_of_dbm0(-30.0)
NOISE_OVER_BASE: Final = 10**1.5
NOISE_OVER_BASE_END: Final = 10**1.0
NOISE_FRAMES: Final = 150
"""≥ -30 dBm0 and ≥ 15 dB over the baseline for 3 s; over below 10 dB. Chosen."""

SILENCE_FRAMES: Final = 3000
"""60 s. Chosen."""

(
    _LOW_RUN, _QUIET_RUN, _IN_GAP, _GAP_FRAMES, _STEP, _TALKED, _FLOOR_RUN, _OTHER_RUN,
    _SINCE_LOSS, _SHARP_BEGIN, _SHARP_END, _NOISE_RUN, _NOISY, _SILENT, _PASSED, _PLAYING,
    _NUMBERS,
) = range(17)  # fmt: skip


class Gaps(NamedTuple):
    """State of the gap machine."""

    number: IntArray
    last_power: FloatArray


def allocate(owner: StateOwner) -> Gaps:
    """The arrays."""
    return owner.allocate(
        Gaps, {"number": Column(np.int32, (_NUMBERS,)), "last_power": Column(np.float32)}
    )


@stage
def is_calm(row: int, gaps: Gaps) -> bool:
    """Whether no frame was lost within the last 100 ms."""
    return bool(gaps.number[row, _SINCE_LOSS] >= LOSS_FRAMES)


@stage
def in_gap(row: int, gaps: Gaps) -> bool:
    """Whether the leg is in a gap."""
    return bool(gaps.number[row, _IN_GAP] != 0)


@stage
def pass_time(row: int, flags: int, gaps: Gaps) -> None:
    """Every beat of a leg, with sound or without: the loss clock."""
    number = gaps.number[row]
    number[_PASSED] = 1
    number[_PLAYING] = 1 if (flags & PLAYING_BIT) != 0 else 0
    if (flags & LOSS_BITS) != 0:
        number[_SINCE_LOSS] = 0
        number[_LOW_RUN] = 0
        number[_QUIET_RUN] = 0
    else:
        number[_SINCE_LOSS] += 1


@stage
def hear_gap(
    i: int, measures: Measures, ears: tuple[Gaps, Floors, Voices], tonal: bool, codes: Fired
) -> None:
    """Take one outside leg's frame; fires GAP_BEGAN and GAP_ENDED."""
    gaps, floors, _ = ears
    row = measures.row[i]
    number = gaps.number[row]
    power = total(measures.bands[i])
    known = is_known(row, floors)
    low = known and power < LOW * total(floors.base[row])
    quiet = measures.quiet[i] >= QUIET_SAMPLES
    if number[_IN_GAP] == 0:
        if tonal or number[_PLAYING] != 0 or number[_SINCE_LOSS] < LOSS_FRAMES:
            number[_LOW_RUN] = 0
            number[_QUIET_RUN] = 0
        else:
            wait_for_gap(row, (low, quiet), gaps, codes)
    else:
        end_gap(row, (low or quiet, known, tonal), ears, power, codes)
    gaps.last_power[row] = power


@stage
def wait_for_gap(row: int, frame: tuple[bool, bool], gaps: Gaps, codes: Fired) -> None:
    """Count low and quiet frames; enough of them begin a gap."""
    number = gaps.number[row]
    low, quiet = frame
    if (low or quiet) and number[_LOW_RUN] == 0 and number[_QUIET_RUN] == 0:
        number[_SHARP_BEGIN] = 1 if gaps.last_power[row] > SHARP_POWER else 0
    number[_LOW_RUN] = number[_LOW_RUN] + 1 if low else 0
    number[_QUIET_RUN] = number[_QUIET_RUN] + 1 if quiet else 0
    if number[_LOW_RUN] >= LOW_FRAMES or number[_QUIET_RUN] >= QUIET_FRAMES:
        number[_GAP_FRAMES] = max(number[_LOW_RUN], number[_QUIET_RUN])
        number[_IN_GAP] = 1
        number[_STEP] = 0
        number[_TALKED] = 0
        number[_FLOOR_RUN] = 0
        number[_OTHER_RUN] = 0
        fire(codes, row, fired.GAP_BEGAN, number[_GAP_FRAMES] * FRAME_S, number[_SHARP_BEGIN])


@stage
def end_gap(
    row: int,
    frame: tuple[bool, bool, bool],
    ears: tuple[Gaps, Floors, Voices],
    power: float,
    codes: Fired,
) -> None:
    """A gap lasts until a voice, the old floor, or another floor is there."""
    gaps, floors, voices = ears
    number = gaps.number[row]
    silent, known, tonal = frame
    if number[_PLAYING] == 0:
        number[_GAP_FRAMES] += 1
    if number[_SINCE_LOSS] < LOSS_FRAMES and number[_GAP_FRAMES] < LOW_FRAMES + LOSS_FRAMES:
        leave_gap(row, ENDED_LOSS, 0, gaps, codes)
        return
    if number[_GAP_FRAMES] > GAP_FRAMES_MAX:
        floors.base_frames[row] = 0
        leave_gap(row, ENDED_OTHER, 0, gaps, codes)
        return
    if tonal or silent:
        number[_FLOOR_RUN] = 0
        number[_OTHER_RUN] = 0
        return
    number[_OTHER_RUN] += 1
    if number[_OTHER_RUN] == 1:
        number[_SHARP_END] = 1 if known and power > SHARP_POWER else 0
    if voices.speaking[row] != 0 and voices.onset[row] > 0:
        leave_gap(row, ENDED_VOICE, number[_OTHER_RUN], gaps, codes)
        return
    if known and distance_db(row, floors) < FLOOR_SAME_DB:
        number[_FLOOR_RUN] += 1
    else:
        number[_FLOOR_RUN] = 0
    if number[_FLOOR_RUN] >= FLOOR_SAME_FRAMES:
        leave_gap(row, ENDED_FLOOR, number[_OTHER_RUN], gaps, codes)
    elif number[_OTHER_RUN] >= OTHER_FRAMES:
        leave_gap(row, ENDED_OTHER, number[_OTHER_RUN], gaps, codes)


@stage
def leave_gap(row: int, how: int, since: int, gaps: Gaps, codes: Fired) -> None:
    """Tell that a gap is over, and how long it was until `since` frames ago."""
    number = gaps.number[row]
    if number[_SHARP_BEGIN] != 0 and number[_SHARP_END] != 0:
        how += ENDED_SHARP
    fire(codes, row, fired.GAP_ENDED, (number[_GAP_FRAMES] - since) * FRAME_S, how)
    number[_IN_GAP] = 0
    number[_LOW_RUN] = 0
    number[_QUIET_RUN] = 0


@stage
def hear_noise(row: int, gaps: Gaps, floors: Floors, codes: Fired) -> None:
    """Masking noise: the floor itself is loud, and was not before."""
    number = gaps.number[row]
    level = total(floors.trace[row])
    base = total(floors.base[row])
    if number[_NOISY] != 0:
        if level < NOISE_OVER_BASE_END * base:
            number[_NOISY] = 0
            fire(codes, row, fired.NOISE_OVER, 0.0, 0.0)
        return
    loud = level >= NOISE_POWER and level >= NOISE_OVER_BASE * base
    if not loud or floors.base_frames[row] < BASE_FRAMES:
        number[_NOISE_RUN] = 0
        return
    number[_NOISE_RUN] += 1
    if number[_NOISE_RUN] >= NOISE_FRAMES:
        number[_NOISE_RUN] = 0
        number[_NOISY] = 1
        fire(codes, row, fired.NOISE, 10.0 * np.log10(level / (base + 1e-10)), 0.0)


@stage
def hear_both(
    row: int, legs: Legs, ears: tuple[Gaps, Floors, Voices, Scores], codes: Fired
) -> None:
    """After all legs were heard: what takes both sides. Fires GAP_STEP and SILENCE.

    A loud frame is enough to be a voice in a gap; silence is that of talk, with noise or without.
    """
    gaps, floors, voices, scores = ears
    number = gaps.number[row]
    if number[_PASSED] == 0:
        return
    number[_PASSED] = 0
    if legs.is_b[row] == 0:
        return
    partner = legs.partner[row]
    other = voices.speaking[partner] if partner >= 0 else 0
    voices.other[row] = other
    talking = scores.talking[row] + (scores.talking[partner] if partner >= 0 else 0)
    if talking > 0 or number[_PLAYING] != 0:
        number[_SILENT] = 0
    else:
        number[_SILENT] += 1
        if number[_SILENT] % SILENCE_FRAMES == 0:
            fire(codes, row, fired.SILENCE, number[_SILENT] * FRAME_S, 0.0)
    if number[_IN_GAP] == 0 or number[_PLAYING] != 0:
        return
    number[_STEP] += 1
    number[_TALKED] += other
    if number[_STEP] >= STEP_FRAMES:
        distance = DISTANCE_UNKNOWN
        if is_known(row, floors):
            distance = distance_db(row, floors)
            if number[_QUIET_RUN] > 0:
                distance = DISTANCE_SILENCE
        fire(codes, row, fired.GAP_STEP, number[_TALKED] / STEP_FRAMES, distance)
        number[_STEP] = 0
        number[_TALKED] = 0
