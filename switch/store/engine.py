"""The database of one machine: one thread that writes, one that reads, one process at a time.

SQLite in WAL mode had a race that can corrupt the file when two connections write or checkpoint
at once (3.7.0 to 3.51.2, https://sqlite.org/wal.html#walresetbug). Hence one writing and
checkpointing connection; the other is read-only and never checkpoints. `synchronous=FULL` costs
one fsync for each group of writes: whoever waits while a group is being written goes into the
next one together, each in a savepoint of its own.
"""

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

from switch.clock import Clock
from switch.errors import StoreError
from switch.store import engine_opening
from switch.store.engine_faults import fault_sentence

T = TypeVar("T")

DEEDS_MAX: Final = 64
"""Deeds of one commit. Chosen: bounds what one full disk can refuse at once."""

WAL_PAGES: Final = 1_000
"""Pages in the log before the writer folds them into the file. SQLite's own default."""


@dataclass(slots=True)
class _Waiting:
    """One deed on its way to the writer."""

    deed: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Answer whoever waits, unless they have gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Store:
    """An open database. Make it with `open`."""

    def __init__(self, path: Path, *, lock: engine_opening.FileLock, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._lock = lock
        self._closed = False
        self._writer_engine = _sqlite(path, read_only=False)
        self._reader_engine = _sqlite(path, read_only=True)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")

    @classmethod
    async def open(cls, path: Path, *, clock: Clock, create: bool = True) -> Self:
        """Open the database, made or brought up to date if need be.

        Args:
            path: the file. Its lock stands beside it as `<name>.lock`.
            clock: for the stamps of rows.
            create: False refuses a file that is not there.

        Raises:
            StoreError: one sentence for a person. The file is as it was before.
        """
        lock = await asyncio.to_thread(engine_opening.prepare, path, create=create)
        store = cls(path, lock=lock, clock=clock)
        store._writer.start()
        return store

    async def write(self, deed: Callable[[Connection], T]) -> T:
        """Carry out one deed in a transaction of its own; durable when this returns.

        The deed gets a SQLAlchemy connection and must not commit. What it raises undoes it and
        comes out here. A cancelled waiter does not take the deed back.

        Raises:
            StoreError: the disk is full, failing or read-only, or the store is closed.
        """
        if self._closed:
            raise StoreError("The database is closed.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(deed, loop, loop.create_future())
        self._queue.put(waiting)
        return cast("T", await waiting.future)

    async def read(self, deed: Callable[[Connection], T]) -> T:
        """Look at one consistent state, which has everything that was written before.

        Raises:
            StoreError: the file cannot be read, or the store is closed.
        """
        if self._closed:
            raise StoreError("The database is closed.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, deed)

    async def close(self) -> None:
        """Finish what waits, fold the log into the file, let go of the lock."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._reader_engine.dispose()
        self._writer_engine.dispose()
        self._lock.release()

    def _read(self, deed: Callable[[Connection], T]) -> T:
        try:
            with self._reader_engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    return deed(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
        except (DBAPIError, sqlite3.Error) as error:
            raise StoreError(fault_sentence(self.path, error)) from error

    def _write_forever(self) -> None:
        with self._writer_engine.connect() as connection:
            while (first := self._queue.get()) is not None:
                group = [first]
                last = False
                while len(group) < DEEDS_MAX and not self._queue.empty():
                    waiting = self._queue.get()
                    if waiting is None:
                        last = True
                        break
                    group.append(waiting)
                self._carry_out(connection, group)
                _tell(group)
                if last:
                    break

    def _carry_out(self, connection: Connection, group: Sequence[_Waiting]) -> None:
        """Run a group of deeds in one transaction; what fails alone is undone alone."""
        raw = driver(connection)
        try:
            raw.execute("BEGIN IMMEDIATE")
            for waiting in group:
                raw.execute("SAVEPOINT deed")
                self._carry_out_one(connection, raw, waiting)
                raw.execute("RELEASE deed")
            raw.execute("COMMIT")
        except sqlite3.Error as error:
            # A full or failing disk takes the whole transaction with it: nobody's deed is done.
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            sentence = fault_sentence(self.path, error)
            for waiting in group:
                waiting.error = waiting.error or StoreError(sentence)

    def _carry_out_one(
        self, connection: Connection, raw: sqlite3.Connection, waiting: _Waiting
    ) -> None:
        try:
            waiting.result = waiting.deed(connection)
        except (IntegrityError, sqlite3.IntegrityError) as error:
            waiting.error = error
        except (DBAPIError, sqlite3.Error) as error:
            waiting.error = StoreError(fault_sentence(self.path, error))
            waiting.error.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked, not to us
            waiting.error = error
        if waiting.error is None:
            return
        if not raw.in_transaction:  # SQLite has rolled everything back by itself, and said why
            raise _said_by_sqlite(waiting.error)
        raw.execute("ROLLBACK TO deed")


def _said_by_sqlite(error: BaseException) -> sqlite3.Error:
    """Return what ended a whole transaction, to tell everybody in it."""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    cause = cause.orig if isinstance(cause, DBAPIError) else cause
    return cause if isinstance(cause, sqlite3.Error) else sqlite3.OperationalError(str(error))


def driver(connection: Connection) -> sqlite3.Connection:
    """The bare connection beneath, for the hot statements, which are plain SQL."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _tell(group: Sequence[_Waiting]) -> None:
    """Wake the loop once for a whole group."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in group:
        by_loop.setdefault(waiting.loop, []).append(waiting)
    for loop, those in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell_all, those)


def _tell_all(group: Sequence[_Waiting]) -> None:
    for waiting in group:
        waiting.tell()


def _sqlite(path: Path, *, read_only: bool) -> Engine:
    """One connection, transactions begun by hand (the driver's own would begin too late)."""

    def connect() -> sqlite3.Connection:
        return engine_opening.connect(path, read_only=read_only)

    return create_engine(
        "sqlite://", creator=connect, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
    )
