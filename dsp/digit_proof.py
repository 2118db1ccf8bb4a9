"""Proof of a digit: the samples under two tones, weighed as key against voice or music.

Source: logistic regression on digits and on candidates in talk and music of the fitting family;
`make detection` reports the result on the other family. A keypad makes two steady tones from one
clock, with nothing near them; a voice makes a row of harmonics that glide, of which two happen to
lie on a key.

The receiver asks only where two tones already look like a key: 25 times per hour of talk
(measured). Nothing is allocated: the residue goes to a scratch that the caller owns.
"""

from typing import Final

import numpy as np

from dsp.frame import RATE_HZ, FloatArray
from dsp.jit import stage

HALVES_MAX: Final = 10
"""100 ms: what is not proved by then is not asked again. Measured on candidates of this length."""
CELL_SAMPLES: Final = 40
"""5 ms; phases are read from two cells at a time, every cell. Chosen."""

NEAR_HZ: Final = (75.0, 350.0)
NEAR_STEP_HZ: Final = 25.0
"""Where the strongest neighbour of a tone is sought: a voice's next harmonic lies 75 to 350 Hz
away. Chosen."""

RESIDUE_DB: Final = (-20.0, 5.0)
NEAR_DB: Final = (-25.0, 10.0)
PHASE_MIN: Final = -4.0
"""Features are cut here, so that a clean tone gains no more than a good one. Chosen."""
DISAGREEMENT_MAX: Final = 2.6
"""% of the frequency: beyond it tells no more, and a clean key at both limits of Q.24, row high and
column low, is still taken. Chosen."""

BIAS: Final = -8.44
PER_RESIDUE_DB: Final = -0.784
PER_NEAR_DB: Final = -0.403
PER_PHASE: Final = -1.294
PER_DEVIATION: Final = -1.389
PER_DISAGREEMENT: Final = -7.368
"""Nats. Fitted; the disagreement weighs most, for a key's two tones come from one clock."""
PROOF_NATS_MIN: Final = 4.0
"""Measured on candidates of the fitting family, by which the weights were found: none in 30.9 h of
talk and 8.7 h of music; at 3, 3 in music."""

_PAIR_S: Final = 2 * CELL_SAMPLES / RATE_HZ


@stage
def prove(sound: FloatArray, residue: FloatArray, low_hz: float, high_hz: float) -> float:
    """How much two tones look like a key rather than a voice.

    Args:
        sound: samples under the tones, a multiple of 40, 160 at least, ±1.0 is full scale.
        residue: scratch, as long as `sound`; holds what the tones leave.
        low_hz: frequency of the row.
        high_hz: of the column.

    Returns:
        Log-likelihood ratio in nats.
    """
    residue_db, near_db, phase, deviation, disagreement = features(sound, residue, low_hz, high_hz)
    return (
        BIAS
        + PER_RESIDUE_DB * residue_db
        + PER_NEAR_DB * near_db
        + PER_PHASE * phase
        + PER_DEVIATION * deviation
        + PER_DISAGREEMENT * disagreement
    )


@stage
def features(
    sound: FloatArray, residue: FloatArray, low_hz: float, high_hz: float
) -> tuple[float, float, float, float, float]:
    """What is weighed: residue and neighbours in dB, phase, deviation and disagreement in %."""
    at_low = refine(sound, refine(sound, low_hz))
    at_high = refine(sound, refine(sound, high_hz))
    low, high = both(sound, at_low, at_high)
    left = subtract(sound, residue, (at_low, at_high), (low, high))
    tones = 0.5 * (abs(low) ** 2 + abs(high) ** 2) + 1e-12
    residue_db = decibels(np.sqrt((left + 1e-9) / tones))
    near_low = strongest_near(residue, at_low, at_high)
    near_high = strongest_near(residue, at_high, at_low)
    near_db = cut(decibels((near_low + 1e-6) / (abs(low) + 1e-9)), NEAR_DB) + cut(
        decibels((near_high + 1e-6) / (abs(high) + 1e-9)), NEAR_DB
    )
    phase = max(np.log(wander(sound, at_low) + 0.003), PHASE_MIN)
    phase += max(np.log(wander(sound, at_high) + 0.003), PHASE_MIN)
    off_low = 100.0 * (at_low / low_hz - 1.0)
    off_high = 100.0 * (at_high / high_hz - 1.0)
    return (
        cut(residue_db, RESIDUE_DB),
        near_db,
        phase,
        abs(off_low) + abs(off_high),
        min(abs(off_low - off_high), DISAGREEMENT_MAX),
    )


@stage
def cut(value: float, limits: tuple[float, float]) -> float:
    """The value, held between the limits."""
    return min(max(value, limits[0]), limits[1])


@stage
def decibels(ratio: float) -> float:
    """Of amplitudes."""
    return float(20.0 * np.log10(ratio))


@stage
def cell(sound: FloatArray, first: int, hz: float) -> complex:
    """Sum of one cell turned back by a tone, phase counted from the start of `sound`."""
    turn = -2j * np.pi * hz / RATE_HZ
    step = np.exp(turn)
    z = np.exp(turn * first)
    total = 0j
    for n in range(first, first + CELL_SAMPLES):
        total += sound[n] * z
        z *= step
    return total


@stage
def refine(sound: FloatArray, hz: float) -> float:
    """The tone's frequency by its mean phase advance over 10 ms."""
    lag = 0j
    last = cell(sound, 0, hz)
    oldest, older = 0j, 0j
    for k in range(1, len(sound) // CELL_SAMPLES):
        now = cell(sound, k * CELL_SAMPLES, hz)
        pair = now + last
        lag += pair * oldest.conjugate()
        last, oldest, older = now, older, pair
    return float(hz + np.arctan2(lag.imag, lag.real) / (2.0 * np.pi * _PAIR_S))


@stage
def wander(sound: FloatArray, hz: float) -> float:
    """Standard deviation of a tone's phase about a straight line, rad."""
    mean = 0j
    for k in range(len(sound) // CELL_SAMPLES):
        mean += cell(sound, k * CELL_SAMPLES, hz)
    last = cell(sound, 0, hz)
    count, place, places, angles, squares, mixed = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(1, len(sound) // CELL_SAMPLES):
        now = cell(sound, k * CELL_SAMPLES, hz)
        turned = (now + last) * mean.conjugate()
        last = now
        angle = np.arctan2(turned.imag, turned.real)
        count += 1.0
        place += k
        places += k * k
        angles += angle
        squares += angle * angle
        mixed += k * angle
    of_place = places - place * place / count
    of_both = mixed - place * angles / count
    left = squares - angles * angles / count - of_both * of_both / of_place
    return float(np.sqrt(max(left, 0.0) / count))


@stage
def both(sound: FloatArray, low_hz: float, high_hz: float) -> tuple[complex, complex]:
    """Phasors of two tones, each freed of what it picks up of the other."""
    a, b, gain = 0j, 0j, 0j
    count = len(sound)
    for k in range(count // CELL_SAMPLES):
        a += cell(sound, k * CELL_SAMPLES, low_hz)
        b += cell(sound, k * CELL_SAMPLES, high_hz)
    turn = 2j * np.pi * (high_hz - low_hz) / RATE_HZ
    gain = (np.exp(turn * count) - 1.0) / (np.exp(turn) - 1.0) / count
    a, b = 2.0 * a / count, 2.0 * b / count
    whole = 1.0 / (1.0 - abs(gain) ** 2)
    return (a - gain * b) * whole, (b - gain.conjugate() * a) * whole


@stage
def subtract(
    sound: FloatArray,
    residue: FloatArray,
    hz: tuple[float, float],
    phasors: tuple[complex, complex],
) -> float:
    """Write what the tones leave into `residue`; returns its mean square without DC."""
    step_low = np.exp(2j * np.pi * hz[0] / RATE_HZ)
    step_high = np.exp(2j * np.pi * hz[1] / RATE_HZ)
    low, high = phasors
    mean, square = 0.0, 0.0
    for n in range(len(sound)):
        left = sound[n] - low.real - high.real
        low *= step_low
        high *= step_high
        residue[n] = left
        mean += left
        square += left * left
    mean /= len(sound)
    return square / len(sound) - mean * mean


@stage
def strongest_near(residue: FloatArray, hz: float, other_hz: float) -> float:
    """Largest amplitude in the residue near a tone and not near the other, Hann-windowed."""
    most = 0.0
    steps = int((NEAR_HZ[1] - NEAR_HZ[0]) / NEAR_STEP_HZ) + 1
    for side in (-1.0, 1.0):
        for k in range(steps):
            at = hz + side * (NEAR_HZ[0] + k * NEAR_STEP_HZ)
            if abs(at - other_hz) >= NEAR_HZ[0]:
                most = max(most, amplitude(residue, at))
    return most


@stage
def amplitude(sound: FloatArray, hz: float) -> float:
    """Of one frequency, by a Hann window over all of the sound."""
    step = np.exp(-2j * np.pi * hz / RATE_HZ)
    window_step = np.exp(2j * np.pi / len(sound))
    z, w = 1.0 + 0j, np.exp(1j * np.pi / len(sound))
    total = 0j
    for n in range(len(sound)):
        total += sound[n] * (0.5 - 0.5 * w.real) * z
        z *= step
        w *= window_step
    return float(4.0 * abs(total) / len(sound))
