"""Row 6: it is on the person's own list."""

from switch.screening.facts import Facts, PanState
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason


def pending(facts: Facts) -> Denied | None:
    """Refuse a number that waits for staff."""
    return _refused(facts, PanState.PENDING, DenyReason.PAN_PENDING)


def missing(facts: Facts) -> Denied | None:
    """Refuse a number that is not on the list."""
    return _refused(facts, PanState.MISSING, DenyReason.PAN_MISSING)


def _refused(facts: Facts, state: PanState, reason: DenyReason) -> Denied | None:
    if facts.person.person is None or facts.number is None or facts.site is None:
        return None
    treatment = facts.number.treatment
    if not facts.site.facility.rules.pan_required or treatment.relay or treatment.outside_pan:
        return None
    if facts.number.pan is not state:
        return None
    return Denied(reason=reason, detail=f"list version {facts.number.pan_version}")
