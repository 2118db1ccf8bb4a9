"""Digits that must be taken and digits that must not: cells of seeded keys, heard in one push.

Source: ITU-T Q.24 Annex A Table A-1, AT&T column, and the levels of noise and talk that a held
keypad meets. A cell is 400 keys on 16 legs; phases, keys and pauses are drawn from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsp.event import Event, Kind
from tests.corpus.scenes import frames
from tests.corpus.tones import COLUMNS_HZ, KEYS, ROWS_HZ, amplitude
from tests.corpus.voices import RATE_HZ, Sound, rms_of_dbm0
from tests.detection.anchors import Spandsp, linear
from tests.detection.legs import Frames, hear
from tests.detection.sources import Pcm

LEGS = 16
KEYS_PER_LEG = 25
LEVEL_DBM0 = -13.0
PAUSE_S = (0.06, 0.1)
"""Drawn between these, so that no edge keeps its place in a frame."""
LATE_S = 0.06
"""A key may be told until this long after its end."""
ACTIVE_DB = 25.0
"""Frames of talk within this of the loudest tenth count as talk. Chosen, near to ITU-T P.56."""

Spoil = Callable[[Sound, NDArray[np.bool_], np.random.Generator], Sound]
"""(legs' sound, where the keys are, generator) -> the sound as it arrives"""


@dataclass(frozen=True)
class Cell:
    """One line of the table."""

    name: str
    on_s: float = 0.05
    twist_db: float = 0.0
    deviation: float = 0.0
    apart: bool = False
    """The column deviates the other way."""
    level_dbm0: float = LEVEL_DBM0
    snr_db: float | None = None
    """White noise of 0 to 4 kHz under both tones together."""
    talk_db: float | None = None
    """Both tones together over the active level of the talk under them."""
    target_min: float | None = None
    target_max: float | None = None


CELLS = (
    Cell("clean, 50 ms", target_min=0.999),
    Cell("40 ms", on_s=0.04, target_min=0.999),
    Cell("23 ms", on_s=0.023, target_max=0.005),
    Cell("+1.5 %", deviation=0.015, target_min=0.995),
    Cell("-1.5 %", deviation=-0.015, target_min=0.995),
    Cell("row +1.5, column -1.5 %", deviation=0.015, apart=True, target_min=0.995),
    Cell("+3.5 %", deviation=0.035, on_s=0.1, target_max=0.0),
    Cell("-3.5 %", deviation=-0.035, on_s=0.1, target_max=0.0),
    Cell("twist +4 dB", twist_db=4.0, target_min=0.99),
    Cell("twist -8 dB", twist_db=-8.0, target_min=0.99),
    Cell("-25 dBm0", level_dbm0=-25.0, target_min=0.99),
    Cell("-36 dBm0", level_dbm0=-36.0, target_min=0.99),
    Cell("SNR 10 dB", snr_db=10.0, target_min=0.999),
    Cell("SNR 6 dB", snr_db=6.0, target_min=0.95),
    Cell("SNR 3 dB", snr_db=3.0, target_min=0.60),
    Cell("over talk, 6 dB, 100 ms", talk_db=6.0, on_s=0.1, target_min=0.95),
    Cell("over talk, 0 dB, 100 ms", talk_db=0.0, on_s=0.1, target_min=0.90),
)


@dataclass
class Played:
    """A cell's legs and where its keys are."""

    cell: Cell
    legs: list[Frames] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Per leg."""
    begins: list[NDArray[np.int64]] = field(default_factory=list)
    """Per leg and key, in samples."""


@dataclass(frozen=True)
class Count:
    """What a receiver made of a cell."""

    sent: int
    taken: int
    extra: int
    """Digits that were not sent, or told twice."""
    latency_ms: float | None = None
    """Median from the begin of the key."""


def play(cell: Cell, rng: np.random.Generator, talk: Pcm) -> Played:
    """Make a cell's sound."""
    played = Played(cell)
    for _ in range(LEGS):
        keys = "".join(rng.choice(list(KEYS), KEYS_PER_LEG))
        sound, begins = keyed(cell, keys, rng)
        if cell.snr_db is not None:
            power = 2 * rms_of_dbm0(cell.level_dbm0) ** 2 / 10 ** (cell.snr_db / 10)
            sound = sound + rng.standard_normal(len(sound)) * np.sqrt(power)
        if cell.talk_db is not None:
            sound = sound + under(cell, len(sound), rng, talk)
        played.legs.append(frames(sound))
        played.keys.append(keys)
        played.begins.append(begins)
    return played


def keyed(cell: Cell, keys: str, rng: np.random.Generator) -> tuple[Sound, NDArray[np.int64]]:
    """The keys one after the other, each tone in its own phase."""
    parts: list[Sound] = []
    begins = []
    at = 0
    count = round(cell.on_s * RATE_HZ)
    t = np.arange(count) / RATE_HZ
    low = amplitude(cell.level_dbm0 - max(cell.twist_db, 0.0))
    high = amplitude(cell.level_dbm0 + min(cell.twist_db, 0.0))
    for key in keys:
        pause = int(rng.uniform(*PAUSE_S) * RATE_HZ)
        k = KEYS.index(key)
        phases = rng.uniform(0, 2 * np.pi, 2)
        off = np.array([cell.deviation, -cell.deviation if cell.apart else cell.deviation])
        hz = np.array([ROWS_HZ[k // 4], COLUMNS_HZ[k % 4]]) * (1 + off)
        tone = low * np.sin(2 * np.pi * hz[0] * t + phases[0])
        tone = tone + high * np.sin(2 * np.pi * hz[1] * t + phases[1])
        parts += [np.zeros(pause), tone]
        begins.append(at + pause)
        at += pause + count
    parts.append(np.zeros(RATE_HZ // 10 + 160))
    return np.concatenate(parts), np.array(begins)


def under(cell: Cell, count: int, rng: np.random.Generator, talk: Pcm) -> Sound:
    """A stretch of talk at the cell's ratio to the keys, without its pauses of over 60 ms."""
    first = int(rng.integers(0, len(talk) - 4 * count))
    stretch = talk[first : first + 4 * count].astype(np.float64)
    cut = stretch[: len(stretch) // 480 * 480].reshape(-1, 480)
    power = np.mean(cut**2, axis=1)
    active = power > np.quantile(power, 0.9) / 10 ** (ACTIVE_DB / 10)
    spoken = np.resize(cut[active].reshape(-1), count)
    level = np.sqrt(np.mean(spoken**2))
    both = np.sqrt(2.0) * rms_of_dbm0(cell.level_dbm0)
    return np.asarray(spoken / level * both / 10 ** ((cell.talk_db or 0.0) / 20))


def hear_cells(cells: list[Played]) -> list[Count]:
    """All cells by one bank, in the same pushes."""
    legs = [leg for played in cells for leg in played.legs]
    events = hear(legs, frozenset({Kind.DTMF}))
    counts = []
    for played in cells:
        size = len(played.legs)
        counts.append(count(played, events[:size]))
        events = events[size:]
    return counts


def reached(cell: Cell, count: Count) -> bool:
    """Whether the measured share meets the cell's target."""
    share = count.taken / count.sent
    if cell.target_min is not None:
        return share >= cell.target_min
    return cell.target_max is not None and share <= cell.target_max


def count(played: Played, events: list[list[Event]]) -> Count:
    """Match what was told with what was sent, by key and time."""
    taken, extra = 0, 0
    late: list[float] = []
    for keys, begins, told in zip(played.keys, played.begins, events, strict=True):
        left = [(event.t_s, event.value) for event in told]
        for key, begin_s in zip(keys, begins / RATE_HZ, strict=True):
            until_s = begin_s + played.cell.on_s + LATE_S
            hit = next((e for e in left if begin_s < e[0] <= until_s and e[1] == key), None)
            if hit is not None:
                left.remove(hit)
                taken += 1
                late.append((hit[0] - begin_s) * 1e3)
        extra += len(left)
    latency = round(float(np.median(late)), 1) if late else None
    return Count(LEGS * KEYS_PER_LEG, taken, extra, latency)


def count_spandsp(played: Played) -> Count:
    """The same by libspandsp, fed a key and its pause at a time."""
    taken, extra = 0, 0
    for keys, begins, leg in zip(played.keys, played.begins, played.legs, strict=True):
        sound = linear(leg)
        receiver = Spandsp()
        at = 0
        for key, begin in zip(keys, begins, strict=True):
            end = int(begin) + round((played.cell.on_s + PAUSE_S[0] - 0.005) * RATE_HZ)
            told = receiver.take(sound[at:end])
            at = end
            taken += key in told
            extra += len(told) - (key in told)
        receiver.close()
    return Count(LEGS * KEYS_PER_LEG, taken, extra)
