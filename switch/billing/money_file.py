"""A file of payments that came otherwise than by card: read, and added up. Pure.

    line,payee,amount
    R-1001,100042,20.00

`line` names the payment in the books of whoever sends the file; `payee` is a person (trust,
commissary), or an account or a number (kiosk, money order). What cannot be read of a line rejects
that line and no other.
"""

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from switch.errors import UserError
from switch.money import MICROS_PER_CENT, Micros

LINES_MAX: Final = 5_000
"""Of one file. Chosen: a day of the largest facility; bounds one transaction."""

HEAD: Final = ["line", "payee", "amount"]

PERSON_KINDS: Final = frozenset({"trust", "commissary"})
"""Kinds whose payees are people in custody."""

_AMOUNT: Final = re.compile(r"(\d{1,6})\.(\d{2})")
_REF: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PAYEE: Final = re.compile(r"\+?[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One payment."""

    line: int
    """Where it stands, from 1, the heading left out."""
    ref: str
    payee: str
    amount: Micros
    fault: str
    """Why it is rejected; '' if it can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A file added up; accepted and rejected are all of it."""

    accepted: int
    accepted_micros: int
    rejected: int
    rejected_micros: int


def read_lines(text: str) -> tuple[FileLine, ...]:
    """Read a file.

    Raises:
        UserError: it is no such file; nothing of it can be trusted.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UserError(f"The file is no CSV: {error}.") from error
    rows = [row for row in rows if row]
    if not rows or [name.strip() for name in rows[0]] != HEAD:
        raise UserError(f"The first line of the file must be {','.join(HEAD)}.")
    if len(rows) - 1 > LINES_MAX:
        raise UserError(f"The file has more than {LINES_MAX} lines. Divide it.")
    seen: set[str] = set()
    return tuple(_line(number, row, seen) for number, row in enumerate(rows[1:], 1))


def _line(number: int, row: list[str], seen: set[str]) -> FileLine:
    cells = [cell.strip() for cell in row] + [""] * (len(HEAD) - len(row))
    ref, payee, amount = cells[:3]
    match = _AMOUNT.fullmatch(amount)
    cents = int(match[1]) * 100 + int(match[2]) if match else 0
    ladder = (
        (len(row) != len(HEAD), f"{len(row)} fields instead of {len(HEAD)}"),
        (_REF.fullmatch(ref) is None, "no name of the payment"),
        (ref in seen, "the same name twice in this file"),
        (_PAYEE.fullmatch(payee) is None, "no payee"),
        (match is None, "no amount like 20.00"),
        (cents == 0, "nothing"),
    )
    seen.add(ref)
    return FileLine(
        line=number,
        ref=ref[:64],
        payee=payee[:64],
        amount=Micros(cents * MICROS_PER_CENT),
        fault=next((fault for is_so, fault in ladder if is_so), ""),
    )


def add_up(lines: tuple[FileLine, ...]) -> Sums:
    """Add accepted and rejected lines up."""
    good = [line.amount for line in lines if not line.fault]
    bad = [line.amount for line in lines if line.fault]
    return Sums(
        accepted=len(good),
        accepted_micros=sum(good),
        rejected=len(bad),
        rejected_micros=sum(bad),
    )
