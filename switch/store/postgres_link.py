"""A connection to PostgreSQL as the statements see it, and the pool that lends it.

The driver is asyncpg. Every deed is one transaction, READ COMMITTED: rows that it decides on are
locked first, budgets before accounts, each in ascending id order, by everybody.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol, Self, TypeVar

import asyncpg

from switch.clock import Clock
from switch.errors import ConnectionLostError, StoreError

T = TypeVar("T")

TRIES_MAX: Final = 3
"""A deed that the database undid for another's sake is carried out again. Chosen: with ordered
locks nothing should ever be undone; three covers what an operator does by hand."""

COMMAND_TIMEOUT_S: Final = 5.0
"""A statement that takes longer is a database that is away. Chosen: a third of the 15 s that
ample calls outlive."""

TURN_S_MAX: Final = 3 * COMMAND_TIMEOUT_S
"""How long a deed waits for a connection. Chosen: others may wait for a database that is away."""

_SETTINGS: Final = {
    "application_name": "kinline",
    "synchronous_commit": "on",
    # Twenty thousand look-ups would be worth compiling to the planner, every second anew.
    "jit": "off",
    # Every row of a deed is found by its key. A plan that was made while a table was small, and
    # kept, would read all of it for each of a thousand calls.
    "enable_seqscan": "off",
}
_AGAIN: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
)
"""What is tried again: of two that wrote the same name at once, the second now finds the first."""


_LOST: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
)
"""The line broke, or the server ended it."""


class Link(Protocol):
    """What a statement needs of a connection."""

    async def execute(self, query: str, *args: object) -> str:
        """Carry out a statement; the answer ends with the number of rows."""
        ...

    async def executemany(self, query: str, args: Sequence[Sequence[object]]) -> None:
        """Carry out a statement for each row of arguments."""
        ...

    async def fetch(self, query: str, *args: object) -> list[Any]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Any:  # noqa: ANN401 - a record
        """Return one row, or None."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 - a value
        """Return the first value of the first row, or None."""
        ...


class Postgres:
    """An open ledger on PostgreSQL. Make it with `open`."""

    def __init__(self, pool: Any, first: Any, *, clock: Clock) -> None:  # noqa: ANN401 - asyncpg has no types
        self._pool = pool
        self._first = first
        self.clock = clock

    @classmethod
    async def open(cls, dsn: str, *, clock: Clock, connections_max: int = 4) -> Self:
        """Connect.

        Args:
            dsn: `postgresql://role@/database?host=/run/postgresql`.
            clock: for the stamps of rows.
            connections_max: at once; one more is kept for the beat.

        Raises:
            StoreError: one sentence for a person.
        """
        async with AsyncExitStack() as undo:
            pools = []
            for size in (connections_max, 1):
                pool = await _pool(dsn, size)
                undo.push_async_callback(pool.close)
                pools.append(pool)
            undo.pop_all()
        return cls(*pools, clock=clock)

    async def write(self, deed: Callable[[Link], Awaitable[T]], *, is_beat: bool = False) -> T:
        """Carry out one deed in a transaction of its own; durable when this returns.

        Args:
            deed: gets a connection, and must not commit.
            is_beat: does not wait behind other deeds: the calls' next second hangs on it.

        Raises:
            ConnectionLostError: it broke in the middle.
            StoreError: the database said no.
        """
        for tries_left in reversed(range(TRIES_MAX)):
            try:
                return await self._once(deed, self._first if is_beat else self._pool)
            except _AGAIN as error:
                if not tries_left:
                    raise StoreError(f"PostgreSQL undid a deed {TRIES_MAX} times.") from error
        raise AssertionError("unreachable")

    async def read(self, deed: Callable[[Link], Awaitable[T]]) -> T:
        """Look at one consistent state.

        Raises:
            StoreError: the database cannot be read.
        """
        return await self._once(deed, self._pool, isolation="repeatable_read", readonly=True)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._first.close()
        await self._pool.close()

    async def _once(self, deed: Callable[[Link], Awaitable[T]], pool: Any, **how: Any) -> T:  # noqa: ANN401
        try:
            async with (
                pool.acquire(timeout=TURN_S_MAX) as link,
                link.transaction(**how),
            ):
                return await deed(link)
        except (*_AGAIN, asyncpg.IntegrityConstraintViolationError):
            raise
        except _LOST as error:
            raise ConnectionLostError(f"The connection to PostgreSQL was lost: {error}.") from error
        except asyncpg.PostgresError as error:
            raise StoreError(f"PostgreSQL could not do what was asked: {error}.") from error


def rows_of(answer: str) -> int:
    """How many rows a statement changed: the last word of its answer."""
    return int(answer.rsplit(" ", 1)[-1])


async def _nothing(_link: object) -> None:
    """Tidy nothing up when a connection comes back: a deed leaves nothing but its transaction.

    The driver would send four commands that undo what no deed does: one more round trip for each.
    """


async def _pool(dsn: str, size: int) -> Any:  # noqa: ANN401 - asyncpg has no types
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings=_SETTINGS,
            reset=_nothing,
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise StoreError(f"PostgreSQL cannot be reached: {error}. Check that it runs.") from error
