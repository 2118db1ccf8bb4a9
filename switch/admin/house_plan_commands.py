"""`kinline agency|facility|unit|gateway|speed-dial|trunk …`: what is configured, changed at work.

One table row per kind of thing; the verbs are the same for all. A change is checked as a whole
before it is written, and stands in the audit trail with what was there before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import changed as house_changed
from switch.admin.house_desk import open_house, whole_number
from switch.admin.plan_changes import changed, checked
from switch.errors import UserError
from switch.routing.terminal import Gateway
from switch.routing.treatment import SpeedDial
from switch.routing.trunk import TrunkSettings
from switch.screening.settings import Agency, Facility, Unit
from switch.store import house_people, house_rows
from switch.store.engine import driver
from switch.store.house_snapshot import House

Given = Mapping[str, Any]
NAMED_MAX: Final = 5
"""What still uses a thing is named up to here. Chosen: a sentence, not a list."""

Thing = Agency | Facility | Unit | Gateway | SpeedDial | TrunkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing that can be shown, added, changed and taken out."""

    noun: str
    made: type[Thing]
    help: str
    key: str
    """How its key is typed: `FACILITY/UNIT`."""
    key_fields: tuple[str, ...]
    """The fields that make its key; they are never changed."""
    columns: tuple[str, ...]
    """What a list shows beside the key."""
    example: str
    verbs: tuple[str, ...] = ("list", "show", "add", "set", "remove")


def _parts(kind: Kind, key: str) -> dict[str, str]:
    """Take a key apart into its fields."""
    parts = key.split("/", len(kind.key_fields) - 1)
    if len(parts) != len(kind.key_fields) or not all(parts):
        raise UserError(f"{key!r} is no {kind.noun}. Write it like {kind.key}.")
    return dict(zip(kind.key_fields, parts, strict=True))


async def _list(desk: Desk, _given: Given, *, kind: Kind) -> list[dict[str, Any]]:
    things = await desk.store.read(lambda c: house_rows.every(driver(c), kind.made))
    return [
        {kind.noun: house_rows.key_of(thing)}
        | {name: getattr(thing, name) for name in kind.columns}
        for thing in things
    ]


async def _show(desk: Desk, given: Given, *, kind: Kind) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(await _known(desk, kind, given["key"]))
    return shown


async def _known(desk: Desk, kind: Kind, key: str) -> Thing:
    _parts(kind, key)
    found = await desk.store.read(lambda c: house_rows.one(driver(c), kind.made, key))
    if found is None:
        raise UserError(f"There is no {kind.noun} {key}. `kinline {kind.noun} list` shows all.")
    return found


async def _add(desk: Desk, given: Given, *, kind: Kind) -> dict[str, Any]:
    key = given["key"]
    parts = _parts(kind, key)
    if await desk.store.read(lambda c: house_rows.one(driver(c), kind.made, key)) is not None:
        raise UserError(
            f"There is a {kind.noun} {key} already. `kinline {kind.noun} set` changes it."
        )
    _keeps_key(kind, given["changes"])
    return await _write(desk, kind, None, changed(parts, given["changes"], kind.made))


async def _set(desk: Desk, given: Given, *, kind: Kind) -> dict[str, Any]:
    old = await _known(desk, kind, given["key"])
    _keeps_key(kind, given["changes"])
    fresh = changed(msgspec.to_builtins(old), given["changes"], kind.made)
    return await _write(desk, kind, old, fresh)


async def _write(desk: Desk, kind: Kind, old: Thing | None, fresh: Thing) -> dict[str, Any]:
    house = await open_house(desk)
    CHECKS[kind.noun](house.house, fresh)
    # Stored as it will be read: what a start would refuse is refused here.
    checked(msgspec.to_builtins(fresh), kind.made)
    await desk.store.write(lambda c: house_rows.put(driver(c), fresh))
    await house_changed(desk)
    before = msgspec.to_builtins(old) if old is not None else {}
    after = msgspec.to_builtins(fresh)
    differs = sorted(name for name in after if before.get(name) != after[name])
    return {
        kind.noun: house_rows.key_of(fresh),
        "before": {name: before[name] for name in differs if name in before},
        "after": {name: after[name] for name in differs},
    }


async def _remove(desk: Desk, given: Given, *, kind: Kind) -> dict[str, Any]:
    key = given["key"]
    old = await _known(desk, kind, key)
    house = await open_house(desk)
    users = _users_of(house.house, old)
    if kind.made is Facility:
        people = await desk.store.read(
            lambda c: house_people.find_all(driver(c), facility=key, rows_max=NAMED_MAX)
        )
        users += [f"person {person.id}" for person in people]
    if users:
        raise UserError(
            f"{kind.noun} {key} is still used by {', '.join(users[:NAMED_MAX])}."
            " Move or remove those first."
        )
    await desk.store.write(lambda c: house_rows.remove(driver(c), kind.made, key))
    await house_changed(desk)
    return {kind.noun: key, "before": msgspec.to_builtins(old), "after": {}}


def _keeps_key(kind: Kind, changes: list[str]) -> None:
    for change in changes:
        name = change.partition("=")[0]
        if name in kind.key_fields:
            raise UserError(f"{name} is part of the key {kind.key} and stays. Add another one.")


def _users_of(house: House, thing: Thing) -> list[str]:
    """Name what would lose its place without a thing."""
    match thing:
        case Agency():
            return [f"facility {f.id}" for f in house.facilities.values() if f.agency == thing.id]
        case Facility():
            lines = [f"terminal {t.id}" for t in house.terminals.values() if t.facility == thing.id]
            boxes = [f"gateway {g.id}" for g in house.gateways.values() if g.facility == thing.id]
            units = [f"unit {f}/{unit}" for f, unit in house.units if f == thing.id]
            dials = [f"speed-dial {f}/{code}" for f, code in house.speed_dials if f == thing.id]
            return [*lines, *boxes, *units, *dials]
        case Unit():
            place = (thing.facility, thing.id)
            lines = [
                f"terminal {t.id}"
                for t in house.terminals.values()
                if (t.facility, t.unit) == place
            ]
            boxes = [
                f"gateway {g.id}" for g in house.gateways.values() if (g.facility, g.unit) == place
            ]
            return [*lines, *boxes]
        case Gateway():
            return [f"terminal {t.id}" for t in house.terminals.values() if t.gateway == thing.id]
        case SpeedDial() | TrunkSettings():
            return []


# ---- what the types cannot say


def _check_agency(_house: House, _thing: Any) -> None:  # noqa: ANN401 - one per kind
    """An agency is a name; the type says it all."""


def _check_facility(house: House, facility: Any) -> None:  # noqa: ANN401 - as above
    if facility.agency not in house.agencies:
        raise UserError(f"agency: there is no agency {facility.agency!r}{_of(house.agencies)}")
    try:
        ZoneInfo(facility.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"zone: {facility.zone!r} is no time zone (allowed: a name like America/Denver or UTC)"
        ) from None
    if facility.caller_number:
        whole_number(facility.caller_number)
    if facility.service_number:
        whole_number(facility.service_number)
    _digits("home_area_code", facility.home_area_code, 3)
    for code in facility.local_codes:
        _digits("local_codes", code, 6)


def _check_unit(house: House, unit: Any) -> None:  # noqa: ANN401 - as above
    _in_facility(house, unit.facility)


def _check_gateway(house: House, gateway: Any) -> None:  # noqa: ANN401 - as above
    _in_facility(house, gateway.facility)
    if gateway.unit and (gateway.facility, gateway.unit) not in house.units:
        raise UserError(f"unit: there is no unit {gateway.facility}/{gateway.unit}.")
    try:
        ip_network(gateway.host, strict=False)
    except ValueError:
        raise UserError(
            f"host: {gateway.host!r} is no address (allowed: an address or a network, like"
            " 192.0.2.7 or 10.20.0.0/16; a gateway is trusted by it)"
        ) from None


def _check_speed_dial(house: House, dial: Any) -> None:  # noqa: ANN401 - as above
    _in_facility(house, dial.facility)
    whole_number(dial.number)


def _check_trunk(_house: House, trunk: Any) -> None:  # noqa: ANN401 - as above
    if not trunk.host:
        raise UserError("host: is empty (allowed: an address or a name)")
    if trunk.caller_number:
        whole_number(trunk.caller_number)


def _in_facility(house: House, facility: str) -> None:
    if facility not in house.facilities:
        raise UserError(f"facility: there is no facility {facility!r}{_of(house.facilities)}")


def _of(known: Mapping[Any, Any]) -> str:
    return f" (allowed: {', '.join(sorted(map(str, known))[:10]) or 'none yet'})"


def _digits(name: str, text: str, count: int) -> None:
    if text and (len(text) != count or not text.isdecimal()):
        raise UserError(f"{name}: {text!r} is wrong (allowed: {count} digits, or nothing)")


CHECKS: Final[Mapping[str, Callable[[House, Any], None]]] = {
    "agency": _check_agency,
    "facility": _check_facility,
    "unit": _check_unit,
    "gateway": _check_gateway,
    "speed-dial": _check_speed_dial,
    "trunk": _check_trunk,
}
"""What must hold beside the types, by kind: names that lead somewhere."""

KINDS: Final = (
    Kind(
        noun="agency",
        made=Agency,
        help="the authority over some facilities",
        key="AGENCY",
        key_fields=("id",),
        columns=("name",),
        example='agency add pine-county name="Pine County"',
    ),
    Kind(
        noun="facility",
        made=Facility,
        help="a building or campus, with its rules and its own settings",
        key="FACILITY",
        key_fields=("id",),
        columns=("agency", "name", "zone", "tariff"),
        example="facility set F1 rules.velocity=true settings.call_minutes_max=20",
    ),
    Kind(
        noun="unit",
        made=Unit,
        help="a housing block, with its hours",
        key="FACILITY/UNIT",
        key_fields=("facility", "id"),
        columns=("name",),
        example='unit add F1/B name="Unit B"',
    ),
    Kind(
        noun="gateway",
        made=Gateway,
        help="a box with terminals, trusted by its address",
        key="GATEWAY",
        key_fields=("id",),
        columns=("facility", "unit", "host", "port", "channels_max"),
        example="gateway add G1 facility=F1 host=192.0.2.7 channels_max=48",
    ),
    Kind(
        noun="speed-dial",
        made=SpeedDial,
        help="a short code with its own number; a hotline is one for help",
        key="FACILITY/CODE",
        key_fields=("facility", "code"),
        columns=("number", "name", "hotline"),
        example="speed-dial add F1/*78 number=+15552340078 hotline=true",
    ),
    Kind(
        noun="trunk",
        made=TrunkSettings,
        help="a carrier's line to the outside",
        key="TRUNK",
        key_fields=("id",),
        columns=(),
        example="trunk set lab-carrier enabled=false",
        verbs=("show", "set", "remove"),  # `trunk add` and `trunk list` have their own words
    ),
)
"""All kinds."""


def _commands(kind: Kind) -> list[Command]:
    key = Argument(name="key", help=f"written like {kind.key}")
    changes = Argument(
        name="changes",
        help="NAME=VALUE; `show` names them all; NAME= gives the default back",
        many=True,
    )
    optional = Argument(
        name="changes", help="NAME=VALUE, as in `set`", many=True, required=False, default=[]
    )
    why = Argument(name="--why", help="the reason; kept for good")
    words = (f'{kind.example} --why "as agreed"',)
    rows = {
        "list": (f"every one: {kind.help}", (), _list, ()),
        "show": (f"everything about one: {kind.help}", (key,), _show, ()),
        "add": (f"add {kind.help}", (key, optional, why), _add, words),
        "set": (f"change {kind.help}; valid at once", (key, changes, why), _set, words),
        "remove": (f"take out {kind.help}", (key, why), _remove, ()),
    }
    made = []
    for verb in kind.verbs:
        text, arguments, run, examples = rows[verb]
        examples = tuple(line for line in examples if f" {verb} " in line)
        made.append(
            Command(
                noun=kind.noun,
                verb=verb,
                help=text,
                arguments=arguments,
                run=partial(run, kind=kind),
                examples=examples,
            )
        )
    return made


PLAN_COMMANDS: Final = tuple(command for kind in KINDS for command in _commands(kind))
"""`kinline facility|unit|gateway|speed-dial|agency|trunk list|show|add|set|remove …`."""
