import numpy as np
import pytest

from dsp import g711
from dsp.frame import ByteArray, dbm0_of_power

CODES = np.arange(256, dtype=np.uint8)


def test_every_code_comes_back_from_its_linear_value() -> None:
    again = g711.encode_ulaw((g711.ULAW_TO_LINEAR14 * 4).astype(np.int16))
    assert set(CODES[again != CODES]) == {0x7F}  # negative zero becomes zero
    assert (g711.encode_alaw((g711.ALAW_TO_LINEAR13 * 8).astype(np.int16)) == CODES).all()


@pytest.mark.parametrize(
    ("law", "sequence"),
    [
        (0, [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E]),
        (1, [0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4]),
    ],
)
def test_the_digital_milliwatt_has_0_dbm0(law: int, sequence: list[int]) -> None:
    """ITU-T G.711 Tables 5 and 6."""
    samples = g711.TO_FLOAT[law][sequence]
    assert abs(dbm0_of_power(float(np.mean(samples**2)))) < 0.005


@pytest.mark.parametrize(
    ("pcm", "code"), [(0, 0xFF), (32767, 0x80), (-32768, 0x00), (-4, 0x7E), (1000, 0xCE)]
)
def test_ulaw_codes_of_known_values(pcm: int, code: int) -> None:
    assert g711.encode_ulaw(np.array([pcm], np.int16))[0] == code


@pytest.mark.parametrize(
    ("pcm", "code"), [(0, 0xD5), (-1, 0x55), (32767, 0xAA), (-32768, 0x2A), (1000, 0xFA)]
)
def test_alaw_codes_of_known_values(pcm: int, code: int) -> None:
    assert g711.encode_alaw(np.array([pcm], np.int16))[0] == code


def test_the_laws_are_odd_and_rise() -> None:
    for row in g711.TO_FLOAT:
        values = np.sort(np.unique(row))
        assert np.allclose(values, -values[::-1])


@pytest.mark.parametrize(
    ("table", "sent", "received"),
    [(g711.ULAW_TO_ALAW, 0, 1), (g711.ALAW_TO_ULAW, 1, 0)],
)
def test_conversion_gives_the_nearest_value_of_the_other_law(
    table: ByteArray, sent: int, received: int
) -> None:
    """Tables 3 and 4 of ITU-T G.711; but for zero, which A-law has not."""
    values = g711.TO_FLOAT[sent].astype(float)
    others = g711.TO_FLOAT[received].astype(float)
    error = np.abs(others[table] - values)
    best = np.min(np.abs(others[None, :] - values[:, None]), axis=1)
    assert np.all(error <= best + 1e-6)


@pytest.mark.parametrize(
    ("ulaw", "alaw"),
    [(0xFF, 0xD5), (0xFE, 0xD5), (0xFD, 0xD4), (0x80, 0xAA), (0x00, 0x2A), (0x7F, 0x55)],
)
def test_conversion_of_known_codes(ulaw: int, alaw: int) -> None:
    """First and last rows of ITU-T G.711 Table 3."""
    assert g711.ULAW_TO_ALAW[ulaw] == alaw


def test_converting_there_and_back_changes_a_code_by_one_step_at_most() -> None:
    there = g711.ULAW_TO_ALAW[CODES]
    back = g711.ALAW_TO_ULAW[there]
    assert np.max(np.abs((back & 0x7F).astype(int) - (CODES & 0x7F).astype(int))) <= 1
    assert np.array_equal(g711.ULAW_TO_ALAW[back], there)
