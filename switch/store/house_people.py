"""People: who there is, added, moved, suspended, released. Inside a deed."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from switch.errors import UserError
from switch.ids import FacilityId, PersonId
from switch.screening.facts import Person
from switch.screening.settings import Facility
from switch.store import house_rows

_GET: Final = "SELECT body FROM person WHERE id = ?"
_PUT: Final = """
INSERT INTO person (id, facility, body) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET facility = excluded.facility, body = excluded.body
"""
_LIST: Final = "SELECT body FROM person WHERE (? = '' OR facility = ?) ORDER BY id LIMIT ?"
_NOT_PLAIN: Final = """
SELECT body FROM person WHERE json_extract(body, '$.state') IN ('released', 'moved')
   OR json_extract(body, '$.suspended_until') > ''
"""
_LAST_BAD: Final = """
SELECT terminal, tries, at FROM bad_pin WHERE person = ? ORDER BY at DESC LIMIT 1
"""


def find(raw: sqlite3.Connection, person: str) -> Person | None:
    """Return a person, or None."""
    row = raw.execute(_GET, (person,)).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Person)


def known(raw: sqlite3.Connection, person: str) -> Person:
    """Return a person.

    Raises:
        UserError: there is none of this id.
    """
    found = find(raw, person)
    if found is None:
        raise UserError(f"There is no person {person}. `kinline person list` shows all.")
    return found


def put(raw: sqlite3.Connection, person: Person) -> None:
    """Write a person, new or changed."""
    raw.execute(_PUT, (person.id, person.facility, msgspec.json.encode(person).decode()))
    house_rows.touch(raw)


def change(raw: sqlite3.Connection, person: str, **fields: object) -> Person:
    """Change some fields of a person.

    Raises:
        UserError: there is none of this id.
    """
    changed = msgspec.structs.replace(known(raw, person), **fields)
    put(raw, changed)
    return changed


def find_all(raw: sqlite3.Connection, *, facility: str = "", rows_max: int = 1_000) -> list[Person]:
    """List people, by id."""
    rows = raw.execute(_LIST, (facility, facility, rows_max))
    return [msgspec.json.decode(body, type=Person) for (body,) in rows]


def gone(
    raw: sqlite3.Connection,
    today: Callable[[str], str],
    facilities: Mapping[FacilityId, Facility],
) -> tuple[frozenset[PersonId], frozenset[PersonId]]:
    """Return those who may not use a telephone now: released or moved; suspended today.

    Args:
        raw: the connection.
        today: the date in a time zone, `2026-11-24`.
        facilities: for their zones.
    """
    left: set[PersonId] = set()
    suspended: set[PersonId] = set()
    for (body,) in raw.execute(_NOT_PLAIN):
        person = msgspec.json.decode(body, type=Person)
        facility = facilities.get(FacilityId(person.facility))
        date = today(facility.zone if facility is not None else "UTC")
        if person.state != "active":
            left.add(person.id)
        elif person.suspended_from <= date < person.suspended_until:
            suspended.add(person.id)
    return frozenset(left), frozenset(suspended)


def last_bad_pin(raw: sqlite3.Connection, person: str) -> tuple[str, int, float] | None:
    """Return where and when a bad PIN was last keyed for a person: terminal, tries, wall time."""
    row = raw.execute(_LAST_BAD, (person,)).fetchone()
    return None if row is None else (str(row[0]), int(row[1]), float(row[2]))
