"""The bank: frames of all legs in, events out; it owns the order of the stages.

Source: chosen (batching: on 160 samples the cost of a call dominates, measured). Per tick and chunk
of legs: pack and measure (compiled), two matrix products, all per-leg machines (compiled); then
Python for the few rows in which something fired.
"""

from typing import Final

import numpy as np

from dsp import fired, floor, listen, measure, spectrum
from dsp.event import Event, Kind
from dsp.facts import LegFacts
from dsp.frame import FRAME_S, FRAME_SAMPLES, BoolArray, ByteArray, FlagArray, power_of_dbm0
from dsp.g711 import ULAW_SILENCE
from dsp.leg import Kernels, LegSpec, LinePrior, Note, Role, Summary
from dsp.spectrum import Products
from dsp.state import StateOwner

CHUNK_ROWS: Final = 256
"""Legs worked on at a time: 3 kB of samples and phasors each stay in a second-level cache. Measured
on 1.25 MB: 128 and 256 are alike, 512 costs a tenth more; a chunk costs 40 µs of its own."""

CLEAN_TALK_FRAMES_MIN: Final = 3000
"""60 s: a shorter call has not shown its line. Chosen."""


class Bank:
    """All detectors over all legs of one worker.

    Call `push` once per 20 ms. Every method is synchronous and none does I/O. Not for two threads.
    """

    def __init__(self, legs_max: int = 4096, kernels: Kernels = Kernels.NUMBA) -> None:
        self.legs_max: Final = legs_max
        self._owner = StateOwner(legs_max)
        self._legs = measure.allocate_legs(self._owner)
        self._ears = listen.allocate(self._owner)
        self._chunk = min(CHUNK_ROWS, legs_max)
        self._products = Products(self._chunk)
        self._measures = measure.allocate(self._chunk, self._products)
        self._codes = fired.allocate(legs_max)
        self._gather, self._listen = listen.make(kernels)
        self._facts: dict[int, LegFacts] = {}
        self._bursts: set[int] = set()
        self._height = 0

    def warm(self) -> None:
        """Compile the kernels or load them from the cache, on an empty tick."""
        payload = np.full((1, FRAME_SAMPLES), ULAW_SILENCE, np.uint8)
        self._tick(payload, np.zeros(1, np.bool_), np.zeros(1, np.uint16), 1)

    def open(self, row: int, spec: LegSpec) -> None:
        """Start a leg on a row; everything an earlier leg left there is cleared."""
        assert 0 <= row < self.legs_max
        assert not self._legs.level[row], f"row {row} is open"
        self._owner.clear(row)
        only_digits = spec.kinds <= {Kind.DTMF, Kind.EXTRA_DIGITS}
        self._legs.level[row] = measure.DIGITS_ONLY if only_digits else measure.FULL
        self._legs.law[row] = int(spec.law)
        self._legs.is_b[row] = spec.role is Role.B
        if spec.prior is not None and len(spec.prior.floor_dbm0) == spectrum.BANDS:
            self._ears.floors.base[row] = [power_of_dbm0(dbm0) for dbm0 in spec.prior.floor_dbm0]
            self._ears.floors.base_frames[row] = floor.BASE_FRAMES
        facts = self._facts[row] = LegFacts(row, spec, self._ears)
        self._legs.compared[row] = facts.suspicion is not None
        self._legs.music[row] = facts.suspicion is not None or Kind.MUSIC in spec.kinds
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

        The three arrays must be C-contiguous and writeable, as in `warm`: for any other kind of
        array numba would compile anew, which takes many ticks.

        Args:
            payload: uint8 [M, 160], the row's law.
            valid: bool [M], the row has a frame.
            flags: uint16 [M], `Flag`.

        Returns:
            What was detected, lowest row first.
        """
        assert payload.shape[1:] == (FRAME_SAMPLES,)
        height = min(self._height, payload.shape[0])
        if not height:
            return []
        self._tick(payload, valid, flags, height)
        events = self._report() if self._codes.used[0] else []
        if self._bursts:
            events += self._end_bursts()
        return events

    def note(self, row: int, note: Note) -> list[Event]:
        """Tell what signalling saw of a leg; what follows from it comes back at once."""
        events = self._facts[row].note(note, self._time_s(row))
        self._after(row)
        return events

    def close(self, row: int) -> Summary:
        """End a leg; no event of it comes after. An open burst of digits is in the summary."""
        self.unjoin(row)
        facts = self._facts.pop(row)
        self._bursts.discard(row)
        unclosed = tuple(facts.end_burst(self._time_s(row))) if facts.burst else ()
        summary = Summary(
            prior=self._prior(row, facts),
            frames=int(self._legs.frames[row]),
            absent_frames=int(self._legs.absent[row]),
            events=facts.counts,
            unclosed=unclosed,
        )
        self._owner.clear(row)
        while self._height and not self._legs.level[self._height - 1]:
            self._height -= 1
        return summary

    def _prior(self, row: int, facts: LegFacts) -> LinePrior | None:
        frames = int(self._legs.frames[row])
        known = self._ears.floors.base_frames[row] >= floor.BASE_FRAMES
        if frames < CLEAN_TALK_FRAMES_MIN or not known or Kind.THREE_WAY in facts.counts:
            return None
        levels = 10 * np.log10(2 * self._ears.floors.base[row] + 1e-12) + 3.17
        return LinePrior(tuple(round(float(level), 1) for level in levels), frames * FRAME_S)

    def _time_s(self, row: int) -> float:
        return round(int(self._legs.frames[row]) * FRAME_S, 2)

    def _tick(self, payload: ByteArray, valid: BoolArray, flags: FlagArray, height: int) -> None:
        self._codes.used[0] = 0
        tick = measure.Tick(payload, valid, flags)
        for start in range(0, height, self._chunk):
            rows = (start, min(start + self._chunk, height))
            counts = self._gather(tick, rows, self._legs, self._measures)
            self._products.multiply(counts[0], counts[1])
            heard = height if rows[1] == height else 0
            self._listen((*counts, heard), self._measures, self._legs, self._ears, self._codes)

    def _report(self) -> list[Event]:
        codes = self._codes
        events: list[Event] = []
        for at in np.argsort(codes.row[: codes.used[0]], kind="stable"):
            row = int(codes.row[at])
            code, x, y = int(codes.code[at]), float(codes.x[at]), float(codes.y[at])
            events += self._facts[row].take(code, x, y, self._time_s(row))
            self._after(row)
        return events

    def _after(self, row: int) -> None:
        facts = self._facts[row]
        if facts.suspicion is not None:
            self._legs.watch[row] = facts.suspicion.is_watched
        if facts.burst:
            self._bursts.add(row)

    def _end_bursts(self) -> list[Event]:
        events: list[Event] = []
        for row in sorted(self._bursts):
            facts = self._facts[row]
            if self._time_s(row) >= facts.burst_ends_s:
                events += facts.end_burst(self._time_s(row))
                self._bursts.discard(row)
        return events
