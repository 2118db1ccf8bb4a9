"""Wildcards over numbers: `900-???-????`, `+1555???????`, `+52*`.

A wildcard is kept as it is matched: E.164 with `?` for one digit and at most one `*`, at the end.
"""

import re
from collections.abc import Iterable
from typing import Final

from switch.errors import UserError

_SHAPE: Final = re.compile(r"^\+[0-9?]{1,15}\*?$")

SIGNS_MIN: Final = 8
"""Without a star: a plus and seven digits. Chosen: nothing shorter is a number anywhere, and a
block that can never match should not look as if it were one."""


def canonical_pattern(text: str) -> str:
    """Return a pattern as it is kept; without a plus it means North America.

    Raises:
        UserError: it is no pattern.
    """
    bare = "".join(sign for sign in text if sign not in " -().")
    if not bare.startswith("+"):
        bare = bare.removeprefix("1") if len(bare) == 11 else bare
        bare = f"+1{bare}"
    if not _SHAPE.match(bare) or (not bare.endswith("*") and len(bare) < SIGNS_MIN):
        raise UserError(f"{text!r} is no number and no wildcard: use digits, ?, and * at the end.")
    return bare


def is_wildcard(pattern: str) -> bool:
    """Say whether a canonical pattern means more than one number."""
    return "?" in pattern or "*" in pattern


def matches(pattern: str, number: str) -> bool:
    """Say whether a number falls under a canonical pattern."""
    if pattern.endswith("*"):
        head = pattern[:-1]
        return len(number) >= len(head) and _same(head, number[: len(head)])
    return len(pattern) == len(number) and _same(pattern, number)


def precedence(pattern: str) -> tuple[bool, int]:
    """Sort key: an exact number first, then the wildcard that says most."""
    return (is_wildcard(pattern), -sum(sign.isdigit() for sign in pattern))


def best_first(patterns: Iterable[str]) -> list[str]:
    """Sort patterns, the one that says most first; equal ones by the alphabet."""
    return sorted(patterns, key=lambda pattern: (precedence(pattern), pattern))


def _same(pattern: str, digits: str) -> bool:
    return all(p in {"?", d} for p, d in zip(pattern, digits, strict=True))
