"""Keys that become a PIN, a number or a code. Pure.

An entry is over when it has all its digits, at `#`, or when no key comes any more. A code that
works at any time may begin like a PIN or a number: then the longer one is waited for. Source of
the lengths: the North American numbering plan, ten digits, eleven with the leading 1.
"""

from enum import Enum, auto
from typing import Final, Self

END_KEY: Final = "#"
CLEAR_KEY: Final = "*"

DIGITS_MAX: Final = 24
"""15 digits of ITU-T E.164, an international prefix, and room for a long code. Chosen."""


class Entry(Enum):
    """How far an entry is."""

    OPEN = auto()
    COMPLETE = auto()


class KeyedDigits:
    """One entry.

    Args:
        length: how many digits it has; None: as a telephone number.
        codes: what else may be keyed here.
    """

    def __init__(self, length: int | None, codes: frozenset[str]) -> None:
        self.digits = ""
        self._length = length
        self._codes = codes

    @classmethod
    def pin(cls, length: int, codes: frozenset[str]) -> Self:
        """Return an entry for a PIN."""
        return cls(length, codes)

    @classmethod
    def number(cls, codes: frozenset[str]) -> Self:
        """Return an entry for a number."""
        return cls(None, codes)

    def may_begin_with(self, key: str) -> bool:
        """Whether a code begins with what is keyed and this key."""
        return any(code.startswith(self.digits + key) for code in self._codes)

    @property
    def is_code(self) -> bool:
        """Whether exactly a code was keyed."""
        return self.digits in self._codes

    def take(self, key: str) -> Entry:
        """Take a key."""
        if not self.may_begin_with(key):
            if key == END_KEY:
                return Entry.COMPLETE
            if key == CLEAR_KEY:
                self.digits = ""
                return Entry.OPEN
        if key.isdecimal() or self.may_begin_with(key):
            self.digits += key
        return Entry.COMPLETE if self._is_complete() else Entry.OPEN

    def _is_complete(self) -> bool:
        digits = self.digits
        if any(code.startswith(digits) and code != digits for code in self._codes):
            return False
        if self.is_code and not digits.isdecimal():
            return True
        if self._length is not None:
            return len(digits) >= self._length
        return len(digits) >= DIGITS_MAX or len(digits) == _national_length(digits)


def _national_length(digits: str) -> int:
    if digits.startswith("1"):
        return 11
    return DIGITS_MAX if digits.startswith("0") or not digits.isdecimal() else 10
