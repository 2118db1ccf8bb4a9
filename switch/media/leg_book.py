"""Which worker has which leg, and how many each has: counted as legs come and go.

Every new call asks how full the workers are, some of it twice. With thousands of calls live, to
count all legs each time was the dearest part of the answer.
"""

import socket
from collections.abc import ItemsView, Iterator
from dataclasses import dataclass
from typing import Final

from switch.ids import LegId

NOWHERE: Final = -1
"""Worker of a leg whose worker died and whose next one is not there yet."""


@dataclass(slots=True, eq=False)
class Memory:
    """What a dead worker left."""

    fd: int
    worker: int


@dataclass(slots=True)
class OpenLeg:
    """A leg as control knows it. Only the book moves it to another worker."""

    worker: int
    port: int
    sockets: tuple[socket.socket, socket.socket]
    left: Memory | None = None
    """The memory of its dead worker, until another one has said that it goes on."""


class LegBook:
    """All open legs of this node."""

    def __init__(self) -> None:
        self._legs: dict[LegId, OpenLeg] = {}
        self._held: dict[int, int] = {}

    def __len__(self) -> int:
        """How many legs are open."""
        return len(self._legs)

    def __contains__(self, leg: LegId) -> bool:
        """Whether a leg is open."""
        return leg in self._legs

    def __iter__(self) -> Iterator[LegId]:
        """All open legs."""
        return iter(self._legs)

    def __getitem__(self, leg: LegId) -> OpenLeg:
        """Return an open leg.

        Raises:
            KeyError: it is not open.
        """
        return self._legs[leg]

    def get(self, leg: LegId) -> OpenLeg | None:
        """Return a leg; None: it is not open."""
        return self._legs.get(leg)

    def items(self) -> ItemsView[LegId, OpenLeg]:
        """All open legs, by name."""
        return self._legs.items()

    def held(self, worker: int) -> int:
        """Return how many legs a worker has, or NOWHERE."""
        return self._held.get(worker, 0)

    def put(self, leg: LegId, known: OpenLeg) -> None:
        """Note that a leg is open; one of that name that was there is forgotten."""
        if leg in self._legs:
            self.take(leg)
        self._legs[leg] = known
        self._add(known.worker, 1)

    def move(self, leg: LegId, worker: int) -> None:
        """Note that another worker has a leg now.

        Raises:
            KeyError: it is not open.
        """
        known = self._legs[leg]
        self._add(known.worker, -1)
        known.worker = worker
        self._add(worker, 1)

    def take(self, leg: LegId) -> OpenLeg:
        """Take a leg out of the book: it is closed.

        Raises:
            KeyError: it is not open.
        """
        known = self._legs.pop(leg)
        self._add(known.worker, -1)
        return known

    def _add(self, worker: int, count: int) -> None:
        held = self._held.get(worker, 0) + count
        if held:
            self._held[worker] = held
        else:
            self._held.pop(worker, None)
