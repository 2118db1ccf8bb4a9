"""Scripts of calls with a hold in them: three-way calls, and call waiting, which is none.

Source: the ways in which subscribers hold, call and merge (analog flash, adapter, mobile add-call,
hold by signalling); lengths and shares are chosen. A hold is log-normal, median 12 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from dsp.inspect import TimedNote
from dsp.leg import Note, NoteKind, Role
from tests.corpus import tones
from tests.corpus.conversation import Person, Track, converse, echo, room, says
from tests.corpus.voices import RATE_HZ, rms_of_dbm0

BEFORE_S = (28.0, 40.0)
HOLD_MEDIAN_S = 12.0
HOLD_SIGMA = 0.6
HOLD_S = (4.5, 35.0)
AFTER_S = 24.0
CALL_S = 104
"""All calls of a batch are filled up to this length with talk."""

THREE_WAY = ("flash", "silent hold", "hold music", "add call", "merged while it rings")
WAITING = ("waiting ignored", "waiting answered", "waiting answered, music")


class Line(NamedTuple):
    """What belongs to a kind of line, beside its codec."""

    clicks: bool
    signals_hold: float
    """Share of the holds that come with a note."""
    idle_dbm0: tuple[float, float] | None
    """Noise of a held line; None: comfort noise or digital silence."""
    echo_db: tuple[float, float]


ANALOG = Line(True, 0.0, (-72.0, -60.0), (14.0, 30.0))
ADAPTER = Line(True, 0.5, None, (25.0, 45.0))
MOBILE = Line(False, 0.3, None, (35.0, 55.0))


@dataclass
class Call:
    """Both legs before the path, what was signalled, and the truth."""

    script: str
    a: Track
    b: Track
    notes: list[TimedNote] = field(default_factory=list)
    held_s: float = 0.0
    merged_s: float = 0.0


def click(rng: np.random.Generator) -> Track:
    """A hook click: some milliseconds of a decaying swing, -10 dBm0 at its peak."""
    size = int(0.006 * RATE_HZ)
    t = np.arange(size)
    swing = np.exp(-t / 9.0) * np.cos(2 * np.pi * rng.uniform(300, 1200) / RATE_HZ * t)
    return np.asarray(swing * tones.amplitude(rng.uniform(-12, -4)), np.float32)


def paste(track: Track, at_s: float, sound: Track) -> None:
    """Add a sound; what does not fit is cut off."""
    at = int(at_s * RATE_HZ)
    part = sound[: max(len(track) - at, 0)]
    track[at : at + len(part)] += part


def idle(size: int, line: Line, rng: np.random.Generator) -> Track:
    """What a held line gives."""
    if line.idle_dbm0 is not None:
        return room(size, rng.uniform(*line.idle_dbm0), rng)
    if rng.random() < 0.5:
        return np.zeros(size, np.float32)
    flat = rng.standard_normal(size).astype(np.float32)
    return np.asarray(flat * rms_of_dbm0(rng.uniform(-72, -62)), np.float32)


class Stage:
    """One call in the making."""

    def __init__(self, cast: Sequence[Person], line: Line, rng: np.random.Generator) -> None:
        self.caller, self.called, self.third = cast
        self.line = line
        self.rng = rng
        self.floor_dbm0 = rng.uniform(-62, -42)
        self.echo = (rng.uniform(*line.echo_db), rng.uniform(0.005, 0.06))
        self.gain = 10 ** (rng.uniform(-6, 3) / 20)
        self.colour = int(rng.integers(1 << 30))

    def far(self, voice: Track, caller: Track) -> Track:
        """The called room: voice, floor, echo."""
        floor = room(len(voice), self.floor_dbm0, np.random.default_rng(self.colour))
        return np.asarray(voice * self.gain + floor + echo(caller, *self.echo), np.float32)

    def talk(self, seconds: float) -> tuple[Track, Track]:
        """The two alone: (caller, far)."""
        caller, called = converse((self.caller, self.called), seconds, self.rng)
        return caller, self.far(called, caller)

    def three(self, seconds: float) -> tuple[Track, Track]:
        """All three; the third one, who was just called, begins."""
        caller, called, third = converse(
            (self.caller, self.called, self.third), seconds, self.rng, first=2
        )
        gain = 10 ** (self.rng.uniform(-9, 3) / 20)
        far = self.far(called, caller) + third * np.float32(gain)
        return caller, far + room(len(far), self.rng.uniform(-65, -42), self.rng)

    def hold(self, script: str, seconds: float, music: Track) -> tuple[Track, Track]:
        """The held line; the caller waits, or asks whether anyone is there."""
        size = int(seconds * RATE_HZ)
        rng, far, caller = self.rng, idle(int(seconds * RATE_HZ), self.line, self.rng), music[:0]
        if script.endswith("music"):
            first = int(rng.integers(len(music) - size))
            far = far + music[first : first + size] * np.float32(10 ** (rng.uniform(-12, 0) / 20))
        if script == "flash":
            self._leaks(far, seconds)
        if self.line.clicks and script in ("flash", "silent hold", "waiting answered"):
            paste(far, 0.0, click(rng))
            if rng.random() < 0.5:
                paste(far, rng.uniform(0.35, 0.9), click(rng))
            paste(far, seconds - 0.02, click(rng))
        caller = np.zeros(size, np.float32)
        if rng.random() < 0.5:
            paste(caller, rng.uniform(1, seconds / 2), says(self.caller, rng.uniform(1, 4), rng))
        return caller, far

    def _leaks(self, far: Track, seconds: float) -> None:
        rng = self.rng
        if rng.random() < 0.3:
            paste(far, 0.5, tones.dial_tone(rng.uniform(0.5, 1.5), -25.0).astype(np.float32))
        if rng.random() < 0.2:
            keys = "".join(rng.choice(list("0123456789"), 10))
            paste(far, 2.1, tones.digits(keys, 0.07, 0.06, level_dbm0=-20.0).astype(np.float32))
        if rng.random() < 0.4 and seconds > 6.5:
            ring = tones.ringback(2.0, rng.uniform(-36, -22)).astype(np.float32)
            paste(far, rng.uniform(4.2, seconds - 2.1), ring)


def make(
    script: str, cast: Sequence[Person], line: Line, music: Track, rng: np.random.Generator
) -> Call:
    """One call by a script of `THREE_WAY` or `WAITING`."""
    stage = Stage(cast, line, rng)
    before_s = rng.uniform(*BEFORE_S)
    a, b = stage.talk(before_s)
    b[-RATE_HZ // 2 :] += says(stage.called, 0.5, rng) * np.float32(stage.gain)
    parts = [(a, b)]
    if script == "waiting ignored":
        held_s = float(rng.uniform(*((0.3, 0.42) if rng.random() < 0.5 else (0.8, 1.6))))
        size = int(held_s * RATE_HZ)
        parts.append((np.zeros(size, np.float32), idle(size, line, rng)))
    else:
        length = HOLD_MEDIAN_S * np.exp(HOLD_SIGMA * rng.standard_normal())
        held_s = float(np.clip(length, *HOLD_S))
        parts.append(stage.hold(script, held_s, music))
    notes = []
    if script in THREE_WAY or script == "waiting answered":
        notes = held_notes(before_s, held_s, rng.random() < line.signals_hold)
    after_s = CALL_S - before_s - held_s
    if script == "merged while it rings":
        caller, far = stage.talk(6.0)
        for at_s in (0.0, 6.0):
            paste(far, at_s, tones.ringback(2.0, rng.uniform(-30, -20)).astype(np.float32))
        parts.append((caller, far))
        after_s -= 6.0
    parts.append(stage.three(after_s) if script in THREE_WAY else stage.talk(after_s))
    caller, far = (np.concatenate(side) for side in zip(*parts, strict=True))
    return Call(script, caller, far, notes, before_s, before_s + held_s)


def held_notes(held_s: float, length_s: float, signalled: bool) -> list[TimedNote]:
    """What signalling saw of a hold."""
    if not signalled:
        return []
    return [
        TimedNote(held_s, Role.B, Note(NoteKind.HOLD, form="inactive")),
        TimedNote(held_s + length_s, Role.B, Note(NoteKind.RESUME, form="sendrecv")),
    ]
