"""Recorded names: taken once, approved once, then spoken. calls.md section 2.1, 1, and row A6.

    none --recorded--> pending --approved--> spoken
    pending --refused--> none (asked for again at the next call)
    spoken --refused--> none

A pending recording stands apart from the approved ones, so that nothing can play it by its person.
"""

import sqlite3
from pathlib import Path
from typing import Final

from switch.errors import UserError
from switch.ids import PersonId
from switch.screening.facts import Person
from switch.store import house_people

_WAITING: Final = """
SELECT id FROM person WHERE coalesce(json_extract(body, '$.name_pending'), '') <> ''
   AND (:facility = '' OR facility = :facility) ORDER BY id LIMIT :rows_max
"""


def name_file(data: Path, name: str) -> Path:
    """Return the file of a recorded name: µ-law, 8 kHz, no header."""
    return data / "prompts" / "names" / f"{name}.ulaw"


def pending_name(person: PersonId) -> str:
    """Return what a name is called until it is approved."""
    return f"pending/{person}"


def taken(raw: sqlite3.Connection, person: PersonId) -> Person:
    """Note that a person's name was recorded and waits for approval."""
    return house_people.change(raw, person, name_pending=pending_name(person))


def waiting(raw: sqlite3.Connection, *, facility: str, rows_max: int) -> list[Person]:
    """Return those whose recorded name waits for approval, by id."""
    rows = raw.execute(_WAITING, {"facility": facility, "rows_max": rows_max}).fetchall()
    return [house_people.known(raw, person) for (person,) in rows]


def approve(raw: sqlite3.Connection, person: str, *, data: Path) -> Person:
    """Let a recorded name be spoken.

    Raises:
        UserError: none waits, or its recording is gone.
    """
    found = house_people.known(raw, person)
    if not found.name_pending:
        raise UserError(f"No recorded name of {person} waits. `kinline person names` shows all.")
    recorded, name = name_file(data, found.name_pending), f"person/{found.id}"
    if not recorded.is_file():
        raise UserError(f"The recording {recorded} is gone. Refuse it: the name is asked again.")
    spoken = name_file(data, name)
    spoken.parent.mkdir(parents=True, exist_ok=True)
    recorded.replace(spoken)
    return house_people.change(raw, person, name_pending="", name_file=name)


def refuse(raw: sqlite3.Connection, person: str, *, data: Path) -> Person:
    """Take a recorded name away, waiting or spoken; it is asked for at the next call.

    Raises:
        UserError: there is none.
    """
    found = house_people.known(raw, person)
    if not found.name_pending and not found.name_file:
        raise UserError(f"{person} has no recorded name.")
    name = found.name_pending or found.name_file
    fresh = house_people.change(raw, person, name_pending="", name_file="")
    name_file(data, name).unlink(missing_ok=True)
    return fresh
