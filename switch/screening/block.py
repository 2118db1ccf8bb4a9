"""Row 5: nobody blocked the number, and where a list rules, it is on the list."""

from switch.routing.call_class import CallClass
from switch.routing.wildcard import is_wildcard
from switch.screening.facts import BlockKind, Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason


def security(facts: Facts) -> Denied | None:
    """Refuse a number that investigators blocked."""
    return _blocked(facts, BlockKind.SECURITY, DenyReason.BLOCKED_SECURITY)


def facility(facts: Facts) -> Denied | None:
    """Refuse a number that the facility blocked; staff may exempt a person."""
    if facts.number is not None and facts.number.exempt:
        return None
    return _blocked(facts, BlockKind.FACILITY, DenyReason.BLOCKED_FACILITY)


def agent(facts: Facts) -> Denied | None:
    """Refuse a number that our own office blocked, for debt or misuse."""
    return _blocked(facts, BlockKind.AGENT, DenyReason.BLOCKED_AGENT)


def keypad(facts: Facts) -> Denied | None:
    """Refuse a number whose owner asked not to be called."""
    return _blocked(facts, BlockKind.KEYPAD, DenyReason.BLOCKED_KEYPAD)


def not_listed(facts: Facts) -> Denied | None:
    """Refuse what is not on the facility's list, where the list rules."""
    if facts.number is None or facts.site is None or not facts.site.facility.rules.allow_list:
        return None
    if facts.number.listed or facts.call_class is CallClass.PRIVILEGED:
        return None
    return Denied(reason=DenyReason.NOT_ALLOWED)


def _blocked(facts: Facts, kind: BlockKind, reason: DenyReason) -> Denied | None:
    blocks = facts.number.blocks if facts.number is not None else ()
    for block in blocks:
        if block.kind is kind:
            shape = "wildcard" if is_wildcard(block.pattern) else "exact"
            return Denied(reason=reason, detail=f"block {block.id}, {shape}: {block.note}")
    return None
