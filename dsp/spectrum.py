"""The two matrix products of a tick: frames to tones and bins, half frames to digit tones.

Source: the discrete Fourier transform at chosen frequencies (the sum that Goertzel's recursion
computes), written as a product because one product over all legs is 25 times cheaper (measured).
Frequencies: ITU-T Q.23 (digits), ITU-T E.180 and the Precise Tone Plan (call progress).

Every tone column is normalised so that a sine of power P on its frequency gives |z|² = P, and has
no DC. The phase of a tone is counted from the first sample of its frame or half.
"""

from typing import Final

import numpy as np

from dsp.frame import FRAME_SAMPLES, HALF_SAMPLES, RATE_HZ, FloatArray

TONES_HZ: Final = (
    350.0, 400.0, 425.0, 440.0, 450.0, 480.0, 620.0,
    697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0,
    700.0, 900.0, 1100.0, 1300.0, 1500.0, 1700.0,
    913.8, 950.0, 985.2, 1370.6, 1428.5, 1776.7,
    1400.0, 1800.0, 2100.0, 2225.0, 1650.0, 1750.0, 1850.0, 2130.0, 2750.0, 2600.0,
)  # fmt: skip
"""Call progress; digits; MF R1; SIT (and 950 Hz of its ITU-T E.180 form); TTY, fax, modem, CAS."""

TONES: Final = len(TONES_HZ)

BINS: Final = 81
"""0 to 4000 Hz in steps of 50, Hann-windowed."""

TONES_SIN: Final = TONES
BINS_COS: Final = 2 * TONES
BINS_SIN: Final = 2 * TONES + BINS
COLUMNS: Final = 240
"""2·37 + 2·81 = 236, filled with zeros to a multiple of 16 (measured: no slower than 236)."""

ROWS_HZ: Final = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ: Final = (1209.0, 1336.0, 1477.0, 1633.0)
"""Rows and columns of the keypad. ITU-T Q.23 §6."""

HALF_TONES: Final = 16
"""Rows, columns, and their second harmonics."""

BLOCK_ROWS: Final = 16
"""A product is always made on this many legs, zeros where there are none, so that a leg's numbers
do not depend on how many others there are. Measured: 16 is as fast as any, 0.14 ms for 200 legs."""


def _tone_columns(frequencies_hz: tuple[float, ...], samples: int) -> FloatArray:
    """[samples, 2·n]: cosines, then minus sines; no DC; power of a sine comes out as |z|²."""
    turn = 2 * np.pi / RATE_HZ * np.outer(np.arange(samples), frequencies_hz)
    columns = np.concatenate([np.cos(turn), -np.sin(turn)], axis=1)
    columns -= columns.mean(axis=0)
    return np.asarray(columns * (np.sqrt(2.0) / samples), np.float32)


def _bin_columns() -> FloatArray:
    """[160, 162]: Hann window, |z|² summed over the bins is the mean square of the frame."""
    n = np.arange(FRAME_SAMPLES)
    window = np.sin(np.pi * (n + 0.5) / FRAME_SAMPLES) ** 2
    turn = 2 * np.pi / FRAME_SAMPLES * np.outer(n, np.arange(BINS))
    scale = 1 / np.sqrt(FRAME_SAMPLES / 2 * np.sum(window**2))
    columns = np.concatenate([np.cos(turn), -np.sin(turn)], axis=1) * (window * scale)[:, None]
    return np.asarray(columns, np.float32)


def _frame_basis() -> FloatArray:
    basis = np.zeros((FRAME_SAMPLES, COLUMNS), np.float32)
    basis[:, : 2 * TONES] = _tone_columns(TONES_HZ, FRAME_SAMPLES)
    basis[:, BINS_COS : BINS_SIN + BINS] = _bin_columns()
    return basis


FRAME_BASIS: Final = _frame_basis()
"""float32[160, 240]."""

HALF_BASIS: Final = _tone_columns(
    (*ROWS_HZ, *COLUMNS_HZ, *(2 * f for f in ROWS_HZ), *(2 * f for f in COLUMNS_HZ)), HALF_SAMPLES
)
"""float32[80, 32]."""


def cross_gain(heard_hz: float, sent_hz: float, samples: int) -> complex:
    """What a tone column at one frequency picks up of a unit phasor at another.

    Used to part tones that are nearer than the window can: z_heard = a_heard + gain · a_sent.
    """
    n = np.arange(samples)
    return complex(np.mean(np.exp(2j * np.pi / RATE_HZ * (sent_hz - heard_hz) * n)))


class Products:
    """Room for one chunk of legs and the two products over it."""

    def __init__(self, rows: int) -> None:
        blocks = -(-rows // BLOCK_ROWS)
        padded = blocks * BLOCK_ROWS
        self.samples: Final = np.zeros((padded, FRAME_SAMPLES), np.float32)
        """Input; the caller writes zeros up to the next full block."""
        self.frame: Final = np.zeros((padded, COLUMNS), np.float32)
        """Tones and bins of each leg."""
        self.halves: Final = np.zeros((padded, 2, 2 * HALF_TONES), np.float32)
        """Digit tones of each half of each leg."""
        self._samples_in = self.samples.reshape(blocks, BLOCK_ROWS, FRAME_SAMPLES)
        self._frame_out = self.frame.reshape(blocks, BLOCK_ROWS, COLUMNS)
        self._halves_in = self.samples.reshape(blocks, 2 * BLOCK_ROWS, HALF_SAMPLES)
        self._halves_out = self.halves.reshape(blocks, 2 * BLOCK_ROWS, 2 * HALF_TONES)

    def multiply(self, rows_full: int, rows: int) -> None:
        """Transform the first `rows` legs; the frame product only for the first `rows_full`."""
        full = -(-rows_full // BLOCK_ROWS)
        if full:
            np.matmul(self._samples_in[:full], FRAME_BASIS, out=self._frame_out[:full])
        every = -(-rows // BLOCK_ROWS)
        if every:
            np.matmul(self._halves_in[:every], HALF_BASIS, out=self._halves_out[:every])
