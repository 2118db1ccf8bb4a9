"""What a worker's bank is given and what it answers, written down: a WAVE file and a sidecar.

Runs inside the worker of a live test (`tap/sitecustomize.py`). It changes nothing that passes.
"""

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.frame import FRAME_S, BoolArray, ByteArray, FlagArray
from dsp.g711 import ALAW_TO_ULAW, ULAW_SILENCE
from dsp.leg import Flag, Law, LegSpec, Note, Role

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SOUND = Flag.ABSENT | Flag.CN
ONCE = {
    Flag.LATE: "late", Flag.NEW_SSRC: "ssrc", Flag.NEW_SOURCE: "source",
    Flag.NEW_PT: "payload_type", Flag.TS_JUMP: "ts_jump",
}  # fmt: skip


class Taken:
    """One row from `open` to `close`."""

    def __init__(self, spec: LegSpec) -> None:
        self.spec = spec
        self.partner = -1
        self.frames: list[bytes] = []
        self.flags: list[int] = []
        self.notes: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    @property
    def t_s(self) -> float:
        """The row's time."""
        return round(len(self.frames) * FRAME_S, 2)

    def take(self, payload: ByteArray, flags: int) -> None:
        """20 ms passed."""
        codes = ALAW_TO_ULAW[payload] if self.spec.law is Law.PCMA else payload
        silent = flags & Flag.ABSENT
        self.frames.append(bytes([ULAW_SILENCE] * 160) if silent else codes.tobytes())
        if flags & Flag.CN:
            self._say("cn", frames=1, level_dbov=int(payload[0] & 127))
        self.flags.append(flags)

    def noted(self, note: Note) -> None:
        """Signalling saw something."""
        self._say(note.note.value, form=note.form, value=note.value)

    def heard(self, events: list[Event]) -> None:
        """The bank answered."""
        for event in events:
            self.events.append(event.to_json_dict() | {"leg": self.spec.role.value})

    def _say(self, note: str, **fields: Any) -> None:
        self.notes.append({"t_s": self.t_s, "leg": self.spec.role.value, "note": note, **fields})

    def all_notes(self) -> list[dict[str, Any]]:
        """Those that were told, and those that were flags."""
        leg = self.spec.role.value
        found = list(self.notes)
        runs = (("lost", "", Flag.ABSENT), ("play", "play_end", Flag.PLAYING))
        for begin, end, flag in runs:
            on = np.array([0, *(bool(f & flag) for f in self.flags), 0], np.int8)
            edges = np.flatnonzero(np.diff(on))
            for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                fields = {"t_s": first * FRAME_S, "leg": leg, "note": begin}
                found.append(fields if end else fields | {"frames": last - first})
                if end:
                    found.append({"t_s": last * FRAME_S, "leg": leg, "note": end})
        for tick, flags in enumerate(self.flags):
            names = [name for flag, name in ONCE.items() if flags & flag]
            alone = tick == 0 or not self.flags[tick - 1] & Flag.ABSENT
            if flags & Flag.LOST and alone:
                names.append("late")  # time stood still: for the bank it is the same
            found += [{"t_s": tick * FRAME_S, "leg": leg, "note": name} for name in names]
        return found


class Tap:
    """All rows of a worker's bank in which more than keys is looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[int, Taken] = {}
        self.calls = 0

    def join(self, row_a: int, row_b: int) -> None:
        """Two rows are one call."""
        for row, other in ((row_a, row_b), (row_b, row_a)):
            if row in self.rows:
                self.rows[row].partner = other

    def note(self, row: int, told: Note, events: list[Event]) -> None:
        """Write down a note and what followed at once."""
        if row in self.rows:
            self.rows[row].noted(told)
            self.rows[row].heard(events)

    def push(self, payload: ByteArray, valid: BoolArray, flags: FlagArray) -> None:
        """Write down what is about to be pushed."""
        for row, taken in self.rows.items():
            given = int(flags[row])
            if valid[row] or given & NO_SOUND:
                taken.take(payload[row], given)

    def heard(self, events: list[Event]) -> None:
        """Write down what came back."""
        for event in events:
            if event.leg in self.rows:
                self.rows[event.leg].heard([event])

    def close(self, row: int) -> None:
        """A row ends; with it its call."""
        taken = self.rows.pop(row, None)
        if taken is None or taken.partner not in self.rows:
            return
        legs = {one.spec.role: one for one in (taken, self.rows.pop(taken.partner))}
        self._write(legs[Role.A], legs[Role.B])

    def _write(self, a: Taken, b: Taken) -> None:
        size = min(len(a.frames), len(b.frames))
        left, right = (
            np.frombuffer(b"".join(one.frames[:size]), np.uint8).reshape(-1) for one in (a, b)
        )
        samples = np.stack([left, right], axis=1).tobytes()
        header = struct.pack("<HHIIHH", 7, 2, 8000, 16000, 2, 8)
        body = b"fmt " + struct.pack("<I", len(header)) + header
        body += b"data" + struct.pack("<I", len(samples)) + samples
        off = sorted(kind.value for kind in frozenset(Kind) - b.spec.kinds)
        notes = sorted(a.all_notes() + b.all_notes(), key=lambda note: float(note["t_s"]))
        notes = [n for n in notes if n["t_s"] < size * FRAME_S or n["note"] == "play_end"]
        sidecar = {"version": 1, "kinds_off": off, "notes": notes}
        name = f"call-{self.calls}"
        self.calls += 1
        (self.folder / f"{name}.json").write_text(json.dumps(sidecar))
        (self.folder / f"{name}.wav").write_bytes(
            b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body
        )
        events = [e for e in a.events + b.events if e["t_s"] <= size * FRAME_S]
        events.sort(key=lambda event: float(event["t_s"]))
        (self.folder / f"{name}.part").write_text(json.dumps(events))
        (self.folder / f"{name}.part").rename(self.folder / f"{name}.events")


def listen(folder: str) -> None:
    """Put the tap before every bank of this process."""
    tap = Tap(Path(folder))
    opened, joined, noted, pushed, closed = Bank.open, Bank.join, Bank.note, Bank.push, Bank.close

    def open_(bank: Bank, row: int, spec: LegSpec) -> None:
        opened(bank, row, spec)
        if Kind.THREE_WAY in spec.kinds:
            tap.rows[row] = Taken(spec)

    def join(bank: Bank, row_a: int, row_b: int) -> None:
        joined(bank, row_a, row_b)
        tap.join(row_a, row_b)

    def note(bank: Bank, row: int, told: Note) -> list[Event]:
        events = noted(bank, row, told)
        tap.note(row, told, events)
        return events

    def push(bank: Bank, payload: ByteArray, valid: BoolArray, flags: FlagArray) -> list[Event]:
        tap.push(payload, valid, flags)
        events = pushed(bank, payload, valid, flags)
        tap.heard(events)
        return events

    def close(bank: Bank, row: int) -> Any:
        tap.close(row)
        return closed(bank, row)

    patched: dict[str, Callable[..., Any]] = {
        "open": open_, "join": join, "note": note, "push": push, "close": close,
    }  # fmt: skip
    for name, function in patched.items():
        setattr(Bank, name, function)
