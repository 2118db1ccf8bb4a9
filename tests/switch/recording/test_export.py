"""What is given out: WAV, Opus where a program can, and a manifest that shows every change."""

import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dsp import g711
from switch.errors import UserError
from switch.recording import export
from switch.recording.reader import Sound

CODES = np.stack([np.arange(256), np.arange(256)[::-1]]).astype(np.uint8)
SOUND = Sound(0, CODES, (((0, 8),), ()))
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def test_every_code_has_the_value_that_the_detectors_see() -> None:
    assert np.array_equal(
        export.linear_of(np.arange(256, dtype=np.uint8)), g711.ULAW_TO_LINEAR14 * 4
    )


def test_a_wave_file_has_two_channels_and_every_sample() -> None:
    with wave.open(io.BytesIO(export.wave_bytes(SOUND))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        frames = np.frombuffer(file.readframes(1000), "<i2").reshape(-1, 2)
    assert np.array_equal(frames.T, export.linear_of(CODES))


def test_opus_without_a_program_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="ffmpeg"):
        export.opus_bytes(b"")


@pytest.mark.skipif(export.opus_program() is None, reason="neither ffmpeg nor opusenc is here")
def test_opus_is_made_by_the_program_that_is_here() -> None:
    tone = np.tile(CODES, (1, 100))
    assert export.opus_bytes(export.wave_bytes(Sound(0, tone, ((), ())))).startswith(b"OggS")


def test_a_program_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "opus_program", lambda: ["false"])
    with pytest.raises(UserError, match="false could not"):
        export.opus_bytes(b"x")


def test_a_manifest_shows_every_change(tmp_path: Path) -> None:
    given = export.give(tmp_path / "a.wav", export.wave_bytes(SOUND))
    path = tmp_path / "a.manifest.json"
    path.write_bytes(export.manifest({"why": "case 7"}, [given], KEY))
    assert export.check_manifest(path) == []
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"why": "no case"}))
    assert export.check_manifest(path) == ["the manifest is not what was signed"]
    path.write_text(json.dumps(said))
    given.path.write_bytes(b"x")
    assert export.check_manifest(path) == ["a.wav is not what was exported"]
    given.path.unlink()
    assert export.check_manifest(path) == ["a.wav is missing"]
    path.write_text("{}")
    with pytest.raises(UserError, match="no manifest"):
        export.check_manifest(path)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    export.give(tmp_path / "a.wav", b"1")
    with pytest.raises(UserError, match="there already"):
        export.give(tmp_path / "a.wav", b"2")
    assert (tmp_path / "a.wav").read_bytes() == b"1"
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o600


def test_gaps_are_said_in_seconds() -> None:
    assert export.gaps_in_seconds((((800, 1600),), ())) == {
        "terminal": [[0.1, 0.2]],
        "outside": [],
    }
