"""`kinline person …` and `kinline pan …`: people and the numbers that they may dial."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import (
    FACILITY,
    NOTE,
    NUMBER,
    PERSON,
    ROWS,
    changed,
    open_house,
    option,
    whole_number,
)
from switch.errors import UserError
from switch.ids import FacilityId, PersonId
from switch.screening.facts import Person
from switch.store import house_pan, house_people, name_store, pin_store
from switch.store.engine import driver
from switch.store.house_clock import utc_text

Given = Mapping[str, Any]


async def _add(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    facility = FacilityId(given["facility"])
    if facility not in house.house.facilities:
        raise UserError(f"There is no facility {facility}.")
    person = Person(
        id=PersonId(given["person"]),
        facility=facility,
        name=given["name"],
        language=given["language"],
        tty=given["tty"],
    )

    def deed(connection: Any) -> None:  # noqa: ANN401 - the store's connection
        raw = driver(connection)
        if house_people.find(raw, person.id) is not None:
            raise UserError(f"There is a person {person.id} already.")
        house_people.put(raw, person)

    await desk.store.write(deed)
    await changed(desk)
    return _view(person)


async def _show(desk: Desk, given: Given) -> dict[str, Any]:
    def deed(connection: Any) -> dict[str, Any]:  # noqa: ANN401 - the store's connection
        raw = driver(connection)
        person = house_people.known(raw, given["person"])
        bad = house_people.last_bad_pin(raw, person.id)
        last = f"{bad[0]}, {utc_text(bad[2])}, {bad[1]} tries" if bad else ""
        return {**_view(person), "last_bad_pin": last, "pan": house_pan.listed(raw, person.id)}

    return await desk.store.read(deed)


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    people = await desk.store.read(
        lambda c: house_people.find_all(
            driver(c), facility=given["facility"], rows_max=given["rows"]
        )
    )
    return [_view(person) for person in people]


async def _set_passcode(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    person = await desk.store.read(lambda c: house_people.known(driver(c), given["person"]))
    settings = house.settings_of(FacilityId(person.facility))
    made = "".join(secrets.choice("0123456789") for _ in range(settings.passcode_digits))
    await pin_store.set_passcode(
        desk.store,
        key=house.keys.pin_key(),
        person=person.id,
        passcode=given["passcode"] or made,
        settings=settings,
    )
    return {"person": person.id, "passcode": "set" if given["passcode"] else made}


async def _names(desk: Desk, given: Given) -> list[dict[str, Any]]:
    people = await desk.store.read(
        lambda c: name_store.waiting(driver(c), facility=given["facility"], rows_max=given["rows"])
    )
    data = desk.store.path.parent
    return [
        {
            "person": person.id,
            "facility": person.facility,
            "name": person.name,
            "recording": str(name_store.name_file(data, person.name_pending).absolute()),
        }
        for person in people
    ]


async def _approve_name(desk: Desk, given: Given) -> dict[str, Any]:
    return await _judge_name(desk, given["person"], name_store.approve)


async def _refuse_name(desk: Desk, given: Given) -> dict[str, Any]:
    if not given["note"].strip():
        raise UserError("Say why with --note: it is kept for good.")
    return await _judge_name(desk, given["person"], name_store.refuse)


async def _judge_name(desk: Desk, person: str, judge: Callable[..., Person]) -> dict[str, Any]:
    def deed(connection: Any) -> tuple[Person, Person]:  # noqa: ANN401 - the store's connection
        raw = driver(connection)
        return house_people.known(raw, person), judge(raw, person, data=desk.store.path.parent)

    before, after = await desk.store.write(deed)
    await changed(desk)
    return {
        "person": person,
        "before": {"recorded_name": _name_state(before)},
        "after": {"recorded_name": _name_state(after)},
    }


def _name_state(person: Person) -> str:
    if person.name_file:
        return "approved"
    return "waits for approval" if person.name_pending else "none"


async def _suspend(desk: Desk, given: Given) -> dict[str, Any]:
    until = _date(given["until"])
    since = _date(given["from"]) if given["from"] else ""
    person = await desk.store.write(
        lambda c: house_people.change(
            driver(c), given["person"], suspended_from=since, suspended_until=until
        )
    )
    await changed(desk)
    return _view(person)


async def _release(desk: Desk, given: Given) -> dict[str, Any]:
    """Release, move or take back a person; calls in progress end as `person_changed`."""
    fields: dict[str, Any] = {"state": given["state"]}
    if given["facility"]:
        fields = {"state": "active", "facility": given["facility"]}
    person = await desk.store.write(
        lambda c: house_people.change(driver(c), given["person"], **fields)
    )
    await changed(desk)
    return _view(person)


async def _pan_add(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    number = whole_number(given["number"])
    done = await house.request_number(person=PersonId(given["person"]), digits=number)
    if not done:
        raise UserError(f"{number} cannot be asked for: it is there already, or the list is full.")
    return {"person": given["person"], "number": number, "state": "pending"}


async def _pan_approve(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    number, at = whole_number(given["number"]), desk.clock.wall()

    def deed(connection: Any) -> None:  # noqa: ANN401 - the store's connection
        raw = driver(connection)
        person = house_people.known(raw, given["person"])
        most = house.settings_of(FacilityId(person.facility)).pan_numbers_max
        house_pan.approve(raw, person.id, number, by=desk.by, at=at, most=most, note=given["note"])

    await desk.store.write(deed)
    return {"person": given["person"], "number": number, "state": "approved"}


async def _pan_refuse(desk: Desk, given: Given) -> dict[str, Any]:
    number, at = whole_number(given["number"]), desk.clock.wall()
    await desk.store.write(
        lambda c: house_pan.refuse(
            driver(c), given["person"], number, by=desk.by, note=given["note"], at=at
        )
    )
    return {"person": given["person"], "number": number, "state": "refused"}


async def _pan_list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    if given["history"]:
        changes = await desk.store.read(lambda c: house_pan.history(driver(c), given["person"]))
        return [
            {
                "number": line.number,
                "state": line.state,
                "by": line.by,
                "note": line.note,
                "at": utc_text(line.at),
            }
            for line in changes
        ]
    listed = await desk.store.read(lambda c: house_pan.listed(driver(c), given["person"]))
    return [{"number": number, "state": state} for number, state in listed.items()]


def _view(person: Person) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(person)
    return {
        name: shown[name]
        for name in ("id", "facility", "name", "state", "enrolled", "language", "tty")
    } | {
        "suspended_until": person.suspended_until,
        "recorded_name": _name_state(person),
    }


def _date(text: str) -> str:
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isdigit() for part in parts):
        raise UserError(f"{text!r} is not a date. Write it like 2026-12-01.")
    return text


PEOPLE_COMMANDS: Final = (
    Command(
        noun="person",
        verb="add",
        help="add a person; give a passcode next",
        arguments=(
            PERSON,
            Argument(name="--facility", help="where"),
            Argument(name="--name", help="as staff know them"),
            option("--language", "what they hear if they choose nothing"),
            option("--tty", "uses a text telephone", kind=bool, default=False),
        ),
        run=_add,
    ),
    Command(noun="person", verb="show", help="one person", arguments=(PERSON,), run=_show),
    Command(noun="person", verb="list", help="people", arguments=(FACILITY, ROWS), run=_list),
    Command(
        noun="person",
        verb="set-passcode",
        help="give a passcode; without --passcode one is made at random and shown this once",
        arguments=(PERSON, option("--passcode", "the digits")),
        run=_set_passcode,
    ),
    Command(
        noun="person",
        verb="names",
        help="recorded names that wait for approval, with the file to listen to (raw µ-law, 8 kHz)",
        arguments=(FACILITY, ROWS),
        run=_names,
    ),
    Command(
        noun="person",
        verb="approve-name",
        help="let the recorded name be spoken; until then the greeting has no name",
        arguments=(PERSON, NOTE),
        run=_approve_name,
    ),
    Command(
        noun="person",
        verb="refuse-name",
        help="take the recorded name away, to be asked again at the next call; needs a note",
        arguments=(PERSON, NOTE),
        run=_refuse_name,
    ),
    Command(
        noun="person",
        verb="suspend",
        help="suspend the use of telephones up to a date",
        arguments=(
            PERSON,
            Argument(name="--until", help="the first day it may be used again, 2026-12-01"),
            option("--from", "the first day of the suspension"),
        ),
        run=_suspend,
    ),
    Command(
        noun="person",
        verb="release",
        help="release a person, or move them with --facility",
        arguments=(
            PERSON,
            option(
                "--state",
                "what they are now",
                default="released",
                choices=("released", "moved", "active"),
            ),
            option("--facility", "moved there"),
        ),
        run=_release,
    ),
    Command(
        noun="pan",
        verb="add",
        help="ask for a number to be put on a person's list",
        arguments=(PERSON, NUMBER),
        run=_pan_add,
    ),
    Command(
        noun="pan",
        verb="approve",
        help="put a number on a person's list",
        arguments=(PERSON, NUMBER, NOTE),
        run=_pan_approve,
    ),
    Command(
        noun="pan",
        verb="refuse",
        help="refuse a number, or take it off the list; needs a note",
        arguments=(PERSON, NUMBER, NOTE),
        run=_pan_refuse,
    ),
    Command(
        noun="pan",
        verb="list",
        help="a person's list, or its history",
        arguments=(
            PERSON,
            option("--history", "everything that ever happened", kind=bool, default=False),
        ),
        run=_pan_list,
    ),
)
"""`kinline person …`, `kinline pan …`."""
