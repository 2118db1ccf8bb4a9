import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.g711 import ULAW_TO_ALAW, encode_ulaw
from switch.media.inspect_file import NotInspectable, main, read_sidecar, read_wave
from tests.corpus import tones
from tests.corpus.voices import silence


def call() -> NDArray[np.int16]:
    """int16 [n, 2]: digits left, dial tone right."""
    left = np.concatenate([silence(0.7), tones.digits("42")])
    right = np.zeros(len(left))
    right[:4000] = tones.dial_tone(0.5)
    return np.round(np.stack([left, right], axis=1) * 32635).astype("<i2")


def wave(tag: int, bits: int, data: bytes, *, channels: int = 2, rate: int = 8000) -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, 4, bits)
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + odd
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def files() -> dict[str, bytes]:
    pcm = call()
    ulaw = encode_ulaw(pcm)
    return {
        "pcm16": wave(1, 16, pcm.tobytes()),
        "ulaw": wave(7, 8, ulaw.tobytes()),
        "alaw": wave(6, 8, ULAW_TO_ALAW[ulaw].tobytes()),
    }


@pytest.mark.parametrize("name", ["pcm16", "ulaw", "alaw"])
def test_every_format_gives_json_lines_by_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(files()[name])
    out, err = io.StringIO(), io.StringIO()
    assert main([str(path), "--json"], out, err) == 0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    facts = [(e["leg"], e["kind"], e["value"]) for e in lines if e["kind"] in ("dtmf", "dial_tone")]
    assert facts == [("b", "dial_tone", "0.16"), ("a", "dtmf", "4"), ("a", "dtmf", "2")]
    assert "no sidecar" in err.getvalue()


def test_a_sidecar_says_what_signalling_saw_and_what_is_off(tmp_path: Path) -> None:
    path, sidecar = tmp_path / "call.wav", tmp_path / "call.json"
    path.write_bytes(files()["ulaw"])
    notes = [{"t_s": 0.1, "leg": "a", "note": "flash", "form": "event_16"}]
    sidecar.write_text(json.dumps({"version": 1, "kinds_off": ["dtmf"], "notes": notes}))
    out, err = io.StringIO(), io.StringIO()
    assert main([str(path), "--sidecar", str(sidecar)], out, err) == 0
    kinds = [json.loads(line)["kind"] for line in out.getvalue().splitlines()]
    assert kinds == ["hookflash", "dial_tone"]
    assert err.getvalue() == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"OggS" + bytes(40), "Opus"),
        (b"\x89PNG" + bytes(40), "not a RIFF"),
        (b"RIFF\0\0\0\0WAVE", "no format"),
        (wave(3, 32, bytes(64)), "floating point"),
        (wave(1, 24, bytes(60)), "PCM of 24 bit"),
        (wave(85, 0, bytes(64)), "MP3"),
        (wave(1, 16, bytes(64), channels=1), "1 channel"),
        (wave(1, 16, bytes(64), rate=48000), "48000 Hz"),
    ],
)
def test_anything_else_is_refused_by_name(data: bytes, why: str) -> None:
    with pytest.raises(NotInspectable, match=why):
        read_wave(data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"version": 2}', "version 2"),
        ('{"version": 1, "notes": [{"t_s": 1, "leg": "c", "note": "hold"}]}', r"notes\[0\].leg"),
        ("{", "sidecar"),
    ],
)
def test_a_faulty_sidecar_is_named_with_its_place(text: str, why: str) -> None:
    with pytest.raises(NotInspectable, match=why):
        read_sidecar(text.encode())


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    err = io.StringIO()
    assert main([str(tmp_path / "none.wav")], io.StringIO(), err) == 1
    assert err.getvalue().count("\n") == 1


def test_without_a_file_the_usage_is_told() -> None:
    assert main([], io.StringIO(), io.StringIO()) == 2
