"""Three-way calls and call waiting, per path class: what is told, and how soon.

A three-way call is detected if `three_way` is told at `warn` or above between the hold and 20 s
after the merge; the latency counts from the merge, and is below zero where the hold itself gave it
away. Chosen as in the target table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsp.event import Event, Kind, Tier
from tests.corpus.conversation import Person, Track
from tests.corpus.scripts import THREE_WAY, WAITING, Call, make
from tests.detection import calls, sources
from tests.detection.calls import Heard
from tests.detection.paths import PATHS, PathClass, through
from tests.detection.people import people

WINDOW_S = (-0.5, 20.0)
LATENCY_MAX_S = 6.0
WAITING_MAX = 0.01


@dataclass
class Cell:
    """One path class: its calls and what was heard."""

    path: PathClass
    calls: list[Call]
    heard: list[Heard]


def play(path: PathClass, count: int, everyone: Sequence[Person], music: Track, seed: int) -> Cell:
    """Make a path's calls and let the bank hear them; scripts take turns."""
    rng = np.random.default_rng((seed, PATHS.index(path)))
    scripts = [THREE_WAY[k % len(THREE_WAY)] for k in range(count)]
    scripts += [WAITING[k % len(WAITING)] for k in range(count)]
    made = []
    for script in scripts:
        cast = [everyone[k] for k in rng.choice(len(everyone), 3, replace=False)]
        made.append(make(script, cast, path.line, music, rng))
    arrived = []
    for call, far in zip(made, through(path.codec, [call.b for call in made]), strict=True):
        heard = calls.arriving(call.a, far, call.notes)
        if path.loss:
            heard.lost = calls.lose(len(heard.b), path.loss, rng)
        arrived.append(heard)
    calls.hear(arrived)
    return Cell(path, made, arrived)


def warned(call: Call, events: Sequence[Event]) -> Event | None:
    """The first alarm at `warn` or above in the call's window."""
    begin, end = call.held_s + WINDOW_S[0], call.merged_s + WINDOW_S[1]
    for event in events:
        strong = event.kind is Kind.THREE_WAY and event.tier is not Tier.LOG
        if strong and begin <= event.t_s <= end:
            return event
    return None


def line_of(cell: Cell) -> dict[str, object]:
    """One line of the report."""
    by_script: dict[str, list[bool]] = {}
    late = []
    before = 0
    labelled = 0
    for call, heard in zip(cell.calls, cell.heard, strict=True):
        told = warned(call, heard.events)
        by_script.setdefault(call.script, []).append(told is not None)
        if told is not None and call.script in THREE_WAY:
            late.append(told.t_s - call.merged_s)
        if call.script in WAITING:
            labelled += any(e.kind is Kind.CALL_WAITING for e in heard.events)
        before += any(
            e.kind is Kind.THREE_WAY and e.tier is not Tier.LOG and e.t_s < call.held_s - 0.5
            for e in heard.events
        )
    detected = [hit for name in THREE_WAY for hit in by_script[name]]
    wrong = [hit for name in WAITING for hit in by_script[name]]
    share = sum(detected) / len(detected)
    target = cell.path.target_min
    latency = round(float(np.median(late)), 2) if late else None
    return {
        "path": cell.path.name,
        "calls": len(detected),
        "detected": round(share, 4),
        "detected_by_script": {k: round(sum(v) / len(v), 3) for k, v in by_script.items()},
        "latency_s": latency,
        "latency_p95_s": round(float(np.quantile(late, 0.95)), 2) if late else None,
        "waiting_calls": len(wrong),
        "waiting_told_three_way": round(sum(wrong) / len(wrong), 4),
        "waiting_told_waiting": round(labelled / len(wrong), 4),
        "warned_before_the_hold": before,
        "target_min": target,
        "reached": target is None or share >= target,
        "latency_reached": latency is not None and latency <= LATENCY_MAX_S,
        "waiting_reached": sum(wrong) / len(wrong) <= WAITING_MAX,
    }


def measure(
    build: Path, family: str, count: int, seed: int, progress: Callable[[str], None]
) -> list[dict[str, object]]:
    """Every path class, as lines of the report."""
    everyone = people(build, family)
    music = tuned(sources.music(build, family))
    lines = []
    for path in PATHS:
        line = line_of(play(path, count, everyone, music, seed))
        progress(
            f"{path.name}: {line['detected']:.1%} of {line['calls']} told in {line['latency_s']} s,"
            f" waiting told as three-way {line['waiting_told_three_way']:.1%}"
        )
        lines.append(line)
    return lines


def tuned(music: sources.Pcm) -> Track:
    """Music at -20 dBm0, as a track."""
    level = np.sqrt(np.mean(music.astype(np.float64) ** 2)) / 32768
    return np.asarray(music / 32768 * (0.049 / level), np.float32)
