"""Payers who sign in: families, attorneys, bodies. No password: a code proves an address each time.

The browser gets an opaque id of 256 bits; the store has only its hash. Whoever asks learns the same
whether an address is known or not: everybody who proves one is signed in, and sees what is theirs.
"""

import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

from switch.billing.code_policy import CodeRefusal, CodeVerdict
from switch.billing.ledger import Account
from switch.call.news import AuditNews, Publisher
from switch.clock import Clock
from switch.ids import AccountId
from switch.routing.number import normalise
from switch.store import idle_statements, payer_session_statements
from switch.store.vault import Raw, Vault
from switch.web.attempts import Attempts
from switch.web.pace import Pace
from switch.web.settings import WebSettings
from switch.web.sign_in import csrf_of, hash_of

PURPOSE: Final = "sign-in"

ADDRESS_CHARS_MAX: Final = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""

SEEN_EVERY_S: Final = 60.0
"""Use of a sign-in is written down this often. Chosen, as for staff."""

SITE_BITS: Final = 64
"""Of an IPv6 address: one home has so many addresses. RFC 6177."""


class Codes(Protocol):
    """Sends codes and takes them back (`switch.outside.codes.CodeDesk`)."""

    @property
    def ways(self) -> tuple[str, ...]:
        """How codes can be sent."""
        ...

    async def ask(
        self, purpose: str, way: str, address: str, *, client: str, language: str, waits: bool
    ) -> CodeRefusal | None:
        """Send one; None if it is on its way."""
        ...

    async def prove(self, purpose: str, way: str, address: str, code: str) -> CodeVerdict:
        """Take one back."""
        ...

    async def prove_contact(
        self, account: AccountId, way: str, address: str, code: str
    ) -> CodeVerdict:
        """Take one back, and keep the address as one of the account's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Somebody whose cookie is good."""

    way: str
    """How their address was proved: `mail`, `sms` or `voice`."""
    address: str
    accounts: tuple[Account, ...]
    session: str
    """The secret id itself; lives in the cookie and in this request only."""

    @property
    def csrf(self) -> str:
        """What a form of theirs must bring back."""
        return csrf_of(self.session)

    @property
    def telephone(self) -> str:
        """The number that they proved; '' if they signed in by mail."""
        return "" if self.way == "mail" else self.address

    def account(self, id_: int) -> Account | None:
        """Return an account of theirs; None: it is not theirs, or there is none."""
        return next((one for one in self.accounts if one.id == id_), None)


@dataclass(frozen=True, slots=True)
class NotIn:
    """Not let in."""

    verdict: CodeVerdict
    wait_s: float = 0.0
    """Above 0: too many wrong codes from there."""


class Payers:
    """All sign-ins of payers.

    Args:
        vault: where they stand, beside the ledger: every node of a shared one knows them.
        codes: sends codes.
        clock: wall time ends them, monotonic time slows guessing.
        settings: how long they last.
        audit: takes every sign-in and sign-out.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        codes: Codes,
        clock: Clock,
        settings: WebSettings,
        audit: Publisher,
    ) -> None:
        self._vault = vault
        self.codes = codes
        self._clock = clock
        self._settings = settings
        self._audit = audit
        self._attempts = Attempts()
        self._pace = Pace()

    async def ask(
        self, way: str, address: str, *, client: str, language: str
    ) -> CodeRefusal | None:
        """Send a code to sign in with; it never says whether we know the address."""
        if self._pace.wait_s(site_of(client), now=self._clock.monotonic()) > 0:
            return CodeRefusal.TOO_SOON  # before anything is written
        return await self.codes.ask(
            PURPOSE, way, address, client=site_of(client), language=language, waits=False
        )

    async def sign_in(self, way: str, address: str, code: str, *, client: str) -> str | NotIn:
        """Take the code back; return the secret id of the sign-in."""
        site = site_of(client)
        now = self._clock.monotonic()
        wait_s = max(
            self._attempts.wait_s(address, site, now=now), self._pace.wait_s(site, now=now)
        )
        if wait_s > 0:
            return NotIn(CodeVerdict.TRIED_OUT, wait_s)
        self._attempts.failed(address, site, now=now)
        verdict = await self.codes.prove(PURPOSE, way, address, code)
        if verdict is not CodeVerdict.RIGHT:
            self.note(address, client, "login", f"refused: {verdict.value} code")
            return NotIn(verdict)
        self._attempts.succeeded(address, site)
        session = secrets.token_urlsafe(32)
        at = self._clock.wall()
        ends_at = at + self._settings.sign_in_h_max * 3600

        def deed(raw: Raw) -> None:
            payer_session_statements.begin(
                raw,
                hash_of(session),
                way=way,
                address=address,
                client=client,
                at=at,
                ends_at=ends_at,
            )
            for account in payer_session_statements.accounts_of(raw, address):
                idle_statements.sign(raw, account.id, "signed in", at=at)

        await self._vault.write(deed)
        self.note(address, client, "login", "let in")
        return session

    async def recognise(self, session: str) -> Payer | None:
        """Return whose cookie this is, if it is good."""
        if not session or len(session) > 100:
            return None
        hash_ = hash_of(session)

        def look(
            raw: Raw,
        ) -> tuple[payer_session_statements.PayerSession, tuple[Account, ...]] | None:
            found = payer_session_statements.find(raw, hash_)
            if found is None:
                return None
            return found, tuple(payer_session_statements.accounts_of(raw, found.address))

        found = await self._vault.read(look)
        if found is None:
            return None
        row, accounts = found
        at = self._clock.wall()
        if at >= row.ends_at or at - row.seen_at >= self._settings.idle_min_max * 60:
            await self._vault.write(lambda raw: payer_session_statements.end(raw, hash_))
            return None
        if at - row.seen_at >= SEEN_EVERY_S:
            await self._vault.write(lambda raw: payer_session_statements.seen(raw, hash_, at=at))
        return Payer(way=row.way, address=row.address, accounts=accounts, session=session)

    async def sign_out(self, payer: Payer, *, client: str, everywhere: bool = False) -> None:
        """End this sign-in, or all of this address on every device."""
        if everywhere:
            end = payer.address
            await self._vault.write(lambda raw: payer_session_statements.end_all(raw, end))
        else:
            hash_ = hash_of(payer.session)
            await self._vault.write(lambda raw: payer_session_statements.end(raw, hash_))
        self.note(payer.address, client, "logout", "everywhere" if everywhere else "")

    def note(self, address: str, client: str, what: str, after: str, target: str = "") -> None:
        """Write to the audit trail; the address is not spelt out there."""
        self._audit.publish_nowait(
            AuditNews(
                who=f"payer:{masked(address)}",
                role="payer",
                address=client,
                what=what,
                target=target or "family",
                after=after,
                at_wall=self._clock.wall(),
            )
        )


def read_address(typed: str, *, spoken: bool) -> tuple[str, str]:
    """Read what somebody typed in: way and address.

    One spelling of each: capitals would else be further addresses for the limits.

    Args:
        typed: a mail address, or a telephone number as people write it.
        spoken: they want to be called.
    """
    text = typed.strip()[:ADDRESS_CHARS_MAX]
    if not text.isprintable():
        return "mail", ""  # no database takes a NUL, and no address has one
    if "@" in text:
        return "mail", text.lower()
    return "voice" if spoken else "sms", normalise(text[:40]).e164 or ""


def masked(address: str) -> str:
    """Write an address so that its owner knows it and nobody else does."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"…{address[-4:]}"


def site_of(client: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network of one IPv6 home."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((address, SITE_BITS), strict=False).network_address)
    return client
