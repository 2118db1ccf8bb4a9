"""Proves that an address belongs to somebody: sends a code there, and takes it back.

Whoever asks learns the same whether we know the address or not. The code itself is sent once and
kept nowhere: only its HMAC is.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Final, Protocol

from switch.billing.code_policy import (
    CODE_DIGITS,
    CodeRefusal,
    CodeVerdict,
    mac_of,
)
from switch.ids import AccountId
from switch.outside.mail_text import ADDRESS
from switch.outside.sms import SmsResult
from switch.routing.area_codes import TERRITORIES
from switch.routing.number import NumberKind, normalise
from switch.store import code_statements, idle_statements, payer_notice
from switch.store.vault import Raw, Vault

COUNTRIES: Final = frozenset({"US", "CA", "", *TERRITORIES})
"""Where messages go: +1 without the islands beyond the coast, whose messages are dear. '' is an
area code that is younger than the library."""

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Your code",
        "{code} is your Kinline code. It is good for ten minutes. Nobody will ask you for it.",
    ),
    "es": (
        "Su código",
        "{code} es su código de Kinline. Sirve durante diez minutos. Nadie se lo pedirá.",
    ),
}
"""By language: subject and text. To be reviewed by a native speaker, as all Spanish sentences."""

WAITING_MAX: Final = 200
"""Codes that wait for their turn. Chosen: above it one is lost, and whoever waits asks again."""

SENDERS: Final = 20
"""Codes that are sent at once. Chosen: a mail server takes a second, a spoken code twenty."""

log = logging.getLogger(__name__)


class Mails(Protocol):
    """Sends one mail now."""

    async def send_now(self, mail: EmailMessage) -> bool:
        """Return whether a server took it."""
        ...

    def compose(self, recipient: str, *, subject: str, text: str) -> EmailMessage:
        """Write a mail from us."""
        ...


class Messages(Protocol):
    """Sends one short message now."""

    async def send(self, number: str, text: str) -> SmsResult:
        """Return what became of it."""
        ...


class Speaker(Protocol):
    """Calls a telephone and speaks a code."""

    async def speak(self, number: str, code: str, *, language: str) -> bool:
        """Return whether somebody heard it."""
        ...


class CodeDesk:
    """Sends codes and takes them back.

    Args:
        vault: where codes and addresses are kept.
        key: mixed into what is kept of a code.
        mails: None: no codes go by mail.
        messages: None: no codes go by short message.
        speaker: None: no codes are spoken.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        key: bytes,
        mails: Mails | None,
        messages: Messages | None,
        speaker: Speaker | None = None,
    ) -> None:
        self._vault = vault
        self._key = key
        self._mails = mails
        self._messages = messages
        self._speaker = speaker
        self._waiting: asyncio.Queue[tuple[str, str, str, str]] = asyncio.Queue(WAITING_MAX)

    @property
    def ways(self) -> tuple[str, ...]:
        """How codes can be sent here: `mail`, `sms`, `voice`."""
        there = {"mail": self._mails, "sms": self._messages, "voice": self._speaker}
        return tuple(way for way, sender in there.items() if sender is not None)

    async def ask(
        self,
        purpose: str,
        way: str,
        address: str,
        *,
        client: str,
        is_known: bool = True,
        language: str = "en",
        waits: bool = True,
    ) -> CodeRefusal | None:
        """Send a code; None if it is on its way, or would be if we knew the address.

        Args:
            purpose: what it is good for.
            way: `mail`, `sms` or `voice`.
            address: where to.
            client: the address of who asks; '' is staff.
            is_known: False counts and answers in the same way, and sends nothing.
            language: of the text.
            waits: until it was sent. Strangers are not let wait: how long it takes would tell
                them about an address.
        """
        if not self.is_address(way, address):
            return CodeRefusal.NO_ADDRESS
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        mac = self._mac(code, purpose, way, address)
        at = self._vault.clock.wall()
        refusal = await self._vault.write(
            lambda raw: code_statements.begin(
                raw, purpose, way, address, mac=mac, client=client, at=at
            )
        )
        if refusal is not None or not is_known:
            return refusal
        if waits:
            await self._send(way, address, code, language)
            return None
        try:
            self._waiting.put_nowait((way, address, code, language))
        except asyncio.QueueFull:
            log.warning("%d codes wait to be sent; one more was not taken", WAITING_MAX)
        return None

    async def run(self) -> None:
        """Send the codes that nobody waits for, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while True:
            await self._send(*await self._waiting.get())

    async def prove(self, purpose: str, way: str, address: str, code: str) -> CodeVerdict:
        """Take a code back; the right one is good once."""
        mac = self._mac(code, purpose, way, address)
        at = self._vault.clock.wall()
        return await self._vault.write(
            lambda raw: code_statements.try_code(raw, purpose, way, address, mac=mac, at=at)
        )

    async def prove_contact(
        self, account: AccountId, way: str, address: str, code: str
    ) -> CodeVerdict:
        """Take a code back, and keep the address as one of the account's."""
        purpose = contact_purpose(account)
        mac = self._mac(code, purpose, way, address)
        at = self._vault.clock.wall()

        def deed(raw: Raw) -> CodeVerdict:
            verdict = code_statements.try_code(raw, purpose, way, address, mac=mac, at=at)
            if verdict is CodeVerdict.RIGHT:
                payer_notice.add_contact(raw, account, way, address, at=at)
                idle_statements.sign(raw, account, "proved an address", at=at)
            return verdict

        return await self._vault.write(deed)

    def is_address(self, way: str, address: str) -> bool:
        """Say whether codes go there: no premium number, no dear country, no nonsense."""
        if way not in self.ways:
            return False
        if way == "mail":
            return ADDRESS.fullmatch(address) is not None
        number = normalise(address)
        return (
            number.kind is NumberKind.ORDINARY
            and number.e164 == address
            and address.startswith("+1")
            and number.country in COUNTRIES
        )

    async def _send(self, way: str, address: str, code: str, language: str) -> None:
        subject, text = TEXTS.get(language, TEXTS["en"])
        said = text.format(code=code)
        if way == "mail":
            assert self._mails is not None
            mail = self._mails.compose(address, subject=subject, text=said + "\n")
            is_sent = await self._mails.send_now(mail)
        elif way == "sms":
            assert self._messages is not None
            is_sent = await self._messages.send(address, said) is SmsResult.TAKEN
        else:
            assert self._speaker is not None
            is_sent = await self._speaker.speak(address, code, language=language)
        if not is_sent:
            log.warning("a code by %s was not sent; whoever waits asks again", way)

    def _mac(self, code: str, purpose: str, way: str, address: str) -> str:
        return mac_of(code.strip(), key=self._key, purpose=purpose, way=way, address=address)


def contact_purpose(account: AccountId) -> str:
    """What a code is good for that proves an address of an account."""
    return f"contact:{account}"
