"""The matrix products of a tick: frames to tones and bins, half frames to digit tones.

Source: the discrete Fourier transform at chosen frequencies (the sum that Goertzel's recursion
computes), written as a product because one product over all legs is 25 times cheaper (measured).
Frequencies: ITU-T Q.23 (digits), ITU-T E.180 and the Precise Tone Plan (call progress).

Every tone column is normalised so that a sine of power P on its frequency gives |z|² = P, and has
no DC. Phases are counted from the middle of the frame or half: there every cosine column is
symmetric and every sine column antisymmetric, so that a frame is folded first (sums and differences
of samples equally far from the middle) and the products have half the work.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.frame import FRAME_SAMPLES, HALF_SAMPLES, RATE_HZ, FloatArray, IntArray
from dsp.jit import summing_stage

TONES_HZ: Final = (
    350.0, 440.0, 480.0, 620.0,
    913.8, 950.0, 985.2, 1370.6, 1428.5, 1776.7,
    1400.0, 1800.0, 1100.0, 2100.0,
)  # fmt: skip
"""Call progress; SIT (950 Hz is of its ITU-T E.180 form); TTY; fax. Only what a machine asks for:
a column is work for every leg on every tick. Digits have a product of their own."""

TONES: Final = len(TONES_HZ)

BANDS: Final = 24
BAND_EDGES: Final = np.array(
    [
        2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
        30, 34, 38, 42, 46, 50, 54, 58, 63, 68, 73, 79,
    ],
    np.int32,
)  # fmt: skip
"""In bins of 50 Hz: twelve bands of 100 Hz up to 1300, then 200 to 300 wide. Chosen."""


def _bins_in_layers() -> tuple[int, ...]:
    """The first bin of every band, the second of every band, the third of those that have one..."""
    widths = np.diff(BAND_EDGES)
    layers = [np.flatnonzero(widths > layer) for layer in range(int(widths.max()))]
    return tuple(int(BAND_EDGES[b]) + k for k, layer in enumerate(layers) for b in map(int, layer))


BINS: Final = _bins_in_layers()
"""The bins that a band needs, in steps of 50 Hz, Hann-windowed; in this order, because then whole
layers of bands are summed at once (`measure_bands`)."""

BINS_COS: Final = TONES
ODD: Final = 96
"""Where the sine half of `frame` begins: 14 + 77 = 91, filled with zeros to a multiple of 16."""
TONES_SIN: Final = ODD
BINS_SIN: Final = ODD + TONES
COLUMNS: Final = 2 * ODD

FOLDED: Final = FRAME_SAMPLES // 2
"""Samples of a folded frame."""

ROWS_HZ: Final = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ: Final = (1209.0, 1336.0, 1477.0, 1633.0)
"""Rows and columns of the keypad. ITU-T Q.23 §6."""

HALF_TONES: Final = 16
"""Rows, columns, and their second harmonics."""

BLOCK_ROWS: Final = 16
"""A product is always made on this many legs, zeros where there are none, so that a leg's numbers
do not depend on how many others there are. Measured: 16 is as fast as any, 0.14 ms for 200 legs."""


Doubles = NDArray[np.float64]
"""While the bases are made."""


def _turns(frequencies_hz: Sequence[float], samples: int) -> Doubles:
    """[samples, n]: phase of each sample, zero in the middle of the stretch."""
    from_middle = np.arange(samples) - (samples - 1) / 2
    turns: Doubles = 2 * np.pi / RATE_HZ * np.outer(from_middle, frequencies_hz)
    return turns


def _tone_columns(frequencies_hz: Sequence[float], samples: int) -> tuple[Doubles, Doubles]:
    """[samples, n] cosines without DC, and minus sines; a sine of power P gives |z|² = P."""
    turn = _turns(frequencies_hz, samples)
    scale = np.sqrt(2.0) / samples
    cosines = np.cos(turn)
    return (cosines - cosines.mean(axis=0)) * scale, -np.sin(turn) * scale


def _bin_columns() -> tuple[Doubles, Doubles]:
    """[160, 77] twice: Hann window; |z|² summed over all bins is the mean square of the frame."""
    window = np.sin(np.pi * (np.arange(FRAME_SAMPLES) + 0.5) / FRAME_SAMPLES) ** 2
    turn = _turns([RATE_HZ / FRAME_SAMPLES * bin_ for bin_ in BINS], FRAME_SAMPLES)
    weight = (window / np.sqrt(FRAME_SAMPLES / 2 * np.sum(window**2)))[:, None]
    return np.cos(turn) * weight, -np.sin(turn) * weight


def _folded_basis(which: int) -> FloatArray:
    """float32[80, 96]: the later half of the cosine (0) or sine (1) columns of tones and bins."""
    basis = np.zeros((FOLDED, ODD), np.float32)
    basis[:, :TONES] = _tone_columns(TONES_HZ, FRAME_SAMPLES)[which][FOLDED:]
    basis[:, BINS_COS : BINS_COS + len(BINS)] = _bin_columns()[which][FOLDED:]
    return basis


EVEN_BASIS: Final = _folded_basis(0)
ODD_BASIS: Final = _folded_basis(1)
"""float32[80, 96] each."""

_HALF_HZ: Final = (
    *ROWS_HZ, *COLUMNS_HZ, *(2 * f for f in ROWS_HZ), *(2 * f for f in COLUMNS_HZ)
)  # fmt: skip
HALF_BASIS: Final = np.concatenate(_tone_columns(_HALF_HZ, HALF_SAMPLES), axis=1).astype(np.float32)
"""float32[80, 32]. Not folded: 16 columns a side are too few to gain by it (measured)."""


def cross_gain(heard_hz: float, sent_hz: float, samples: int) -> complex:
    """What a tone column at one frequency picks up of a unit phasor at another.

    Used to part tones that are nearer than the window can: z_heard = a_heard + gain · a_sent.
    """
    return complex(np.mean(np.exp(1j * _turns([sent_hz - heard_hz], samples))))


@summing_stage
def fold(samples: FloatArray, even: FloatArray, odd: FloatArray) -> None:
    """Sums and differences of the samples equally far from the middle of a frame."""
    for n in range(FOLDED):
        before = samples[FOLDED - 1 - n]
        after = samples[FOLDED + n]
        even[n] = after + before
        odd[n] = after - before


@summing_stage
def measure_bands(z: FloatArray, bands: FloatArray) -> None:
    """Power of each band from the bins of a frame: layer by layer of `BINS`."""
    re, im = z[BINS_COS:], z[BINS_SIN:]
    for band in range(24):
        bands[band] = (
            re[band] * re[band]
            + im[band] * im[band]
            + re[24 + band] * re[24 + band]
            + im[24 + band] * im[24 + band]
        )
    for band in range(12):
        bands[12 + band] += (
            re[48 + band] * re[48 + band]
            + im[48 + band] * im[48 + band]
            + re[60 + band] * re[60 + band]
            + im[60 + band] * im[60 + band]
        )
    for band in range(4):
        bands[20 + band] += re[72 + band] * re[72 + band] + im[72 + band] * im[72 + band]
    bands[23] += re[76] * re[76] + im[76] * im[76]


_MANTISSA: Final = np.int32(0x7FFFFF)
_MANTISSA_BITS: Final = np.int32(23)
_PER_MANTISSA: Final = np.float32(2.0**-23)
_DB_PER_OCTAVE: Final = np.float32(10 * np.log10(2))
_LOG2: Final = tuple(
    np.float32(c) for c in (-127 + 1.00189e-4, 1.43730217, -0.672934193, 0.315467609, -0.0800108769)
)
"""log2(1 + x) for 0 ≤ x < 1, less the bias of an IEEE 754 exponent: Chebyshev's approximation."""


@summing_stage
def measure_levels(band_bits: IntArray, levels: FloatArray) -> None:
    """Level of each band in dB, full scale 0, to 0.0003 dB; of no power -382.

    Args:
        band_bits: the bands' powers as the integers that their bits are.
        levels: float32[24], written.
    """
    for band in range(BANDS):
        bits = band_bits[band]
        x = np.float32(bits & _MANTISSA) * _PER_MANTISSA
        log2 = _LOG2[0] + x * (_LOG2[1] + x * (_LOG2[2] + x * (_LOG2[3] + x * _LOG2[4])))
        levels[band] = (np.float32(bits >> _MANTISSA_BITS) + log2) * _DB_PER_OCTAVE


class Products:
    """Room for one chunk of legs and the products over it."""

    def __init__(self, rows: int) -> None:
        blocks = -(-rows // BLOCK_ROWS)
        padded = blocks * BLOCK_ROWS
        self.samples: Final = np.zeros((padded, FRAME_SAMPLES), np.float32)
        self.even: Final = np.zeros((padded, FOLDED), np.float32)
        self.odd: Final = np.zeros((padded, FOLDED), np.float32)
        """Input, and folded (`fold`); the caller writes zeros up to the next full block."""
        self.frame: Final = np.zeros((padded, COLUMNS), np.float32)
        """Tones and bins of each leg."""
        self.halves: Final = np.zeros((padded, 2, 2 * HALF_TONES), np.float32)
        """Digit tones of each half of each leg."""
        self._even_in = self.even.reshape(blocks, BLOCK_ROWS, FOLDED)
        self._odd_in = self.odd.reshape(blocks, BLOCK_ROWS, FOLDED)
        frame = self.frame.reshape(blocks, BLOCK_ROWS, COLUMNS)
        self._even_out, self._odd_out = frame[:, :, :ODD], frame[:, :, ODD:]
        self._halves_in = self.samples.reshape(blocks, 2 * BLOCK_ROWS, HALF_SAMPLES)
        self._halves_out = self.halves.reshape(blocks, 2 * BLOCK_ROWS, 2 * HALF_TONES)

    def multiply(self, rows_full: int, rows: int) -> None:
        """Transform the first `rows` legs; the frame product only for the first `rows_full`."""
        full = -(-rows_full // BLOCK_ROWS)
        if full:
            np.matmul(self._even_in[:full], EVEN_BASIS, out=self._even_out[:full])
            np.matmul(self._odd_in[:full], ODD_BASIS, out=self._odd_out[:full])
        every = -(-rows // BLOCK_ROWS)
        if every:
            np.matmul(self._halves_in[:every], HALF_BASIS, out=self._halves_out[:every])
