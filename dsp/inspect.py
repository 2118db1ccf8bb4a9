"""The offline driver: two whole legs and what signalling saw, to a list of events.

Source: chosen; it is the live path: the same `Bank`, fed a frame at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.frame import FRAME_S, FRAME_SAMPLES, ByteArray
from dsp.g711 import ULAW_SILENCE, encode_ulaw
from dsp.leg import Flag, Kernels, LegSpec, Note, NoteKind, Role

ROW_A: Final = 0
ROW_B: Final = 1

FLAG_NOTES: Final = {
    NoteKind.LOST: Flag.LOST,
    NoteKind.LATE: Flag.LATE,
    NoteKind.SSRC: Flag.NEW_SSRC,
    NoteKind.SOURCE: Flag.NEW_SOURCE,
    NoteKind.PAYLOAD_TYPE: Flag.NEW_PT,
    NoteKind.TS_JUMP: Flag.TS_JUMP,
}
"""Live these are flags of one frame."""


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note about one leg at a time."""

    t_s: float
    role: Role
    note: Note


TALKING_FROM_THE_START: Final = (
    TimedNote(0.0, Role.B, Note(NoteKind.ANSWERED)),
    TimedNote(0.0, Role.A, Note(NoteKind.TALKING)),
    TimedNote(0.0, Role.B, Note(NoteKind.TALKING)),
)
"""What a call without a sidecar counts as."""


def inspect(
    a: NDArray[np.int16] | ByteArray,
    b: NDArray[np.int16] | ByteArray,
    notes: Sequence[TimedNote] = TALKING_FROM_THE_START,
    *,
    kinds: frozenset[Kind] = frozenset(Kind),
    kernels: Kernels = Kernels.NUMBA,
) -> list[Event]:
    """Run all detectors over a whole call.

    Args:
        a: the terminal's leg: int16 linear or uint8 µ-law samples at 8 kHz.
        b: the outside leg, same form; the shorter one is followed by silence.
        notes: what signalling saw; those that are flags live become flags.
        kinds: what to listen for.
        kernels: compiled, or the reference.

    Returns:
        Events by time; `leg` is 0 for the terminal's, 1 for the outside leg.
    """
    legs = [to_frames(a), to_frames(b)]
    frames = max(len(leg) for leg in legs)
    payload = np.full((frames, 2, FRAME_SAMPLES), ULAW_SILENCE, np.uint8)
    for row, leg in enumerate(legs):
        payload[: len(leg), row] = leg
    flags = flags_of(notes, frames, payload)
    bank = Bank(legs_max=2, kernels=kernels)
    bank.open(ROW_A, LegSpec(Role.A, kinds=kinds))
    bank.open(ROW_B, LegSpec(Role.B, kinds=kinds))
    bank.join(ROW_A, ROW_B)
    waiting = sorted((n for n in notes if n.note.note not in FLAG_NOTES), key=lambda n: n.t_s)
    events: list[Event] = []
    for tick in range(frames):
        while waiting and waiting[0].t_s <= tick * FRAME_S:
            told = waiting.pop(0)
            events += bank.note(ROW_B if told.role is Role.B else ROW_A, told.note)
        valid = (flags[tick] & (Flag.ABSENT | Flag.CN)) == 0
        events += bank.push(payload[tick], valid, flags[tick])
    for row in (ROW_A, ROW_B):
        events += bank.close(row).unclosed
    return sorted(events, key=lambda event: event.t_s)


def to_frames(samples: NDArray[np.int16] | ByteArray) -> ByteArray:
    """µ-law frames, the last one filled with silence."""
    codes = samples if samples.dtype == np.uint8 else encode_ulaw(samples.astype(np.int16))
    frames = -(-len(codes) // FRAME_SAMPLES)
    filled = np.full(frames * FRAME_SAMPLES, ULAW_SILENCE, np.uint8)
    filled[: len(codes)] = codes
    return filled.reshape(frames, FRAME_SAMPLES)


def flags_of(notes: Sequence[TimedNote], frames: int, payload: ByteArray) -> NDArray[np.uint16]:
    """Flags [frames, 2] from the notes that are flags live; a lost frame is absent, too."""
    flags = np.zeros((frames, 2), np.uint16)
    playing = [-1, -1]
    for timed in sorted(notes, key=lambda n: n.t_s):
        row = ROW_B if timed.role is Role.B else ROW_A
        tick = min(round(timed.t_s / FRAME_S), frames - 1)
        kind, count = timed.note.note, max(timed.note.frames, 1)
        if kind is NoteKind.LOST:
            flags[tick : tick + count, row] |= np.uint16(Flag.ABSENT)
            flags[min(tick + count, frames - 1), row] |= np.uint16(Flag.LOST)
        elif kind is NoteKind.CN:
            flags[tick : tick + count, row] |= np.uint16(Flag.CN)
            payload[tick : tick + count, row, 0] = timed.note.level_dbov
        elif kind is NoteKind.PLAY:
            playing[row] = tick
        elif kind is NoteKind.PLAY_END and playing[row] >= 0:
            flags[playing[row] : tick, row] |= np.uint16(Flag.PLAYING)
            playing[row] = -1
        elif kind in FLAG_NOTES:
            flags[tick, row] |= np.uint16(FLAG_NOTES[kind])
    return flags
