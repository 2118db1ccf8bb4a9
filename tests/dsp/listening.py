"""How a test lets a bank hear something: one leg, one list of events."""

from collections.abc import Sequence

import numpy as np

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.leg import Kernels, Law, LegSpec, Note, NoteKind, Role
from tests.corpus.scenes import Frames, frames
from tests.corpus.voices import Sound

ALL = frozenset(Kind)
ANSWERED = (Note(NoteKind.ANSWERED), Note(NoteKind.TALKING))


def push_all(bank: Bank, rows: Sequence[int], legs: Sequence[Frames]) -> list[Event]:
    """Every frame of every leg, one tick each; shorter legs stand still at their end."""
    height = max(rows) + 1
    events: list[Event] = []
    for tick in range(max(map(len, legs))):
        payload = np.full((height, 160), 0xFF, np.uint8)
        valid = np.zeros(height, np.bool_)
        for row, leg in zip(rows, legs, strict=True):
            if tick < len(leg):
                payload[row], valid[row] = leg[tick], True
        events += bank.push(payload, valid, np.zeros(height, np.uint16))
    return events


def heard(
    sound: Sound | Frames,
    *,
    role: Role = Role.B,
    kinds: frozenset[Kind] = ALL,
    kernels: Kernels = Kernels.NUMBA,
    notes: Sequence[Note] = (),
    law: Law = Law.PCMU,
) -> list[Event]:
    """What one leg alone gives."""
    bank = Bank(legs_max=1, kernels=kernels)
    bank.open(0, LegSpec(role, law, kinds))
    events = [event for note in notes for event in bank.note(0, note)]
    leg = sound.astype(np.uint8) if sound.dtype == np.uint8 else frames(sound.astype(np.float64))
    return events + push_all(bank, [0], [leg])


def keys(sound: Sound) -> str:
    """The digits of a sound, by a leg that listens for nothing else."""
    found = heard(sound, kinds=frozenset({Kind.DTMF}))
    return "".join(event.value for event in found)


def of_kind(events: Sequence[Event], kind: Kind) -> list[Event]:
    """The events of one kind."""
    return [event for event in events if event.kind is kind]
