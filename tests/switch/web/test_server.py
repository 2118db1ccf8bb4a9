"""The server on a real socket, and in front of it a real browser."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from switch.clock import SystemClock
from switch.errors import SettingsError
from switch.web import vendor
from switch.web.settings import WebSettings
from tests.switch.web.chromium import CHROMIUM, Page, chromium
from tests.switch.web.scene import PASSWORD, Site, call, open_site

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
needs_vendor = pytest.mark.skipif(
    not vendor.is_current(), reason="the browser libraries are not there: see switch.web.vendor"
)


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Site]:
    site = await open_site(path, WebSettings(port=0), clock=SystemClock())
    await site.server.start()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(site.server.run())
            yield site
            site.server.close()
    finally:
        await site.store.close()


async def sign_in(page: Page, site: Site, name: str) -> None:
    await page.open(f"{site.server.url}/ops/sign-in")
    await page.ask(
        f"document.querySelector('#name').value = '{name}';"
        f"document.querySelector('#password').value = '{PASSWORD}';"
        f"document.querySelector('#code').value = '{site.code(name)}';"
        "document.querySelector('main form').requestSubmit()"
    )
    await page.until("location.pathname === '/ops'")


@pytest.mark.live
async def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site = await open_site(tmp_path, WebSettings(port=port))
        with pytest.raises(SettingsError, match=f"web.port: cannot listen on 127.0.0.1:{port}"):
            await site.server.start()
        await site.store.close()


@pytest.mark.live
async def test_it_serves_until_it_is_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        host, port = site.server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        asks = f"GET /status HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(asks.encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"server:" not in answer.lower()


@pytest.mark.live
@needs_chromium
@needs_vendor
async def test_a_browser_sees_calls_come_and_change_and_cuts_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as site, chromium() as page:
        await sign_in(page, site, "lee")
        await page.until("document.querySelector('#line.good')")
        assert await page.ask("document.querySelector('#line').textContent") == "live"
        site.view.rows[0]["balance_micros"] = 3_210_000
        site.view.rows.append(call(16, terminal="N-99"))
        await page.until("document.body.textContent.includes('$3.21')")
        await page.until("document.body.textContent.includes('N-99')")
        await page.ask("document.querySelector('#cut-16').click()")
        await page.until("document.activeElement.id === 'why'")
        await page.ask("document.querySelector('#why').value = 'a threat'")
        await page.ask("document.querySelector('#desk form').requestSubmit()")
        await page.until("document.querySelector('#desk .told')")
        assert site.view.cuts == [(16, "web:lee", "a threat", 0, False)]
        assert page.said == []


@pytest.mark.live
@needs_chromium
@needs_vendor
async def test_the_page_says_when_it_is_no_longer_live(tmp_path: Path) -> None:
    async with chromium() as page:
        async with serving(tmp_path) as site:
            await sign_in(page, site, "watch")
            await page.until("document.querySelector('#line.good')")
        await page.until("document.querySelector('#line.bad')")
        assert await page.ask("document.querySelector('#line').textContent") == "reconnecting"


@pytest.mark.live
@needs_chromium
async def test_nothing_is_wider_than_a_small_telephone_or_smaller_than_a_thumb(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as site, chromium() as page:
        await sign_in(page, site, "lee")
        await page.picture(tmp_path / "narrow.png", width=320, height=640)
        width = await page.ask("document.documentElement.scrollWidth")
        assert width <= 320
        small = await page.ask(
            "[...document.querySelectorAll('button, .cut, .lang a')].filter(e => {"
            "const r = e.getBoundingClientRect(); return r.height < 44 || r.width < 44})"
            ".map(e => e.textContent)"
        )
        assert small == []
