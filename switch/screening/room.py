"""Rows 12 and 13: the voice fits, and there is room."""

from switch.routing.call_class import SPARED
from switch.screening.facts import Facts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason


def voice(facts: Facts) -> Denied | None:
    """Refuse a voice that did not fit, where the voice check is on; never for TTY."""
    if not facts.voice_mismatch or (facts.number is not None and is_tty(facts)):
        return None
    return Denied(reason=DenyReason.VOICE_MISMATCH)


def capacity(facts: Facts) -> Denied | None:
    """Refuse when a limit of ours is reached; hotlines and privileged calls have a reserve."""
    if not facts.room.full:
        return None
    if facts.room.reserved_left and facts.call_class in SPARED:
        return None
    return Denied(reason=DenyReason.CAPACITY, detail=facts.room.full)


def is_tty(facts: Facts) -> bool:
    """Say whether a text telephone or a relay is on either side, as far as it was set."""
    person = facts.person.person
    return (
        (facts.terminal is not None and facts.terminal.terminal.tty)
        or (person is not None and person.tty)
        or (facts.number is not None and facts.number.treatment.tty)
        or (facts.number is not None and facts.number.treatment.relay)
    )
