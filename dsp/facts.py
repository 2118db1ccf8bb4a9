"""Facts: what fired on a leg, turned into events of tier `log`; and the way to the suspicions.

Source: chosen; a fact is a thing heard or signalled, with no judgement on it.
"""

from typing import Final

from dsp import fired
from dsp.dtmf import KEYS
from dsp.event import Cue, Event, Group, Kind
from dsp.leg import LegSpec, Note, NoteKind, Role
from dsp.listen import Ears
from dsp.suspicion import Suspicion
from dsp.tones import SIT_CLASSES

SAME_DIGIT_S: Final = 0.2
"""A digit by telephone event and in the sound within this time is one digit. Chosen."""
BURST_REST_S: Final = 3.0
"""A burst of extra digits is closed by this much of none. Chosen."""
REPEATS_S: Final = {Kind.BUSY: 0.98, Kind.MUSIC: 9.98}
"""A lasting tone is told at most each second, music each ten. Chosen: it lasts for minutes."""

SUSPECTED: Final = frozenset({Kind.THREE_WAY, Kind.CALL_WAITING, Kind.FORWARDED})
OUTSIDE_ONLY: Final = frozenset({Kind.RINGBACK, Kind.BUSY, Kind.SIT, Kind.SILENCE_LONG})

_CUES: Final = {
    Kind.DTMF: ("T4", Group.TONE),
    Kind.EXTRA_DIGITS: ("T4", Group.TONE),
    Kind.HOOKFLASH: ("C1", Group.CLICK),
    Kind.DIAL_TONE: ("T1", Group.TONE),
    Kind.RINGBACK: ("T2", Group.TONE),
    Kind.BUSY: ("T3", Group.TONE),
    Kind.SIT: ("T3", Group.TONE),
    Kind.MUSIC: ("T5", Group.TONE),
    Kind.NOISE_MASKING: ("N1", Group.GAP),
    Kind.SILENCE_LONG: ("G1", Group.GAP),
}
"""A fact's own cue. It has no nats: facts are not summed."""

_TONES: Final = {
    fired.DIAL_TONE: Kind.DIAL_TONE,
    fired.RINGBACK: Kind.RINGBACK,
    fired.BUSY: Kind.BUSY,
    fired.REORDER: Kind.BUSY,
    fired.SIT: Kind.SIT,
    fired.TTY: Kind.TTY,
    fired.FAX: Kind.FAX,
    fired.MUSIC: Kind.MUSIC,
    fired.FLASH: Kind.HOOKFLASH,
    fired.NOISE: Kind.NOISE_MASKING,
    fired.SILENCE: Kind.SILENCE_LONG,
}


class LegFacts:
    """What is remembered of one leg between facts."""

    def __init__(self, row: int, spec: LegSpec, ears: Ears) -> None:
        self.spec: Final = spec
        self.counts: dict[Kind, int] = {}
        self.burst = ""
        self.burst_ends_s = 0.0
        suspected = spec.role is Role.B and bool(SUSPECTED & spec.kinds)
        self.suspicion: Final = Suspicion(row, spec, ears) if suspected else None
        self._row: Final = row
        self._talking = False
        self._digits: list[tuple[float, str, bool]] = []
        self._told: dict[Kind, tuple[float, str]] = {}

    def take(self, code: int, x: float, y: float, t_s: float) -> list[Event]:
        """A code fired on this leg."""
        if code == fired.DIGIT:
            return self._digit(KEYS[int(x)], t_s, in_sound=True)
        events: list[Event] = []
        kind = _TONES.get(code)
        if kind is not None:
            events += self._tone(kind, value_of(code, x, y), t_s)
        if self.suspicion is not None:
            events += self._count(self.suspicion.take(code, x, y, t_s))
        return events

    def note(self, note: Note, t_s: float) -> list[Event]:
        """Something was signalled about this leg."""
        events: list[Event] = []
        if note.note is NoteKind.DIGIT:
            return self._digit(note.value, t_s, in_sound=False)
        if note.note is NoteKind.TALKING:
            self._talking = True
        elif note.note is NoteKind.FLASH:
            events += self._fact(Kind.HOOKFLASH, t_s, note.form)
        elif note.note is NoteKind.TTY:
            events += self._fact(Kind.TTY, t_s, "signalled")
        if self.suspicion is not None:
            events += self._count(self.suspicion.note(note, t_s))
        return events

    def end_burst(self, t_s: float) -> list[Event]:
        """Report the burst of extra digits that has ended."""
        value, self.burst = self.burst, ""
        return self._fact(Kind.EXTRA_DIGITS, t_s, value)

    def _fact(self, kind: Kind, t_s: float, value: str) -> list[Event]:
        if kind not in self.spec.kinds:
            return []
        if kind in OUTSIDE_ONLY and self.spec.role is not Role.B:
            return []
        cue, group = _CUES.get(kind, (kind.value, Group.TONE))
        own = Cue(cue, group, t_s, 0.0, value)
        return self._count([Event(t_s, self._row, kind, cues=(own,), value=value)])

    def _count(self, events: list[Event]) -> list[Event]:
        for event in events:
            self.counts[event.kind] = self.counts.get(event.kind, 0) + 1
        return events

    def _tone(self, kind: Kind, value: str, t_s: float) -> list[Event]:
        if kind in (Kind.BUSY, Kind.MUSIC):
            last_s, last = self._told.get(kind, (-1e9, ""))
            is_again = last == value or kind is Kind.MUSIC
            if is_again and t_s - last_s < REPEATS_S[kind]:
                return []
            self._told[kind] = (t_s, value)
        return self._fact(kind, t_s, value)

    def _digit(self, key: str, t_s: float, *, in_sound: bool) -> list[Event]:
        self._digits = [one for one in self._digits if t_s - one[0] <= SAME_DIGIT_S]
        for one in self._digits:
            if one[1] == key and one[2] is not in_sound:
                self._digits.remove(one)
                return []
        self._digits.append((t_s, key, in_sound))
        events = self._fact(Kind.DTMF, t_s, key)
        if self._talking:
            self.burst += key
            self.burst_ends_s = t_s + BURST_REST_S
        if self.suspicion is not None:
            events += self._count(self.suspicion.digit(key, t_s))
        return events


def value_of(code: int, x: float, y: float) -> str:
    """A fact's `value`: a length in seconds, a class, or a level."""
    match code:
        case fired.BUSY:
            return "busy"
        case fired.REORDER:
            return "reorder"
        case fired.SIT:
            return SIT_CLASSES[int(x)]
        case fired.FAX:
            return f"{'cng' if x == 0 else 'ced'} {y:.2f}"
        case fired.NOISE:
            return f"{x:.0f} dB"
        case fired.SILENCE:
            return f"{x:.0f}"
        case _:
            return f"{x:.2f}"
