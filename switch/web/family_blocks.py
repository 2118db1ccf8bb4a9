"""Blocks of the payer's own numbers: who may not call them, as whoever is called wants it.

Only a number that was proved to be theirs by a code can be blocked for, and only by its payer.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.billing.ledger import Account
from switch.routing.number import E164
from switch.store import house_numbers, house_people, payer_session_statements
from switch.store.engine import driver
from switch.web.family_calls import LOOKS_ON
from switch.web.family_desk import HOME, FamilyDesk, go_to, moment
from switch.web.payers import Payer

PEOPLE_MAX: Final = 50
"""People who called lately and can be blocked here. Chosen: more than call any one number."""

RECORDS_MAX: Final = 500
"""Calls that are looked through for them. Chosen."""


class Caller(NamedTuple):
    """Somebody, or some place, that calls came from."""

    scope: Literal["person", "facility"]
    target: str
    name: str


@dataclass(frozen=True, slots=True)
class FamilyBlocks:
    """The handlers of blocks.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        path = HOME + "/account/{account:int}/blocks"
        return [Route(path, self.blocks, methods=["GET", "POST"])]

    async def blocks(self, request: Request) -> Response:
        """Show what is blocked; block, or take one back."""
        payer, account = await self.desk.mine(request)
        if account.kind not in LOOKS_ON:
            raise HTTPException(404)
        numbers = await self.desk.vault.read(
            lambda raw: payer_session_statements.telephones_of(raw, account.id)
        )
        if request.method in {"GET", "HEAD"}:
            return await self._show(request, payer, account, numbers)
        form = await self.desk.form(request, payer)
        number = form.get("number", "")
        if number not in numbers:
            raise HTTPException(404)  # it was not proved to be theirs
        at = self.desk.clock.wall()
        if form.get("undo", ""):
            typed = form["undo"][:15]  # no id of ours is longer
            block = int(typed) if typed.isdecimal() else 0
            await self.desk.store.write(
                lambda c: house_numbers.undo_keypad_one(driver(c), E164(number), block, at=at)
            )
            self.desk.note(request, payer, "block taken back", number[-4:], f"block {block}")
            return go_to(request.url.path)
        asked = form.get("who", "")
        known = {f"{one.scope}:{one.target}": one for one in await self._callers(numbers)}
        if asked not in known:
            return await self._show(request, payer, account, numbers, fault="f.block.who_missing")
        who = known[asked]
        await self.desk.store.write(
            lambda c: house_numbers.block_by_keypad(
                driver(c), E164(number), scope=who.scope, target=who.target, call=None, at=at
            )
        )
        self.desk.note(request, payer, "block", number[-4:], asked)
        return go_to(request.url.path)

    async def _callers(self, numbers: list[str]) -> list[Caller]:
        """Return the people and facilities that called these numbers lately."""
        records = await self.desk.records.of_numbers(numbers, rows_max=RECORDS_MAX)
        people = dict.fromkeys(record.person for record in records if record.person)
        places = dict.fromkeys(record.facility for record in records if record.facility)
        facilities = self.desk.houses.house.facilities

        def look(raw: sqlite3.Connection) -> list[Caller]:
            found = (house_people.find(raw, one) for one in list(people)[:PEOPLE_MAX])
            return [Caller("person", one.id, one.name) for one in found if one is not None]

        callers = await self.desk.store.read(lambda c: look(driver(c)))
        known = {str(one.id): one.name for one in facilities.values()}
        return [*callers, *(Caller("facility", one, known[one]) for one in places if one in known)]

    async def _show(
        self,
        request: Request,
        payer: Payer,
        account: Account,
        numbers: list[str],
        *,
        fault: str = "",
    ) -> Response:
        def look(raw: sqlite3.Connection) -> dict[str, list[house_numbers.KeypadBlock]]:
            return {one: house_numbers.keypad_blocks_of(raw, E164(one)) for one in numbers}

        blocks = await self.desk.store.read(lambda c: look(driver(c)))
        callers = await self._callers(numbers)
        names = await self._names([b for found in blocks.values() for b in found])
        words, zone = self.desk.words(request), self.desk.zone(account)
        return self.desk.page(
            request,
            "family_blocks.html",
            payer,
            status=422 if fault else 200,
            account=account,
            numbers=numbers,
            callers=callers,
            blocks=[
                (one, block.id, block.scope, names[block.id], moment(block.at, zone, words))
                for one, found in blocks.items()
                for block in found
            ],
            fault=words(fault) if fault else "",
        )

    async def _names(self, blocks: list[house_numbers.KeypadBlock]) -> dict[int, str]:
        """Return whom each block is about, by name."""
        house = self.desk.houses.house
        places = {str(one.id): one.name for one in house.facilities.values()}
        places |= {str(one.id): one.name for one in house.agencies.values()}

        def look(raw: sqlite3.Connection) -> dict[int, str]:
            names = {}
            for block in blocks:
                person = house_people.find(raw, block.target) if block.scope == "person" else None
                names[block.id] = person.name if person else places.get(block.target, "")
            return names

        return await self.desk.store.read(lambda c: look(driver(c)))
