"""What is only configured: one row with an id and its struct as JSON. Inside a deed."""

import sqlite3
from typing import Final, TypeVar

import msgspec

from switch.routing.terminal import Gateway, Terminal
from switch.routing.treatment import SpeedDial
from switch.routing.trunk import TrunkSettings
from switch.screening.settings import Agency, Facility, Unit

Thing = Agency | Facility | Unit | Terminal | Gateway | TrunkSettings | SpeedDial
T = TypeVar("T", bound=Thing)

TABLE_OF: Final[dict[type, str]] = {
    Agency: "agency",
    Facility: "facility",
    Unit: "unit",
    Terminal: "terminal",
    Gateway: "gateway",
    TrunkSettings: "trunk",
    SpeedDial: "speed_dial",
}
"""Where each kind of thing stands."""


def key_of(thing: Thing) -> str:
    """Return the id of a row; what belongs to a facility is named with it."""
    match thing:
        case Unit():
            return f"{thing.facility}/{thing.id}"
        case SpeedDial():
            return f"{thing.facility}/{thing.code}"
        case Agency() | Facility() | Terminal() | Gateway() | TrunkSettings():
            return str(thing.id)


def put(raw: sqlite3.Connection, thing: Thing) -> bool:
    """Write a thing, new or changed; return whether anything changed."""
    table, body = TABLE_OF[type(thing)], msgspec.json.encode(thing).decode()
    changed = raw.execute(
        f"INSERT INTO {table} (id, body) VALUES (?, ?) "  # noqa: S608 - a name of TABLE_OF
        "ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
        (key_of(thing), body),
    ).rowcount
    if changed > 0:
        touch(raw)
    return changed > 0


def remove(raw: sqlite3.Connection, kind: type[Thing], key: str) -> bool:
    """Take a thing out; return whether it was there."""
    query = f"DELETE FROM {TABLE_OF[kind]} WHERE id = ?"  # noqa: S608 - a name of TABLE_OF
    removed = raw.execute(query, (key,)).rowcount > 0
    if removed:
        touch(raw)
    return removed


def said_anew(raw: sqlite3.Connection, thing: Thing) -> bool:
    """Say whether the configuration says something else of a thing than the last time.

    What it says is remembered. What it does not say anew is left as staff made it: changed or gone.
    """
    kind, key = TABLE_OF[type(thing)], key_of(thing)
    body = msgspec.json.encode(thing).decode()
    return (
        raw.execute(
            "INSERT INTO house_seeded (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id)"
            " DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
            (kind, key, body),
        ).rowcount
        > 0
    )


def every(raw: sqlite3.Connection, kind: type[T]) -> list[T]:
    """Return all things of a kind, by id."""
    rows = raw.execute(f"SELECT body FROM {TABLE_OF[kind]} ORDER BY id")  # noqa: S608 - as above
    return [msgspec.json.decode(body, type=kind) for (body,) in rows]


def one(raw: sqlite3.Connection, kind: type[T], key: str) -> T | None:
    """Return one thing, or None."""
    query = f"SELECT body FROM {TABLE_OF[kind]} WHERE id = ?"  # noqa: S608 - as above
    row = raw.execute(query, (key,)).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=kind)


def touch(raw: sqlite3.Connection) -> None:
    """The rules are others from now on."""
    raw.execute("UPDATE house_version SET version = version + 1")


def version(raw: sqlite3.Connection) -> int:
    """Return how often the rules changed; a call record keeps it."""
    (found,) = raw.execute("SELECT version FROM house_version").fetchone()
    return int(found)
