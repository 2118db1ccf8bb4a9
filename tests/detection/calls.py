"""Whole calls, two joined legs each, heard at once by the real bank."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.inspect import TALKING_FROM_THE_START, TimedNote
from dsp.leg import Flag, LegSpec, Role
from tests.corpus.conversation import Track
from tests.corpus.scenes import frames

CALLS_AT_ONCE = 64
KINDS = frozenset(Kind) - {Kind.DTMF}


@dataclass
class Heard:
    """One call as it arrives."""

    a: NDArray[np.uint8]
    b: NDArray[np.uint8]
    """[frames, 160] µ-law"""
    notes: Sequence[TimedNote] = ()
    lost: NDArray[np.bool_] | None = None
    """Frames of b that do not arrive."""
    events: list[Event] = field(default_factory=list)
    """Of the outside leg."""


def arriving(a: Track, b: Track, notes: Sequence[TimedNote] = ()) -> Heard:
    """Both legs as µ-law."""
    return Heard(frames(a.astype(np.float64)), frames(b.astype(np.float64)), notes)


def lose(count: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Gilbert's loss: bursts of 2 frames in the mean."""
    lost = np.zeros(count, np.bool_)
    bad = False
    chance = rng.random(count)
    for k in range(count):
        bad = chance[k] < (0.5 if bad else share / (1 - share) * 0.5)
        lost[k] = bad
    return lost


def hear(calls: Sequence[Heard]) -> None:
    """Fill in the events of each call."""
    for first in range(0, len(calls), CALLS_AT_ONCE):
        _hear(calls[first : first + CALLS_AT_ONCE])


def _hear(calls: Sequence[Heard]) -> None:
    bank = Bank(legs_max=2 * len(calls))
    ticks = min(min(len(call.a), len(call.b)) for call in calls)
    waiting: dict[int, list[tuple[int, TimedNote]]] = {}
    payload = np.zeros((ticks, 2 * len(calls), 160), np.uint8)
    flags = np.zeros((ticks, 2 * len(calls)), np.uint16)
    for k, call in enumerate(calls):
        bank.open(2 * k, LegSpec(Role.A, kinds=KINDS))
        bank.open(2 * k + 1, LegSpec(Role.B, kinds=KINDS))
        bank.join(2 * k, 2 * k + 1)
        payload[:, 2 * k], payload[:, 2 * k + 1] = call.a[:ticks], call.b[:ticks]
        if call.lost is not None:
            lost = call.lost[:ticks]
            flags[lost, 2 * k + 1] |= np.uint16(Flag.ABSENT)
            after = np.flatnonzero(lost[:-1] & ~lost[1:]) + 1
            flags[after, 2 * k + 1] |= np.uint16(Flag.LOST)
        for note in (*TALKING_FROM_THE_START, *call.notes):
            row = 2 * k + (note.role is Role.B)
            waiting.setdefault(round(note.t_s * 50), []).append((row, note))
    for tick in range(ticks):
        told = [e for row, note in waiting.get(tick, ()) for e in bank.note(row, note.note)]
        valid = (flags[tick] & Flag.ABSENT) == 0
        for event in told + bank.push(payload[tick], valid, flags[tick]):
            if event.leg % 2:
                calls[event.leg // 2].events.append(event)
