"""When a worker dies: who goes on for it, and when nobody does any more.

Control made the sockets of all legs and keeps them, knows what each leg was ordered, and holds the
memory in which the dead worker counted. So another worker, one that was started ahead and waits
for this, gets memory, sockets and orders, and the calls talk again. Calls whose workers die again
and again are given up: one of them may be what kills.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from switch.clock import Clock
from switch.ids import CallId, LegId, call_of
from switch.media import wire
from switch.media.leg_book import NOWHERE, LegBook, Memory
from switch.media.messages import CallsLost, LegResumed, MediaEvent, WorkerDied
from switch.media.order_book import OrderBook
from switch.media.plane_lines import PlaneLines

BACK_OFF_S: Final = (0.0, 0.1, 0.4, 1.6)
"""How long calls wait for their next worker after each death in a row. Chosen: at once after the
first, for nearly all deaths stand alone; all together less than the 10 s after which sound that
does not come ends a call."""

DEATHS_MAX: Final = len(BACK_OFF_S)
"""So many workers may die in a row under a call; then the call is given up."""

STABLE_S: Final = 1.0
"""A worker that lived so long with a call was not killed by it. Chosen: a call that crashes what
carries it does so at its next packet or tick."""


@dataclass(slots=True)
class _Fate:
    """What a call has been through."""

    deaths: int = 0
    resumed_at: float = 0.0


@dataclass(slots=True)
class Heirs:
    """Takes care of the legs of dead workers.

    Args:
        lines: to the workers.
        book: what each leg was ordered.
        clock: for back-off.
        legs: all open legs; the plane's own.
        legs_max: of one worker.
        forget: frees the port of a leg that is given up.
        on_event: told what became of them.
    """

    lines: PlaneLines
    book: OrderBook
    clock: Clock
    legs: LegBook
    legs_max: int
    forget: Callable[[LegId], None]
    on_event: Callable[[MediaEvent], None]
    _fates: dict[CallId, _Fate] = field(default_factory=dict)
    _memories: list[Memory] = field(default_factory=list)

    def died(self, worker: int, memory: int) -> None:
        """A worker is dead; `memory` is the descriptor of what it left, or -1."""
        legs = [leg for leg, known in self.legs.items() if known.worker == worker]
        calls = sorted({call_of(leg) for leg in legs})
        left = Memory(memory, worker)
        self._memories.append(left)
        for leg in legs:
            self.legs.move(leg, NOWHERE)
            self.legs[leg].left = self.legs[leg].left or left
        self.on_event(WorkerDied(worker=worker, calls=calls))
        heir = self.lines.succeed(worker)
        lost = [call for call in calls if not self._may_go_on(call)]
        self._give_up(lost)
        kept = [call for call in calls if call not in lost]
        for wait_s in BACK_OFF_S:
            group = [c for c in kept if BACK_OFF_S[self._fates[c].deaths - 1] == wait_s]
            if group and wait_s == 0:
                self._resume(group, heir)
            elif group:
                asyncio.get_running_loop().call_later(wait_s, self._resume, group, heir)
        self._bury()

    def ready(self, worker: int) -> None:
        """A worker has started: legs that wait for one go there, unless they wait on purpose."""
        now = self.clock.monotonic()
        waiting = {call_of(leg) for leg, known in self.legs.items() if known.worker == NOWHERE}
        self._resume([c for c in sorted(waiting) if self._is_due(c, now)], worker)

    def resumed(self, report: LegResumed) -> None:
        """A worker says that it goes on with a leg."""
        known = self.legs.get(report.leg)
        if known is not None:
            known.left = None
            self._bury()

    def over(self, leg: LegId) -> None:
        """A leg is closed."""
        if LegId(leg ^ 1) not in self.legs:
            self._fates.pop(call_of(leg), None)
        self._bury()

    def _may_go_on(self, call: CallId) -> bool:
        now = self.clock.monotonic()
        fate = self._fates.setdefault(call, _Fate())
        if now - fate.resumed_at > STABLE_S:
            fate.deaths = 0
        fate.deaths += 1
        fate.resumed_at = now + BACK_OFF_S[min(fate.deaths, DEATHS_MAX) - 1]
        known = [leg for leg in _legs_of(call) if leg in self.legs]
        return fate.deaths <= DEATHS_MAX and all(self.book.knows(leg) for leg in known)

    def _is_due(self, call: CallId, now: float) -> bool:
        return call not in self._fates or self._fates[call].resumed_at <= now

    def _give_up(self, calls: list[CallId]) -> None:
        for leg in [leg for call in calls for leg in _legs_of(call) if leg in self.legs]:
            self.forget(leg)
        if calls:
            self.on_event(CallsLost(calls=calls))

    def _resume(self, calls: Iterable[CallId], heir: int) -> None:
        """Hand calls to a worker. One that is not there (any more) gets them when it is."""
        legs = [leg for call in calls for leg in _legs_of(call) if self._waits(leg)]
        worker = self._worker_for(legs, heir)
        if not legs or worker == NOWHERE:
            return
        now = self.clock.monotonic()
        for left in {id(m): m for m in (self.legs[leg].left for leg in legs) if m}.values():
            if left.fd >= 0:
                self.lines.send(worker, wire.Inherit(worker=left.worker), rights=[left.fd])
            for leg in (one for one in legs if self.legs[one].left is left):
                self._open(leg, worker)
        for leg in (one for one in legs if self.legs[one].worker == NOWHERE):
            self._open(leg, worker)
        rest = self.book.rest(legs)
        for at in range(0, len(rest), wire.BATCH_MAX):
            self.lines.send(worker, *rest[at : at + wire.BATCH_MAX])
        for call in {call_of(leg) for leg in legs}:
            self._fates.setdefault(call, _Fate()).resumed_at = now

    def _open(self, leg: LegId, worker: int) -> None:
        self.legs.move(leg, worker)
        rights = [one.fileno() for one in self.legs[leg].sockets]
        self.lines.send(worker, *self.book.opening(leg), rights=rights)

    def _worker_for(self, legs: list[LegId], heir: int) -> int:
        """The one that was named; else, after a first death, any that is there and has room."""
        there = self.lines.pids()
        if heir in there:
            return heir
        room = {n: self.legs_max - self.legs.held(n) for n in there}
        is_first = all(self._fates[call_of(leg)].deaths <= 1 for leg in legs)
        able = [n for n in there if room[n] >= len(legs)]
        return max(able, key=lambda n: room[n], default=NOWHERE) if is_first else NOWHERE

    def _waits(self, leg: LegId) -> bool:
        known = self.legs.get(leg)
        return known is not None and known.worker == NOWHERE

    def _bury(self) -> None:
        """Let go of memory that no leg needs any more."""
        needed = {id(known.left) for _, known in self.legs.items()}
        for memory in [one for one in self._memories if id(one) not in needed]:
            self._memories.remove(memory)
            if memory.fd >= 0:
                os.close(memory.fd)


def _legs_of(call: CallId) -> tuple[LegId, LegId]:
    return LegId(2 * call), LegId(2 * call + 1)
