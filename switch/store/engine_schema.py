"""The schema's revisions: which one a file has, which ones we know, how to get there.

One transaction carries all pending migrations and the proof that the disk takes a write, so a
full disk leaves the file where it was. alembic is imported only where a migration is pending: every
start of the switch comes by here, and hardly any has one.
"""

import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from switch.errors import StoreError

VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
"""alembic's scripts. Their names begin with their revisions."""


def revisions() -> list[str]:
    """Return the revisions that we know, oldest first."""
    return sorted(script.name.split("_", 1)[0] for script in VERSIONS.glob("[0-9]*.py"))


def refuse_newer(path: Path, raw: sqlite3.Connection) -> None:
    """Refuse a file whose revision we have never heard of, or that is somebody else's."""
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(f"{path} is a database of another program. Choose another file.")
        return
    known = revisions()
    for (revision,) in raw.execute("SELECT version_num FROM alembic_version"):
        if revision not in known:
            raise StoreError(
                f"The database {path} was written by a newer version of Kinline (schema"
                f" {revision}; this one knows up to {known[-1]})."
                " Start that version, or put back a backup."
            )


def migrate(raw: sqlite3.Connection) -> None:
    """Bring the file to the newest revision and prove that the disk takes a write."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _revision(raw) != revisions()[-1]:
            import_module("switch.store.engine_upgrade").upgrade(connection)
        connection.exec_driver_sql("UPDATE opening SET times = times + 1")


def _revision(raw: sqlite3.Connection) -> str:
    found = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    if found is None:
        return ""
    (revision,) = raw.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    return str(revision)
