"""`kinline inspect --plot FILE.png`: both legs as spectrograms, the cues under them, the score.

From the top: the terminal's leg, the outside leg (0 to 4 kHz, dark is silent), one lane for the
facts and the cues of each group, and the score with the three tiers' thresholds. Ten columns are
one second unless the call is longer than `SECONDS_AT_TEN` s; then a column is longer.

Source: PNG (ISO/IEC 15948) clauses 5.3 (chunks), 7.3 (filter 0), 11.2.2 (header); written here, so
that no drawing library is needed. Sizes and colours are chosen.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.event import Event, Group, Kind
from dsp.evidence import CUT_NATS, LOG_NATS, WARN_NATS
from dsp.frame import FRAME_S, FRAME_SAMPLES, ByteArray
from dsp.g711 import TO_FLOAT

Picture = NDArray[np.uint8]
"""[height, width, 3]"""

PANEL: Final = 162
"""Two rows of picture for each of 81 bins of 50 Hz."""
LANE: Final = 12
SCORE: Final = 120
SCORE_NATS_MAX: Final = 24.0
MARGIN: Final = 6
COLUMNS_MAX: Final = 12_000
SECONDS_AT_TEN: Final = COLUMNS_MAX // 10
FLOOR_DB, CEILING_DB = -75.0, -15.0
"""Relative to full scale; what is below is black, what is above is white."""

LANES: Final = ("fact", *(group.value for group in Group))
COLOURS: Final = {
    "fact": (200, 200, 200),
    "gap": (80, 160, 255),
    "click": (255, 220, 60),
    "tone": (80, 220, 120),
    "signalling": (230, 110, 230),
    "identity": (255, 140, 60),
}
TIERS: Final = (
    (LOG_NATS, (110, 110, 110)), (WARN_NATS, (230, 180, 40)), (CUT_NATS, (230, 60, 60)),
)  # fmt: skip
SCORE_COLOURS: Final = {Kind.THREE_WAY: (255, 255, 255), Kind.FORWARDED: (120, 200, 255)}


def plot(a: ByteArray, b: ByteArray, events: Sequence[Event]) -> bytes:
    """The picture of a call as a PNG file.

    Args:
        a: µ-law codes of the terminal's leg.
        b: of the outside leg.
        events: what the detectors said of both.
    """
    frames = max(-(-max(len(a), len(b)) // FRAME_SAMPLES), 1)
    per_column = max(5, -(-frames // COLUMNS_MAX))
    width = -(-frames // per_column)
    parts = [
        spectrogram(a, width, per_column),
        spectrogram(b, width, per_column),
        lanes(events, width, per_column),
        score(events, width, per_column),
    ]
    line = np.full((MARGIN, width, 3), 40, np.uint8)
    rows = [row for part in parts for row in (part, line)]
    return png(np.concatenate(rows[:-1]))


def spectrogram(codes: ByteArray, width: int, per_column: int) -> Picture:
    """Level over time and frequency; the loudest frame of a column counts."""
    size = width * per_column * FRAME_SAMPLES
    sound = np.zeros(size, np.float32)
    sound[: len(codes)] = TO_FLOAT[0][codes[:size]]
    window = np.hanning(FRAME_SAMPLES + 2)[1:-1].astype(np.float32)
    grey = np.zeros((PANEL // 2, width), np.float32)
    for first in range(0, width, 512):
        last = min(first + 512, width)
        step = per_column * FRAME_SAMPLES
        part = sound[first * step : last * step].reshape(-1, FRAME_SAMPLES) * window
        power = np.abs(np.fft.rfft(part)) ** 2 * (4.0 / FRAME_SAMPLES**2)
        loudest = power.reshape(last - first, per_column, -1).max(axis=1)
        grey[:, first:last] = 10 * np.log10(loudest.T[::-1] + 1e-12)
    share = np.clip((grey - FLOOR_DB) / (CEILING_DB - FLOOR_DB), 0, 1).repeat(2, axis=0)
    colour = np.stack([share**0.8, share**1.5, 0.25 * share + 0.75 * share**3], axis=-1)
    return np.asarray(colour * 255, np.uint8)


def lanes(events: Sequence[Event], width: int, per_column: int) -> Picture:
    """A mark for each fact and each cue, at its time, in the lane of its group."""
    picture = np.full((LANE * len(LANES), width, 3), 12, np.uint8)
    for event in events:
        if event.kind in SCORE_COLOURS:
            for cue in event.cues:
                _mark(picture, cue.group.value, _column(cue.t_s, per_column))
        else:
            _mark(picture, "fact", _column(event.t_s, per_column))
    return picture


def _mark(picture: Picture, lane: str, at: int) -> None:
    top = LANE * LANES.index(lane)
    picture[top + 1 : top + LANE - 1, max(at - 1, 0) : at + 1] = COLOURS[lane]


def score(events: Sequence[Event], width: int, per_column: int) -> Picture:
    """What was told of the score, kept until it is told anew; and the thresholds."""
    picture = np.full((SCORE, width, 3), 12, np.uint8)
    for nats, colour in TIERS:
        picture[_height(nats)] = colour
    for kind, colour in SCORE_COLOURS.items():
        told = [e for e in events if e.kind is kind]
        steps = [(_column(e.t_s, per_column), _height(e.score_nats)) for e in told]
        before = SCORE - 1
        for (at, height), (end, _) in pairwise([*steps, (width, 0)]):
            low, high = sorted((before, height))
            picture[low : high + 1, at : at + 1] = colour
            picture[height, at:end] = colour
            before = height
    return picture


def _column(t_s: float, per_column: int) -> int:
    return int(t_s / FRAME_S) // per_column


def _height(nats: float) -> int:
    return int((SCORE - 1) * (1 - min(max(nats, 0.0), SCORE_NATS_MAX) / SCORE_NATS_MAX))


def png(picture: Picture) -> bytes:
    """Eight bits a colour, no filter."""
    height, width, _ = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = picture.reshape(height, -1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks(chunks))


def _chunks(chunks: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    for name, data in chunks:
        yield (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )
