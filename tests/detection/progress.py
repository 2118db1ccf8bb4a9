"""Call-progress tones, SIT, fax and TTY: what is taken in noise, and what talk and music pass for.

Source: the Precise Tone Plan, ITU-T E.180 §6 (SIT), ITU-T V.18 (TTY), ITU-T T.30 (CNG, CED); the
level and ratio are those of the target table: -30 dBm0 for all tones together, 10 dB over white
noise. Latency counts from the begin of the tone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dsp.event import Kind
from dsp.leg import Note, NoteKind
from tests.corpus import tones
from tests.corpus.scenes import frames
from tests.corpus.voices import RATE_HZ, Sound, rms_of_dbm0
from tests.detection.legs import hear, hear_rows
from tests.detection.sources import Pcm
from tests.detection.talk_off import TalkOff, parts
from tests.detection.tape import ROW_S

LEGS = 100
TTY_ROWS = 200
"""Minutes of TTY heard at once."""
LEVEL_DBM0 = -30.0
SNR_DB = 10.0
SIT_LENGTHS_AND_PITCHES = (("SSL", "LLL"), ("LSL", "HLL"), ("SLL", "LHL"), ("LLL", "HHL"))

Make = Callable[[np.random.Generator, float], Sound]
"""(generator, level of one tone) -> the tone as it is sent"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    kind: Kind
    make: Make
    tones_at_once: int
    until_s: float
    """A tone that is told later than this after its begin counts as missed."""
    target_min: float = 0.99


def _sit(rng: np.random.Generator, level_dbm0: float) -> Sound:
    lengths, pitches = SIT_LENGTHS_AND_PITCHES[rng.integers(4)]
    return tones.sit(lengths, pitches, level_dbm0)


def _cng(_: np.random.Generator, level_dbm0: float) -> Sound:
    pause = np.zeros(3 * RATE_HZ)
    one = tones.tones((1100.0,), 0.5, level_dbm0)
    return np.concatenate([one, pause, one])


ROWS = (
    Row("ringback, 2 s", Kind.RINGBACK, lambda _, db: tones.ringback(2.0, db), 2, 1.2),
    Row("SIT, four classes", Kind.SIT, _sit, 1, 1.2),
    Row("busy, 3 cycles", Kind.BUSY, lambda _, db: tones.busy(3, level_dbm0=db), 2, 3.0),
    Row("reorder, 4 cycles", Kind.BUSY, lambda _, db: tones.busy(4, 0.25, 0.25, db), 2, 2.0),
    Row("dial tone", Kind.DIAL_TONE, lambda _, db: tones.dial_tone(1.0, db), 2, 0.25),
    Row("TTY, 3 s", Kind.TTY, lambda rng, db: tones.tty(3.0, rng, db), 1, 1.5),
    Row("fax CNG, two", Kind.FAX, _cng, 1, 4.2),
    Row("fax CED", Kind.FAX, lambda _, db: tones.tones((2100.0,), 3.0, db), 1, 3.0),
)
KINDS = frozenset(row.kind for row in ROWS)


def measure(seed: int) -> list[dict[str, object]]:
    """How many of each row are told in time, as lines of the report."""
    rng = np.random.default_rng(seed)
    legs, begins = [], []
    for row in ROWS:
        for _ in range(LEGS):
            level = LEVEL_DBM0 - 10 * np.log10(row.tones_at_once)
            tone = row.make(rng, level)
            begin = int(rng.uniform(0.6, 1.2) * RATE_HZ)
            sound = np.concatenate([np.zeros(begin), tone, np.zeros(RATE_HZ)])
            noise = rng.standard_normal(len(sound)) * rms_of_dbm0(LEVEL_DBM0 - SNR_DB)
            legs.append(frames(sound + noise))
            begins.append(begin / RATE_HZ)
    notes = (Note(NoteKind.ANSWERED), Note(NoteKind.TALKING))
    told = hear(legs, KINDS, notes=notes)
    lines: list[dict[str, object]] = []
    for k, row in enumerate(ROWS):
        taken, other = 0, 0
        late: list[float] = []
        for events, begin_s in zip(told[k * LEGS :][:LEGS], begins[k * LEGS :], strict=False):
            first = next((e.t_s - begin_s for e in events if e.kind is row.kind), None)
            other += any(e.kind is not row.kind for e in events)
            if first is not None and first <= row.until_s:
                taken += 1
                late.append(first)
        lines.append(
            {
                "row": row.name,
                "sent": LEGS,
                "taken": taken / LEGS,
                "taken_for_another": other / LEGS,
                "until_s": row.until_s,
                "latency_s": round(float(np.median(late)), 3) if late else None,
                "target_min": row.target_min,
                "reached": taken / LEGS >= row.target_min,
            }
        )
    return lines


def false_tones(
    sound: Pcm, hours: float, progress: Callable[[str], None], shift: float
) -> dict[str, TalkOff]:
    """What the re-speeded tape passes for, by kind."""
    found = {kind.value: TalkOff() for kind in sorted(KINDS)}
    count = max(round(hours / (len(sound) / 8000 / 3600) / 0.98), 1)
    for rows in parts(sound, count, shift):
        events = hear_rows(rows, KINDS)
        for kind, rate in found.items():
            rate.add(rows, sum(event.kind == kind for event in events))
        told = ", ".join(f"{kind} {rate.digits}" for kind, rate in found.items())
        progress(f"{found['sit'].hours:.1f} of about {hours:.0f} h: {told}")
    return found


def tty_hours(hours: float, seed: int) -> dict[str, float]:
    """Hours of TTY: what is raised beside `tty` itself."""
    rng = np.random.default_rng(seed)
    rows = max(round(hours * 3600 / ROW_S), 1)
    told, other = 0, 0
    for first in range(0, rows, TTY_ROWS):
        legs = min(TTY_ROWS, rows - first)
        tape = np.stack([frames(tones.tty(ROW_S, rng))[: ROW_S * 50] for _ in range(legs)])
        events = hear_rows(tape, frozenset(Kind))
        told += len({event.leg for event in events if event.kind is Kind.TTY})
        other += sum(event.kind is not Kind.TTY for event in events)
    return {
        "hours": round(rows * ROW_S / 3600, 2),
        "legs": rows,
        "told_as_tty": told / rows,
        "other_events": other,
    }
