"""The look at the sound: rings, rows of the bank, and what the detectors say.

A ring and a row exist for a leg only between `hear` or `inspect` and `deafen`. Nothing here is
built for a leg that nobody may hear: control cannot even ask without a permit.
"""

import heapq
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.g711 import TO_FLOAT
from dsp.leg import Flag, Kernels, LegSpec, Note, NoteKind, Role
from dsp.leg import Law as BankLaw
from switch.media import legs as legs_module
from switch.media.legs import FRAME_BYTES, Legs
from switch.media.pump import look_again

CATCH_UP_MAX: Final = 4
"""More pushes in one tick than this, and the rest waits for the next. Chosen: 80 ms are made up."""

HUSH_NS: Final = 60_000_000
"""A muted key stays muted so long after the last frame in which it was heard. Chosen: three ticks,
as far as the look may be behind the path."""

HUSH_PURITY: Final = 0.5
"""Share of a frame's power in the key's two frequencies that means it is still held. Chosen."""

MENU_KINDS: Final = frozenset({Kind.DTMF, Kind.EXTRA_DIGITS})
"""All that is wanted of a leg in a menu."""

WISHES_MAX: Final = 64
"""Different sets of kinds that are kept. Chosen: a house has a handful."""

_LOW_HZ: Final = (697.0, 770.0, 852.0, 941.0)
_HIGH_HZ: Final = (1209.0, 1336.0, 1477.0, 1633.0)
_ROWS: Final = ("123A", "456B", "789C", "*0#D")
"""ITU-T Q.23."""

_TIME_S: Final = np.arange(FRAME_BYTES) / 8000


def _key_basis(key: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Cosine and sine of a key's two frequencies, each with unit power over a frame."""
    row = next(i for i, keys in enumerate(_ROWS) if key in keys)
    pair = (_LOW_HZ[row], _HIGH_HZ[_ROWS[row].index(key)])
    waves: list[Any] = [f(2 * np.pi * hz * _TIME_S) for hz in pair for f in (np.cos, np.sin)]
    basis: np.ndarray[Any, np.dtype[np.float32]] = np.stack(waves).astype(np.float32)
    return basis * np.float32(np.sqrt(2 / FRAME_BYTES))


@lru_cache(maxsize=WISHES_MAX)
def _wanted(kinds: tuple[str, ...]) -> frozenset[Kind]:
    """The same set for every leg that is looked at for the same: one each would be 2 kB a leg."""
    return frozenset(Kind(kind) for kind in kinds)


class Inspection:
    """All rings and rows of one worker.

    Args:
        legs: the shared arrays.
        rows_max: how many legs may be looked at.
    """

    def __init__(self, legs: Legs, *, rows_max: int) -> None:
        self._legs = legs
        self._bank = Bank(rows_max, Kernels.NUMBA)
        self._free = list(range(rows_max))
        self._hushed: dict[int, str] = {}
        self._is_menu = np.zeros(rows_max, np.bool_)
        """Rows in which only keys are looked for."""

    @property
    def rows_count(self) -> int:
        """How many rows of the bank are open."""
        return len(self._legs.row_leg) - len(self._free)

    @property
    def rings_count(self) -> int:
        """How many rings are in use."""
        return int(np.count_nonzero(self._legs.row_leg[: self._legs.row_top[0]] >= 0))

    def warm(self) -> None:
        """Compile the detectors, or load what was compiled."""
        self._bank.warm()

    def open(self, index: int, *, is_b: bool, kinds: Iterable[str]) -> None:
        """Open ring and row of a leg; what it had before is closed first."""
        legs = self._legs
        self.close(index)
        row = heapq.heappop(self._free)
        legs_module.clear_row(legs, row)
        law = BankLaw(int(legs.law[index]))
        wanted = _wanted(tuple(kinds))
        self._is_menu[row] = wanted <= MENU_KINDS
        self._bank.open(row, LegSpec(role=Role.B if is_b else Role.A, law=law, kinds=wanted))
        legs.row_leg[row] = index
        legs.row_top[0] = max(int(legs.row_top[0]), row + 1)
        legs.row[index] = row

    def join(self, index_a: int, index_b: int) -> None:
        """Let the two rows of a call know each other."""
        self._bank.join(int(self._legs.row[index_a]), int(self._legs.row[index_b]))

    def close(self, index: int) -> None:
        """Close ring and row of a leg; no event of it comes after."""
        legs = self._legs
        row = int(legs.row[index])
        self._hushed.pop(index, None)
        if row < 0:
            return
        legs.row[index] = -1
        self._bank.close(row)
        legs_module.clear_row(legs, row)
        heapq.heappush(self._free, row)
        while legs.row_top[0] and legs.row_leg[legs.row_top[0] - 1] < 0:
            legs.row_top[0] -= 1

    def note(self, index: int, note: str, fields: dict[str, Any]) -> list[tuple[int, Event]]:
        """Tell the bank what signalling saw; a leg without a row is not told."""
        row = int(self._legs.row[index])
        if row < 0:
            return []
        return self._with_legs(self._bank.note(row, Note(NoteKind(note), **fields)))

    def look_away(self) -> None:
        """Let the bank see nothing on this tick but what a menu waits for: all else is absent."""
        legs = self._legs
        top = int(legs.row_top[0])
        away = ~self._is_menu[:top] & (legs.valid[:top] | (legs.flags[:top] != 0))
        legs.valid[:top][away] = False
        legs.flags[:top][away] = int(Flag.ABSENT)

    def push(self, lagging: int) -> list[tuple[int, Event]]:
        """Let the bank see what the pump took from the rings; return events with leg indexes."""
        legs = self._legs
        if not legs.row_top[0]:
            return []
        found = self._bank.push(legs.payload, legs.valid, legs.flags)
        for _ in range(CATCH_UP_MAX):
            if not lagging:
                break
            lagging = look_again(legs)
            found = found + self._bank.push(legs.payload, legs.valid, legs.flags)
        return self._with_legs(found)

    def frame(self, index: int) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
        """Return the frame of a leg on this tick, if it had one."""
        row = int(self._legs.row[index])
        return self._legs.payload[row] if row >= 0 and self._legs.valid[row] else None

    def hush(self, index: int, key: str, now_ns: int) -> None:
        """Replace the sound of a leg by silence while a key is held in it."""
        self._hushed[index] = key
        self._legs.hush_until_ns[index] = now_ns + HUSH_NS

    def keep_hushed(self, now_ns: int) -> None:
        """Go on hushing where the key is still heard; forget where it is not."""
        for index, key in list(self._hushed.items()):
            frame = self.frame(index)
            if frame is not None and self._holds(index, frame, key):
                self._legs.hush_until_ns[index] = now_ns + HUSH_NS
            elif now_ns >= self._legs.hush_until_ns[index]:
                del self._hushed[index]

    def _holds(self, index: int, frame: np.ndarray[Any, np.dtype[np.uint8]], key: str) -> bool:
        samples = TO_FLOAT[self._legs.law[index]][frame]
        power = float(samples @ samples)
        parts = _BASES[key] @ samples
        return power > 0 and float(parts @ parts) >= HUSH_PURITY * power

    def _with_legs(self, events: list[Event]) -> list[tuple[int, Event]]:
        return [(int(self._legs.row_leg[event.leg]), event) for event in events]


_BASES: Final = {key: _key_basis(key) for keys in _ROWS for key in keys}
