"""How a command names an account: by its id, or by a number that it pays for."""

import re
from typing import Final

from switch.admin.command import Argument, Desk
from switch.errors import UserError
from switch.ids import AccountId
from switch.store.account_store import AccountStore

ACCOUNT: Final = Argument(name="account", help="its id, or a number that it pays for")

_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")


async def account_of(desk: Desk, text: str) -> AccountId:
    """Find an account.

    Raises:
        UserError: there is none, or not only one.
    """
    accounts = AccountStore(desk.vault)
    if text.isdecimal():
        account = AccountId(int(text))
        if await accounts.find(account) is None:
            raise UserError(f"There is no account {text}. `kinline account list` shows all.")
        return account
    if _NUMBER.fullmatch(text) is None:
        raise UserError(f"{text!r} is neither an account nor a number like +15550100123.")
    found = await accounts.find_all(number=text)
    if len(found) != 1:
        raise UserError(f"{len(found)} accounts pay for {text}; say its id.")
    return found[0].account.id
