"""Passwords of staff: argon2id, and only ever its hash in the store.

19 MiB, two passes, one lane: 38 ms (measured in the design; the library's default takes 120).
Source: RFC 9106; the figures are OWASP's minimum. It burns a core while it runs: call it in a
thread, never in the loop that also serves SIP.
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from switch.errors import UserError

PASSWORD_CHARS_MIN: Final = 12
"""Chosen: staff consoles end calls; NIST SP 800-63B asks for 8 at least."""

PASSWORD_CHARS_MAX: Final = 256
"""Chosen: far above any passphrase; bounds what is hashed."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$lfTlu7BJR/txCiXGRRlayw"
    "$+C/rvPs8qN2oAgI3YIqyFSoVmQrClqiqlxCSLG9o3BY"
)
"""Verified when the name is unknown, so that an unknown name takes as long as a wrong password: a
hash as `_HASHER` makes it, made once. Made at each start, it took 50 ms of it."""


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises:
        UserError: it is too short or too long.
    """
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise UserError(
            f"A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters;"
            f" this one has {len(password)}."
        )
    return _HASHER.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Say whether this is the password; None (no such person) takes as long and is False."""
    try:
        _HASHER.verify(password_hash or _NOBODY, password[: PASSWORD_CHARS_MAX + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
