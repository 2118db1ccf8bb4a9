"""Where the money is: in the store's own file, or on a PostgreSQL that several nodes share.

A deed about money is plain SQL that both understand, written once, on a `Raw`: what a bare SQLite
connection can do anyway, and what `PostgresRaw` does likewise. Only the hot statements of the
meter (`meter_statements`, `postgres_meter`) are written twice.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from switch.clock import Clock
from switch.ids import AccountId
from switch.store.engine import Store, driver

T = TypeVar("T")


class Rows(Protocol):
    """What a statement found, or how many rows it changed."""

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        """Return the next row; None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""
        ...


class Raw(Protocol):
    """A connection inside a deed. Placeholders are `?` or `:name`, as in SQLite."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Rows:
        """Carry out one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Carry out one statement for each row of parameters. Only for a few: see money.md 4."""
        ...


class Vault(Protocol):
    """The ledger's tables, wherever they are."""

    @property
    def clock(self) -> Clock:
        """For the stamps of rows."""
        ...

    async def write(self, deed: Callable[[Raw], T]) -> T:
        """Carry out one deed in a transaction of its own; durable when this returns.

        Raises:
            StoreError: the database is away, or said no.
        """
        ...

    async def read(self, deed: Callable[[Raw], T]) -> T:
        """Look at one consistent state.

        Raises:
            StoreError: the database is away.
        """
        ...


class FileVault:
    """The ledger in the store's own file.

    Args:
        store: the open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def clock(self) -> Clock:
        """For the stamps of rows."""
        return self._store.clock

    async def write(self, deed: Callable[[Raw], T]) -> T:
        """See `Store.write`."""
        return await self._store.write(lambda c: deed(driver(c)))

    async def read(self, deed: Callable[[Raw], T]) -> T:
        """See `Store.read`."""
        return await self._store.read(lambda c: deed(driver(c)))


def is_shared(raw: Raw) -> bool:
    """Say whether a deed runs on PostgreSQL, where other nodes may be at the same rows."""
    return not isinstance(raw, sqlite3.Connection)


def lock_accounts(raw: Raw, accounts: Collection[AccountId]) -> None:
    """Keep other nodes away from some accounts until the deed is over.

    Everybody locks in ascending id order, so nobody waits in a circle. SQLite has one writer,
    which is a lock on everything.
    """
    if is_shared(raw):
        wanted = sorted(set(accounts))
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT 1 FROM account WHERE id IN ({marks}) ORDER BY id FOR NO KEY UPDATE"  # noqa: S608 - marks only
        raw.execute(query, wanted)


def lock_name(raw: Raw, name: str) -> None:
    """Let one node at a time do what has this name: take the next number, seal a day."""
    if is_shared(raw):
        raw.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (name,))
