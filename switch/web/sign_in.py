"""Who is there: sign in, recognise, sign out.

The browser gets an opaque id of 256 bits; the store has only its hash. A new id is made at each
sign-in. The CSRF token of a sign-in is derived from its id, so it needs no place of its own.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest
from typing import Final

from switch.call.news import AuditNews, Publisher
from switch.clock import Clock
from switch.store import staff_store, staff_totp
from switch.store.engine import Store
from switch.store.house_keys import HouseKeys
from switch.store.staff_passwords import is_password
from switch.store.staff_store import StaffMember
from switch.web.attempts import Attempts
from switch.web.rights import Rights, rights_of
from switch.web.settings import WebSettings

HASHES_AT_ONCE_MAX: Final = 2
"""Passwords hashed at the same time. Chosen: 38 MiB and, for a moment, two cores at most."""

SEEN_EVERY_S: Final = 60
"""Use of a sign-in is written down this often. Chosen: a page asks every second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody whose cookie is good."""

    name: str
    language: str
    rights: Rights
    session: str
    """The secret id itself; lives in the cookie and in this request only."""

    @property
    def csrf(self) -> str:
        """What a form of this person must bring back."""
        return csrf_of(self.session)


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in."""

    wait_s: float
    """0: the name, the password or the code was wrong. Else: too many tries."""


class SignIns:
    """All sign-ins of staff.

    Args:
        store: where they stand.
        clock: wall time ends them, monotonic time slows guessing.
        settings: how long they last.
        audit: takes every sign-in, sign-out and failure.
    """

    def __init__(
        self, *, store: Store, clock: Clock, settings: WebSettings, audit: Publisher
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._audit = audit
        self._attempts = Attempts()
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE_MAX)

    async def sign_in(
        self, name: str, password: str, code: str, *, address: str
    ) -> SignedIn | Refused:
        """Let somebody in who knows the password and has the second factor.

        Which of the two was wrong is told to the trail only. A code is used up only with the right
        password, so that strangers cannot spend it.
        """
        wait_s = self._attempts.wait_s(name, address, now=self._clock.monotonic())
        if wait_s > 0:
            self._note(name, "", address, "login", "refused: too many tries")
            return Refused(wait_s)
        # Counted before the hashing, forgiven after it: a burst of guesses cannot slip by.
        self._attempts.failed(name, address, now=self._clock.monotonic())
        member = await self._store.read(partial(staff_store.find, name=name))
        known = member if member is not None and not member.disabled else None
        async with self._hashing:
            is_right = await asyncio.to_thread(
                is_password, password, known.password_hash if known else None
            )
        if known is None or not is_right:
            self._note(name, "", address, "login", "refused: wrong name or password")
            return Refused(0)
        fault = await self._second_factor(known, code)
        if fault:
            self._note(name, "", address, "login", f"refused: {fault}")
            return Refused(0)
        self._attempts.succeeded(name, address)
        session = secrets.token_urlsafe(32)
        at = int(self._clock.wall() * 1e6)
        await self._store.write(
            partial(
                staff_store.begin_session,
                id_hash=hash_of(session),
                staff=known.name,
                address=address,
                at_micros=at,
                ends_at_micros=at + self._settings.sign_in_h_max * 3_600_000_000,
            )
        )
        rights = rights_of(known.grants)
        self._note(known.name, rights.roles(), address, "login", "let in")
        return SignedIn(name=known.name, language=known.language, rights=rights, session=session)

    async def _second_factor(self, member: StaffMember, code: str) -> str:
        """Check a code and use it up; return what is wrong, '' if nothing."""
        if member.totp_sealed is None:
            return f"no second factor yet: kinline staff totp {member.name}"
        key = HouseKeys(self._store.path.parent).staff_key()
        secret = staff_totp.unseal(member.totp_sealed, key=key, name=member.name)
        if secret is None:
            return "the key of the second factors is not the one it was sealed with"
        step = staff_totp.step_of(secret, code, at_wall=self._clock.wall())
        if step is None:
            return "wrong code"
        fresh = await self._store.write(partial(staff_store.use_step, name=member.name, step=step))
        return "" if fresh else "the code was used before"

    async def recognise(self, session: str) -> SignedIn | None:
        """Return whose cookie this is, if it is good and its person may still sign in."""
        if not session or len(session) > 100:
            return None
        id_hash = hash_of(session)
        found = await self._store.read(partial(staff_store.find_session, id_hash=id_hash))
        if found is None:
            return None
        row, member = found
        now = int(self._clock.wall() * 1e6)
        idle_micros = self._settings.idle_min_max * 60_000_000
        is_over = now >= row.ends_at_micros or now - row.seen_at_micros >= idle_micros
        if is_over or member.disabled:
            await self._store.write(partial(staff_store.end_session, id_hash=id_hash))
            return None
        if now - row.seen_at_micros >= SEEN_EVERY_S * 1_000_000:
            seen = partial(staff_store.session_seen, id_hash=id_hash, at_micros=now)
            await self._store.write(seen)
        return SignedIn(
            name=member.name,
            language=member.language,
            rights=rights_of(member.grants),
            session=session,
        )

    async def sign_out(self, who: SignedIn, *, address: str) -> None:
        """End this sign-in."""
        end = partial(staff_store.end_session, id_hash=hash_of(who.session))
        await self._store.write(end)
        self._note(who.name, who.rights.roles(), address, "logout", "")

    def _note(self, name: str, role: str, address: str, what: str, after: str) -> None:
        self._audit.publish_nowait(
            AuditNews(
                who=f"web:{name[:100]}",
                role=role,
                address=address,
                what=what,
                target="console",
                after=after,
                at_wall=self._clock.wall(),
            )
        )


def hash_of(session: str) -> str:
    """What the store has of a session id: 256 random bits need no salt."""
    return hashlib.sha256(session.encode()).hexdigest()


def csrf_of(secret: str) -> str:
    """Derive the token that a form must bring back from a secret cookie."""
    return hashlib.sha256(b"csrf:" + secret.encode()).hexdigest()


def is_csrf(secret: str, token: str) -> bool:
    """Say whether a form was made for the bearer of this cookie."""
    return bool(secret) and compare_digest(csrf_of(secret).encode(), token.encode())
