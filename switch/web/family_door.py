"""The way in and out for payers: an address, a code, a cookie."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.billing.code_policy import CodeRefusal, CodeVerdict
from switch.web.family_desk import HOME, FamilyDesk, go_to, next_of
from switch.web.payers import NotIn, read_address
from switch.web.sign_in import csrf_of

FORM_AGE_S: Final = 3600
"""A sign-in form is good for so long. Chosen, as for staff."""

CODE_CHARS_MAX: Final = 20
"""Chosen: more than any code with what people put between its digits."""

STATUS: Final = {
    CodeRefusal.NO_ADDRESS: 422,
    CodeRefusal.TOO_SOON: 429,
    CodeRefusal.TOO_MANY: 429,
}
"""RFC 9110 section 15.5.21, RFC 6585 section 4."""


@dataclass(frozen=True, slots=True)
class FamilyDoor:
    """The handlers of the way in and out.

    Args:
        desk: draws, and knows the cookies.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(f"{HOME}/sign-in", self.ask, methods=["GET", "POST"]),
            Route(f"{HOME}/code", self.take, methods=["POST"]),
            Route(f"{HOME}/sign-out", self.leave, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Ask for an address; send a code there."""
        if request.method in {"GET", "HEAD"}:
            if await self.desk.find(request) is not None:
                return go_to(HOME)
            return self._ask(request, next_of(request.query_params.get("next", "")))
        form = await self._form(request)
        way, address = read_address(form.get("address", ""), spoken=form.get("by") == "voice")
        refusal = await self.desk.payers.ask(
            way,
            address,
            client=self.desk.paper.address(request),
            language=self.desk.words(request).language,
        )
        to = next_of(form.get("next", ""))
        if refusal is CodeRefusal.NO_ADDRESS:
            fault = self.desk.words(request)("f.in.no_address")
            return self._ask(request, to, fault=fault, typed=form.get("address", "")[:254])
        says = "" if refusal is None else f"f.in.{refusal.value}"
        status = 200 if refusal is None else STATUS[refusal]
        return self._ask_code(request, way, address, to, says=says, status=status)

    async def take(self, request: Request) -> Response:
        """Take the code; let in."""
        form = await self._form(request)
        spoken = form.get("way", "") == "voice"
        way, address = read_address(form.get("address", ""), spoken=spoken)
        code = "".join(sign for sign in form.get("code", "")[:CODE_CHARS_MAX] if sign.isdigit())
        to = next_of(form.get("next", ""))
        found = await self.desk.payers.sign_in(
            way, address, code, client=self.desk.paper.address(request)
        )
        if isinstance(found, NotIn):
            return self._refused(request, way, address, to, found)
        paper = self.desk.paper
        response = go_to(to)
        age_s = paper.settings.sign_in_h_max * 3600
        paper.set_secret(response, paper.payer_cookie, found, age_s=age_s)
        paper.drop_secret(response, paper.form_cookie)
        return response

    async def leave(self, request: Request) -> Response:
        """End this sign-in, or all of theirs."""
        payer = await self.desk.find(request)
        response = go_to(f"{HOME}/sign-in")
        if payer is not None:
            form = await self.desk.form(request, payer)
            await self.desk.payers.sign_out(
                payer,
                client=self.desk.paper.address(request),
                everywhere=form.get("everywhere") == "yes",
            )
            self.desk.paper.drop_secret(response, self.desk.paper.payer_cookie)
        return response

    async def _form(self, request: Request) -> Mapping[str, str]:
        paper = self.desk.paper
        return await paper.form(request, request.cookies.get(paper.form_cookie, ""))

    def _refused(self, request: Request, way: str, address: str, to: str, found: NotIn) -> Response:
        if found.wait_s > 0:
            says, minutes = "f.in.slow", ceil(found.wait_s / 60)
            response = self._ask_code(
                request, way, address, to, says=says, status=429, minutes=minutes
            )
            response.headers["retry-after"] = str(ceil(found.wait_s))
            return response
        is_out = found.verdict is CodeVerdict.TRIED_OUT
        says = "f.in.tried_out" if is_out else "f.in.wrong"
        return self._ask_code(request, way, address, to, says=says, status=403)

    def _ask(self, request: Request, to: str, *, fault: str = "", typed: str = "") -> Response:
        secret = self._secret(request)
        response = self.desk.page(
            request,
            "family_sign_in.html",
            None,
            status=422 if fault else 200,
            fault=fault,
            typed=typed,
            to=to,
            ways=self.desk.payers.codes.ways,
            csrf=csrf_of(secret),
        )
        return self._bound(response, secret)

    def _ask_code(
        self,
        request: Request,
        way: str,
        address: str,
        to: str,
        *,
        says: str,
        status: int,
        minutes: int = 0,
    ) -> Response:
        secret = self._secret(request)
        response = self.desk.page(
            request,
            "family_code.html",
            None,
            status=status,
            fault=self.desk.words(request)(says, n=minutes) if says else "",
            way=way,
            address=address,
            to=to,
            ways=self.desk.payers.codes.ways,
            csrf=csrf_of(secret),
        )
        return self._bound(response, secret)

    def _secret(self, request: Request) -> str:
        return request.cookies.get(self.desk.paper.form_cookie) or secrets.token_urlsafe(32)

    def _bound(self, response: Response, secret: str) -> Response:
        """Bind the form to this browser."""
        paper = self.desk.paper
        paper.set_secret(response, paper.form_cookie, secret, age_s=FORM_AGE_S)
        return response
