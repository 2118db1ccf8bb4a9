"""`kinline staff …`: who may sign in to the pages, and what they may do where."""

import getpass
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.errors import UserError
from switch.store import staff_passwords, staff_store, staff_totp
from switch.store.house_keys import HouseKeys
from switch.store.staff_store import Grant, Role, StaffMember

NAME: Final = re.compile(r"[\w.@-]{1,100}")

_NAME: Final = Argument(name="name", help="the name to sign in with")


def _with_password(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the password here, at the command line; only its hash goes on."""
    file = given["password_file"]
    password = _read(Path(file)) if file else _asked()
    kept = {name: value for name, value in given.items() if name != "password_file"}
    return kept | {"password_hash": staff_passwords.hash_password(password)}


async def _add(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    grants = [_grant(text) for text in given["role"]]
    name = given["name"]
    if NAME.fullmatch(name) is None:
        raise UserError(
            f"{name!r} is no name to sign in with: letters, digits, `.`, `-`, `_`, `@`."
        )
    await desk.store.write(
        lambda c: staff_store.put(
            c,
            name=name,
            password_hash=given["password_hash"],
            language=given["language"],
            grants=grants,
            at_micros=round(desk.clock.wall() * 1_000_000),
        )
    )
    answer = {"name": name, "roles": [str(grant) for grant in grants]}
    member = await desk.store.read(lambda c: staff_store.find(c, name))
    if member is not None and member.totp_sealed is None:
        answer |= await _new_totp(desk, name)
    return answer


async def _totp(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": given["name"]} | await _new_totp(desk, given["name"])


async def _new_totp(desk: Desk, name: str) -> dict[str, Any]:
    """Make a second factor; what is returned is shown this once."""
    secret = staff_totp.new_secret()
    key = HouseKeys(desk.store.path.parent).staff_key()
    sealed = staff_totp.seal(secret, key=key, name=name)
    if not await desk.store.write(lambda c: staff_store.set_totp(c, name, sealed=sealed)):
        raise UserError(f"There is nobody called {name}. `kinline staff list` shows all.")
    return {
        "second_factor": staff_totp.shown(secret),
        "for_the_app": staff_totp.uri(secret, name=name),
        "note": "Put it into an authenticator app now: it is not shown again.",
    }


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


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UserError("Give the password in a file: --password-file F. It is never an argument.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise UserError("The two are not the same.")
    return password


def _view(member: StaffMember) -> dict[str, Any]:
    return {
        "name": member.name,
        "language": member.language,
        "disabled": member.disabled,
        "second_factor": member.totp_sealed is not None,
        "roles": ", ".join(str(grant) for grant in member.grants),
    }


STAFF_COMMANDS: Final = (
    Command(
        noun="staff",
        verb="add",
        help="let somebody sign in to the pages, with a second factor that is shown this once;"
        " known already: a new password and these roles",
        arguments=(
            _NAME,
            Argument(name="--role", help="like ops, or officer@F1 for one facility", many=True),
            Argument(
                name="--password-file",
                help="file with the password; without it you are asked",
                required=False,
                default="",
            ),
            Argument(
                name="--language",
                help="of the pages",
                choices=("en", "es"),
                required=False,
                default="en",
            ),
        ),
        run=_add,
        prepare=_with_password,
        examples=(
            "staff add lee --role officer@F1 --password-file lee.password",
            "staff add watch --role ops auditor@F1 --language es",
        ),
    ),
    Command(
        noun="staff",
        verb="totp",
        help="give somebody a new second factor, shown this once; their sign-ins end",
        arguments=(_NAME,),
        run=_totp,
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
