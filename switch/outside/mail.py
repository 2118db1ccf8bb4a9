"""Sends the notices of the outbox by mail.

One connection carries what is due, at most `BATCH_MAX` at a time; the queue itself is the table.
What the server refuses for now is tried again, each time later; an address that it refuses for
good is marked and written to no more. A notice is marked as sent after the server took it: a crash
in between sends it twice, under the same Message-ID. Source: RFC 5321 sections 4.2.1 and 4.5.4.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import aiosmtplib

from switch.clock import Clock
from switch.errors import SettingsError, StoreError
from switch.outside.back_off import doubled_s
from switch.outside.mail_text import ADDRESS, mail_of
from switch.outside.settings import MailSettings
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.outbox_store import Notice

CHECK_S: Final = 5.0
"""How often the sender looks for what is due. Chosen: a notice is not a call."""

BATCH_MAX: Final = 50
"""Notices of one connection. Chosen: servers close after a hundred or so."""

BACK_OFF_S: Final = 60.0
"""From the first try to the second. Chosen; it doubles."""

BACK_OFF_S_MAX: Final = 6 * 3600.0
"""RFC 5321 section 4.5.4.1 wants 30 minutes at least, after the first tries, for days."""

log = logging.getLogger(__name__)


def back_off_s(tries: int) -> float:
    """Return how long to wait after so many tries."""
    return doubled_s(tries, first_s=BACK_OFF_S, most_s=BACK_OFF_S_MAX)


class MailSender:
    """Empties the outbox.

    Args:
        settings: table `[outside.mail]`, with a host.
        store: where the notices wait.
        clock: wall time says what is due.
        node: our name, for the Message-ID.
        way: `mail` where somebody else sends to telephones; `any` fails those, for staff to see.

    Raises:
        SettingsError: the password or the certificate authority cannot be read.
    """

    def __init__(
        self, settings: MailSettings, *, store: Store, clock: Clock, node: str, way: str = "any"
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._node = node
        self._way = way
        self._password = _secret(settings.password_file) if settings.password_file else None
        self._tls = _context(settings)

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            try:
                await self.send_due()
            except StoreError as error:
                log.error("The outbox cannot be read or written: %s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(CHECK_S)

    async def send_due(self) -> int:
        """Send one batch of what is due; return how many the server took."""
        at = self._clock.wall()
        notices = await self._store.read(
            lambda c: outbox_store.due(driver(c), at=at, rows_max=BATCH_MAX, way=self._way)
        )
        fit = [notice for notice in notices if await self._fits(notice)]
        if not fit:
            return 0
        client = self._client()
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("the mail server %s does not take us: %s", self._settings.host, error)
            await self._put_off(fit, f"{type(error).__name__}: {error}")
            return 0
        try:
            return await self._send_all(client, fit)
        finally:
            client.close()

    def compose(self, recipient: str, *, subject: str, text: str) -> EmailMessage:
        """Write a mail from us."""
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = recipient
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(self._clock.wall(), UTC))
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
        mail.set_content(text)
        return mail

    async def send_now(self, mail: EmailMessage) -> bool:
        """Send one mail past the outbox; return whether a server took it."""
        client = self._client()
        try:
            await client.connect()
            await client.send_message(mail)
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("a mail was not taken: %s", type(error).__name__)
            return False
        finally:
            client.close()
        return True

    async def _send_all(self, client: aiosmtplib.SMTP, notices: Sequence[Notice]) -> int:
        taken = 0
        for place, notice in enumerate(notices):
            try:
                taken += await self._send(client, notice)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as e:
                await self._put_off(notices[place:], f"{type(e).__name__}: {e}")
                break
        return taken

    async def _send(self, client: aiosmtplib.SMTP, notice: Notice) -> bool:
        """Send one notice and note what came of it; True if the server took it."""
        mail = mail_of(notice, sender=self._settings.sender, node=self._node)
        assert mail is not None, "sorted out before"
        try:
            await client.send_message(mail, recipients=[notice.recipient])
        except aiosmtplib.SMTPRecipientsRefused as refused:
            await self._refused(notice, refused.recipients[0], is_address=True)
        except aiosmtplib.SMTPResponseException as refused:
            await self._refused(notice, refused, is_address=False)
        else:
            at = self._clock.wall()
            await self._write(lambda raw: outbox_store.sent(raw, notice.id, at=at))
            return True
        return False

    async def _refused(
        self, notice: Notice, answer: aiosmtplib.SMTPResponseException, *, is_address: bool
    ) -> None:
        fault, at = f"{answer.code} {answer.message}", self._clock.wall()
        if answer.code < 500:
            await self._put_off([notice], fault)
        elif is_address:
            log.warning("notice %d: the mail server refuses its address for good", notice.id)
            await self._write(lambda raw: outbox_store.bounced(raw, notice, fault=fault, at=at))
        else:
            await self._write(lambda raw: outbox_store.failed(raw, notice.id, fault=fault, at=at))

    async def _put_off(self, notices: Sequence[Notice], fault: str) -> None:
        """Try again later, or give up."""
        at = self._clock.wall()

        def deed(raw: Any) -> None:  # noqa: ANN401 - the store's connection
            for notice in notices:
                if notice.tries + 1 >= self._settings.tries_max:
                    outbox_store.failed(raw, notice.id, fault=fault, at=at)
                else:
                    next_at = at + back_off_s(notice.tries)
                    outbox_store.later(raw, notice.id, fault=fault, next_at=next_at)

        await self._write(deed)

    async def _fits(self, notice: Notice) -> bool:
        """Fail what no server could ever deliver."""
        address = notice.recipient
        bad = await self._store.read(lambda c: outbox_store.bad_address(driver(c), address))
        if bad:
            fault = f"the address bounced: {bad}"
        elif ADDRESS.fullmatch(address) is None:
            fault = "no address for mail; tell them by hand"
        elif mail_of(notice, sender=self._settings.sender, node=self._node) is None:
            fault = f"no text for {notice.kind}"
        else:
            return True
        at = self._clock.wall()
        await self._write(lambda raw: outbox_store.failed(raw, notice.id, fault=fault, at=at))
        return False

    async def _write(self, deed: Callable[[Any], None]) -> None:
        await self._store.write(lambda c: deed(driver(c)))

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=self._password,
            timeout=settings.timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
        )


def _secret(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"outside.mail.password_file: {path} cannot be read: {error.strerror}"
        ) from error


def _context(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"outside.mail.ca_file: {settings.ca_file} cannot be read: {error}"
        ) from error
