import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.g711 import ULAW_TO_LINEAR14
from switch.errors import UserError
from switch.media.prompt_sound import (
    SPEECH_DBM0,
    level_dbm0,
    pause_after,
    resample,
    to_ulaw,
    trim,
    wav_to_ulaw,
)


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return 8000.0 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def rms_db(samples: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples[400:-400] ** 2)) * np.sqrt(2) / 8000 + 1e-9))


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
def test_the_telephone_band_passes_whole(rate_hz: int) -> None:
    for hz in (300, 1000, 3400):
        assert abs(rms_db(resample(tone(hz, rate_hz), rate_hz))) < 0.1


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
def test_what_would_fold_back_is_gone(rate_hz: int) -> None:
    for hz in (4100, 5000, 7000):
        assert rms_db(resample(tone(hz, rate_hz), rate_hz)) < -60


def test_a_piece_keeps_its_length() -> None:
    assert resample(tone(440, 22_050, 1.0), 22_050).size == 8000


def test_the_level_of_speech_is_set() -> None:
    payload = np.frombuffer(to_ulaw(tone(1000, 22_050), 22_050), np.uint8)
    assert abs(level_dbm0(ULAW_TO_LINEAR14[payload].astype(np.float64) * 4) - SPEECH_DBM0) < 0.3


def test_the_silence_around_the_words_is_cut() -> None:
    silence = np.zeros(8000)
    words = trim(np.concatenate([silence, tone(440, 8000), silence]), 8000)
    assert 4000 <= words.size <= 4400


def test_a_sentence_ends_in_a_pause_and_a_word_does_not() -> None:
    assert pause_after("Please wait.", 8000).size == 2000
    assert pause_after("", 8000).size == 2000
    assert pause_after("cents", 8000).size == 0


def test_a_file_that_is_no_wav_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    path.write_bytes(b"not a sound")
    with pytest.raises(UserError, match=r"hello\.wav: not a PCM WAV"):
        wav_to_ulaw(path)


def test_a_file_of_24_bits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 3, 8000, 0, "NONE", ""))
        file.writeframes(b"\0" * 30)
    with pytest.raises(UserError, match="24 bits"):
        wav_to_ulaw(path)
