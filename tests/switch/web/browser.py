"""A browser of forty lines: speaks to the application without a socket, keeps cookies."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def csrf(self) -> str:
        return self.text.split('name="csrf" value="')[1].split('"')[0]


class Browser:
    def __init__(
        self,
        app: ASGIApp,
        *,
        address: str = "127.0.0.1",
        code_of: Callable[[str], str] = lambda _name: "000000",
    ) -> None:
        self._code_of = code_of
        self._app = app
        self._address = address
        self.cookies: dict[str, str] = {}
        self.headers = {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, b"", headers)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self.send("POST", path, urlencode(form).encode(), kind | headers)

    async def sign_in(self, name: str, password: str, code: str | None = None) -> Answer:
        page = await self.get("/ops/sign-in")
        made = self._code_of(name) if code is None else code
        form = {"name": name, "password": password, "code": made, "csrf": page.csrf}
        return await self.post("/ops/sign-in", form)

    async def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, wait_s: float = 5
    ) -> Answer:
        sent: list[Message] = []
        asked = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if asked:
                return asked.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        async with asyncio.timeout(wait_s):
            await self._app(self._scope(method, path, body, headers), receive, send)
        return self._answer(sent)

    def _scope(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        plain, _, query = path.partition("?")
        every = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        every = {name: value for name, value in every.items() if value}
        if self.cookies:
            every["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if method == "POST":
            every.setdefault("content-length", str(len(body)))
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in every.items()],
            "client": (self._address, 40000),
            "server": ("127.0.0.1", 8080),
        }

    def _answer(self, sent: list[Message]) -> Answer:
        start, *parts = sent
        headers: dict[str, str] = {}
        for name, value in start["headers"]:
            if name == b"set-cookie":
                for key, morsel in SimpleCookie(value.decode()).items():
                    self.cookies[key] = morsel.value
                    if morsel["max-age"] == "0":
                        del self.cookies[key]
            headers[name.decode()] = value.decode()
        body = b"".join(part.get("body", b"") for part in parts)
        return Answer(start["status"], headers, body.decode())
