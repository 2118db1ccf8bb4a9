"""The audit trail in the database: each entry seals the one before it.

`append` works on the caller's connection, so that a change and its entry stand or fall together.
Triggers refuse every change of a row that is there; the chain shows a change made around them. A
tail that was cut off shows only against a head that was published earlier: `verify` takes one.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from switch.chain import FIRST_LINK, link

VERIFY_ROWS_MAX: Final = 1_000
"""Rows read at a time while verifying. Chosen: memory stays flat over seven years of entries."""

FIELD_CHARS_MAX: Final = 2_000
"""Longer fields are cut. Chosen: a reason is a sentence, not a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what, where from, when and why."""

    at_micros: int
    who: str
    role: str
    address: str
    what: str
    target: str
    before: str = ""
    after: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry in its place."""

    n: int
    entry: AuditEntry
    link: str

    def as_dict(self) -> dict[str, Any]:
        """Flat, for a table or JSON."""
        return {"n": self.n} | asdict(self.entry) | {"link": self.link}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What verifying found."""

    entries: int
    head: str
    faults: tuple[str, ...]


_COLUMNS: Final = "n, at_micros, who, role, address, what, target, before, after, why, link"

_INSERT: Final = text(
    f"INSERT INTO audit ({_COLUMNS}) VALUES (:n, :at_micros, :who, :role, :address, :what,"  # noqa: S608 - our own column names
    " :target, :before, :after, :why, :link)"
)
_HEAD: Final = text("SELECT n, link FROM audit ORDER BY n DESC LIMIT 1")
_AFTER: Final = text(f"SELECT {_COLUMNS} FROM audit WHERE n > :n ORDER BY n LIMIT :rows_max")  # noqa: S608 - our own column names
_TAIL: Final = text(f"SELECT {_COLUMNS} FROM audit ORDER BY n DESC LIMIT :rows_max")  # noqa: S608 - our own column names


def append(connection: Connection, entry: AuditEntry) -> AuditRow:
    """Write one entry at the end of the chain, within the caller's transaction."""
    n, previous = head(connection)
    kept = _shortened(entry)
    row = AuditRow(n=n + 1, entry=kept, link=link(previous, body(n + 1, kept)))
    connection.execute(_INSERT, row.as_dict())
    return row


def head(connection: Connection) -> tuple[int, str]:
    """Return number and link of the newest entry; publish it, and nobody can cut the tail."""
    found = connection.execute(_HEAD).first()
    return (found.n, found.link) if found else (0, FIRST_LINK)


def entry_at(connection: Connection, n: int) -> AuditEntry | None:
    """Return the entry with a number, if the trail is that long."""
    found = connection.execute(_AFTER, {"n": n - 1, "rows_max": 1}).first()
    return None if found is None or found.n != n else _row(found).entry


def tail(connection: Connection, rows_max: int) -> list[AuditRow]:
    """Return the newest entries, the oldest of them first."""
    rows = connection.execute(_TAIL, {"rows_max": rows_max}).all()
    return [_row(found) for found in reversed(rows)]


def verify(connection: Connection, *, published: tuple[int, str] | None = None) -> AuditVerdict:
    """Follow the chain from its first entry.

    Args:
        connection: reading is enough.
        published: number and link of a head that was published once; it must still be there.
    """
    faults: list[str] = []
    previous, n = FIRST_LINK, 0
    is_published_seen = published is None
    for row in _all_rows(connection):
        n += 1
        if row.n != n:
            faults.append(f"entry {n} is missing")
            n = row.n
        elif link(previous, body(row.n, row.entry)) != row.link:
            faults.append(f"entry {row.n} does not follow from the one before it")
        if published is not None and (row.n, row.link) == published:
            is_published_seen = True
        previous = row.link
    if not is_published_seen and published is not None:
        faults.append(f"the published head {published[0]}:{published[1][:12]}… is not in the trail")
    return AuditVerdict(entries=n, head=previous, faults=tuple(faults))


def body(n: int, entry: AuditEntry) -> bytes:
    """Write an entry as the bytes that are sealed: a JSON list, in the order of the columns."""
    return msgspec.json.encode([n, *asdict(entry).values()])


def _all_rows(connection: Connection) -> Iterator[AuditRow]:
    n = 0
    while rows := connection.execute(_AFTER, {"n": n, "rows_max": VERIFY_ROWS_MAX}).all():
        for found in rows:
            row = _row(found)
            n = row.n
            yield row


def _row(found: Any) -> AuditRow:  # noqa: ANN401 - a row of SQLAlchemy
    fields = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    n, sealed = fields.pop("n"), fields.pop("link")
    return AuditRow(n=n, entry=AuditEntry(**fields), link=sealed)


def _shortened(entry: AuditEntry) -> AuditEntry:
    fields: dict[str, Any] = {
        name: value[:FIELD_CHARS_MAX] if isinstance(value, str) else value
        for name, value in asdict(entry).items()
    }
    return AuditEntry(**fields)
