"""`/family`: whose money it is, what is left of it, and what happened last."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.store import account_statements, payer_session_statements, payer_statements
from switch.store.vault import Raw
from switch.web.family_calls import LOOKS_ON, calls_shown
from switch.web.family_desk import HOME, FamilyDesk, go_to

CALLS_FIRST: Final = 5
"""Calls on the first page. Chosen: what fits under the balance on a small telephone."""


@dataclass(frozen=True, slots=True)
class FamilyHome:
    """The handlers of the first pages.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(HOME, self.home),
            Route(HOME + "/account/{account:int}", self.account),
        ]

    async def home(self, request: Request) -> Response:
        """Their account; a choice where there are several."""
        payer = await self.desk.payer(request)
        if len(payer.accounts) == 1:
            return go_to(f"{HOME}/account/{payer.accounts[0].id}")
        if payer.accounts:
            return self.desk.page(request, "family_choice.html", payer)
        ways = set(self.desk.payers.codes.ways)
        opens = "mail" in ways and bool(ways & {"sms", "voice"})
        return self.desk.page(request, "family_nothing.html", payer, opens=opens)

    async def account(self, request: Request) -> Response:
        """What is left, and what happened last."""
        payer, account = await self.desk.mine(request)

        def look(raw: Raw) -> dict[str, Any]:
            return {
                "standing": payer_session_statements.standing_of(raw, account),
                "numbers": account_statements.numbers_of(raw, account.id),
                "addresses": payer_session_statements.addresses_of(raw, account.id),
                "everybody": payer_statements.approves(raw, account.id)[0],
            }

        found = await self.desk.vault.read(look)
        calls = await calls_shown(self.desk, request, payer, account, rows_max=CALLS_FIRST)
        return self.desk.page(
            request,
            "family_account.html",
            payer,
            account=account,
            calls=calls,
            sees_calls=account.kind in LOOKS_ON,
            takes_cards=self.desk.cashier is not None,
            **found,
        )
