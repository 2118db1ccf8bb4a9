import numpy as np
import pytest

from dsp.frame import FloatArray, dbm0_of_power
from dsp.spectrum import (
    BINS,
    BINS_COS,
    BINS_SIN,
    BLOCK_ROWS,
    COLUMNS,
    TONES,
    TONES_HZ,
    TONES_SIN,
    Products,
    cross_gain,
    fold,
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


def test_the_bins_add_up_to_the_power_of_noise() -> None:
    rng = np.random.default_rng(1)
    powers = []
    for _ in range(200):
        z = transformed(rng.standard_normal(160) * 0.1)
        powers.append(sum(float(np.sum(z[at : at + BINS] ** 2)) for at in (BINS_COS, BINS_SIN)))
    assert np.mean(powers) == pytest.approx(0.01, rel=0.05)


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
    for column in (0, 7, 26):
        turn = 2 * np.pi * TONES_HZ[column] / 8000 * n + 0.7
        z = transformed(0.1 * np.cos(turn))
        phase = np.arctan2(z[TONES_SIN + column], z[column])
        assert phase == pytest.approx(0.7, abs=0.1)


def test_columns_fit() -> None:
    assert 2 * (TONES + BINS) <= COLUMNS
