"""The way in and out for staff, and what needs no sign-in: status, metrics, the way to `/ops`."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from math import ceil
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from switch.web.live import LiveView
from switch.web.pages import Paper, address_of
from switch.web.settings import is_loopback
from switch.web.sign_in import Refused, csrf_of

FORM_AGE_S: Final = 3600
"""A sign-in form is good for so long. Chosen."""


CODE_CHARS_MAX: Final = 16
"""Chosen: more than any code of a second factor."""


@dataclass(frozen=True, slots=True)
class DoorPages:
    """The handlers of the door.

    Args:
        paper: draws, and knows the cookies.
        view: says whether we serve.
        metrics: writes the series; returns text and content type.
        metrics_token: who brings it reads metrics from anywhere; '' = loopback only.
        home: where `/` leads.
    """

    paper: Paper
    view: LiveView
    metrics: Callable[[], tuple[bytes, str]]
    metrics_token: str
    home: str

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/", self.root),
            Route("/status", self.status),
            Route("/metrics", self.show_metrics),
            Route("/ops/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/ops/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def root(self, _request: Request) -> Response:
        """Families; where there are no pages for them, staff."""
        return RedirectResponse(self.home, 307)

    async def status(self, request: Request) -> Response:
        """Public: whether the telephones work, nothing else."""
        key = "status.draining" if self.view.is_draining() else "status.up"
        return self.paper.page(request, "status.html", key=key)

    async def show_metrics(self, request: Request) -> Response:
        """For Prometheus: from this machine, or with the token."""
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        has_token = bool(self.metrics_token) and compare_digest(
            sent.encode(), self.metrics_token.encode()
        )
        # A proxy on this machine makes strangers look local; it adds this header.
        is_local = is_loopback(address_of(request)) and "x-forwarded-for" not in request.headers
        if not has_token and not is_local:
            raise HTTPException(403)
        text, content_type = self.metrics()
        return PlainTextResponse(text, headers={"content-type": content_type})

    async def sign_in(self, request: Request) -> Response:
        """Ask for name, password and code; let in."""
        if request.method in {"GET", "HEAD"}:
            if await self.paper.who(request) is not None:
                return RedirectResponse("/ops", 303)
            return self._ask(request, fault="", status=200)
        form = await self.paper.form(request, request.cookies.get(self.paper.form_cookie, ""))
        found = await self.paper.sign_ins.sign_in(
            form.get("name", "").strip()[:100],
            form.get("password", ""),
            form.get("code", "").replace(" ", "")[:CODE_CHARS_MAX],
            address=self.paper.address(request),
        )
        words = self.paper.words(request)
        if isinstance(found, Refused) and found.wait_s > 0:
            fault = words("in.slow", n=ceil(found.wait_s / 60))
            response = self._ask(request, fault=fault, status=429)
            response.headers["retry-after"] = str(ceil(found.wait_s))
            return response
        if isinstance(found, Refused):
            return self._ask(request, fault=words("in.wrong"), status=403)
        response = RedirectResponse("/ops", 303)
        age_s = self.paper.settings.sign_in_h_max * 3600
        self.paper.set_secret(response, self.paper.cookie, found.session, age_s=age_s)
        self.paper.drop_secret(response, self.paper.form_cookie)
        return response

    def _ask(self, request: Request, *, fault: str, status: int) -> Response:
        secret = request.cookies.get(self.paper.form_cookie) or secrets.token_urlsafe(32)
        response = self.paper.page(
            request, "sign_in.html", status=status, fault=fault, csrf=csrf_of(secret)
        )
        self.paper.set_secret(response, self.paper.form_cookie, secret, age_s=FORM_AGE_S)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End this sign-in."""
        who = await self.paper.who(request)
        response = RedirectResponse("/ops/sign-in", 303)
        if who is not None:
            await self.paper.form(request, who.session)
            await self.paper.sign_ins.sign_out(who, address=self.paper.address(request))
            self.paper.drop_secret(response, self.paper.cookie)
        return response
