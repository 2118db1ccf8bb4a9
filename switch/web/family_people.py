"""Who may call at a payer's cost: people who called, approved or denied. money.md, P7."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.store import account_statements, house_people, payer_statements
from switch.store.engine import driver
from switch.store.vault import Raw
from switch.web.family_calls import LOOKS_ON
from switch.web.family_desk import HOME, FamilyDesk, go_to

RECORDS_MAX: Final = 500
"""Calls that are looked through for callers. Chosen."""

PEOPLE_MAX: Final = 100
"""Chosen: more than call any one family."""


@dataclass(frozen=True, slots=True)
class FamilyPeople:
    """The handlers of people.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        path = HOME + "/account/{account:int}/people"
        return [Route(path, self.people, methods=["GET", "POST"])]

    async def people(self, request: Request) -> Response:
        """Show them; approve or deny one."""
        payer, account = await self.desk.mine(request)
        if account.kind not in LOOKS_ON:
            raise HTTPException(404)

        def look(raw: Raw) -> tuple[list[str], bool, dict[str, str]]:
            numbers = account_statements.numbers_of(raw, account.id)
            return (numbers, *payer_statements.approves(raw, account.id))

        numbers, everybody, judged = await self.desk.vault.read(look)
        people = await self._named(numbers, judged)
        if request.method in {"GET", "HEAD"}:
            rows = [(one, name, judged.get(one, "")) for one, name in people.items()]
            return self.desk.page(
                request,
                "family_people.html",
                payer,
                account=account,
                everybody=everybody,
                people=rows,
            )
        form = await self.desk.form(request, payer)
        person, verdict = form.get("person", ""), form.get("verdict", "")
        if person not in people or verdict not in {"approved", "denied"}:
            raise HTTPException(404)  # somebody who never called is nobody's to know of
        await self.desk.vault.write(
            lambda raw: account_statements.judge_person(
                raw, account.id, person, approved=verdict == "approved"
            )
        )
        self.desk.note(request, payer, "person", verdict, f"account {account.id}")
        return go_to(request.url.path)

    async def _named(self, numbers: list[str], judged: dict[str, str]) -> dict[str, str]:
        """Return who called these numbers, or was spoken of, by id, with their names."""
        records = await self.desk.records.of_numbers(numbers, rows_max=RECORDS_MAX)
        seen = dict.fromkeys([*judged, *(one.person for one in records if one.person)])

        def look(raw: sqlite3.Connection) -> dict[str, str]:
            found = (house_people.find(raw, one) for one in list(seen)[:PEOPLE_MAX])
            return {str(one.id): one.name for one in found if one is not None}

        return await self.desk.store.read(lambda c: look(driver(c)))
