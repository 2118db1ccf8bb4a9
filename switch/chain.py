"""A hash chain: each entry seals the one before it, so that no row can change, vanish or slip in.

Source: FIPS 180-4 (SHA-256).
"""

import hashlib
from collections.abc import Iterable
from typing import Final

FIRST_LINK: Final = "0" * 64
"""What the first entry is chained to."""


def link(previous: str, body: bytes) -> str:
    """Seal one entry: the hash of the previous link and this body."""
    return hashlib.sha256(previous.encode() + b"\n" + body).hexdigest()


def first_fault(rows: Iterable[tuple[bytes, str]]) -> int | None:
    """Return the index of the first (body, link) that does not follow, or None if all do."""
    previous = FIRST_LINK
    for index, (body, stored) in enumerate(rows):
        if link(previous, body) != stored:
            return index
        previous = stored
    return None
