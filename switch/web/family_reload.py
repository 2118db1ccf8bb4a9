"""Automatic payments: agreed to in words that are kept, paused, ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.admin.money_text import micros_of
from switch.billing.funding import CONSENT_VERSION, Reload, consent_reload, is_deposit
from switch.billing.ledger import Account
from switch.errors import UserError
from switch.money import Micros, dollars_text
from switch.store import reload_statements
from switch.store.reload_statements import Card, ReloadRow
from switch.store.vault import Raw
from switch.web.family_desk import HOME, FamilyDesk, go_to
from switch.web.payers import Payer

THRESHOLD_MAX: Final = Micros(1_000_000_000)
"""Chosen: above a thousand dollars it is a slip of the finger."""

NAMES: Final = ("below", "amount", "day", "month")


@dataclass(frozen=True, slots=True)
class FamilyReload:
    """The handlers of automatic payments.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        path = HOME + "/account/{account:int}/reload"
        return [Route(path, self.reload, methods=["GET", "POST"])]

    async def reload(self, request: Request) -> Response:
        """Show how it stands; or the words to agree to; or do what was asked."""
        payer, account = await self.desk.mine(request)
        if self.desk.cashier is None or not account.is_open:
            raise HTTPException(404)
        if request.method in {"GET", "HEAD"}:
            return await self._show(request, payer, account, request.query_params)
        form = await self.desk.form(request, payer)
        deed = form.get("do", "")
        at = self.desk.clock.wall()
        if deed == "agree":
            wanted = wanted_of(form)
            if wanted is None or form.get("consent") != "yes":
                return await self._show(request, payer, account, form)
            await self.desk.vault.write(
                lambda raw: self._agree(raw, request, account, wanted, at=at)
            )
        elif deed in {"pause", "go_on"}:
            await self.desk.vault.write(
                lambda raw: reload_statements.pause(raw, account.id, is_on=deed == "go_on")
            )
        elif deed == "forget":
            await self.desk.vault.write(lambda raw: reload_statements.forget_card(raw, account.id))
        else:
            raise HTTPException(400)
        self.desk.note(request, payer, "automatic payments", deed, f"account {account.id}")
        return go_to(f"{HOME}/account/{account.id}/reload")

    def _agree(
        self, raw: Raw, request: Request, account: Account, wanted: Reload, *, at: float
    ) -> None:
        if reload_statements.card_of(raw, account.id) is None:
            return  # it was removed meanwhile; the page says so
        reload_statements.agree(
            raw,
            account.id,
            wanted,
            zone=self.desk.zone(account),
            version=CONSENT_VERSION,
            text=consent_reload(wanted, self.desk.words(request).language),
            at=at,
        )

    async def _show(
        self, request: Request, payer: Payer, account: Account, given: Mapping[str, str]
    ) -> Response:
        def look(raw: Raw) -> tuple[ReloadRow | None, Card | None]:
            return (
                reload_statements.find(raw, account.id),
                reload_statements.card_of(raw, account.id),
            )

        row, card = await self.desk.vault.read(look)
        asked = any(name in given for name in NAMES)
        wanted = wanted_of(given) if asked else None
        words = self.desk.words(request)
        return self.desk.page(
            request,
            "family_reload.html",
            payer,
            status=422 if asked and wanted is None else 200,
            account=account,
            row=row,
            card=card,
            wanted=wanted,
            words_to_agree=consent_reload(wanted, words.language) if wanted else "",
            fault=words("f.reload.amounts") if asked and wanted is None else "",
            typed={name: given.get(name, default) for name, default in _typed(row).items()},
        )


def wanted_of(given: Mapping[str, str]) -> Reload | None:
    """Read what a payer wants; None if the amounts do not fit together."""
    try:
        below, amount, day, month = (
            micros_of(given.get(name, "")[:20].replace(",", ".")) for name in NAMES
        )
    except UserError:
        return None
    fits = 0 < below <= THRESHOLD_MAX and is_deposit(amount) and amount <= day <= month
    if not fits:
        return None
    return Reload(threshold=below, amount=amount, day_cap=day, month_cap=month, is_on=True)


def _typed(row: ReloadRow | None) -> dict[str, str]:
    if row is None:
        return {"below": "5.00", "amount": "20.00", "day": "20.00", "month": "60.00"}
    limits = (row.threshold, row.amount, row.day_cap, row.month_cap)
    return {name: dollars_text(micros) for name, micros in zip(NAMES, limits, strict=True)}
