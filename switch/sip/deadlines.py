"""One heap of deadlines for everything in the stack that waits.

Whoever waits carries its own `timer_at`; the heap only says in which order to look. A deadline that
was moved or stopped leaves an empty cell behind, which is skipped when its time comes: nothing is
ever searched, and nobody is kept alive by a time that no longer matters.

Source: chosen; RFC 3261 section 17 says when, never how.
"""

from heapq import heappop, heappush
from typing import Any, Generic, Protocol, TypeVar


class Waiting(Protocol):
    """Something with a deadline."""

    timer_at: float | None
    """When it wants to be woken, or None."""

    timer_cell: list[Any]
    """Where the heap knows it from: a list that holds it alone, or an empty one."""


OwnerT = TypeVar("OwnerT", bound=Waiting)


class Deadlines(Generic[OwnerT]):
    """Who is to be woken next."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, list[OwnerT]]] = []
        self._pushed = 0

    def __len__(self) -> int:
        """Return the number of entries, stale ones too."""
        return len(self._heap)

    def arm(self, owner: OwnerT, at: float | None) -> None:
        """Wake this owner at that time and no other; None: never."""
        if owner.timer_at == at:
            return
        owner.timer_cell.clear()
        owner.timer_at = at
        if at is not None:
            cell = [owner]
            owner.timer_cell = cell
            self._pushed += 1
            heappush(self._heap, (at, self._pushed, cell))

    def next_deadline(self) -> float | None:
        """Return the earliest deadline, or None."""
        while self._heap and not self._heap[0][2]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, *, now: float) -> OwnerT | None:
        """Return one owner whose time has come, its deadline cleared, or None."""
        at = self.next_deadline()
        if at is None or at > now:
            return None
        owner = heappop(self._heap)[2].pop()
        owner.timer_at = None
        return owner
