"""Short messages through a gateway that takes them by HTTP.

One request a message: `POST url` with `{"from": …, "to": …, "text": …}` and a bearer token. 2xx:
it was taken. 408, 429 and 5xx, or no answer: later. Everything else: never.
"""

import asyncio
import http.client
import logging
import ssl
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from switch.errors import SettingsError, StoreError
from switch.outside.mail import back_off_s
from switch.outside.mail_text import text_of
from switch.outside.settings import SmsSettings
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.outbox_store import Notice

CHECK_S: Final = 5.0
"""How often the sender looks for what is due. Chosen, as for mail."""

BATCH_MAX: Final = 20
"""Of one look. Chosen."""

TEXT_CHARS_MAX: Final = 612
"""Four parts of 153 signs. 3GPP TS 23.040 section 9.2.3.24.1."""

LATER: Final = frozenset({408, 425, 429})
"""Statuses below 500 that say: not now. RFC 9110, RFC 6585."""

log = logging.getLogger(__name__)


class SmsResult(Enum):
    """What became of a message."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


class Post(Protocol):
    """Sends one request; blocks."""

    def __call__(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status. Raises OSError or http.client.HTTPException if none came."""
        ...


class SmsGate:
    """Sends messages, and empties the outbox of those that go to telephones.

    Args:
        settings: table `[outside.sms]`, with a url.
        store: where notices wait.
        post: how; a connection to the url if none is given.

    Raises:
        SettingsError: the token cannot be read.
    """

    def __init__(self, settings: SmsSettings, *, store: Store, post: Post | None = None) -> None:
        self._settings = settings
        self._store = store
        self._post = post or HttpPost(settings)
        try:
            token = Path(settings.token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"outside.sms.token_file: {settings.token_file} cannot be read: {error}"
            ) from error
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def send(self, number: str, text: str) -> SmsResult:
        """Send one message."""
        message = {"from": self._settings.sender, "to": number, "text": text[:TEXT_CHARS_MAX]}
        try:
            status = await asyncio.to_thread(
                self._post, self._headers, msgspec.json.encode(message)
            )
        except (OSError, http.client.HTTPException) as error:
            log.warning("the SMS gateway does not answer: %s", type(error).__name__)
            return SmsResult.LATER
        if 200 <= status < 300:
            return SmsResult.TAKEN
        log.warning("the SMS gateway answers %d", status)
        return SmsResult.LATER if status in LATER or status >= 500 else SmsResult.NEVER

    async def run(self) -> None:
        """Send the notices that are due, until cancelled."""
        while True:
            try:
                await self.send_due()
            except StoreError as error:
                log.error("The outbox cannot be read or written: %s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(CHECK_S)

    async def send_due(self) -> int:
        """Send what is due; return how many were taken."""
        at = self._store.clock.wall()
        notices = await self._store.read(
            lambda c: outbox_store.due(driver(c), at=at, rows_max=BATCH_MAX, way="sms")
        )
        return sum([await self._send_notice(notice) for notice in notices])

    async def _send_notice(self, notice: Notice) -> bool:
        text = text_of(notice)
        result = SmsResult.NEVER if text is None else await self.send(notice.recipient, text)
        at = self._store.clock.wall()
        is_last = notice.tries + 1 >= self._settings.tries_max
        fault = "no text for it" if text is None else f"gateway: {result.value}"
        match result:
            case SmsResult.TAKEN:
                await self._store.write(lambda c: outbox_store.sent(driver(c), notice.id, at=at))
            case SmsResult.LATER if not is_last:
                next_at = at + back_off_s(notice.tries)
                await self._store.write(
                    lambda c: outbox_store.later(driver(c), notice.id, fault=fault, next_at=next_at)
                )
            case _:
                await self._store.write(
                    lambda c: outbox_store.failed(driver(c), notice.id, fault=fault, at=at)
                )
        return result is SmsResult.TAKEN


class HttpPost:
    """One connection for each message. Blocks; run it in a thread."""

    def __init__(self, settings: SmsSettings) -> None:
        self._at = urlsplit(settings.url)
        self._timeout_s = settings.timeout_s
        self._tls = ssl.create_default_context() if self._at.scheme == "https" else None

    def __call__(self, headers: Mapping[str, str], body: bytes) -> int:
        """See Post."""
        host, port = self._at.hostname or "", self._at.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=self._timeout_s)
            if self._tls is None
            else http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        )
        try:
            path = self._at.path or "/"
            connection.request("POST", path, body=body, headers=dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()
