"""Addresses and numbers of a payer, each proved by a code; and the way to a first account.

An account of one's own takes a mail address and a telephone, both proved (money P1); it is usable
at once. Whoever adds an address is told of at all the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.billing.code_policy import CodeVerdict
from switch.billing.ledger import Account
from switch.ids import AccountId
from switch.outside.codes import contact_purpose
from switch.store import account_statements, payer_notice, payer_session_statements
from switch.store.account_statements import NewAccount
from switch.store.vault import Raw, lock_name
from switch.web.family_calls import LOOKS_ON
from switch.web.family_desk import HOME, FamilyDesk, go_to, plain
from switch.web.payers import ADDRESS_CHARS_MAX, Payer, masked, read_address, site_of

SIGN_UP: Final = "sign-up"
"""What a code is good for that proves the second address of somebody without an account."""


@dataclass(frozen=True, slots=True)
class FamilyAddresses:
    """The handlers of addresses and of the first account.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(f"{HOME}/open", self.open, methods=["GET", "POST"]),
            Route(
                HOME + "/account/{account:int}/addresses", self.addresses, methods=["GET", "POST"]
            ),
        ]

    # ---- a first account

    async def open(self, request: Request) -> Response:
        """Ask for the other address, then for its code; open an account."""
        payer = await self.desk.payer(request)
        if payer.accounts:
            return go_to(HOME)
        if request.method in {"GET", "HEAD"}:
            return self._ask_open(request, payer)
        form = await self.desk.form(request, payer)
        way, address = read_address(form.get("address", ""), spoken=form.get("by") == "voice")
        if (way == "mail") == (payer.way == "mail"):
            return self._ask_open(request, payer, fault="f.open.other")
        if "code" not in form:
            fault = await self._send(request, SIGN_UP, way, address)
            waits = "" if fault == "f.in.no_address" else address
            return self._ask_open(request, payer, fault=fault, way=way, waits_for=waits)
        verdict = await self.desk.payers.codes.prove(SIGN_UP, way, address, _code(form))
        if verdict is not CodeVerdict.RIGHT:
            fault = f"f.in.{verdict.value}"
            return self._ask_open(request, payer, fault=fault, way=way, waits_for=address)
        at = self.desk.clock.wall()
        account = await self.desk.vault.write(lambda raw: _opened(raw, payer, way, address, at=at))
        if account is None:
            return self._ask_open(request, payer, fault="f.open.taken")
        self.desk.note(request, payer, "account", "opened", f"account {account}")
        return go_to(f"{HOME}/account/{account}")

    def _ask_open(
        self, request: Request, payer: Payer, *, fault: str = "", way: str = "", waits_for: str = ""
    ) -> Response:
        return self.desk.page(
            request,
            "family_open.html",
            payer,
            status=422 if fault else 200,
            fault=self.desk.words(request)(fault) if fault else "",
            way=way,
            waits_for=waits_for,
            ways=self.desk.payers.codes.ways,
        )

    # ---- further addresses

    async def addresses(self, request: Request) -> Response:
        """Show them; add one by a code; take one away."""
        payer, account = await self.desk.mine(request)
        if request.method in {"GET", "HEAD"}:
            return await self._show(request, payer, account)
        form = await self.desk.form(request, payer)
        if form.get("drop", ""):
            gone = plain(form["drop"], chars_max=ADDRESS_CHARS_MAX)
            if gone == payer.address:
                return await self._show(request, payer, account, fault="f.address.own")
            await self.desk.vault.write(
                lambda raw: payer_notice.drop_contact(raw, account.id, gone)
            )
            self.desk.note(request, payer, "address removed", masked(gone), f"account {account.id}")
            return go_to(request.url.path)
        way, address = read_address(form.get("address", ""), spoken=form.get("by") == "voice")
        pays = form.get("pays", "")
        if "code" not in form:
            fault = await self._send(request, contact_purpose(account.id), way, address)
            waits = "" if fault == "f.in.no_address" else address
            return await self._show(
                request, payer, account, fault=fault, way=way, waits_for=waits, pays=pays
            )
        return await self._prove(request, payer, account, form, way=way, address=address)

    async def _prove(
        self,
        request: Request,
        payer: Payer,
        account: Account,
        form: Mapping[str, str],
        *,
        way: str,
        address: str,
    ) -> Response:
        verdict = await self.desk.payers.codes.prove_contact(account.id, way, address, _code(form))
        pays = form.get("pays", "")
        if verdict is not CodeVerdict.RIGHT:
            fault = f"f.in.{verdict.value}"
            return await self._show(
                request, payer, account, fault=fault, way=way, waits_for=address, pays=pays
            )
        at = self.desk.clock.wall()

        def deed(raw: Raw) -> None:
            if way != "mail" and pays == "yes" and account.kind in LOOKS_ON:
                account_statements.link(raw, account.id, address)
            payer_notice.tell(raw, account.id, "address_added", {"number": masked(address)}, at=at)

        await self.desk.vault.write(deed)
        self.desk.note(request, payer, "address added", masked(address), f"account {account.id}")
        return go_to(request.url.path)

    async def _send(self, request: Request, purpose: str, way: str, address: str) -> str:
        """Send a code; return what to say of it, '' if it is on its way."""
        refusal = await self.desk.payers.codes.ask(
            purpose,
            way,
            address,
            client=site_of(self.desk.paper.address(request)),
            language=self.desk.words(request).language,
            waits=False,
        )
        return "" if refusal is None else f"f.in.{refusal.value}"

    async def _show(
        self,
        request: Request,
        payer: Payer,
        account: Account,
        *,
        fault: str = "",
        way: str = "",
        waits_for: str = "",
        pays: str = "",
    ) -> Response:
        def look(raw: Raw) -> tuple[list[str], list[str]]:
            return (
                payer_session_statements.addresses_of(raw, account.id),
                account_statements.numbers_of(raw, account.id),
            )

        addresses, numbers = await self.desk.vault.read(look)
        return self.desk.page(
            request,
            "family_addresses.html",
            payer,
            status=422 if fault else 200,
            account=account,
            addresses=addresses,
            numbers=numbers,
            fault=self.desk.words(request)(fault) if fault else "",
            way=way,
            waits_for=waits_for,
            pays=pays,
            may_pay=account.kind in LOOKS_ON,
            ways=self.desk.payers.codes.ways,
        )


def _opened(raw: Raw, payer: Payer, way: str, address: str, *, at: float) -> AccountId | None:
    """Open an account for somebody who proved both; None if one pays for their number already."""
    number = payer.telephone or address
    lock_name(raw, f"sign-up:{number}")
    paying = account_statements.find_all(raw, number=number)
    if any(one.is_open for one in paying):
        return None
    new = NewAccount(kind="called_prepaid", numbers=(number,), approves="all")
    account = account_statements.open_purse(raw, new, at=at)
    payer_notice.add_contact(raw, account, payer.way, payer.address, at=at)
    payer_notice.add_contact(raw, account, way, address, at=at)
    return account


def _code(form: Mapping[str, str]) -> str:
    return "".join(sign for sign in form.get("code", "")[:20] if sign.isdigit())
