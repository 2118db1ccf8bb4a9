"""Personal allowed numbers: asked for, approved, refused, removed, each with its history.

Inside a deed. The list as it stands is one row per number; the history only grows.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from switch.errors import UserError
from switch.routing.number import E164
from switch.screening.facts import PanState

_STATE: Final = "SELECT state FROM pan_entry WHERE person = ? AND number = ?"
_VERSION: Final = "SELECT coalesce(max(id), 0) FROM pan_history WHERE person = ?"
_PUT: Final = """
INSERT INTO pan_entry (person, number, state) VALUES (?, ?, ?)
ON CONFLICT (person, number) DO UPDATE SET state = excluded.state
"""
_NOTE: Final = """
INSERT INTO pan_history (person, number, state, by, note, at) VALUES (?, ?, ?, ?, ?, ?)
"""
_LIST: Final = """
SELECT number, state FROM pan_entry WHERE person = ? AND state IN ('pending', 'approved')
 ORDER BY number
"""
_HISTORY: Final = """
SELECT number, state, by, note, at FROM pan_history WHERE person = ? ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class PanChange:
    """One line of a list's history."""

    number: str
    state: str
    by: str
    note: str
    at: float


def state_of(raw: sqlite3.Connection, person: str, number: str) -> PanState:
    """Say where a number stands on a person's list."""
    row = raw.execute(_STATE, (person, number)).fetchone()
    match row[0] if row is not None else "":
        case "approved":
            return PanState.APPROVED
        case "pending":
            return PanState.PENDING
        case _:
            return PanState.MISSING


def version_of(raw: sqlite3.Connection, person: str) -> int:
    """Return which version of a person's list this is."""
    (version,) = raw.execute(_VERSION, (person,)).fetchone()
    return int(version)


def ask(
    raw: sqlite3.Connection, person: str, number: E164, *, at: float, by: str, most: int
) -> bool:
    """Ask for a number; False if it stands there already, or the list is full.

    Args:
        raw: the connection.
        person: whose list.
        number: which number.
        at: wall seconds.
        by: the person, by telephone or kiosk.
        most: numbers on a list. Privileged ones are not counted: they need no list.
    """
    standing = listed(raw, person)
    if number in standing or len(standing) >= most:
        return False
    _change(raw, person, number, "pending", by=by, note="", at=at)
    return True


def approve(
    raw: sqlite3.Connection,
    person: str,
    number: E164,
    *,
    by: str,
    at: float,
    most: int,
    note: str = "",
) -> None:
    """Put a number on a list.

    Raises:
        UserError: the list is full.
    """
    standing = {n for n, state in listed(raw, person).items() if state == "approved"}
    if number not in standing and len(standing) >= most:
        raise UserError(f"The list of {person} has {most} numbers already. Remove one first.")
    _change(raw, person, number, "approved", by=by, note=note, at=at)


def refuse(
    raw: sqlite3.Connection, person: str, number: E164, *, by: str, note: str, at: float
) -> None:
    """Refuse a number that was asked for, or take an approved one off the list.

    Raises:
        UserError: it is not there, or nobody says why.
    """
    standing = listed(raw, person).get(number)
    if standing is None:
        raise UserError(f"{number} is not on the list of {person}.")
    if not note.strip():
        raise UserError("Say why: refusing a number needs a note.")
    state = "removed" if standing == "approved" else "refused"
    _change(raw, person, number, state, by=by, note=note, at=at)


def listed(raw: sqlite3.Connection, person: str) -> dict[str, str]:
    """Return the numbers on a list and those that wait."""
    return {str(number): str(state) for number, state in raw.execute(_LIST, (person,))}


def history(raw: sqlite3.Connection, person: str) -> list[PanChange]:
    """Return everything that ever happened to a list."""
    return [PanChange(*row) for row in raw.execute(_HISTORY, (person,))]


def _change(
    raw: sqlite3.Connection,
    person: str,
    number: str,
    state: str,
    *,
    by: str,
    note: str,
    at: float,
) -> None:
    raw.execute(_PUT, (person, number, state))
    raw.execute(_NOTE, (person, number, state, by, note, at))
