"""`kinline staff …`: who may sign in to the pages, and what they may do where."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.errors import UserError
from switch.store import staff_passwords, staff_store
from switch.store.staff_store import Grant, Role, StaffMember

PASSWORD_CHARS_MIN: Final = 12
"""Chosen: as NIST SP 800-63B-4 recommends for a password that stands alone, rounded down to
what people will keep."""

_NAME: Final = Argument(name="name", help="the name to sign in with")


async def _add(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    grants = [_grant(text) for text in given["role"]]
    password = await asyncio.to_thread(_password, Path(given["password_file"]))
    kept = await asyncio.to_thread(staff_passwords.hash_password, password)
    at_micros = round(desk.clock.wall() * 1_000_000)
    name = given["name"]
    await desk.store.write(
        lambda c: staff_store.put(
            c,
            name=name,
            password_hash=kept,
            language=given["language"],
            grants=grants,
            at_micros=at_micros,
        )
    )
    return {"name": name, "roles": [str(grant) for grant in grants]}


async def _list(desk: Desk, _given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_view(member) for member in await desk.store.read(staff_store.every)]


async def _disable(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    at_micros = round(desk.clock.wall() * 1_000_000)
    name = given["name"]
    if not await desk.store.write(lambda c: staff_store.disable(c, name, at_micros=at_micros)):
        raise UserError(f"There is nobody called {name}. `kinline staff list` shows all.")
    return {"name": name, "disabled": True}


def _grant(text: str) -> Grant:
    """Read `officer@F1`; without a facility it holds everywhere."""
    role, _, facility = text.partition("@")
    try:
        return Grant(Role(role), facility or staff_store.EVERYWHERE)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise UserError(f"{role!r} is not a role. Roles are: {known}.") from None


def _password(path: Path) -> str:
    try:
        password = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if len(password) < PASSWORD_CHARS_MIN:
        raise UserError(f"The password needs at least {PASSWORD_CHARS_MIN} characters.")
    return password


def _view(member: StaffMember) -> dict[str, Any]:
    return {
        "name": member.name,
        "language": member.language,
        "disabled": member.disabled,
        "roles": ", ".join(str(grant) for grant in member.grants),
    }


STAFF_COMMANDS: Final = (
    Command(
        noun="staff",
        verb="add",
        help="let somebody sign in to the pages; known already: a new password and these roles",
        arguments=(
            _NAME,
            Argument(name="--role", help="like ops, or officer@F1 for one facility", many=True),
            Argument(name="--password-file", help="file with the password; never typed here"),
            Argument(
                name="--language",
                help="of the pages",
                choices=("en", "es"),
                required=False,
                default="en",
            ),
        ),
        run=_add,
    ),
    Command(noun="staff", verb="list", help="all staff", run=_list),
    Command(
        noun="staff",
        verb="disable",
        help="end somebody's sign-ins and let them in no more",
        arguments=(_NAME,),
        run=_disable,
    ),
)
