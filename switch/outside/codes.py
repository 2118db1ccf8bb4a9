"""Proves that an address belongs to somebody: sends a code there, and takes it back.

Whoever asks learns the same whether we know the address or not. The code itself is sent once and
kept nowhere: only its HMAC is.
"""

import logging
import secrets
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

TEXT: Final = "{code} is your Kinline code. It is good for ten minutes. Nobody will ask you for it."

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


class CodeDesk:
    """Sends codes and takes them back.

    Args:
        vault: where codes and addresses are kept.
        key: mixed into what is kept of a code.
        mails: None: no codes go by mail.
        messages: None: no codes go to telephones.
    """

    def __init__(
        self, vault: Vault, *, key: bytes, mails: Mails | None, messages: Messages | None
    ) -> None:
        self._vault = vault
        self._key = key
        self._mails = mails
        self._messages = messages

    async def ask(
        self, purpose: str, way: str, address: str, *, client: str, is_known: bool = True
    ) -> CodeRefusal | None:
        """Send a code; None if it is on its way, or would be if we knew the address.

        Args:
            purpose: what it is good for.
            way: `mail` or `sms`.
            address: where to.
            client: the address of who asks; '' is staff.
            is_known: False counts and answers in the same way, and sends nothing.
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
        if refusal is None and is_known:
            await self._send(way, address, code)
        return refusal

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
        if way == "mail":
            return self._mails is not None and ADDRESS.fullmatch(address) is not None
        number = normalise(address)
        return (
            self._messages is not None
            and number.kind is NumberKind.ORDINARY
            and number.e164 == address
            and address.startswith("+1")
            and number.country in COUNTRIES
        )

    async def _send(self, way: str, address: str, code: str) -> None:
        text = TEXT.format(code=code)
        if way == "mail":
            assert self._mails is not None
            mail = self._mails.compose(address, subject="Your code", text=text + "\n")
            is_sent = await self._mails.send_now(mail)
        else:
            assert self._messages is not None
            is_sent = await self._messages.send(address, text) is SmsResult.TAKEN
        if not is_sent:
            log.warning("a code by %s was not sent; whoever waits asks again", way)

    def _mac(self, code: str, purpose: str, way: str, address: str) -> str:
        return mac_of(code.strip(), key=self._key, purpose=purpose, way=way, address=address)


def contact_purpose(account: AccountId) -> str:
    """What a code is good for that proves an address of an account."""
    return f"contact:{account}"
