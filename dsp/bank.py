"""The bank: frames of all legs in, events out; it owns the order of the stages.

Source: chosen (batching: on 160 samples the cost of a call dominates, measured). Per tick and chunk
of legs: pack and decode (compiled), two matrix products, all per-leg machines (compiled); then
Python for the few rows in which something fired.
"""

from typing import Final

import numpy as np

from dsp import fired, listen, measure
from dsp.event import Event, Kind
from dsp.facts import Facts
from dsp.frame import FRAME_S, FRAME_SAMPLES, BoolArray, ByteArray, FlagArray
from dsp.g711 import ULAW_SILENCE
from dsp.leg import Kernels, LegSpec, Note, Role, Summary
from dsp.spectrum import Products
from dsp.state import StateOwner

CHUNK_ROWS: Final = 512
"""Legs worked on at a time. Chosen: samples and phasors of a chunk stay in a 2 MB cache."""


class Bank:
    """All detectors over all legs of one worker.

    Call `push` once per 20 ms. Every method is synchronous and none does I/O. Not for two threads.
    """

    def __init__(self, legs_max: int = 4096, kernels: Kernels = Kernels.NUMBA) -> None:
        self.legs_max: Final = legs_max
        owner = StateOwner(legs_max)
        self._owner = owner
        self._legs = measure.allocate_legs(owner)
        self._ears = listen.allocate(owner)
        chunk = min(CHUNK_ROWS, legs_max)
        self._chunk = chunk
        self._products = Products(chunk)
        self._measures = measure.allocate(chunk, self._products)
        self._codes = fired.allocate(legs_max)
        self._gather, self._listen, self._compare = listen.make(kernels)
        self._facts = Facts()
        self._height = 0

    def warm(self) -> None:
        """Compile the kernels or load them from the cache, on an empty tick."""
        one = self._chunk
        payload = np.full((one, FRAME_SAMPLES), ULAW_SILENCE, np.uint8)
        self._tick(payload, np.zeros(one, np.bool_), np.zeros(one, np.uint16), one)

    def open(self, row: int, spec: LegSpec) -> None:
        """Start a leg on a row; everything an earlier leg left there is cleared."""
        assert 0 <= row < self.legs_max
        assert not self._legs.level[row], f"row {row} is open"
        self._owner.clear(row)
        only_digits = spec.kinds <= {Kind.DTMF}
        self._legs.level[row] = measure.DIGITS_ONLY if only_digits else measure.FULL
        self._legs.law[row] = int(spec.law)
        self._legs.is_b[row] = spec.role is Role.B
        self._facts.open(row, spec)
        self._height = max(self._height, row + 1)

    def join(self, row_a: int, row_b: int) -> None:
        """Let two legs know each other: who talks while the other is silent."""
        self._legs.partner[row_a] = row_b
        self._legs.partner[row_b] = row_a

    def unjoin(self, row: int) -> None:
        """Part a leg from its other side; both go on alone."""
        other = self._legs.partner[row]
        self._legs.partner[row] = -1
        if other >= 0 and self._legs.partner[other] == row:
            self._legs.partner[other] = -1

    def push(self, payload: ByteArray, valid: BoolArray, flags: FlagArray) -> list[Event]:
        """Let 20 ms pass on every row that is valid, ABSENT or CN; the others stand still.

        Args:
            payload: uint8 [M, 160], the row's law.
            valid: bool [M], the row has a frame.
            flags: uint16 [M], `Flag`.

        Returns:
            What was detected, by row.
        """
        height = min(self._height, payload.shape[0])
        assert payload.shape[1:] == (FRAME_SAMPLES,)
        if not height:
            return []
        self._tick(payload, valid, flags, height)
        if not self._codes.used[0]:
            return []
        return self._report()

    def note(self, row: int, note: Note) -> list[Event]:
        """Tell what signalling saw of a leg; what follows from it comes back at once."""
        return self._facts.note(row, note, self._time_s(row))

    def close(self, row: int) -> Summary:
        """End a leg; no event of it comes after."""
        self.unjoin(row)
        summary = self._facts.close(row, int(self._legs.frames[row]))
        self._owner.clear(row)
        while self._height and not self._legs.level[self._height - 1]:
            self._height -= 1
        return summary

    def _time_s(self, row: int) -> float:
        return round(int(self._legs.frames[row]) * FRAME_S, 2)

    def _tick(self, payload: ByteArray, valid: BoolArray, flags: FlagArray, height: int) -> None:
        self._codes.used[0] = 0
        tick = measure.Tick(payload, valid, flags)
        for start in range(0, height, self._chunk):
            rows = (start, min(start + self._chunk, height))
            counts = self._gather(tick, rows, self._legs, self._measures)
            self._products.multiply(counts[0], counts[1])
            self._listen(counts, self._measures, self._legs, self._ears, self._codes)
        self._compare(height, self._legs, self._ears, self._codes)

    def _report(self) -> list[Event]:
        codes = self._codes
        count = int(codes.used[0])
        order = np.argsort(codes.row[:count], kind="stable")
        events: list[Event] = []
        for at in order:
            row = int(codes.row[at])
            events += self._facts.take(
                row, int(codes.code[at]), float(codes.x[at]), float(codes.y[at]), self._time_s(row)
            )
        return events
