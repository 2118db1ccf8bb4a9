"""`kinline contact …`: addresses of a payer, proved by a code."""

from collections.abc import Mapping
from typing import Any, Final

from switch.admin.account_argument import ACCOUNT, account_of
from switch.admin.command import Argument, Codes, Command, Desk
from switch.admin.house_desk import option
from switch.billing.code_policy import CodeRefusal, CodeVerdict
from switch.errors import UserError
from switch.routing.number import normalise
from switch.store import payer_notice

Given = Mapping[str, Any]

SAYS: Final = {
    CodeRefusal.NO_ADDRESS: (
        "Codes do not go there: mail and short messages must be configured, and a number must be"
        " an ordinary one like +15550100123."
    ),
    CodeRefusal.TOO_SOON: "A code was sent a moment ago. Try again in two minutes.",
    CodeRefusal.TOO_MANY: "Too many codes were sent today. Try again tomorrow.",
}


async def _ask(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    way, address = _address(given)
    refusal = await _codes(desk).ask(f"contact:{account}", way, address, client="")
    if refusal is not None:
        raise UserError(SAYS[refusal])
    return {"account": account, way: address, "code": "was sent; it is good for ten minutes"}


async def _prove(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    way, address = _address(given)
    verdict = await _codes(desk).prove_contact(account, way, address, given["code"])
    if verdict is CodeVerdict.TRIED_OUT:
        raise UserError("Five wrong codes. Ask for a new one.")
    if verdict is CodeVerdict.WRONG:
        raise UserError("The code is wrong, or its ten minutes are over.")
    return {"account": account, way: address, "proved": True}


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    account = await account_of(desk, given["account"])
    contacts = await desk.vault.read(lambda raw: payer_notice.contacts_of(raw, account))
    return [{"way": way, "address": address} for way, address in contacts]


def _address(given: Given) -> tuple[str, str]:
    if bool(given["mail"]) == bool(given["sms"]):
        raise UserError("Say --mail ADDRESS or --sms NUMBER.")
    if given["mail"]:
        return "mail", str(given["mail"])
    return "sms", normalise(str(given["sms"])).e164 or str(given["sms"])


def _codes(desk: Desk) -> Codes:
    if desk.codes is None:
        raise UserError("The switch does not run; it sends the codes.")
    return desk.codes


_MAIL: Final = option("--mail", "an address for mail")
_SMS: Final = option("--sms", "a number for short messages, like +15550100123")

CONTACT_COMMANDS: Final = (
    Command(
        noun="contact",
        verb="ask",
        help="send a code to an address, to prove that it is the payer's",
        arguments=(ACCOUNT, _MAIL, _SMS),
        run=_ask,
        needs_switch=True,
        examples=("contact ask 3 --mail pat@example.com",),
    ),
    Command(
        noun="contact",
        verb="prove",
        help="take the code back; the address is told of everything from then on",
        arguments=(ACCOUNT, _MAIL, _SMS, Argument(name="--code", help="what was sent")),
        run=_prove,
        needs_switch=True,
    ),
    Command(
        noun="contact",
        verb="list",
        help="addresses that were proved",
        arguments=(ACCOUNT,),
        run=_list,
    ),
)
"""`kinline contact …`."""
