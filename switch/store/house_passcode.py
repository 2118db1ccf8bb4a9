"""Passcodes: hashed with a salt per person and a key that is not in the database.

Four digits are ten thousand guesses. No cost per guess that a telephone call can bear protects
them against somebody who has the database and the time; what protects them is the key in
`DATA/keys/pin.key`, without which a guess cannot be checked at all. PBKDF2 is on top, at a cost
that fifty callers at once do not notice: 10,000 rounds are 2.3 ms here, argon2's default 100 ms
and 64 MB (both measured).

Source: RFC 8018 section 5.2 (PBKDF2); RFC 2104 (HMAC).
"""

import hashlib
import hmac
import secrets
from typing import Final

ROUNDS: Final = 10_000
"""Chosen: see above."""

SALT_BYTES: Final = 16
"""RFC 8018 section 4.1 asks for at least 8."""

TAG_BYTES: Final = 16
"""Chosen: half of the digest, enough that no two passcodes of a facility meet by accident."""


def new_salt() -> bytes:
    """Return a salt for one person."""
    return secrets.token_bytes(SALT_BYTES)


def hashed(key: bytes, passcode: str, salt: bytes) -> bytes:
    """Return what is stored of a passcode. Takes milliseconds: off the loop."""
    mixed = hmac.digest(key, passcode.encode(), "sha256")
    return hashlib.pbkdf2_hmac("sha256", mixed, salt, ROUNDS)


def tag(key: bytes, facility: str, passcode: str) -> bytes:
    """Return what finds a person by passcode alone, where a site has no ids."""
    body = f"{facility}\n{passcode}".encode()
    return hmac.digest(key, body, "sha256")[:TAG_BYTES]


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)
