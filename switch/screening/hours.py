"""Row 8: it is the hour for it, by the facility, the unit, the person and the number."""

from switch.routing.schedule import Schedule, is_open
from switch.screening.facts import Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.screening.terminal import hours_values


def schedule(facts: Facts) -> Denied | None:
    """Refuse outside the hours of any of them; the first that is closed is named."""
    for whose, hours in schedules_of(facts):
        if not is_open(hours, facts.at):
            return Denied(
                reason=DenyReason.SCHEDULE,
                values=hours_values(hours, facts.at),
                detail=f"schedule of the {whose}",
            )
    return None


def schedules_of(facts: Facts) -> tuple[tuple[str, Schedule], ...]:
    """Return the schedules that a call must fit, with whose they are."""
    found: list[tuple[str, Schedule]] = []
    if facts.site is not None:
        found.append(("facility", facts.site.facility.rules.schedule))
    if facts.terminal is not None:
        found.append(("unit", facts.terminal.unit_schedule))
    if facts.person.person is not None:
        found.append(("person", facts.person.person.schedule))
    if facts.number is not None:
        found.append(("number", facts.number.treatment.schedule))
    return tuple(found)
