"""All calls of an account, and the button that asks a call's charge back.

Source: the sections on refunds and on the family portal (P10) of the money rules.
"""

from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.billing.claim import ClaimInput, ClaimState
from switch.billing.ledger import Account
from switch.errors import UserError
from switch.store import claim_statements, payer_statements
from switch.store.claim_statements import Claim, Step
from switch.store.engine import driver
from switch.store.vault import Raw
from switch.web.family_calls import CLAIMS_MAX, LOOKS_ON, calls_shown
from switch.web.family_desk import HOME, FamilyDesk, go_to, id_in, moment, plain
from switch.web.payers import Payer, masked

CALLS_MAX: Final = 200
"""Calls on the page of all. Chosen: a month of a family that talks each day, and more."""

WHY_CHARS_MIN: Final = 3
WHY_CHARS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class FamilyClaims:
    """The handlers of calls and requests.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        account = HOME + "/account/{account:int}"
        return [
            Route(f"{account}/calls", self.calls),
            Route(account + "/call/{call:int}", self.call, methods=["GET", "POST"]),
        ]

    async def calls(self, request: Request) -> Response:
        """Every call, the newest first."""
        payer, account = await self.desk.mine(request)
        if account.kind not in LOOKS_ON:
            raise HTTPException(404)
        calls = await calls_shown(self.desk, request, payer, account, rows_max=CALLS_MAX)
        return self.desk.page(
            request, "family_calls.html", payer, account=account, calls=calls, asks=True
        )

    async def call(self, request: Request) -> Response:
        """Ask for a call's charge, or see how that stands; appeal once it was denied."""
        payer, account = await self.desk.mine(request)
        call = id_in(request, "call")
        charged = await self.desk.vault.read(
            lambda raw: payer_statements.charged_calls(raw, account.id, call=call, rows_max=1)
        )
        if not charged or account.kind not in LOOKS_ON:
            raise HTTPException(404)  # it is not theirs, or nobody paid it
        if request.method in {"GET", "HEAD"}:
            return await self._show(request, payer, account, call)
        form = await self.desk.form(request, payer)
        why = plain(form.get("why", ""), chars_max=WHY_CHARS_MAX)
        if len(why) < WHY_CHARS_MIN:
            return await self._show(request, payer, account, call, fault="f.claim.why_missing")
        try:
            await self._ask(payer, call, why)
        except UserError:
            return await self._show(request, payer, account, call, fault="f.claim.not_now")
        self.desk.note(request, payer, "claim", why, f"call {call}")
        return go_to(f"{HOME}/account/{account.id}/call/{call}")

    async def _ask(self, payer: Payer, call: int, why: str) -> None:
        evidence = await self.desk.store.read(
            lambda c: claim_statements.evidence_of(driver(c), call)
        )
        at, by = self.desk.clock.wall(), f"payer:{masked(payer.address)}"

        def deed(raw: Raw) -> None:
            claim = claim_statements.ask(raw, call, evidence=evidence, by=by, why=why, at=at)
            if claim.state is ClaimState.DENIED:
                claim_statements.decide(raw, claim.id, ClaimInput.APPEAL, by=by, why=why, at=at)

        await self.desk.vault.write(deed)

    async def _show(
        self, request: Request, payer: Payer, account: Account, call: int, *, fault: str = ""
    ) -> Response:
        def look(raw: Raw) -> tuple[Claim | None, list[Step]]:
            claims = claim_statements.listed(raw, account=account.id, rows_max=CLAIMS_MAX)
            found = next((claim for claim in claims if claim.call == call), None)
            return found, [] if found is None else claim_statements.steps_of(raw, found.id)

        claim, steps = await self.desk.vault.read(look)
        shown = await calls_shown(self.desk, request, payer, account, rows_max=CALLS_MAX)
        words, zone = self.desk.words(request), self.desk.zone(account)
        return self.desk.page(
            request,
            "family_call.html",
            payer,
            status=422 if fault else 200,
            account=account,
            call_id=call,
            calls=[one for one in shown if one.call == call],
            claim=claim,
            due=moment(claim.due_at, zone, words) if claim is not None else "",
            steps=[(moment(step.at, zone, words), step.step, step.why) for step in steps],
            may_ask=claim is None or claim.state is ClaimState.DENIED,
            fault=words(fault) if fault else "",
        )
