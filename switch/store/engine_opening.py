"""From a path to a database that may be written: lock, look, bring up to date, or refuse.

Everything that can be refused is refused before the first byte is written: the looking is done
through a read-only connection.
"""

import fcntl
import os
import shutil
import sqlite3
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from switch.errors import StoreError
from switch.store import engine_schema
from switch.store.engine_faults import fault_sentence

MAGIC: Final = b"SQLite format 3\0"
"""The first 16 bytes of every database. https://sqlite.org/fileformat.html section 1.3."""

FREE_BYTES_MIN: Final = 16 * 1024 * 1024
"""Less room than this is a full disk. Chosen: a day of records of a small site."""

CHECKED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Up to this size the whole file is checked at start. Chosen: about a second."""

BUSY_MS: Final = 2_000
"""How long a lock of a foreign tool (a backup) is waited for. Chosen."""


class FileLock:
    """Keeps a second process away. The kernel lets go of it when we die."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The folder {path.parent} cannot be written ({error.strerror}),"
                " and the database in it needs that."
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._fd, 32).decode(errors="replace").strip()
            os.close(self._fd)
            raise StoreError(
                f"Another process ({holder or 'unknown'}) has the database open. Stop it first,"
                " or ask it through its control socket."
            ) from error
        self._note_holder()

    def release(self) -> None:
        """Let others in. The file stays: removing it would let two in at once."""
        os.close(self._fd)

    def _note_holder(self) -> None:
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"pid {os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self._fd)
            raise StoreError(
                f"The disk refused to write {self._path} ({error.strerror}). Free some space."
            ) from error


def prepare(path: Path, *, create: bool) -> FileLock:
    """Take the lock and leave a database of the current schema behind.

    Raises:
        StoreError: and the file is as it was; one that was not there is not there now.
    """
    if _is_new(path) and not create:
        raise StoreError(f"There is no database at {path}.")
    _refuse_unwritable(path)
    with ExitStack() as undo:
        lock = FileLock(path.with_name(path.name + ".lock"))
        undo.callback(lock.release)
        is_new = _is_new(path)  # asked under the lock: another process may just have made it
        if is_new:
            undo.callback(_remove, path)
        else:
            _look(path)
        _refuse_full(path)
        _bring_up_to_date(path)
        undo.pop_all()
    return lock


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open one connection with the settings that every one of them has."""
    mode = "ro" if read_only else "rwc"
    raw = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
        cached_statements=512,
    )
    raw.execute("PRAGMA foreign_keys = ON")
    if read_only:
        raw.execute("PRAGMA wal_autocheckpoint = 0")
        raw.execute("PRAGMA query_only = ON")
    else:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
    return raw


def _is_new(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _refuse_unwritable(path: Path) -> None:
    """Refuse a file or folder that is marked read-only, even where root could write it."""
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} of the database is not there.")
    for place in (path, path.parent):
        if not place.exists():
            continue
        marked = not place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
        if marked or not os.access(place, os.W_OK):
            kind = "folder of the database" if place.is_dir() else "database"
            raise StoreError(f"The {kind} {place} is read-only. Make it writable.")


def _refuse_full(path: Path) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < FREE_BYTES_MIN:
        raise StoreError(
            f"The disk is full: {path.parent} has {free // 1024} KiB left and the database needs"
            f" {FREE_BYTES_MIN // 1024} KiB. Free some space and start again."
        )


def _look(path: Path) -> None:
    """Read the file without touching it: is it whole, is it ours, is it of our time?"""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{path} is not a database. Put back the last backup.")
    raw = None
    try:
        raw = connect(path, read_only=True)
        engine_schema.refuse_newer(path, raw)
        if path.stat().st_size <= CHECKED_BYTES_MAX:
            (verdict,) = raw.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError(f"The database {path} is damaged. Put back the last backup.")
    except sqlite3.Error as error:
        raise StoreError(fault_sentence(path, error)) from error
    finally:
        if raw is not None:
            raw.close()


def _bring_up_to_date(path: Path) -> None:
    raw = None
    try:
        raw = connect(path, read_only=False)
        engine_schema.migrate(raw)
    except (sqlite3.Error, DBAPIError) as error:
        raise StoreError(fault_sentence(path, error)) from error
    finally:
        if raw is not None:
            raw.close()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
