"""The web server inside the switch: all pages, one uvicorn, no signal handlers of its own."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from switch.call.news import Publisher
from switch.clock import Clock
from switch.errors import SettingsError
from switch.store.engine import Store
from switch.web import ops
from switch.web.armour import Armour
from switch.web.door import DoorPages
from switch.web.family import Families, family_routes
from switch.web.family_desk import SignInFirst
from switch.web.hooks import HookPages, Webhooks
from switch.web.live import LiveView
from switch.web.live_feed import LiveFeed
from switch.web.ops import OpsPages
from switch.web.pages import Paper
from switch.web.settings import WebSettings
from switch.web.sign_in import SignIns

STATIC: Final = Path(__file__).parent / "static"

GOODBYE_S_MAX: Final = 2
"""How long open connections may take when the switch stops. Chosen."""

CONNECTIONS_MAX: Final = 2000
"""Chosen: four for each live page; above it, 503."""

BACKLOG_MAX: Final = 128
"""Connections that wait to be accepted. Chosen: the system's usual limit."""

Metrics = Callable[[], tuple[bytes, str]]


class WebServer:
    """Serves the pages. `start`, then `run` in the TaskGroup of the application, then `close`.

    Args:
        settings: table `[web]`.
        store: staff and sign-ins.
        clock: for everything with a time.
        view: what lives.
        metrics: writes the Prometheus series; returns text and content type.
        audit: takes every sign-in and every cut.
        version: of the switch.
        cards: takes webhooks of money by card; None takes no cards.
        families: what the pages of payers need; None: there are none.
    """

    def __init__(
        self,
        settings: WebSettings,
        *,
        store: Store,
        clock: Clock,
        view: LiveView,
        metrics: Metrics,
        audit: Publisher,
        version: str,
        cards: Webhooks | None = None,
        families: Families | None = None,
    ) -> None:
        self._settings = settings
        sign_ins = SignIns(store=store, clock=clock, settings=settings, audit=audit)
        paper = Paper(settings, sign_ins, version)
        self.feed = LiveFeed(
            partial(ops.draw, paper, view), clock=clock, viewers_max=settings.viewers_max
        )
        pages = OpsPages(paper, view, clock, audit, self.feed)
        door = DoorPages(
            paper,
            view,
            metrics,
            _token(settings.metrics_token_file),
            home="/ops" if families is None else "/family",
        )
        hooks = HookPages(cards)
        routes: list[BaseRoute] = [*door.routes(), *pages.routes(), *hooks.routes()]
        if families is not None:
            routes += family_routes(families, paper, clock=clock, audit=audit)
        self.app = application(settings, paper, routes)
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self.url = ""
        """Where the pages are, once started."""

    async def start(self) -> None:
        """Bind the address.

        Raises:
            SettingsError: it is taken, or the certificate cannot be read.
        """
        settings = self._settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((settings.host, settings.port))
            bound.listen(BACKLOG_MAX)  # who comes before uvicorn is up waits a moment
        except OSError as error:
            bound.close()
            raise SettingsError(
                f"web.port: cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            ) from error
        port = bound.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        scheme = "https" if settings.certificate_file else "http"
        self.url = settings.public_origin or f"{scheme}://{host}:{port}"
        self._socket = bound
        self._server = self._made()

    async def run(self) -> None:
        """Serve until `close`, or until cancelled."""
        assert self._server is not None
        assert self._socket is not None
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self.feed.run())
                await self._server.serve(sockets=[self._socket])
                beat.cancel()
        finally:
            self._socket.close()

    def close(self) -> None:
        """Let the pages go; `run` returns soon after."""
        self.feed.close()
        if self._server is not None:
            self._server.should_exit = True

    def _made(self) -> "_Server":
        settings = self._settings
        config = uvicorn.Config(
            self.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=GOODBYE_S_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            ssl_certfile=settings.certificate_file or None,
            ssl_keyfile=settings.key_file or None,
        )
        try:
            config.load()
        except OSError as error:
            raise SettingsError(f"web.certificate_file: {error}") from error
        return _Server(config)


class _Server(uvicorn.Server):
    """Leaves signals to the application."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(settings: WebSettings, paper: Paper, routes: list[BaseRoute]) -> Starlette:
    """Put pages, static files, errors and armour together."""

    async def fault(request: Request, error: Exception) -> Response:
        if isinstance(error, SignInFirst):
            return RedirectResponse(error.sign_in, 303)
        status = error.status_code if isinstance(error, HTTPException) else 500
        key = f"error.{status}"
        return paper.page(request, "error.html", status=status, key=key, code=status)

    static = Mount("/static", StaticFiles(directory=STATIC), name="static")
    handlers: Mapping[Any, Any] = {HTTPException: fault}
    return Starlette(
        routes=[*routes, static],
        exception_handlers=dict(handlers),
        middleware=[
            Middleware(Armour, is_secure=settings.is_secure),
            # Against DNS rebinding: a stranger's name that points here is not served.
            Middleware(TrustedHostMiddleware, allowed_hosts=_host_names(settings)),
        ],
    )


def _host_names(settings: WebSettings) -> list[str]:
    public = settings.public_origin.partition("://")[2].partition(":")[0]
    names = {"127.0.0.1", "localhost", "::1", "[::1]", settings.host, public, *settings.host_names}
    return sorted(name for name in names if name)


def _token(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"web.metrics_token_file: {path} cannot be read: {error.strerror}"
        ) from error
