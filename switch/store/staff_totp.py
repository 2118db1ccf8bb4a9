"""The second factor of staff: a code of six digits that changes every 30 seconds.

The secret stands in the database sealed by a key file beside it, so that a copy of the database
alone makes no codes; the seal is bound to the name, so that no secret can be moved to another row.
Source: RFC 6238 (TOTP), RFC 4226 sections 5.3 and 5.4 (the code), RFC 4648 (base32).
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STEP_S: Final = 30
"""RFC 6238 section 5.2 recommends it; every app knows it."""

DIGITS: Final = 6
"""RFC 4226 section 5.3: at least six."""

STEPS_AROUND: Final = 1
"""Steps before and after now that are taken. RFC 6238 section 5.2: at most one for delay; one the
other way for a telephone whose clock is ahead."""

SECRET_BYTES: Final = 20
"""RFC 4226 section 4, R6: 160 bits are recommended."""

NONCE_BYTES: Final = 12
"""NIST SP 800-38D section 5.2.1.1: 96 bits."""


def new_secret() -> bytes:
    """Make a secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """Write a secret as a person types it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, *, name: str, issuer: str = "Kinline") -> str:
    """Write a secret as apps read it from a picture."""
    query = urlencode({"secret": shown(secret), "issuer": issuer, "digits": DIGITS})
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?{query}"


def code_at(secret: bytes, step: int) -> str:
    """Return the code of one step. RFC 4226 section 5.3."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, *, at_wall: float) -> int | None:
    """Return the step that a code belongs to, near now; None if it is wrong.

    Whether that step was used before is for the store to say.
    """
    now = int(at_wall) // STEP_S
    found = None
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def seal(secret: bytes, *, key: bytes, name: str) -> bytes:
    """Seal a secret for its row."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, name.encode())


def unseal(sealed: bytes, *, key: bytes, name: str) -> bytes | None:
    """Open a sealed secret; None if it was made with another key or for another name."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
    except (InvalidTag, ValueError):
        return None
