"""What the pages of payers share: who asks, which account is theirs, how a page is drawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from switch.billing.ledger import Account
from switch.clock import Clock
from switch.money import dollars_text
from switch.outside.cashier import Cashier
from switch.store.engine import Store
from switch.store.house_store import HouseStore
from switch.store.record_store import RecordStore
from switch.store.vault import Vault
from switch.web.live import dollars
from switch.web.pages import Paper
from switch.web.payers import Payer, Payers
from switch.web.words import Words

HOME: Final = "/family"

ID_MAX: Final = 2**53
"""Chosen: no id of ours is larger, and every database takes it."""

_PAGE: Final = re.compile(r"/family(/[A-Za-z0-9_-]{1,40}){0,4}")
"""Where a sign-in may lead: pages of ours, without a query."""


class SignInFirst(HTTPException):
    """Nobody is signed in; the page is asked for again afterwards."""

    def __init__(self, path: str) -> None:
        super().__init__(403)
        self.sign_in = f"{HOME}/sign-in?next={next_of(path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyDesk:
    """Hands to each page what it needs.

    Args:
        paper: draws.
        payers: knows the cookies.
        vault: where the ledger is.
        store: what was written down of calls, people and blocks, on this machine.
        houses: the facilities.
        cashier: takes money by card; None takes none.
        clock: wall time.
    """

    paper: Paper
    payers: Payers
    vault: Vault
    store: Store
    houses: HouseStore
    cashier: Cashier | None
    clock: Clock

    @property
    def records(self) -> RecordStore:
        """The calls of this machine."""
        return RecordStore(self.store)

    async def find(self, request: Request) -> Payer | None:
        """Return who asks, or None."""
        return await self.payers.recognise(request.cookies.get(self.paper.payer_cookie, ""))

    async def payer(self, request: Request) -> Payer:
        """Return who asks.

        Raises:
            SignInFirst: nobody is signed in.
        """
        payer = await self.find(request)
        if payer is None:
            raise SignInFirst(request.url.path)
        return payer

    async def mine(self, request: Request) -> tuple[Payer, Account]:
        """Return who asks, and the account that the address of the page names.

        Raises:
            SignInFirst: nobody is signed in.
            HTTPException: 404, it is not theirs; whether it exists is not said.
        """
        payer = await self.payer(request)
        account = payer.account(id_in(request, "account"))
        if account is None:
            raise HTTPException(404)
        return payer, account

    async def form(self, request: Request, payer: Payer) -> Mapping[str, str]:
        """Read a form of theirs.

        Raises:
            HTTPException: 403, it was not made for them; 400, it is no form.
        """
        return await self.paper.form(request, payer.session)

    def page(
        self,
        request: Request,
        template: str,
        payer: Payer | None,
        *,
        status: int = 200,
        **values: Any,  # noqa: ANN401 - passed on
    ) -> Response:
        """Answer with a page."""
        shared = {"payer": payer, "money": money, "cents": dollars, "number": shown_number}
        return self.paper.page(request, template, status=status, **(shared | values))

    def words(self, request: Request) -> Words:
        """Choose the language."""
        return self.paper.words(request)

    def zone(self, account: Account) -> str:
        """In whose time days and hours of an account are shown."""
        found = self.houses.house.facilities
        home = next((f for f in found.values() if f.id == account.facility), None)
        if home is None and len({f.zone for f in found.values()}) == 1:
            home = next(iter(found.values()))
        return home.zone if home is not None else "UTC"

    def note(self, request: Request, payer: Payer, what: str, after: str, target: str) -> None:
        """Write a change to the audit trail."""
        self.payers.note(payer.address, self.paper.address(request), what, after, target)


def id_in(request: Request, name: str) -> int:
    """Read an id out of the address of a page.

    Raises:
        HTTPException: 404, no thing of ours has such an id.
    """
    found = int(request.path_params[name])
    if not 0 < found < ID_MAX:
        raise HTTPException(404)
    return found


def plain(typed: str, *, chars_max: int) -> str:
    """Read a sentence: one line, nothing that is not printed."""
    words = "".join(sign if sign.isprintable() else " " for sign in typed)
    return " ".join(words.split())[:chars_max]


def go_to(path: str) -> Response:
    """Lead on after a form, so that loading again sends nothing again."""
    return RedirectResponse(path, 303)


def next_of(path: str) -> str:
    """Return where a sign-in may lead; home for anything that is no page of ours."""
    return path if _PAGE.fullmatch(path) else HOME


def money(micros: int) -> str:
    """Write an amount exactly: `$12.50`, `-$0.003`."""
    sign = "-" if micros < 0 else ""
    return f"{sign}${dollars_text(abs(micros))}"


def shown_number(e164: str) -> str:
    """Write a number as people do at home: `555-201-0123`; others as they are."""
    if re.fullmatch(r"\+1\d{10}", e164):
        return f"{e164[2:5]}-{e164[5:8]}-{e164[8:]}"
    return e164


def moment(at_wall: float, zone: str, words: Words) -> str:
    """Write a moment in a place's time, in the reader's language: `Nov 24, 10:31 PM`."""
    at = datetime.fromtimestamp(at_wall, ZoneInfo(zone))
    month = words(f"month.{at.month}")
    if words.language == "es":
        return f"{at.day} {month} {at.year}, {at.hour}:{at.minute:02d}"
    half = "AM" if at.hour < 12 else "PM"
    return f"{month} {at.day}, {at.year}, {(at.hour - 1) % 12 + 1}:{at.minute:02d} {half}"
