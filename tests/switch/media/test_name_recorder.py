from pathlib import Path

import numpy as np
import pytest

from dsp import g711
from switch.ids import LegId
from switch.media.name_recorder import LEAD_FRAMES, NameRecorder, level_dbm0

QUIET = np.full(160, g711.ULAW_SILENCE, np.uint8)
SPEECH = g711.encode_ulaw((6000 * np.sin(2 * np.pi * 300 * np.arange(160) / 8000)).astype(np.int16))


def recorder(path: Path, max_s: float = 4.0) -> NameRecorder:
    return NameRecorder(LegId(2), path=path, max_s=max_s, is_alaw=False)


def put(name: NameRecorder, *parts: tuple[np.ndarray, int]) -> int:
    """Put frames until the name is over; return after how many."""
    frames = [frame for frame, count in parts for _ in range(count)]
    return next(n for n, frame in enumerate(frames, 1) if name.put(frame))


def test_a_name_ends_a_second_after_the_voice(tmp_path: Path) -> None:
    name = recorder(tmp_path / "name.ulaw")
    assert put(name, (QUIET, 30), (SPEECH, 40), (QUIET, 99)) == 30 + 40 + 50
    path, speech_s = name.finish()
    assert speech_s == pytest.approx(0.8)
    kept = Path(path).read_bytes()
    assert len(kept) == 160 * (LEAD_FRAMES + 40 + LEAD_FRAMES)


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    name = recorder(tmp_path / "name.ulaw", max_s=1.0)
    assert put(name, (SPEECH, 99)) == 50


def test_five_seconds_of_nothing_are_no_name(tmp_path: Path) -> None:
    name = recorder(tmp_path / "name.ulaw")
    assert put(name, (QUIET, 999)) == 250
    assert name.finish() == ("", 0.0)
    assert not (tmp_path / "name.ulaw").exists()


def test_a_cough_is_no_name(tmp_path: Path) -> None:
    name = recorder(tmp_path / "name.ulaw")
    put(name, (SPEECH, 5), (QUIET, 99))
    assert name.finish() == ("", 0.0)


def test_the_level_of_a_full_sine_is_known() -> None:
    sine = (32_124 * np.sin(2 * np.pi * 1000 * np.arange(160) / 8000)).astype(np.int16)
    assert level_dbm0(g711.encode_ulaw(sine), is_alaw=False) == pytest.approx(3.17, abs=0.2)
    assert level_dbm0(g711.encode_alaw(sine), is_alaw=True) == pytest.approx(3.1, abs=0.3)


def test_a_name_in_a_law_is_kept_in_u_law(tmp_path: Path) -> None:
    name = NameRecorder(LegId(2), path=tmp_path / "n", max_s=0.4, is_alaw=True)
    put(name, (g711.ULAW_TO_ALAW[SPEECH], 30))
    path, _ = name.finish()
    assert Path(path).read_bytes()[:160] == g711.ALAW_TO_ULAW[g711.ULAW_TO_ALAW[SPEECH]].tobytes()
