from itertools import pairwise

import numpy as np
import pytest

from dsp.frame import FloatArray, dbm0_of_power
from dsp.spectrum import (
    BAND_EDGES,
    BANDS,
    BINS,
    BLOCK_ROWS,
    COLUMNS,
    TONES,
    TONES_HZ,
    TONES_SIN,
    Products,
    cross_gain,
    fold,
    measure_bands,
    measure_levels,
)
from tests.corpus import tones
from tests.corpus.voices import Sound


def transformed(frame: Sound) -> FloatArray:
    products = Products(1)
    products.samples[0] = frame
    fold(products.samples[0], products.even[0], products.odd[0])
    products.multiply(1, 1)
    z: FloatArray = products.frame[0]
    return z


@pytest.mark.parametrize("column", range(TONES))
def test_a_sine_on_a_tone_shows_its_power(column: int) -> None:
    z = transformed(tones.tones((TONES_HZ[column],), 0.02, -10.0))
    power = z[column] ** 2 + z[TONES_SIN + column] ** 2
    assert dbm0_of_power(float(power)) == pytest.approx(-10.0, abs=0.6)


def test_dc_is_not_a_tone() -> None:
    z = transformed(np.full(160, 0.5))
    assert np.max(np.abs(z[:TONES])) < 1e-6
    assert np.max(np.abs(z[TONES_SIN : TONES_SIN + TONES])) < 1e-6


def test_the_bands_add_up_to_the_power_of_noise() -> None:
    rng = np.random.default_rng(1)
    powers = []
    for _ in range(200):
        z = transformed(rng.standard_normal(160) * 0.1)
        bands = np.zeros(BANDS, np.float32)
        measure_bands(z, bands)
        powers.append(bands)
    width = np.diff(BAND_EDGES) / 80
    assert np.mean(powers, axis=0) == pytest.approx(0.01 * width, rel=0.2)
    assert np.mean(np.sum(powers, axis=1)) == pytest.approx(0.01 * width.sum(), rel=0.05)


def test_a_band_hears_what_lies_within_its_edges() -> None:
    for band, (first, end) in enumerate(pairwise(BAND_EDGES)):
        z = transformed(tones.tones((25.0 * (first + end - 1),), 0.02, -10.0))
        bands = np.zeros(BANDS, np.float32)
        measure_bands(z, bands)
        assert np.argmax(bands) == band
        assert dbm0_of_power(float(bands[band])) == pytest.approx(-10.0, abs=1.8)


def test_every_bin_of_a_band_is_there_once() -> None:
    assert sorted(BINS) == list(range(BAND_EDGES[0], BAND_EDGES[-1]))


def test_levels_are_decibels() -> None:
    bands = np.logspace(-12, 1, BANDS).astype(np.float32)
    levels = np.zeros(BANDS, np.float32)
    measure_levels(bands.view(np.int32), levels)
    assert levels == pytest.approx(10 * np.log10(bands), abs=0.001)


def test_a_row_gives_the_same_bits_at_any_place_among_any_others() -> None:
    rng = np.random.default_rng(2)
    products = Products(3 * BLOCK_ROWS)
    frame = rng.standard_normal(160).astype(np.float32)
    seen = []
    for place in range(3 * BLOCK_ROWS):
        products.samples[:] = rng.standard_normal(products.samples.shape)
        products.samples[place] = frame
        for row in range(3 * BLOCK_ROWS):
            fold(products.samples[row], products.even[row], products.odd[row])
        products.multiply(3 * BLOCK_ROWS, 3 * BLOCK_ROWS)
        seen.append((products.frame[place].tobytes(), products.halves[place].tobytes()))
    assert len(set(seen)) == 1


def test_the_cross_gain_parts_440_from_480() -> None:
    z = transformed(tones.tones((480.0,), 0.02, -10.0))
    at = {f: z[TONES_HZ.index(f)] + 1j * z[TONES_SIN + TONES_HZ.index(f)] for f in (440.0, 480.0)}
    left = at[440.0] - cross_gain(440.0, 480.0, 160) * at[480.0]
    assert abs(left) < 0.1 * abs(at[440.0])


def test_the_phase_of_a_tone_is_that_of_the_middle_of_the_frame() -> None:
    n = np.arange(160) - 79.5
    for column in (0, 5, 13):
        turn = 2 * np.pi * TONES_HZ[column] / 8000 * n + 0.7
        z = transformed(0.1 * np.cos(turn))
        phase = np.arctan2(z[TONES_SIN + column], z[column])
        assert phase == pytest.approx(0.7, abs=0.1)


def test_columns_fit() -> None:
    assert 2 * (TONES + len(BINS)) <= COLUMNS
