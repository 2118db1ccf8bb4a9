"""Applies the `[house]` table of a configuration: idempotent, and never over what staff did."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from switch.billing.ledger import TransferResult
from switch.errors import SettingsError, UserError
from switch.ids import AccountId, FacilityId
from switch.money import Micros
from switch.routing.number import E164, normalise
from switch.routing.seed import (
    AccountSeed,
    HouseSeed,
    NumberSeed,
    PersonSeed,
    PrivilegedSeed,
    TerminalSeed,
)
from switch.routing.terminal import Terminal
from switch.routing.wildcard import canonical_pattern
from switch.screening.facts import Person
from switch.screening.register import RegisterEntry
from switch.screening.settings import Agency, Facility, Unit
from switch.sip.digest import Algorithm, ha1
from switch.store import account_statements, house_numbers, house_pan, house_people, house_rows
from switch.store.account_range import open_range
from switch.store.account_statements import NewAccount
from switch.store.engine import Store, driver
from switch.store.house_keys import HouseKeys
from switch.store.house_store import HouseStore
from switch.store.pin_store import set_passcode
from switch.store.vault import Raw, lock_name

SEEDED_BY: Final = "configuration"
"""Whom the history names for what stands in the file."""

T = TypeVar("T", Agency, Facility, Unit, Person)


def checked(seed: HouseSeed) -> None:
    """Read the plain mappings of a seed, as `apply` will.

    Raises:
        SettingsError: says the path of what is wrong.
    """
    _read(seed.agency, Agency, "agency")
    facilities = _read(seed.facility, Facility, "facility")
    _read(seed.unit, Unit, "unit")
    _read([row.person for row in seed.person], Person, "person")
    known = {facility.id for facility in facilities}
    for row in seed.terminal:
        if row.terminal.facility not in known:
            raise SettingsError(
                f"house.terminal {row.terminal.id}: no facility {row.terminal.facility}"
            )


def unsaid(seed: HouseSeed) -> list[str]:
    """Say what a configuration leaves out that only the facility can decide."""
    said = []
    for facility in _read(seed.facility, Facility, "facility"):
        rules, whose = facility.rules, f"house.facility {facility.id}: recording is on, but rules."
        if rules.recording and rules.recording_days is None:
            said.append(
                f"{whose}recording_days does not say how long recordings are kept: until it does,"
                " nothing is recorded"
            )
        if rules.recording and not rules.recording_accepted_by.strip():
            said.append(
                f"{whose}recording_accepted_by does not say who accepted in writing, and when, that"
                " nothing is recorded while the privileged register is not whole: until it does,"
                " nothing is recorded"
            )
    return said


async def apply(seed: HouseSeed, *, store: Store, house: HouseStore) -> None:
    """Bring the database to what the file says, and reload the house.

    Args:
        seed: the `[house]` table.
        store: the open database.
        house: the house; it is reloaded, so that passcodes get the right length.

    Raises:
        SettingsError: the file is wrong.
    """
    checked(seed)
    at = store.clock.wall()
    new = await store.write(lambda c: _apply(driver(c), seed, house.keys, at))
    await house.vault.write(lambda raw: _apply_money(raw, seed, at))
    await house.reload()
    for row in seed.person:
        person = str(row.person["id"])
        if row.passcode and person in new:
            settings = house.settings_of(FacilityId(row.person["facility"]))
            key = house.keys.pin_key()
            await set_passcode(
                store, key=key, person=person, passcode=row.passcode, settings=settings
            )
    for entry in seed.privileged:
        await _register(house, entry, at)
    await house.reload()


def _apply(raw: sqlite3.Connection, seed: HouseSeed, keys: HouseKeys, at: float) -> set[str]:
    """Write everything but passcodes and the register; return who is new."""
    things: list[house_rows.Thing] = [
        *_read(seed.agency, Agency, "agency"),
        *_read(seed.facility, Facility, "facility"),
        *_read(seed.unit, Unit, "unit"),
        *seed.gateway,
        *seed.trunk,
        *seed.speed_dial,
    ]
    for thing in things:
        if house_rows.said_anew(raw, thing):
            house_rows.put(raw, thing)
    for row in seed.terminal:
        _terminal(raw, row, keys)
    for number in seed.number:
        _number(raw, number, at)
    return {person for row in seed.person if (person := _person(raw, row, at))}


def _apply_money(raw: Raw, seed: HouseSeed, at: float) -> None:
    """Open the accounts that the file names; of several nodes that start, one."""
    lock_name(raw, "seed")
    for account in seed.account:
        _account(raw, account, at)
    for numbers in seed.account_range:
        open_range(raw, list(numbers.numbers()), Micros(numbers.amount_micros), at=at)


def _read(rows: Sequence[Mapping[str, Any]], kind: type[T], table: str) -> list[T]:
    found: list[T] = []
    for place, row in enumerate(rows):
        try:
            found.append(msgspec.convert(dict(row), kind))
        except msgspec.ValidationError as error:
            raise SettingsError(f"house.{table}[{place}]: {error}") from error
    return found


def _terminal(raw: sqlite3.Connection, row: TerminalSeed, keys: HouseKeys) -> None:
    terminal = row.terminal
    old = house_rows.one(raw, Terminal, terminal.id)
    if row.user:
        name = row.password_file or f"terminal-{terminal.id}.password"
        password = keys.secret(name)
        digest = ha1(row.user, terminal.digest_realm, password, Algorithm(row.algorithm))
        terminal = msgspec.structs.replace(
            terminal, digest_user=row.user, digest_ha1={row.algorithm: digest}
        )
    if not house_rows.said_anew(raw, terminal):
        return
    if old is not None:
        # What staff turned off stays off.
        terminal = msgspec.structs.replace(
            terminal, enabled=old.enabled, disabled_until=old.disabled_until
        )
    house_rows.put(raw, terminal)


def _number(raw: sqlite3.Connection, row: NumberSeed, at: float) -> None:
    """Add a rule once: one that staff ended, or changed, is not put back."""
    pattern = canonical_pattern(row.pattern)
    known = "SELECT 1 FROM number_rule WHERE pattern = ? AND facility = ? AND kind = ?"
    if raw.execute(known, (pattern, row.facility, row.kind)).fetchone() is not None:
        return
    house_numbers.add_rule(
        raw,
        pattern,
        kind=row.kind,
        facility=row.facility,
        by=SEEDED_BY,
        at=at,
        note=row.note,
        treatment=row.treatment,
    )


def _person(raw: sqlite3.Connection, row: PersonSeed, at: float) -> str:
    """Add a person once, with their list; return the id of one who is new."""
    person = msgspec.convert(dict(row.person), Person)
    if house_people.find(raw, person.id) is not None:
        return ""
    house_people.put(raw, person)
    for number in row.pan:
        house_pan.approve(raw, person.id, E164(number), by=SEEDED_BY, at=at, most=len(row.pan))
    return person.id


def _account(raw: Raw, row: AccountSeed, at: float) -> None:
    """Open an account once, and pay in once."""
    if account_statements.find_all(raw, kind=row.kind, owner=row.owner, rows_max=1):
        return
    account = account_statements.open_purse(
        raw,
        NewAccount(
            kind=row.kind,
            owner=row.owner,
            facility=row.facility,
            numbers=row.numbers,
            approves="listed" if row.persons else "all",
            floor=Micros(row.floor_micros),
        ),
        at=at,
    )
    for person in row.persons:
        account_statements.judge_person(raw, account, person, approved=True)
    _fund(raw, account, row.amount_micros, at)


def _fund(raw: Raw, account: AccountId, amount_micros: int, at: float) -> None:
    if amount_micros == 0:
        return
    result = account_statements.fund(
        raw, account, Micros(amount_micros), ref=f"seed:{account}", at=at
    )
    assert result is TransferResult.OK, result


async def _register(house: HouseStore, row: PrivilegedSeed, at: float) -> None:
    """Register a number once; one that was withdrawn is not put back."""
    number = normalise(row.number).e164
    if number is None:
        raise SettingsError(f"house.privileged {row.number}: not a whole number")
    for entry in house.register.listed():
        if (entry.number, entry.facility, entry.person) == (number, row.facility, row.person):
            return
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    entry = RegisterEntry(
        **{**fields, "number": number, "by": (row.by,)},
        seq=0,
        action="add",
        note="from the configuration",
        at=at,
    )
    try:
        await house.register.add(entry)
    except UserError:
        # Not whole: calls go on uninspected, the alarm is raised by the proof itself.
        return
