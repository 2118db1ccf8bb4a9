"""Opens the ledger where the configuration says, and keeps a data folder from having two.

A ledger is never moved by a change of the configuration: a folder that has begun one stays with
it, and says so.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switch.clock import Clock
from switch.errors import StoreError
from switch.store import postgres_schema
from switch.store.engine import Store, driver
from switch.store.meter_file import file_meters
from switch.store.meter_store import MeterStore
from switch.store.postgres_link import Postgres
from switch.store.postgres_meters import postgres_meters
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import FileVault, Raw, Vault

MARK: Final = "ledger-on-postgresql"
"""The file in the data folder that names the file with the address."""

DSN_BYTES_MAX: Final = 4_096
"""Chosen: far more than any address."""

_TABLES: Final = ("account", "transfer", "meter", "quote", "budget", "invoice")
"""Those in which the first row of a second ledger would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The open ledger of a node."""

    vault: Vault
    meters: MeterStore
    postgres: Postgres | None
    """None: it is in the store."""
    close: Callable[[], Awaitable[None]]


async def open_ledger(
    store: Store, *, data: Path, dsn_file: Path | None, clock: Clock, connections_max: int = 4
) -> Ledger:
    """Open the ledger that the configuration names.

    Args:
        store: the open database of this node.
        data: its data folder.
        dsn_file: with the address of a PostgreSQL database; None: the ledger is in the store.
        clock: for the stamps of rows.
        connections_max: to PostgreSQL.

    Raises:
        StoreError: one sentence for a person; nothing was changed.
    """
    mark = data / MARK
    if dsn_file is None:
        if mark.exists():
            raise StoreError(
                f"The ledger of {data} is on PostgreSQL. Name it again in [store]"
                f" postgres_dsn_file (it was {mark.read_text().strip()})."
            )
        return Ledger(
            vault=FileVault(store), meters=file_meters(store), postgres=None, close=_nothing
        )
    if not mark.exists():
        await _refuse_begun(store, data)
    postgres = await open_postgres(dsn_file, clock=clock, connections_max=connections_max)
    mark.write_text(f"{dsn_file.resolve()}\n")  # noqa: ASYNC240 - once, at start
    await store.write(lambda c: _close_own_ledger(driver(c)))
    return Ledger(
        vault=PostgresVault(postgres),
        meters=postgres_meters(postgres),
        postgres=postgres,
        close=postgres.close,
    )


async def open_kept_ledger(store: Store, *, data: Path, clock: Clock) -> Ledger:
    """Open the ledger that a data folder has begun: for commands, which read no configuration.

    Raises:
        StoreError: one sentence for a person.
    """
    mark = data / MARK
    dsn_file = Path(mark.read_text().strip()) if mark.exists() else None
    return await open_ledger(store, data=data, dsn_file=dsn_file, clock=clock)


async def open_postgres(dsn_file: Path, *, clock: Clock, connections_max: int = 4) -> Postgres:
    """Connect to the database that a file names, and look whether it is ours.

    Raises:
        StoreError: one sentence for a person.
    """
    postgres = await Postgres.open(dsn_of(dsn_file), clock=clock, connections_max=connections_max)
    async with AsyncExitStack() as undo:
        undo.push_async_callback(postgres.close)
        await postgres.read(postgres_schema.refuse_other)
        undo.pop_all()
    return postgres


def dsn_of(file: Path) -> str:
    """Read an address.

    Raises:
        StoreError: there is none in the file.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            dsn = opened.read(DSN_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"The file {file} with the address of PostgreSQL: {error}") from error
    if not dsn.startswith(("postgresql://", "postgres://")) or "\n" in dsn:
        raise StoreError(f"The file {file} holds no address like postgresql://role@host/database.")
    return dsn


async def _refuse_begun(store: Store, data: Path) -> None:
    def count(raw: Raw) -> int:
        return int(raw.execute("SELECT count(*) FROM account").fetchone()[0])

    begun = await store.read(lambda c: count(driver(c)))
    if begun:
        raise StoreError(
            f"{data} has a ledger of its own with {begun} accounts, and [store] names another on"
            " PostgreSQL. Leave [store] out, or start with an empty data folder."
        )


def _close_own_ledger(raw: Raw) -> None:
    """Let nothing of this process write money into the file, whatever is called with it."""
    for table in _TABLES:
        raw.execute(
            f"CREATE TEMP TRIGGER no_{table}_here BEFORE INSERT ON main.{table}"
            " BEGIN SELECT RAISE(ABORT, 'the ledger is on PostgreSQL'); END"
        )


async def _nothing() -> None:
    """The store is closed by who opened it."""
