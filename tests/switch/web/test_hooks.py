"""The door for webhooks: proved, bounded, and told again if it was not written."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from switch.errors import PeerError, StoreError
from tests.switch.web.browser import Browser
from tests.switch.web.scene import open_site


class Till:
    """Takes what is told, or answers as told."""

    def __init__(self) -> None:
        self.told: list[tuple[bytes, str]] = []
        self.error: Exception | None = None

    async def webhook(self, body: bytes, signature: str) -> str:
        if self.error is not None:
            raise self.error
        self.told.append((body, signature))
        return "ok"


def at_the_door(path: Path, scene: Callable[[Browser, Till], Awaitable[None]]) -> None:
    async def main() -> None:
        till = Till()
        site = await open_site(path, cards=till)
        try:
            # Stripe is no browser: it sends no origin.
            browser = site.browser()
            browser.headers = {"host": "127.0.0.1:8080"}
            await scene(browser, till)
        finally:
            await site.store.close()

    asyncio.run(main())


def test_what_is_told_is_handed_on_byte_by_byte(tmp_path: Path) -> None:
    async def scene(browser: Browser, till: Till) -> None:
        body = b'{"a": "\xc3\xa9"}' + b" " * 100_000
        answer = await browser.send("POST", "/hooks/stripe", body, {"stripe-signature": "t=1"})
        assert (answer.status, answer.text) == (200, "ok\n")
        assert till.told == [(body, "t=1")]

    at_the_door(tmp_path, scene)


def test_what_is_not_proved_or_not_written_is_not_accepted(tmp_path: Path) -> None:
    async def scene(browser: Browser, till: Till) -> None:
        for error, status in (
            (PeerError(400, "not Stripe's"), 400),
            (StoreError("the disk is full"), 503),
        ):
            till.error = error
            assert (await browser.send("POST", "/hooks/stripe", b"{}", {})).status == status
        till.error = None
        assert (await browser.send("POST", "/hooks/stripe", b" " * 262_145, {})).status == 413
        assert (await browser.get("/hooks/stripe")).status == 405
        assert till.told == []

    at_the_door(tmp_path, scene)


def test_who_takes_no_cards_has_no_door(tmp_path: Path) -> None:
    async def main() -> None:
        site = await open_site(tmp_path)
        try:
            answer = await site.browser().send("POST", "/hooks/stripe", b"{}", {})
            assert answer.status == 404
        finally:
            await site.store.close()

    asyncio.run(main())
