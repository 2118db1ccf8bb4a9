"""Who keyed these digits? PINs in four modes, tries, and the lock of person and telephone.

A lock is not a row: it follows from the misses of an hour, as many as three failed calls have, so
that hanging up after two of them helps nobody and nothing has to be lifted. It holds the pair of
person and terminal, so a neighbour cannot lock someone out everywhere. The digits themselves are
neither stored nor logged.
"""

import asyncio
import sqlite3
from dataclasses import dataclass
from math import ceil
from typing import Final

from switch.errors import UserError
from switch.ids import CallId, PersonId
from switch.routing.terminal import Terminal
from switch.screening.facts import PersonFacts, PinOutcome
from switch.screening.settings import ScreeningSettings
from switch.store import house_passcode, house_people, house_rows
from switch.store.engine import Store, driver
from switch.store.house_clock import utc_text

HOUR_S: Final = 3_600.0
FAILED_CALLS_MAX: Final = 3
"""Failed calls in an hour before the pair is locked. calls.md section 2.3."""

_STORED: Final = "SELECT id, passcode_salt, passcode_hash FROM person WHERE id = ?"
_TAGGED: Final = "SELECT id FROM person WHERE facility = ? AND passcode_tag = ?"
_SET: Final = """
UPDATE person SET passcode_salt = ?, passcode_hash = ?, passcode_tag = ? WHERE id = ?
"""
_MISS: Final = """
INSERT INTO bad_pin (call_id, terminal, facility, person, tries, at) VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT (call_id, terminal, person) DO UPDATE SET tries = tries + 1, at = excluded.at
"""
_TRIES: Final = "SELECT sum(tries) FROM bad_pin WHERE call_id = ? AND terminal = ?"
_MISSED: Final = """
SELECT tries, at FROM bad_pin WHERE person = ? AND terminal = ? AND at > ? ORDER BY at DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChecked:
    """A person whose PIN was right."""

    person: PersonId
    name_path: str
    """The path of the recorded name, as in `Named`; '' if there is none."""
    needs_name: bool
    """The name was never taken: ask for it, once."""
    language: str
    tty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keyed:
    """Digits, taken apart as the site's mode has them. Never shown."""

    person: str
    passcode: str


def pin_digits(settings: ScreeningSettings) -> int:
    """Return how many digits a PIN has; 0 where none is asked."""
    return {
        "none": 0,
        "id": settings.id_digits,
        "passcode": settings.passcode_digits,
        "id_passcode": settings.id_digits + settings.passcode_digits,
    }[settings.pin_mode]


async def identify(
    store: Store,
    *,
    key: bytes,
    call: CallId,
    terminal: Terminal,
    digits: str,
    settings: ScreeningSettings,
    at: float,
) -> PersonFacts:
    """Find out who keyed this, and count a miss.

    Args:
        store: the open database.
        key: what is mixed into passcodes.
        call: tries are counted per call.
        terminal: where.
        digits: what was keyed; '' is nothing.
        settings: the mode, the digits, the lock.
        at: wall seconds.
    """
    if settings.pin_mode == "none":
        return PersonFacts()
    if not digits:
        return PersonFacts(pin=PinOutcome.NOTHING)
    keyed = _take_apart(digits, settings)
    stored = await store.read(lambda c: _find(driver(c), keyed, terminal, key))
    right = stored is not None and await asyncio.to_thread(_fits, stored, keyed, settings, key)
    person = stored[0] if stored is not None else ""
    locked_s = await store.read(
        lambda c: _locked_s(driver(c), person, terminal, settings=settings, at=at)
    )
    if locked_s > 0:
        found = await store.read(lambda c: house_people.find(driver(c), person))
        return PersonFacts(
            person=found,
            pin=PinOutcome.LOCKED,
            locked_s=locked_s,
            detail=f"locked on {terminal.id}",
        )
    if not right:
        tries = await store.write(lambda c: _miss(driver(c), call, terminal, person=person, at=at))
        where = f"try {tries} at {terminal.id}, {utc_text(at)}"
        return PersonFacts(pin=PinOutcome.BAD, detail=where)
    found = await store.read(lambda c: house_people.find(driver(c), person))
    return PersonFacts(person=found, pin=PinOutcome.GOOD)


async def set_passcode(
    store: Store, *, key: bytes, person: str, passcode: str, settings: ScreeningSettings
) -> None:
    """Give a person a passcode.

    Raises:
        UserError: it has the wrong length, is no number, or stands for somebody else here.
    """
    if not passcode.isdigit() or len(passcode) != settings.passcode_digits:
        raise UserError(f"A passcode here has {settings.passcode_digits} digits.")
    salt = house_passcode.new_salt()
    stored = await asyncio.to_thread(house_passcode.hashed, key, passcode, salt)

    def deed(raw: sqlite3.Connection) -> None:
        facility = house_people.known(raw, person).facility
        mark = None
        if settings.pin_mode == "passcode":
            mark = house_passcode.tag(key, facility, passcode)
            taken = raw.execute(_TAGGED, (facility, mark)).fetchone()
            if taken is not None and taken[0] != person:
                raise UserError("Somebody else here has this passcode. Choose another one.")
        raw.execute(_SET, (salt, stored, mark, person))
        house_rows.touch(raw)

    await store.write(lambda c: deed(driver(c)))


def _take_apart(digits: str, settings: ScreeningSettings) -> _Keyed:
    match settings.pin_mode:
        case "id":
            return _Keyed(person=digits, passcode="")
        case "passcode":
            return _Keyed(person="", passcode=digits)
        case _:
            cut = len(digits) - settings.passcode_digits
            return _Keyed(person=digits[: max(0, cut)], passcode=digits[max(0, cut) :])


def _find(
    raw: sqlite3.Connection, keyed: _Keyed, terminal: Terminal, key: bytes
) -> tuple[str, bytes | None, bytes | None] | None:
    person = keyed.person
    if not person:
        mark = house_passcode.tag(key, terminal.facility, keyed.passcode)
        row = raw.execute(_TAGGED, (terminal.facility, mark)).fetchone()
        person = row[0] if row is not None else ""
    found = raw.execute(_STORED, (person,)).fetchone()
    return None if found is None else (str(found[0]), found[1], found[2])


def _fits(
    stored: tuple[str, bytes | None, bytes | None],
    keyed: _Keyed,
    settings: ScreeningSettings,
    key: bytes,
) -> bool:
    if settings.pin_mode == "id":
        return True
    _, salt, kept = stored
    if salt is None or kept is None:
        return False
    return house_passcode.same(house_passcode.hashed(key, keyed.passcode, salt), kept)


def _miss(
    raw: sqlite3.Connection, call: CallId, terminal: Terminal, *, person: str, at: float
) -> int:
    raw.execute(_MISS, (call, terminal.id, terminal.facility, person, at))
    (tries,) = raw.execute(_TRIES, (call, terminal.id)).fetchone()
    return int(tries)


def _locked_s(
    raw: sqlite3.Connection,
    person: str,
    terminal: Terminal,
    *,
    settings: ScreeningSettings,
    at: float,
) -> int:
    """Return how long the pair stays locked: 0 is not at all."""
    if not person or settings.pin_lock_s == 0:
        return 0
    since = at - settings.pin_lock_s - HOUR_S
    missed = [(int(n), float(t)) for n, t in raw.execute(_MISSED, (person, terminal.id, since))]
    newest = missed[0][1] if missed else 0.0
    tries = sum(n for n, when in missed if when > newest - HOUR_S)
    if tries < FAILED_CALLS_MAX * settings.pin_attempts_max:
        return 0
    return max(0, ceil(newest + settings.pin_lock_s - at))
