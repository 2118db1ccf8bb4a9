"""Amounts as people write and read them. No float in between."""

import re
from typing import Final

from switch.errors import UserError
from switch.money import MICROS_PER_CENT, Micros, dollars_text

_DOLLARS: Final = re.compile(r"(-?)(\d{1,9})(?:\.(\d{1,6}))?")


def micros_of(dollars: str) -> Micros:
    """Read an amount as people write it, `12.50`; up to six decimals.

    Raises:
        UserError: it is no amount.
    """
    match = _DOLLARS.fullmatch(dollars.strip().removeprefix("$"))
    if match is None:
        raise UserError(f"{dollars!r} is not an amount. Write it like 12.50.")
    sign, whole, decimals = match.groups()
    micros = int(whole) * 100 * MICROS_PER_CENT + int((decimals or "").ljust(6, "0"))
    return Micros(-micros if sign else micros)


def dollars_of(micros: int) -> str:
    """Write an amount exactly: at least two decimals, up to six."""
    return dollars_text(micros)
