import numpy as np
import pytest

from dsp import g711
from switch.lab import sounds


def test_every_code_of_mu_law_comes_back_as_itself() -> None:
    codes = bytes(range(256))
    again = sounds.encode(sounds.decode(codes) * 32768 / 32635)
    # 0x7F is minus zero: it comes back as 0xFF, plus zero.
    assert again == codes.replace(b"\x7f", b"\xff")


def test_the_phone_hears_what_the_detectors_hear() -> None:
    codes = np.arange(256, dtype=np.uint8)
    heard = sounds.decode(codes.tobytes()) * 8192
    assert np.array_equal(heard, g711.ULAW_TO_LINEAR14.astype(np.float64))


@pytest.mark.parametrize("frequency_hz", [440.0, 1000.0])
def test_a_tone_has_its_power_where_it_is(frequency_hz: float) -> None:
    heard = sounds.decode(sounds.encode(sounds.tone([frequency_hz], 1.0)))
    assert sounds.power_at(heard, frequency_hz) > 0.99
    assert sounds.power_at(heard, frequency_hz * 1.1) < 0.01


def test_keys_are_as_long_as_they_are_pressed() -> None:
    pressed = sounds.keys("12#", on_s=0.05, off_s=0.045)
    assert len(pressed) == round(3 * 0.095 * sounds.RATE_HZ)


def test_the_last_frame_is_filled_with_silence() -> None:
    cut = list(sounds.frames(b"\x00" * 200))
    assert [len(frame) for frame in cut] == [160, 160]
    assert cut[1][40:] == b"\xff" * 120
