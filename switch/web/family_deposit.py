"""Money into an account by card, and back to where it came from.

Cards are typed in on the processor's own page, never on one of ours. What the page of a deposit
says is read by our server; what stands behind the address is never believed.
"""

import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.admin.money_text import micros_of
from switch.billing.funding import CONSENTS_CARD, DEPOSIT_MAX, DEPOSIT_MIN, is_deposit
from switch.billing.ledger import Account
from switch.errors import UserError
from switch.money import Micros
from switch.store import payer_session_statements
from switch.store.account_store import AccountStore
from switch.store.refund_statements import STRIPE
from switch.web.family_desk import HOME, FamilyDesk
from switch.web.payers import Payer
from switch.web.settings import is_loopback

ASK_AGAIN_S: Final = 5
"""How often the page of a deposit that waits loads itself. Chosen: webhooks come within seconds."""

NAME_CHARS_MAX: Final = 64
"""Chosen: above any name of a deposit."""

OWN_MONEY: Final = frozenset({"called_prepaid", "called_direct"})
"""Kinds whose payer may have the balance back: it is theirs. What stands on the account of a person
in custody is that person's."""


@dataclass(frozen=True, slots=True)
class FamilyDeposit:
    """The handlers of money in and back.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        account = HOME + "/account/{account:int}"
        return [
            Route(f"{account}/deposit", self.pay_in, methods=["GET", "POST"]),
            Route(HOME + "/deposit/{funding}", self.deposit),
            Route(f"{account}/back", self.pay_back, methods=["GET", "POST"]),
        ]

    async def pay_in(self, request: Request) -> Response:
        """Ask how much; say the whole of it before anybody pays; lead to the card page."""
        payer, account = await self.desk.mine(request)
        cashier = self.desk.cashier
        if cashier is None or not account.is_open:
            raise HTTPException(404)
        if request.method in {"GET", "HEAD"}:
            return self._ask(request, payer, account)
        form = await self.desk.form(request, payer)
        amount = _amount(form.get("amount", ""))
        words = self.desk.words(request)
        if amount is None or not is_deposit(amount):
            typed = form.get("amount", "")[:20]
            return self._ask(request, payer, account, fault=words("f.pay.amount"), typed=typed)
        saves = form.get("save") == "yes"
        try:
            name, page = await cashier.deposit(
                account.id, amount, save_card=saves, language=words.language
            )
        except UserError:
            return self._ask(request, payer, account, fault=words("f.pay.not_now"))
        self.desk.note(request, payer, "deposit", str(amount), f"account {account.id}")
        return self.desk.page(
            request,
            "family_pay.html",
            payer,
            account=account,
            amount=amount,
            url=_card_page(page.url),
            host=urlsplit(page.url).hostname,
            deposit=name,
        )

    def _ask(
        self,
        request: Request,
        payer: Payer,
        account: Account,
        *,
        fault: str = "",
        typed: str = "20.00",
    ) -> Response:
        language = self.desk.words(request).language
        return self.desk.page(
            request,
            "family_deposit.html",
            payer,
            status=422 if fault else 200,
            account=account,
            fault=fault,
            typed=typed,
            least=DEPOSIT_MIN,
            most=DEPOSIT_MAX,
            consent=CONSENTS_CARD[language],
        )

    async def deposit(self, request: Request) -> Response:
        """Say what became of a deposit, as our server reads it now."""
        payer = await self.desk.payer(request)
        if self.desk.cashier is None:
            raise HTTPException(404)
        name = request.path_params["funding"]
        if not (name.isascii() and name.isalnum() and len(name) <= NAME_CHARS_MAX):
            raise HTTPException(404)
        funding = await self.desk.cashier.look(name)
        account = None if funding is None else payer.account(funding.account)
        if funding is None or account is None:
            raise HTTPException(404)
        left = await self.desk.vault.read(
            lambda raw: payer_session_statements.left_on(raw, funding.account)
        )
        response = self.desk.page(
            request,
            "family_paid.html",
            payer,
            account=account,
            funding=funding,
            left=left,
        )
        if funding.state == "waiting":
            response.headers["refresh"] = str(ASK_AGAIN_S)
        return response

    async def pay_back(self, request: Request) -> Response:
        """Send money back to the cards that it came from, without a fee."""
        payer, account = await self.desk.mine(request)
        if account.kind not in OWN_MONEY:
            raise HTTPException(404)
        there = Micros(max(0, min(account.purse.posted, account.purse.available)))
        if request.method in {"GET", "HEAD"}:
            return self._ask_back(request, payer, account, there)
        form = await self.desk.form(request, payer)
        words = self.desk.words(request)
        amount = _amount(form.get("amount", ""))
        name = form.get("name", "")
        if amount is None or not 0 < amount <= there or not _is_name(name):
            return self._ask_back(request, payer, account, there, fault=words("f.back.amount"))
        try:
            plan = await AccountStore(self.desk.vault).refund(account.id, amount, ref=name)
        except UserError:
            return self._ask_back(request, payer, account, there, fault=words("f.back.not_now"))
        to_cards = sum(part.amount for part in plan.parts if part.source.id.startswith(STRIPE))
        self.desk.note(request, payer, "refund", str(amount), f"account {account.id}")
        return self.desk.page(
            request,
            "family_back_done.html",
            payer,
            account=account,
            to_cards=to_cards,
            by_hand=amount - to_cards,
        )

    def _ask_back(
        self, request: Request, payer: Payer, account: Account, there: Micros, *, fault: str = ""
    ) -> Response:
        return self.desk.page(
            request,
            "family_back.html",
            payer,
            status=422 if fault else 200,
            account=account,
            there=there,
            fault=fault,
            name=f"payer-{secrets.token_hex(12)}",
        )


def _amount(typed: str) -> Micros | None:
    """Read an amount as people type it: `20`, `$20.00`, `20,00`."""
    try:
        return micros_of(typed.strip()[:20].replace(",", "."))
    except UserError:
        return None


def _is_name(name: str) -> bool:
    """Say whether a form brought back the name that we gave it: the same form pays once."""
    return name.startswith("payer-") and name[6:].isalnum() and name.isascii() and len(name) == 30


def _card_page(url: str) -> str:
    """Lead nowhere but to a page under https, or on this machine.

    Raises:
        HTTPException: 503, the processor named something else.
    """
    at = urlsplit(url)
    if at.scheme == "https" or (at.scheme == "http" and is_loopback(at.hostname or "")):
        return url
    raise HTTPException(503)
