"""Row 4: it is a number we serve. Possible by length; the plan decides, not the library."""

from typing import Final

from switch.routing.number import NumberKind
from switch.screening.facts import Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason

BARRED: Final = frozenset(NumberKind) - {NumberKind.ORDINARY, NumberKind.INCOMPLETE}
"""Kinds that are never called, but as a hotline or from the privileged register."""


def invalid(facts: Facts) -> Denied | None:
    """Refuse digits that are no whole number. Partial digits never end at an operator."""
    if facts.number is None or facts.number.number.kind is not NumberKind.INCOMPLETE:
        return None
    return Denied(
        reason=DenyReason.NUMBER_INVALID, detail=f"{len(facts.number.number.digits)} digits"
    )


def prefix(facts: Facts) -> Denied | None:
    """Refuse operators, services, toll-free, premium, and countries outside the plan."""
    if facts.number is None or facts.site is None:
        return None
    number = facts.number.number
    if number.kind in BARRED:
        return Denied(reason=DenyReason.PREFIX_FORBIDDEN, detail=number.kind.value)
    assert number.e164 is not None
    known = number.country or ("US" if number.e164.startswith("+1") else "")
    if known in facts.site.facility.rules.countries:
        return None
    return Denied(reason=DenyReason.PREFIX_FORBIDDEN, detail=f"country {known or 'unknown'}")
