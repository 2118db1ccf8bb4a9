"""Rows 2 and 7: the terminal may dial at all, and may dial this."""

from switch.media.phrase import Clock, Named, Value
from switch.routing.call_class import CallClass
from switch.routing.schedule import LocalTime, Schedule, is_open, next_hours
from switch.screening.facts import Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.screening.settings import TerminalClass


def unknown(facts: Facts) -> Denied | None:
    """Refuse a line of a trusted gateway that is nobody's."""
    if facts.terminal is None or facts.site is None:
        return Denied(reason=DenyReason.TERMINAL_UNKNOWN)
    return None


def busy(facts: Facts) -> Denied | None:
    """Refuse a second call from the same telephone; the first goes on."""
    terminal = facts.terminal
    if terminal is None or terminal.terminal.shared or terminal.busy_call in {None, facts.call}:
        return None
    return Denied(reason=DenyReason.TERMINAL_BUSY, detail=f"call {terminal.busy_call}")


def off(facts: Facts) -> Denied | None:
    """Refuse a telephone that staff turned off."""
    if facts.terminal is not None and facts.terminal.off:
        return Denied(reason=DenyReason.TERMINAL_OFF, detail=str(facts.terminal.terminal.id))
    return None


def schedule(facts: Facts) -> Denied | None:
    """Refuse outside the hours of the telephone; a hotline may be spared them."""
    for whose, hours in schedules_of(facts):
        if not is_open(hours, facts.at) and not spared_hours(facts):
            return Denied(
                reason=DenyReason.TERMINAL_SCHEDULE,
                values=hours_values(hours, facts.at),
                detail=f"schedule of {whose}",
            )
    return None


def schedules_of(facts: Facts) -> tuple[tuple[str, Schedule], ...]:
    """Return the hours of the telephone and of its class, with whose they are."""
    if facts.terminal is None:
        return ()
    terminal = facts.terminal.terminal
    own = (str(terminal.id), terminal.schedule)
    shared = class_of(facts)
    return (own,) if shared is None else (own, (f"all {terminal.use}", shared.schedule))


def class_of(facts: Facts) -> TerminalClass | None:
    """Return what the site chose for all terminals of this use; None: nothing."""
    if facts.terminal is None or facts.site is None:
        return None
    return facts.site.facility.rules.terminal_classes.get(facts.terminal.terminal.use)


def spared_hours(facts: Facts) -> bool:
    """Say whether this call is a hotline at any hour, or may still become one."""
    if facts.number is None:
        return facts.site is not None and facts.site.any_hour_hotline
    dial = facts.number.speed_dial
    return facts.call_class is CallClass.HOTLINE and dial is not None and dial.any_hour


def use(facts: Facts) -> Denied | None:
    """Refuse a class of call that this telephone is not there for."""
    if facts.terminal is None or facts.call_class is None:
        return None
    terminal = facts.terminal.terminal
    if not terminal.only or facts.call_class.value in terminal.only:
        return None
    purpose = Named(f"use/{terminal.use or terminal.only[0]}")
    return Denied(
        reason=DenyReason.TERMINAL_CLASS,
        values=(("use", purpose),),
        detail=f"{terminal.id} is only for {', '.join(terminal.only)}",
    )


def hours_values(schedule: Schedule, at: LocalTime) -> tuple[tuple[str, Value], ...]:
    """Fill the hours of a sentence; nothing where there are none at all."""
    hours = next_hours(schedule, at)
    if hours is None:
        return ()
    return (("from", Clock(hours.from_minute)), ("to", Clock(hours.to_minute)))
