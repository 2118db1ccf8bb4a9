"""A mail server on a port of this machine (aiosmtpd) that keeps what it is sent."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP


class LocalMail:
    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        """Recipient and content."""
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        for recipient in envelope.rcpt_tos:
            self.mails.append((recipient, envelope.content.decode()))
        return "250 taken"

    async def code_for(self, recipient: str, *, within_s: float = 20) -> str:
        """Wait for a mail with a code; take it out."""
        async with asyncio.timeout(within_s):
            while True:
                for place, (to, content) in enumerate(self.mails):
                    found = re.search(r"^(\d{6}) ", content.partition("\r\n\r\n")[2])
                    if to == recipient and found is not None:
                        del self.mails[place]
                        return found[1]
                await asyncio.sleep(0.05)


@asynccontextmanager
async def mail_server() -> AsyncIterator[LocalMail]:
    """Serve."""
    mail = LocalMail()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mail, hostname="post.invalid", loop=loop), "127.0.0.1", 0
    )
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
