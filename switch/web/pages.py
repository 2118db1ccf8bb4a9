"""What all pages share: templates, words, cookies, who is asking, and how errors look."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from switch.web.armour import is_same_origin
from switch.web.settings import WebSettings
from switch.web.sign_in import SignedIn, SignIns, is_csrf
from switch.web.vendor import FILES, VENDOR
from switch.web.words import LANGUAGES, Words, preferred

TEMPLATES: Final = Path(__file__).parent / "templates"

LANGUAGE_COOKIE: Final = "kinline-lang"

ADDRESS_CHARS_MAX: Final = 45
"""The longest text of an IPv6 address. RFC 4291 section 2.2."""


@cache
def environment() -> Environment:
    """Return the templates: everything is escaped, and a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def has_vendor_files() -> bool:
    """Whether the browser libraries were copied at set-up; without them pages stand still."""
    return all((VENDOR / Path(name).name).is_file() for name in FILES)


@dataclass(frozen=True, slots=True)
class Paper:
    """Draws pages and reads who asks.

    Args:
        settings: names of cookies, origins.
        sign_ins: knows the cookies.
        version: of the switch; part of the address of static files.
    """

    settings: WebSettings
    sign_ins: SignIns
    version: str

    def draw(self, template: str, words: Words, **values: Any) -> str:  # noqa: ANN401 - passed on
        """Fill a template."""
        shared = {"say": words, "version": self.version, "is_live": has_vendor_files()}
        return environment().get_template(template).render(shared | values)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        who: SignedIn | None = None,
        **values: Any,  # noqa: ANN401 - passed on
    ) -> HTMLResponse:
        """Answer with a page in the reader's language."""
        words = self.words(request, who)
        html = self.draw(template, words, who=who, path=request.url.path, **values)
        response = HTMLResponse(html, status)
        asked = request.query_params.get("lang", "")
        if asked in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE,
                asked,
                max_age=31_536_000,
                samesite="lax",
                secure=self.settings.is_secure,
            )
        return response

    def words(self, request: Request, who: SignedIn | None = None) -> Words:
        """Choose the language: asked for, remembered, the person's, the browser's."""
        asked = request.query_params.get("lang", "") or request.cookies.get(LANGUAGE_COOKIE, "")
        if asked in LANGUAGES:
            return Words(asked)
        if who is not None:
            return Words(who.language)
        return Words(preferred(request.headers.get("accept-language", "")))

    @property
    def cookie(self) -> str:
        """The name of the sign-in's cookie; `__Host-` binds it to this host by https."""
        return "__Host-kinline" if self.settings.is_secure else "kinline"

    @property
    def payer_cookie(self) -> str:
        """The name of the cookie of a payer's sign-in."""
        return "__Host-kinline-payer" if self.settings.is_secure else "kinline-payer"

    @property
    def form_cookie(self) -> str:
        """The name of the cookie that binds the sign-in form to its browser."""
        return "__Host-kinline-form" if self.settings.is_secure else "kinline-form"

    def set_secret(self, response: Response, name: str, secret: str, *, age_s: int) -> None:
        """Give the browser a secret that no script can read."""
        response.set_cookie(
            name,
            secret,
            max_age=age_s,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self.settings.is_secure,
        )

    def drop_secret(self, response: Response, name: str) -> None:
        """Take it back."""
        self.set_secret(response, name, "", age_s=0)

    def address(self, request: Request) -> str:
        """Where somebody is."""
        return address_of(request, self.settings.proxies)

    async def who(self, request: Request) -> SignedIn | None:
        """Return who asks, or None."""
        return await self.sign_ins.recognise(request.cookies.get(self.cookie, ""))

    async def form(self, request: Request, secret: str) -> Mapping[str, str]:
        """Read a form that was made for the bearer of a secret cookie.

        Raises:
            HTTPException: 403, it came from elsewhere; 400, it is no form.
        """
        if not is_same_origin(request, self.settings.public_origin):
            raise HTTPException(403)
        if not request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        ):
            raise HTTPException(400)
        async with request.form(max_files=0, max_fields=20) as sent:
            form = {name: value for name, value in sent.items() if isinstance(value, str)}
        if not is_csrf(secret, form.get("csrf", "")):
            raise HTTPException(403)
        return form


def address_of(request: Request, proxies: Collection[str] = ()) -> str:
    """Where somebody is.

    Args:
        request: theirs.
        proxies: our own. The last address that is none of theirs counts: what stands before it
            was written by whoever asks.
    """
    peer = request.client.host if request.client else ""
    if peer not in proxies:
        return peer
    said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    strangers = [address for one in said if (address := one.strip()) not in proxies]
    return strangers[-1][:ADDRESS_CHARS_MAX] if strangers and strangers[-1] else peer
