"""Voice activity: how well the bank's score parts talk from noise, beside the power of the frame.

The truth is of the clean talk: frames within 25 dB of its loudest tenth. The bank's score is held
against the frame that it is about, 40 ms ago.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Kind
from dsp.leg import LegSpec, Role
from dsp.voice_score import BEHIND_FRAMES, SCORE_MIN
from tests.corpus.conversation import Track
from tests.corpus.scenes import frames
from tests.detection import sources
from tests.detection.activity_scenes import Mask, Sounds, area, in_noise, spurts
from tests.detection.legs import Frames

CELLS: tuple[tuple[str, float, float | None], ...] = (
    ("none", 0.0, None),
    ("pink", 5.0, 0.97),
    ("white", 0.0, None),
    ("babble", 5.0, None),
    ("music", 5.0, 0.92),
    ("impacts", 5.0, None),
)
"""Kind of noise, ratio in dB, and the least area that is wanted."""
LEGS, LEG_S = 22, 60
"""Twenty-two minutes a cell."""
SETTLED_FRAMES = 50
"""The first second is not counted: there is no floor yet."""

Values = NDArray[np.float64]


def scores(legs: Sequence[Frames]) -> tuple[Values, Values]:
    """[frames, legs]: the bank's score of each frame, and the frame's power."""
    rows = len(legs)
    bank = Bank(legs_max=rows)
    for row in range(rows):
        bank.open(row, LegSpec(Role.B, kinds=frozenset({Kind.SILENCE_LONG})))
    valid, flags = np.ones(rows, np.bool_), np.zeros(rows, np.uint16)
    told, powers = [], []
    for payload in np.ascontiguousarray(np.stack(legs, axis=1)):
        bank.push(payload, valid, flags)
        told.append(bank._ears.scores.score[:rows].copy())
        powers.append(bank._measures.power[:rows].copy())
    return np.array(told, np.float64), np.array(powers, np.float64)


def sounds_of(build: Path, family: str) -> Sounds:
    """Talk and music of a family."""
    scale = np.float32(1 / 32635)
    talk, music = sources.speech(build, family), sources.music(build, family)
    return Sounds(talk.astype(np.float32) * scale, music.astype(np.float32) * scale)


def measure(
    build: Path, family: str, seed: int, progress: Callable[[str], None]
) -> list[dict[str, object]]:
    """One line of the report per kind of noise."""
    sounds, rng = sounds_of(build, family), np.random.default_rng((seed, 11))
    lines: list[dict[str, object]] = []
    for kind, snr_db, least in CELLS:
        tracks: list[Track] = []
        masks: list[Mask] = []
        for _ in range(LEGS):
            clean, active = spurts(sounds.talk, LEG_S, rng)
            tracks.append(in_noise(clean, kind, snr_db, sounds, rng))
            masks.append(active)
        line = line_of(tracks, np.stack(masks, axis=1))
        reached = least is None or float(line["kinline_auc"]) >= least
        name = "no noise" if kind == "none" else f"{kind}, {snr_db:g} dB"
        lines.append({"noise": name, **line, "target_min": least, "reached": reached})
        progress(f"{name}: area {line['kinline_auc']}, by power {line['power_auc']}")
    return lines


def line_of(tracks: Sequence[Track], active: Mask) -> dict[str, float]:
    """Areas and rates of one cell."""
    legs = [frames(track.astype(np.float64)) for track in tracks]
    began = time.perf_counter()
    told, powers = scores(legs)
    took = time.perf_counter() - began
    about = told[SETTLED_FRAMES + BEHIND_FRAMES :]
    truth = active[SETTLED_FRAMES : len(active) - BEHIND_FRAMES]
    power = powers[SETTLED_FRAMES : len(powers) - BEHIND_FRAMES]
    return {
        "kinline_auc": round(area(about.ravel(), truth.ravel()), 4),
        "power_auc": round(area(power.ravel(), truth.ravel()), 4),
        "talk_kept": round(float(np.mean(about[truth] >= SCORE_MIN)), 4),
        "noise_kept": round(float(np.mean(about[~truth] >= SCORE_MIN)), 4),
        "frames": int(truth.size),
        "bank_us_per_frame": round(took * 1e6 / told.size, 2),
    }
