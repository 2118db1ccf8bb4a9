"""What stands before every page: headers that tie the browser down, and a limit on bodies.

Nothing inline, nothing from elsewhere, no frame around us. Source: W3C Content Security Policy
Level 3; OWASP Secure Headers Project.
"""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 16_384
"""No form of ours is longer. Chosen."""

HOOK_BYTES_MAX: Final = 262_144
"""Under `/hooks/`: an event holds a whole object of the processor's. Chosen: ten times the
longest that was seen."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

STRICT_TRANSPORT: Final = "max-age=31536000"
"""Once https, always https, for a year. RFC 6797."""


class Armour:
    """Pure ASGI, so that streams pass through untouched.

    Args:
        app: what is behind.
        is_secure: browsers reach us by https.
    """

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if is_secure:
            self._headers["strict-transport-security"] = STRICT_TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        if scope["method"] not in SAFE_METHODS and not _is_short(scope):
            await PlainTextResponse("413\n", status_code=413)(scope, receive, send_armoured)
            return
        await self._app(scope, receive, send_armoured)


def _is_short(scope: Scope) -> bool:
    """A body must say its length, and be a short one."""
    length = Headers(scope=scope).get("content-length", "")
    bytes_max = HOOK_BYTES_MAX if scope["path"].startswith("/hooks/") else BODY_BYTES_MAX
    return length.isascii() and length.isdigit() and int(length[:12]) <= bytes_max


def is_same_origin(request: Request, public_origin: str) -> bool:
    """Say whether a form was sent from a page of ours.

    Browsers send `Origin` with every POST; where it is missing, `Sec-Fetch-Site` must say so.
    Neither: not a browser's form, refused.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in {"same-origin", "none"}
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin == own or (bool(public_origin) and origin == public_origin)
