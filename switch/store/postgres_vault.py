"""Deeds about money on PostgreSQL, though they are written for a plain connection that blocks.

A deed runs in a thread; each statement is carried out by the loop, on a connection of the pool
that the meter uses, too. What differs of the two dialects in these statements are the marks for
parameters, and that PostgreSQL adds integers up to a decimal.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

from switch.clock import Clock
from switch.store.postgres_link import Link, Postgres, rows_of
from switch.store.vault import Raw

T = TypeVar("T")

_MARK: Final = re.compile(r"'(?:[^']|'')*'|::|\?|:[a-z_]\w*")
_READS: Final = re.compile(r"\s*(SELECT|WITH)\b|\bRETURNING\b", re.IGNORECASE)


@lru_cache(maxsize=1_024)
def marked(sql: str) -> tuple[str, tuple[str, ...]]:
    """Write a statement with the marks of PostgreSQL; return it and the names in their order.

    `?` is named '' and takes the next parameter; a `:name` that comes twice is one parameter.
    """
    names: list[str] = []

    def mark(found: re.Match[str]) -> str:
        text = found[0]
        if text == "?":
            names.append("")
            return f"${len(names)}"
        if text.startswith(":") and text != "::":
            if text[1:] not in names:
                names.append(text[1:])
            return f"${names.index(text[1:]) + 1}"
        return text

    return _MARK.sub(mark, sql), tuple(names)


class _Found:
    """The rows that a statement found."""

    def __init__(self, rows: Sequence[Sequence[Any]], rowcount: int) -> None:
        self._rows = iter(rows)
        self._rowcount = rowcount

    @property
    def rowcount(self) -> int:
        return self._rowcount

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class PostgresRaw:
    """A connection of the pool as a deed sees it, in the deed's own thread.

    Args:
        link: lent by the pool, in a transaction.
        loop: the one that the pool belongs to.
    """

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> _Found:
        """Carry out one statement."""
        query, names = marked(sql)
        given = [parameters[n] for n in names] if isinstance(parameters, Mapping) else parameters
        if _READS.search(sql):
            rows = self._wait(self._link.fetch(query, *given))
            return _Found([_plain(row) for row in rows], len(rows))
        return _Found((), _changed(self._wait(self._link.execute(query, *given))))

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> _Found:
        """Carry out one statement for each row of parameters."""
        return _Found((), sum(self.execute(sql, row).rowcount for row in parameters))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class PostgresVault:
    """The ledger on PostgreSQL; see `Vault`.

    Args:
        postgres: the open pool.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._doing: set[asyncio.Future[Any]] = set()

    @property
    def clock(self) -> Clock:
        """For the stamps of rows."""
        return self._postgres.clock

    async def write(self, deed: Callable[[Raw], T]) -> T:
        """Carry out one deed. A cancelled waiter does not take it back."""
        return await self._done(self._postgres.write(_in_thread(deed)))

    async def read(self, deed: Callable[[Raw], T]) -> T:
        """Look at one consistent state."""
        return await self._done(self._postgres.read(_in_thread(deed)))

    async def _done(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a deed, which goes on if the waiter goes away: its thread cannot be stopped."""
        doing = asyncio.get_running_loop().create_task(work)
        self._doing.add(doing)
        doing.add_done_callback(self._doing.discard)
        return await asyncio.shield(doing)


def _in_thread(deed: Callable[[Raw], T]) -> Callable[[Link], Coroutine[Any, Any, T]]:
    async def carried_out(link: Link) -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(deed, PostgresRaw(link, loop))

    return carried_out


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as SQLite would give it: sums of integers are integers."""
    return tuple(int(value) if isinstance(value, Decimal) else value for value in row)


def _changed(answer: str) -> int:
    """How many rows a statement changed; nothing for one that has none to change."""
    return rows_of(answer) if answer.rsplit(" ", 1)[-1].isdecimal() else 0
