"""Row 3: the person may dial."""

from switch.media.phrase import Count, Day
from switch.routing.call_class import CallClass
from switch.screening.facts import Facts, Person, PinOutcome
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.screening.settings import FacilityRules


def no_input(facts: Facts) -> Denied | None:
    """Refuse if nothing was keyed in time."""
    if _needs_pin(facts) and facts.person.pin is PinOutcome.NOTHING:
        return Denied(reason=DenyReason.NO_INPUT)
    return None


def bad_pin(facts: Facts) -> Denied | None:
    """Refuse digits that are nobody's PIN."""
    if _needs_pin(facts) and facts.person.pin is PinOutcome.BAD:
        return Denied(reason=DenyReason.BAD_PIN, detail=facts.person.detail)
    return None


def locked(facts: Facts) -> Denied | None:
    """Refuse a PIN that is locked on this telephone, right or wrong."""
    if not _needs_pin(facts) or facts.person.pin is not PinOutcome.LOCKED:
        return None
    minutes = max(1, -(-facts.person.locked_s // 60))
    return Denied(
        reason=DenyReason.PIN_LOCKED,
        values=(("n", Count(minutes)),),
        detail=facts.person.detail,
    )


def inactive(facts: Facts) -> Denied | None:
    """Refuse a person who was released or belongs elsewhere."""
    person = _identified(facts)
    if person is None or facts.site is None:
        return None
    if person.state == "active" and person.facility == facts.site.facility.id:
        return None
    return Denied(reason=DenyReason.PERSON_INACTIVE, detail=f"{person.state} at {person.facility}")


def suspended(facts: Facts) -> Denied | None:
    """Refuse during a suspension; hotlines and privileged calls unless the site says otherwise."""
    person = _identified(facts)
    if person is None or facts.site is None or not person.suspended_until:
        return None
    today = facts.at.iso_date
    if not person.suspended_from <= today < person.suspended_until:
        return None
    if spares_suspended(facts.site.facility.rules, facts.call_class):
        return None
    year, month, day = (int(part) for part in person.suspended_until.split("-"))
    return Denied(
        reason=DenyReason.SUSPENDED,
        values=(("date", Day(year, month, day)),),
        detail=f"from {person.suspended_from or 'ever'} to {person.suspended_until}",
    )


def spares_suspended(rules: FacilityRules, call_class: CallClass | None) -> bool:
    """Say whether a suspension leaves a call of this class; None: nothing was dialled yet."""
    spared = rules.spared_by_suspension
    return bool(spared) if call_class is None else call_class.value in spared


def not_enrolled(facts: Facts) -> Denied | None:
    """Refuse before set-up is finished. Only ordinary and free calls wait for it."""
    person = _identified(facts)
    if person is None or person.enrolled or facts.number is None:
        return None
    if facts.call_class is CallClass.PRIVILEGED:
        return None
    return Denied(reason=DenyReason.NOT_ENROLLED)


def busy(facts: Facts) -> Denied | None:
    """Refuse a PIN that is in use on another telephone."""
    if _identified(facts) is None or facts.person.busy_call in {None, facts.call}:
        return None
    return Denied(reason=DenyReason.PERSON_BUSY, detail=f"call {facts.person.busy_call}")


def _needs_pin(facts: Facts) -> bool:
    """Say whether this call needs to know who calls: all but a hotline without PIN."""
    dial = facts.number.speed_dial if facts.number is not None else None
    if facts.call_class is CallClass.HOTLINE and dial is not None:
        return dial.pin_required
    return True


def _identified(facts: Facts) -> Person | None:
    return facts.person.person if _needs_pin(facts) else None
