"""Where money goes back to: the sources that it came from, the newest first. Pure.

No source gets more than it gave (money M11). What is left over came from nowhere that can be paid
back to (another account, a correction) and goes by cheque or transfer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from switch.money import Micros

ONE: Final = Micros(1)
"""The smallest amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One payment that came in."""

    id: str
    """The transfer that brought it."""
    book: int
    """The account that it came through."""
    paid: Micros
    returned: Micros
    """What went back to it before, or is disputed."""
    step: Micros = ONE
    """Only multiples go back: a card takes whole cents."""

    @property
    def room(self) -> Micros:
        """What may still go back to it."""
        return Micros(max(0, self.paid - self.returned))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What goes back to one source."""

    source: Source
    amount: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """An amount divided over the sources."""

    parts: tuple[Part, ...]
    unsourced: Micros
    """What no source has room for: by cheque or transfer to the owner."""


def plan_refund(amount: Micros, sources: Iterable[Source]) -> RefundPlan:
    """Divide an amount over the sources, in the order in which they are given.

    Args:
        amount: what goes back; positive.
        sources: the newest first.
    """
    assert amount > 0
    parts, left = [], amount
    for source in sources:
        share = Micros(min(left, source.room) // source.step * source.step)
        if share > 0:
            parts.append(Part(source=source, amount=share))
            left = Micros(left - share)
    return RefundPlan(parts=tuple(parts), unsourced=left)
