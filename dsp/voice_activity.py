"""Who speaks when, and how it sounds: bands over the floor, and sums over the cepstra of speech.

Source: energy over a traced floor is the oldest of voice detectors; the cepstrum over mel-like
bands is ordinary practice. Thresholds are chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp import fired
from dsp.fired import Fired, fire
from dsp.floor import total
from dsp.frame import FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage, summing_stage
from dsp.measure import Legs, Measures
from dsp.spectrum import BANDS
from dsp.state import Column, StateOwner

LEVEL_MIN: Final = power_of_dbm0(-48.0)
"""A voice on a telephone is above this. Chosen."""
OVER_BAND: Final = np.float32(4.0)
"""6 dB over the trace makes a band busy; five busy bands make speech. Chosen."""
BUSY_BANDS_MIN: Final = 5
OVER_ALL: Final = np.float32(3.0)
ONSET_FRAMES: Final = 3
"""60 ms in a row begin a talk-spurt. Chosen."""
HANG_FRAMES: Final = 10
"""200 ms without end it: the pauses inside words are shorter. Chosen."""

STEP_FRAMES: Final = 25
"""0.5 s of speech make one step of the comparison of voices. Chosen."""
LEVEL_DB_MIN: Final = np.float32(-90.0)
"""Below it a band is digital silence."""
CEPSTRA: Final = 9
"""The first is the level in dB over bands; the others its shape, in dB. Chosen."""
REFERENCE_FRAMES_MAX: Final = 3000
"""60 s of speech; then the past counts half. Chosen."""


def _cosines() -> FloatArray:
    """[9, 24] of the cosine transform; the first row is the mean."""
    k, band = np.arange(CEPSTRA)[:, None], np.arange(BANDS)[None, :]
    scale = np.where(k == 0, 1.0, 2.0) / BANDS
    return np.asarray(np.cos(np.pi * k * (band + 0.5) / BANDS) * scale, np.float32)


BASIS: Final = _cosines()

REFERENCE, STEP, FRESH = 0, 1, 2
FRESH_HOPS: Final = 8
"""The last 3.5 to 4 s are not believed yet: what turns out to be music is no voice."""
PARTS: Final = FRESH + FRESH_HOPS

PITCH_EVERY: Final = 2
"""Of the frames of speech every second one is asked for its pitch. Chosen: 0.3 µs each."""
PITCH_SAMPLES: Final = 80
"""A frame at 4 kHz."""
PITCH_LAGS: Final = (10, 48)
"""400 to 83 Hz: what 20 ms can show twice."""
PITCH_CLEAR_MIN: Final = 0.7
"""Normalised correlation one period apart, in a clear vowel. Chosen."""
PITCH_FIRST: Final = 0.8
"""The shortest lag this near to the best is the period; longer ones are its multiples. Chosen."""
PITCH_LAG_S: Final = 2 / 8000


class Owned(NamedTuple):
    """What belongs to a row."""

    speaking: IntArray
    onset: IntArray
    hang: IntArray
    other: IntArray
    frames: IntArray
    sums: FloatArray
    squares: FloatArray
    pitch: FloatArray
    hop: IntArray


class Voices(NamedTuple):
    """State: talk-spurts, and sums over the cepstra of the leg's speech."""

    speaking: IntArray
    onset: IntArray
    hang: IntArray
    other: IntArray
    """1 while the joined leg speaks: what is heard then may be its echo."""
    frames: IntArray
    """[rows, 10] of speech in the reference, in the current step, in the last hops."""
    sums: FloatArray
    squares: FloatArray
    """[rows, 10, 9]."""
    pitch: FloatArray
    """[rows, 10, 3] count, sum and sum of squares of the logarithm of the pitch."""
    hop: IntArray
    """Which of the last hops is the current one."""
    slow: FloatArray
    """Scratch of all rows: a frame at 4 kHz."""
    likeness: FloatArray
    """Scratch: its correlation at each lag."""


def allocate(owner: StateOwner) -> Voices:
    """The arrays."""
    owned = owner.allocate(
        Owned,
        {
            "speaking": Column(np.int32),
            "onset": Column(np.int32),
            "hang": Column(np.int32),
            "other": Column(np.int32),
            "frames": Column(np.int32, (PARTS,)),
            "sums": Column(np.float32, (PARTS, CEPSTRA)),
            "squares": Column(np.float32, (PARTS, CEPSTRA)),
            "pitch": Column(np.float32, (PARTS, 3)),
            "hop": Column(np.int32),
        },
    )
    slow, likeness = (np.zeros(n, np.float32) for n in (PITCH_SAMPLES, PITCH_LAGS[1] + 2))
    return Voices(*owned, slow, likeness)


@stage
def is_speech(bands: FloatArray, trace: FloatArray) -> bool:
    """Whether enough bands stand over the floor."""
    power = total(bands)
    if power < LEVEL_MIN or power < OVER_ALL * total(trace):
        return False
    busy = 0
    for band in range(BANDS):
        if bands[band] > OVER_BAND * trace[band]:
            busy += 1
    return busy >= BUSY_BANDS_MIN


@stage
def hear_voice(row: int, speech: bool, voices: Voices) -> None:
    """Take a frame into the talk-spurts."""
    if speech:
        voices.onset[row] += 1
        if voices.onset[row] >= ONSET_FRAMES:
            voices.speaking[row] = 1
            voices.hang[row] = HANG_FRAMES
        return
    voices.onset[row] = 0
    if voices.hang[row] > 0:
        voices.hang[row] -= 1
        if voices.hang[row] == 0:
            voices.speaking[row] = 0


@stage
def add_voice(i: int, measures: Measures, legs: Legs, voices: Voices, codes: Fired) -> None:
    """Take a frame of speech into the reference, or into the step if the leg is watched."""
    row = measures.row[i]
    into = STEP if legs.watch[row] != 0 else FRESH + voices.hop[row]
    sums = voices.sums[row, into]
    squares = voices.squares[row, into]
    for k in range(CEPSTRA):
        value = cepstrum(k, measures.levels[i])
        sums[k] += value
        squares[k] += value * value
    voices.frames[row, into] += 1
    if voices.frames[row, into] % PITCH_EVERY == 0:
        add_pitch(measures.samples[i], row, into, voices)
    if into == STEP and voices.frames[row, STEP] >= STEP_FRAMES:
        fire(codes, row, fired.VOICE_STEP, 0.0, 0.0)


@stage
def end_hop(row: int, drop: bool, voices: Voices) -> None:
    """Half a second has passed: the oldest hop goes into the reference, or is dropped."""
    voices.hop[row] = (voices.hop[row] + 1) % FRESH_HOPS
    oldest = FRESH + voices.hop[row]
    share = np.float32(0.0 if drop else 1.0)
    keep = np.float32(1.0)
    if voices.frames[row, REFERENCE] >= REFERENCE_FRAMES_MAX:
        keep = np.float32(0.5)
        voices.frames[row, REFERENCE] //= 2
    if not drop:
        voices.frames[row, REFERENCE] += voices.frames[row, oldest]
    voices.frames[row, oldest] = 0
    for part in (voices.sums[row], voices.squares[row], voices.pitch[row]):
        for k in range(part.shape[1]):
            part[REFERENCE, k] = keep * part[REFERENCE, k] + share * part[oldest, k]
            part[oldest, k] = np.float32(0.0)


@summing_stage
def cepstrum(k: int, levels: FloatArray) -> float:
    """One of the cepstra of a frame; a band without power counts as -90 dB."""
    value = np.float32(0.0)
    for band in range(BANDS):
        value += BASIS[k, band] * max(levels[band], LEVEL_DB_MIN)
    return float(value)


@stage
def add_pitch(samples: FloatArray, row: int, into: int, voices: Voices) -> None:
    """Take the pitch of a frame of speech, if it has one."""
    lag = period(samples, voices.slow, voices.likeness)
    if lag > 0.0:
        pitch = -np.log(lag * PITCH_LAG_S)
        voices.pitch[row, into, 0] += 1.0
        voices.pitch[row, into, 1] += pitch
        voices.pitch[row, into, 2] += pitch * pitch


@summing_stage
def correlate(slow: FloatArray, lag: int) -> float:
    """Product of a frame with itself, `lag` later."""
    both = np.float32(0.0)
    for n in range(PITCH_SAMPLES - lag):
        both += slow[n] * slow[n + lag]
    return float(both)


@stage
def period(samples: FloatArray, slow: FloatArray, likeness: FloatArray) -> float:
    """Pitch period in samples at 4 kHz, or 0 where there is none to be seen."""
    for n in range(PITCH_SAMPLES):
        slow[n] = samples[2 * n] + samples[2 * n + 1]
    for n in range(PITCH_SAMPLES - 1):
        slow[n] += slow[n + 1]
    best = 0.0
    early, late = 1e-9, 1e-9
    for n in range(PITCH_SAMPLES - PITCH_LAGS[0] + 2):
        early += slow[n] * slow[n]
        late += slow[PITCH_SAMPLES - 1 - n] * slow[PITCH_SAMPLES - 1 - n]
    for lag in range(PITCH_LAGS[0] - 1, PITCH_LAGS[1] + 2):
        early -= slow[PITCH_SAMPLES - lag] * slow[PITCH_SAMPLES - lag]
        late -= slow[lag - 1] * slow[lag - 1]
        likeness[lag] = correlate(slow, lag) / np.sqrt(early * late)
        if PITCH_LAGS[0] <= lag <= PITCH_LAGS[1]:
            best = max(best, likeness[lag])
    if best < PITCH_CLEAR_MIN:
        return 0.0
    for lag in range(PITCH_LAGS[0], PITCH_LAGS[1] + 1):
        left, here, right = likeness[lag - 1], likeness[lag], likeness[lag + 1]
        if here >= PITCH_FIRST * best and left <= here >= right:
            return float(lag + 0.5 * (left - right) / (left - 2.0 * here + right - 1e-6))
    return 0.0
