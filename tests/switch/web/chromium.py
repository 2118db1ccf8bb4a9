"""A real Chromium, driven by its debugging protocol. Source: Chrome DevTools Protocol 1.3."""

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

START_S_MAX = 30.0


class Page:
    """One tab."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._last = 0
        self.said: list[str] = []
        """What the console had to say: a page of ours says nothing."""

    async def order(self, method: str, **values: Any) -> dict[str, Any]:
        self._last += 1
        await self._line.send(json.dumps({"id": self._last, "method": method, "params": values}))
        async with asyncio.timeout(20):
            while True:
                answer = json.loads(await self._line.recv())
                if answer.get("method") == "Log.entryAdded":
                    self.said.append(answer["params"]["entry"]["text"])
                if answer.get("id") == self._last:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result

    async def open(self, url: str) -> None:
        await self.order("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def ask(self, expression: str) -> Any:
        found = await self.order("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def until(self, expression: str, *, within_s: float = 15) -> None:
        """Wait for something to become true; a page that is just changing is asked again."""
        async with asyncio.timeout(within_s):
            while not await self.ask(f"Boolean({expression})"):
                await asyncio.sleep(0.05)

    async def picture(self, path: Path, *, width: int = 1280, height: int = 800) -> None:
        await self.order(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        shot = await self.order("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    """Start a browser of our own in a folder of its own, and stop it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with connect(await _tab(Path(folder)), max_size=None) as line:
                page = Page(line)
                await page.order("Page.enable")
                await page.order("Log.enable")
                yield page
        finally:
            process.terminate()
            await process.wait()


async def _tab(folder: Path) -> str:
    """Find the one tab of a browser that just starts."""
    file = folder / "DevToolsActivePort"
    async with asyncio.timeout(START_S_MAX):
        while not (file.exists() and "\n" in file.read_text()):
            await asyncio.sleep(0.05)
        port = int(file.read_text().split()[0])
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            asks = f"GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
            writer.write(asks.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            tabs = json.loads(await reader.readexactly(length))
            writer.close()
            for tab in tabs:
                if tab["type"] == "page":
                    return str(tab["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
