"""What a person is told when the disk or the file says no: one sentence, and what to do."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError


def fault_sentence(path: Path, error: Exception) -> str:
    """Turn an error of the driver into one clear sentence about this database."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return f"The disk is full: {path} cannot grow. Free some space and start again."
    if name.startswith("SQLITE_READONLY"):
        return f"The database {path} is read-only. Make it and its folder writable."
    if name.startswith("SQLITE_CORRUPT") or name == "SQLITE_NOTADB":
        return f"The database {path} is damaged. Put back the last backup."
    if name.startswith("SQLITE_CANTOPEN"):
        return f"The database {path} cannot be opened. Check that its folder is there and writable."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"The database {path} is in use by another program."
    if name.startswith("SQLITE_IOERR"):
        return (
            f"The disk refused a read or write of {path} ({name}): it is full or failing."
            " Free some space or check the disk."
        )
    if isinstance(cause, sqlite3.Error):
        return f"The database {path} could not do what was asked: {cause}."
    return f"The database {path} failed: {error}."
