"""`kinline number …` and `kinline privileged …`: lists, blocks, the privileged register."""

from collections.abc import Mapping
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import (
    FACILITY,
    NOTE,
    NUMBER,
    ROWS,
    changed,
    open_house,
    option,
    whole_number,
)
from switch.errors import UserError
from switch.routing.treatment import Treatment
from switch.routing.wildcard import canonical_pattern, is_wildcard
from switch.screening.register import RegisterEntry
from switch.store import house_numbers
from switch.store.engine import driver
from switch.store.house_clock import utc_text

Given = Mapping[str, Any]

BLOCKS: Final = ("facility", "security", "agent")
"""The kinds of block that staff set; `keypad` is the called party's own."""


async def _allow(desk: Desk, given: Given) -> dict[str, Any]:
    treatment = Treatment(
        free=given["free"],
        passive=given["passive"],
        recorded=not given["unrecorded"],
        outside_pan=given["outside_pan"],
        language=given["language"],
        detection_action=given["detection"],
    )
    pattern = await desk.store.write(
        lambda c: house_numbers.add_rule(
            driver(c),
            given["pattern"],
            kind="allow",
            facility=given["facility"],
            by=desk.by,
            at=desk.clock.wall(),
            note=given["note"],
            treatment=treatment,
        )
    )
    await changed(desk)
    return {"pattern": pattern, "facility": given["facility"], "kind": "allow"}


async def _block(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    pattern = canonical_pattern(given["pattern"])
    privileged = any(
        house.register.answer(entry.number, facility=entry.facility, person=entry.person).entry
        for entry in house.register.listed()
        if entry.number == pattern
    )
    if privileged and not is_wildcard(pattern):
        raise UserError(
            f"{pattern} is privileged. Withdraw it from the register first:"
            " `kinline privileged remove`."
        )
    await desk.store.write(
        lambda c: house_numbers.add_rule(
            driver(c),
            pattern,
            kind=given["kind"],
            facility=given["facility"],
            by=desk.by,
            at=desk.clock.wall(),
            note=given["note"],
        )
    )
    await changed(desk)
    return {"pattern": pattern, "facility": given["facility"], "kind": given["kind"]}


async def _unblock(desk: Desk, given: Given) -> dict[str, Any]:
    if not given["note"].strip():
        raise UserError("Say why with --note: it is kept for good.")
    if given["kind"] == "keypad":
        return await _undo_keypad(desk, given)
    ended = await desk.store.write(
        lambda c: house_numbers.remove_rule(
            driver(c),
            given["pattern"],
            kind=given["kind"],
            facility=given["facility"],
            by=desk.by,
            why=given["note"],
            at=desk.clock.wall(),
        )
    )
    if not ended:
        raise UserError("There is no such rule. `kinline number list` shows all.")
    await changed(desk)
    return {"pattern": canonical_pattern(given["pattern"]), "ended": given["kind"]}


async def _undo_keypad(desk: Desk, given: Given) -> dict[str, Any]:
    """Take back the called party's own blocks; only they may ask for it."""
    if given["asked_by"] != "called-party":
        raise UserError(
            "This block belongs to the called party. If they ask you to take it back,"
            " say so: --asked-by called-party"
        )
    number, at = whole_number(given["pattern"]), desk.clock.wall()
    undone = await desk.store.write(lambda c: house_numbers.undo_keypad(driver(c), number, at=at))
    if not undone:
        raise UserError(f"The owner of {number} blocked nobody.")
    return {"pattern": number, "ended": "keypad", "blocks": undone}


async def _exempt(desk: Desk, given: Given) -> dict[str, Any]:
    number, at = whole_number(given["number"]), desk.clock.wall()
    await desk.store.write(
        lambda c: house_numbers.exempt(
            driver(c), given["person"], number, by=desk.by, note=given["note"], at=at
        )
    )
    return {"person": given["person"], "number": number, "exempt": True}


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rules = await desk.store.read(
        lambda c: house_numbers.listed(
            driver(c), facility=given["facility"], kind=given["kind"], rows_max=given["rows"]
        )
    )
    return [
        {
            "id": rule.id,
            "pattern": rule.pattern,
            "kind": rule.kind,
            "facility": rule.facility,
            "note": rule.note,
            "by": rule.by,
            "at": utc_text(rule.at),
        }
        for rule in rules
    ]


async def _register(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    entry = await house.register.add(
        RegisterEntry(
            seq=0,
            action="add",
            number=whole_number(given["number"]),
            kind=given["kind"],
            name=given["name"],
            facility=given["facility"],
            person=given["person"],
            passive=given["passive"],
            agency_pays=given["agency_pays"],
            language=given["language"],
            tell=given["tell"],
            by=(desk.by,),
            note=given["note"],
            at=desk.clock.wall(),
        )
    )
    await changed(desk)
    return _view(entry)


async def _withdraw(desk: Desk, given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    number = whole_number(given["number"])
    entry = await house.register.remove(
        number,
        facility=given["facility"],
        person=given["person"],
        by=desk.by,
        note=given["note"],
        at=desk.clock.wall(),
    )
    if entry is None:
        return {"number": number, "state": "waits for a second person"}
    await changed(desk)
    return _view(entry)


async def _registered(desk: Desk, _given: Given) -> list[dict[str, Any]]:
    house = await open_house(desk)
    return [_view(entry) for entry in house.register.listed()]


async def _selftest(desk: Desk, _given: Given) -> dict[str, Any]:
    if desk.board is None:
        raise UserError("The switch does not run, so it cannot call.")
    return await desk.board.selftest(by=desk.by)


async def _verify(desk: Desk, _given: Given) -> dict[str, Any]:
    house = await open_house(desk)
    fault = house.register.fault
    if desk.board is not None:
        await desk.board.house_changed()
    return {"whole": not fault, "fault": fault, "entries": len(house.register.listed())}


def _view(entry: RegisterEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "action": entry.action,
        "number": entry.number,
        "kind": entry.kind,
        "name": entry.name,
        "facility": entry.facility,
        "person": entry.person,
        "by": list(entry.by),
        "note": entry.note,
        "at": utc_text(entry.at),
    }


_PATTERN: Final = Argument(name="pattern", help="a number, or a wildcard: 900-???-????, +52*")
_KIND: Final = option("--kind", "of block", default="facility", choices=BLOCKS)
_ONLY: Final = option("--person", "only for this person")

NUMBER_COMMANDS: Final = (
    Command(
        noun="number",
        verb="allow",
        help="put a number on the facility's list, with its own treatment",
        arguments=(
            _PATTERN,
            FACILITY,
            NOTE,
            option("--free", "the agency pays", kind=bool, default=False),
            option("--passive", "needs no acceptance", kind=bool, default=False),
            option("--unrecorded", "is not recorded", kind=bool, default=False),
            option("--outside-pan", "needs no place on a list", kind=bool, default=False),
            option("--language", "what is spoken to it first"),
            option(
                "--detection",
                "what a detection does",
                choices=("", "off", "flag", "prompt_once", "prompt_random", "cut"),
            ),
        ),
        run=_allow,
    ),
    Command(
        noun="number",
        verb="block",
        help="block a number; needs a note",
        arguments=(_PATTERN, _KIND, FACILITY, NOTE),
        run=_block,
    ),
    Command(
        noun="number",
        verb="unblock",
        help="end a block, or with --kind allow an entry of the list; needs a note",
        arguments=(
            _PATTERN,
            option("--kind", "of rule", default="facility", choices=(*BLOCKS, "allow", "keypad")),
            option(
                "--asked-by", "who wants a keypad block taken back", choices=("", "called-party")
            ),
            FACILITY,
            NOTE,
        ),
        run=_unblock,
    ),
    Command(
        noun="number",
        verb="exempt",
        help="let a person call a number that the facility blocked; needs a note",
        arguments=(NUMBER, Argument(name="person", help="the person's id"), NOTE),
        run=_exempt,
    ),
    Command(
        noun="number",
        verb="list",
        help="rules in force",
        arguments=(FACILITY, option("--kind", "only these"), ROWS),
        run=_list,
    ),
    Command(
        noun="privileged",
        verb="add",
        help="register a privileged number",
        arguments=(
            NUMBER,
            option("--kind", "attorney, clergy, doctor, …", default="attorney"),
            option("--name", "whose number it is"),
            FACILITY,
            _ONLY,
            option("--passive", "needs no acceptance, as agreed", kind=bool, default=False),
            option("--agency-pays", "costs neither side anything", kind=bool, default=False),
            option("--language", "what is spoken to it first"),
            option("--tell", "where to tell them of changes, an address for mail"),
            NOTE,
        ),
        run=_register,
    ),
    Command(
        noun="privileged",
        verb="remove",
        help="withdraw a number: one asks, another person agrees by the same command",
        arguments=(NUMBER, FACILITY, _ONLY, NOTE),
        run=_withdraw,
    ),
    Command(noun="privileged", verb="list", help="every entry, in order", run=_registered),
    Command(
        noun="privileged",
        verb="verify",
        help="prove the register whole; if it is not, no call is inspected",
        run=_verify,
    ),
    Command(
        noun="privileged",
        verb="selftest",
        help="call the test attorney now, and prove that nothing hears it",
        run=_selftest,
        needs_switch=True,
    ),
)
"""`kinline number …`, `kinline privileged …`."""
