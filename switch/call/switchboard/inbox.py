"""What waits for one call: its inputs, in order, and one moment that it may be asked about.

`asyncio.Queue` and `asyncio.Event` do the same for many waiters and hold a queue for each kind of
them: 3 kB of every call (measured). Of these two each has one waiter.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class InboxFullError(Exception):
    """So many inputs wait already."""


class Moment:
    """Something that comes about once."""

    __slots__ = ("_has_come", "_waiter")

    def __init__(self) -> None:
        self._has_come = False
        self._waiter: asyncio.Future[None] | None = None

    def is_set(self) -> bool:
        """Whether it has come about."""
        return self._has_come

    def set(self) -> None:
        """It has come about."""
        self._has_come = True
        _wake(self._waiter)

    async def wait(self) -> None:
        """Wait for it. One at a time."""
        await _until(self, self.is_set)


class Inbox(Generic[T]):
    """Inputs in the order in which they came.

    Args:
        inputs_max: so many may wait.
    """

    __slots__ = ("_inputs", "_inputs_max", "_waiter")

    def __init__(self, inputs_max: int) -> None:
        self._inputs: list[T] = []
        self._inputs_max = inputs_max
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._inputs)

    def put(self, what: T) -> None:
        """Add one.

        Raises:
            InboxFullError: it was not added.
        """
        if len(self._inputs) >= self._inputs_max:
            raise InboxFullError
        self._inputs.append(what)
        _wake(self._waiter)

    async def get(self) -> T:
        """Take the oldest; wait for one. One at a time; cancelled, it takes none."""
        await _until(self, lambda: bool(self._inputs))
        return self._inputs.pop(0)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def _until(of: "Moment | Inbox[T]", is_so: Callable[[], bool]) -> None:
    while not is_so():
        of._waiter = asyncio.get_running_loop().create_future()  # noqa: SLF001 - of this file
        try:
            await of._waiter  # noqa: SLF001 - same
        finally:
            of._waiter = None  # noqa: SLF001 - same
