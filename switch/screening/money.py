"""Rows 10 and 11: the line can be billed, there is a price, and somebody who can pay it."""

from typing import Final

from switch.billing.line import LineVerdict
from switch.billing.payer import SERVED_PAYERS, Payer
from switch.billing.rating import charge
from switch.routing.call_class import CallClass
from switch.screening.facts import Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason

MOBILE: Final = "mobile"
"""A line type. calls.md B17: mobiles need prepaid or direct."""

BILLED_LINES: Final = frozenset({Payer.CALLED_COLLECT, Payer.CALLED_DIRECT})
"""Payers that need to know that the line may be billed."""


def unbillable(facts: Facts) -> Denied | None:
    """Refuse to bill a line that may not be billed; a mobile has no bill that could take it."""
    line = facts.line
    if facts.money.payer is Payer.CALLED_COLLECT and line is not None and line.line_type == MOBILE:
        detail = f"{line.source}, a mobile: prepaid or direct only"
        return Denied(reason=DenyReason.LINE_UNBILLABLE, detail=detail)
    return _line(facts, LineVerdict.DENY, DenyReason.LINE_UNBILLABLE)


def unverified(facts: Facts) -> Denied | None:
    """Refuse to bill a line that nobody could tell about."""
    return _line(facts, LineVerdict.UNKNOWN, DenyReason.LINE_UNVERIFIED)


def no_rate(facts: Facts) -> Denied | None:
    """Refuse where somebody would pay and no approved price exists: our fault."""
    if _pays_nobody(facts) or facts.money.payer not in SERVED_PAYERS:
        return None
    if facts.money.payer is Payer.CALLED_COLLECT and facts.money.account is None:
        return None  # no line of an agent's: `no_payer` says so
    if facts.money.quote is None:
        rate_class = facts.number.rate_class if facts.number is not None else ""
        return Denied(reason=DenyReason.NO_RATE, detail=f"no price for {rate_class}")
    return None


def no_payer(facts: Facts) -> Denied | None:
    """Refuse where nobody agreed to pay."""
    if _pays_nobody(facts):
        return None
    if facts.money.payer is None or facts.money.account is None:
        return Denied(reason=DenyReason.NO_PAYER, detail=f"{facts.money.payer or 'nobody'}")
    return None


def payer_limit(facts: Facts) -> Denied | None:
    """Refuse once a spending limit is used up."""
    if _pays_nobody(facts) or not facts.money.limit_reached:
        return None
    return Denied(reason=DenyReason.PAYER_LIMIT, detail=facts.money.limit_reached)


def no_funds(facts: Facts) -> Denied | None:
    """Refuse where not even one second can be paid."""
    quote, available = facts.money.quote, facts.money.available
    if _pays_nobody(facts) or quote is None or available is None:
        return None
    if available >= charge(quote.rate, quote.free_s + 1):
        return None
    return Denied(reason=DenyReason.NO_FUNDS, detail=f"account {facts.money.account}")


def _pays_nobody(facts: Facts) -> bool:
    """Say whether the call is free for everybody: a hotline, or the agency without an account."""
    if facts.call_class is CallClass.HOTLINE:
        return True
    return facts.money.payer is Payer.AGENCY_FREE and facts.money.account is None


def _line(facts: Facts, verdict: LineVerdict, reason: DenyReason) -> Denied | None:
    if facts.money.payer not in BILLED_LINES:
        return None
    found = facts.line.verdict if facts.line is not None else LineVerdict.UNKNOWN
    if found is not verdict:
        return None
    source = f"{facts.line.source}, {facts.line.reason}" if facts.line is not None else "no answer"
    return Denied(reason=reason, detail=source)
