"""An invoice that is late: what is said, and when calls stop. Pure.

    due --> 0, 7, 14 days late: reminded --> 21: suspended --> 45: turned into prepaid

Source of the days: the section on payers of the money rules (chosen there).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from switch.money import Micros

DAY_S: Final = 86_400
"""By definition."""


class Stage(IntEnum):
    """How far a late invoice has come; the value is days after it was due."""

    NOT_DUE = -1
    DUE = 0
    LATE_7 = 7
    LATE_14 = 14
    SUSPENDED = 21
    CONVERTED = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One invoice."""

    number: int
    total: Micros
    due_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What is missing of one invoice."""

    number: int
    missing: Micros
    stage: Stage


def stage_of(due_at: float, *, at: float) -> Stage:
    """Return how far an unpaid invoice has come."""
    late_days = (at - due_at) / DAY_S
    return max((stage for stage in Stage if stage <= late_days), default=Stage.NOT_DUE)


def unpaid(bills: Iterable[Bill], paid: Micros, *, at: float) -> list[Late]:
    """Lay payments on invoices, the oldest first, and return those that are not covered.

    Args:
        bills: all invoices of an account.
        paid: all that ever came in, less what went back.
        at: wall seconds.
    """
    late, left = [], max(0, paid)
    for bill in sorted(bills, key=lambda bill: bill.number):
        covered = min(left, bill.total)
        left -= covered
        if covered < bill.total:
            missing = Micros(bill.total - covered)
            stage = stage_of(bill.due_at, at=at)
            late.append(Late(number=bill.number, missing=missing, stage=stage))
    return late
