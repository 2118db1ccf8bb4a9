"""The permit: what follows from the facts once no condition failed."""

from switch.billing.payer import Payer
from switch.routing.call_class import CallClass, Privileged
from switch.routing.schedule import LocalTime, seconds_left
from switch.screening import terminal, use
from switch.screening.facts import Facts, NumberFacts
from switch.screening.hours import schedules_of
from switch.screening.permit import DetectionAction, LimitCause, Permit
from switch.screening.room import is_tty
from switch.screening.settings import DayKind, FacilityRules


def issue(facts: Facts) -> Permit:
    """Write the permit of a call that met every condition."""
    assert facts.number is not None
    assert facts.site is not None
    dialled = facts.number
    number = dialled.number.e164
    assert number is not None
    hotline = dialled.call_class is CallClass.HOTLINE
    tty = is_tty(facts)
    inspected = _is_inspected(dialled, tty=tty)
    not_recorded = _not_recorded_because(facts, dialled)
    limit_s, cause = limit_of(facts)
    tty_limit_s, tty_cause = limit_of(facts, tty=True)
    free = hotline or facts.money.payer is Payer.AGENCY_FREE
    line = facts.line
    return Permit(
        audibility=dialled.audibility,
        call_class=dialled.call_class,
        number=number,
        person=facts.person.person.id if facts.person.person is not None else None,
        payer=Payer.AGENCY_FREE if hotline else facts.money.payer or Payer.AGENCY_FREE,
        account=None if hotline else facts.money.account,
        quote=None if hotline else facts.money.quote,
        passive=_is_passive(dialled),
        greeting=dialled.treatment.greeting or not free,
        recorded=not not_recorded,
        not_recorded_because=not_recorded,
        inspected=inspected,
        detection_action=_action(facts, inspected=inspected),
        hotline=hotline,
        monitored_notice=hotline and inspected,
        tty=tty,
        accept_in_band=_accepts_in_band(dialled),
        limit_s=limit_s,
        limit_cause=cause,
        called_language=_language(dialled),
        speed_dial=dialled.speed_dial.code if dialled.speed_dial is not None else "",
        line_type=line.line_type if line is not None else "",
        carrier=line.carrier if line is not None else "",
        ported=line.ported if line is not None else None,
        line_source=line.source if line is not None else "",
        rules_version=facts.rules_version,
        tty_limit_s=tty_limit_s,
        tty_limit_cause=tty_cause,
        undo_offered=dialled.keypad_blocked,
    )


def limit_of(facts: Facts, *, tty: bool | None = None) -> tuple[int, LimitCause]:
    """Return the length of a call and which rule is the least. Money is not one of them.

    Args:
        facts: of the call.
        tty: a text telephone or a relay is on it; None: as far as it was set.
    """
    is_slow = is_tty(facts) if tty is None else tty
    factor = facts.site.settings.tty_time_factor if facts.site is not None and is_slow else 1
    limits = [(call_minutes(facts) * 60 * factor, LimitCause.TIME)]
    hotline = facts.call_class is CallClass.HOTLINE
    if not hotline:
        limits += [
            (left, LimitCause.SCHEDULE)
            for _, hours in schedules_of(facts)
            if (left := seconds_left(hours, facts.at)) is not None
        ]
    if facts.terminal is not None and not terminal.spared_hours(facts):
        limits += [
            (left, LimitCause.SCHEDULE)
            for _, hours in terminal.schedules_of(facts)
            if (left := seconds_left(hours, facts.at)) is not None
        ]
    if facts.call_class not in {CallClass.HOTLINE, CallClass.PRIVILEGED}:
        minutes_left = use.seconds_left(facts)
        if minutes_left is not None:
            limits.append((minutes_left, LimitCause.MINUTES))
    return min(limits, key=lambda limit: limit[0])


def call_minutes(facts: Facts) -> int:
    """Return the longest call in minutes: by class and day, and the strictest of all limits."""
    assert facts.site is not None
    rules = facts.site.facility.rules
    by_day = [
        row.minutes
        for row in rules.call_minutes
        if facts.call_class in row.classes and day_kind(rules, facts.at) in row.days
    ]
    most = min(by_day) if by_day else facts.site.settings.call_minutes_max
    own = use.limits_of(facts).call_minutes_max
    return most if own is None else min(most, own)


def day_kind(rules: FacilityRules, at: LocalTime) -> DayKind:
    """Say what kind of day it is; a holiday is one on whatever weekday it falls."""
    if at.iso_date in rules.holidays:
        return "holiday"
    return "weekend" if at.weekday >= 5 else "weekday"


def _is_passive(dialled: NumberFacts) -> bool:
    return dialled.treatment.is_passive or (dialled.entry is not None and dialled.entry.passive)


def _is_inspected(dialled: NumberFacts, *, tty: bool) -> bool:
    if isinstance(dialled.audibility, Privileged) or tty or not dialled.treatment.inspected:
        return False
    if dialled.call_class is CallClass.HOTLINE:
        return dialled.speed_dial is not None and dialled.speed_dial.inspected
    return True


def _not_recorded_because(facts: Facts, dialled: NumberFacts) -> str:
    """Any single OFF means not recorded; '' if none is."""
    assert facts.site is not None
    person, terminal = facts.person.person, facts.terminal
    reasons = (
        (dialled.call_class is CallClass.PRIVILEGED, "privileged"),
        (isinstance(dialled.audibility, Privileged), "register"),
        (dialled.call_class is CallClass.HOTLINE, "hotline"),
        (not facts.site.facility.rules.recording, "facility"),
        (terminal is not None and not terminal.terminal.recorded, "terminal"),
        (person is not None and not person.recorded, "person"),
        (not dialled.treatment.recorded, "number"),
        (facts.site.facility.rules.recording_days is None, "retention"),
        (not facts.site.facility.rules.recording_accepted_by.strip(), "acceptance"),
    )
    return next((why for applies, why in reasons if applies), "")


def _action(facts: Facts, *, inspected: bool) -> DetectionAction:
    assert facts.number is not None
    assert facts.site is not None
    if not inspected or facts.call_class is CallClass.HOTLINE:
        return DetectionAction.OFF
    chosen = facts.number.treatment.detection_action or facts.site.settings.detection_action
    return DetectionAction(chosen)


def _accepts_in_band(dialled: NumberFacts) -> bool:
    """Hearing keys in the sound is hearing: never on a privileged call."""
    return not isinstance(dialled.audibility, Privileged) and dialled.treatment.accept_in_band


def _language(dialled: NumberFacts) -> str:
    if dialled.entry is not None and dialled.entry.language:
        return dialled.entry.language
    return dialled.treatment.language
