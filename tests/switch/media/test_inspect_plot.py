"""The picture of a call: what is heard is light where it is heard, cues stand where they fell."""

import struct
import zlib
from pathlib import Path

import numpy as np

from dsp.event import Cue, Event, Group, Kind, Tier
from switch.media.inspect_file import main
from switch.media.inspect_plot import (
    COLOURS,
    LANE,
    LANES,
    PANEL,
    SCORE,
    Picture,
    lanes,
    plot,
    score,
)
from switch.media.inspect_plot import spectrogram as draw
from tests.corpus import tones
from tests.corpus.scenes import frames
from tests.corpus.voices import silence
from tests.switch.media.test_inspect_file import files

ALARM = Event(
    2.0,
    1,
    Kind.THREE_WAY,
    Tier.WARN,
    9.5,
    (Cue("G2", Group.GAP, 1.0, 4.0), Cue("P2", Group.IDENTITY, 1.8, 5.5)),
)


def unpack(file: bytes) -> Picture:
    """Read a PNG as this room writes it, and prove its checksums."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(file):
        (size,) = struct.unpack_from(">I", file, at)
        name, data = file[at + 4 : at + 8], file[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", file, at + 8 + size) == (zlib.crc32(name + data),)
        chunks[name] = data
        at += 12 + size
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_a_tone_is_light_at_its_frequency_and_time_only() -> None:
    sound = np.concatenate([silence(1.0), tones.tones((1000.0,), 1.0, -10.0)])
    picture = draw(frames(sound).ravel(), 20, 5)
    row = PANEL - 2 * (1000 // 50) - 1
    assert picture[row, 15].min() > 150
    assert picture[row, 5].max() == 0
    assert picture[row - 40, 15].max() < 100


def test_every_cue_stands_in_the_lane_of_its_group_at_its_time() -> None:
    picture = lanes([ALARM, Event(0.5, 0, Kind.DTMF)], 30, 5)
    middle = {lane: LANE * k + LANE // 2 for k, lane in enumerate(LANES)}
    assert tuple(picture[middle["gap"], 10 - 1]) == COLOURS["gap"]
    assert tuple(picture[middle["identity"], 18 - 1]) == COLOURS["identity"]
    assert tuple(picture[middle["fact"], 5 - 1]) == COLOURS["fact"]
    assert (picture[middle["tone"]] == 12).all()


def test_the_score_steps_up_where_it_was_told() -> None:
    picture = score([ALARM], 30, 5)
    height = int((SCORE - 1) * (1 - 9.5 / 24))
    assert (picture[height, 20:] == 255).all()
    assert not (picture[height, :20] == 255).any()


def test_the_whole_picture_is_a_png_and_a_long_call_does_not_outgrow_it() -> None:
    hour = np.full(8000 * 3600, 0xFF, np.uint8)
    picture = unpack(plot(hour, hour[:10], [ALARM]))
    assert picture.shape[1] <= 12_000
    assert unpack(plot(hour[:0], hour[:0], [])).shape[1] == 1


def test_the_command_draws_beside_its_lines(tmp_path: Path) -> None:
    call, picture = tmp_path / "call.wav", tmp_path / "call.png"
    call.write_bytes(files()["ulaw"])
    assert main([str(call), "--plot", str(picture)]) == 0
    assert unpack(picture.read_bytes()).shape[2] == 3


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    call = tmp_path / "call.wav"
    call.write_bytes(files()["ulaw"])
    assert main([str(call), "--plot", str(tmp_path / "no folder" / "call.png")]) == 1
