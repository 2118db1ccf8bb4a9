"""Facts: what fired, turned into events of tier `log`.

Source: chosen; a fact is a thing heard or signalled, with no judgement on it.
"""

from typing import Final

from dsp import fired
from dsp.dtmf import KEYS
from dsp.event import Event, Kind
from dsp.leg import LegSpec, Note, NoteKind, Summary

SAME_DIGIT_S: Final = 0.2
"""A digit by telephone event and in the sound within this time is one digit. Chosen."""


class LegFacts:
    """What is remembered of one leg between facts."""

    def __init__(self, spec: LegSpec) -> None:
        self.spec: Final = spec
        self.digits: list[tuple[float, str]] = []
        self.counts: dict[Kind, int] = {}

    def event(self, row: int, kind: Kind, t_s: float, value: str = "") -> list[Event]:
        """The event, if the leg was opened with its kind."""
        if kind not in self.spec.kinds:
            return []
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return [Event(t_s=t_s, leg=row, kind=kind, value=value)]


class Facts:
    """The facts of all legs."""

    def __init__(self) -> None:
        self._legs: dict[int, LegFacts] = {}

    def open(self, row: int, spec: LegSpec) -> None:
        """Start with nothing remembered."""
        self._legs[row] = LegFacts(spec)

    def close(self, row: int, frames: int) -> Summary:
        """Forget the leg."""
        leg = self._legs.pop(row)
        return Summary(prior=None, frames=frames, absent_frames=0, events=leg.counts)

    def note(self, row: int, note: Note, t_s: float) -> list[Event]:
        """A signalled fact."""
        if note.note is NoteKind.DIGIT:
            return self._digit(row, note.value, t_s)
        if note.note is NoteKind.FLASH:
            return self._legs[row].event(row, Kind.HOOKFLASH, t_s, note.form)
        return []

    def take(self, row: int, code: int, x: float, _y: float, t_s: float) -> list[Event]:
        """A fired fact."""
        if code == fired.DIGIT:
            return self._digit(row, KEYS[int(x)], t_s)
        return []

    def _digit(self, row: int, key: str, t_s: float) -> list[Event]:
        leg = self._legs[row]
        if any(key == old and t_s - at <= SAME_DIGIT_S for at, old in leg.digits):
            return []
        leg.digits = [(at, old) for at, old in leg.digits if t_s - at <= SAME_DIGIT_S]
        leg.digits.append((t_s, key))
        return leg.event(row, Kind.DTMF, t_s, key)
