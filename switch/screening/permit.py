"""What screening allows: everything that the call needs to know, decided once."""

from dataclasses import dataclass
from enum import StrEnum

from switch.billing.payer import Payer
from switch.billing.quote import Quote
from switch.ids import AccountId, PersonId
from switch.media.phrase import Value
from switch.routing.call_class import Audibility, CallClass
from switch.routing.number import E164
from switch.screening.reasons import DenyReason


class DetectionAction(StrEnum):
    """What a site lets us do on a detection. calls.md section 4.2; the default is FLAG."""

    OFF = "off"
    FLAG = "flag"
    PROMPT_ONCE = "prompt_once"
    PROMPT_RANDOM = "prompt_random"
    CUT = "cut"


class LimitCause(StrEnum):
    """Which rule is the least of the limits of a call, without money."""

    TIME = "time"
    SCHEDULE = "schedule"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A call that may be placed."""

    audibility: Audibility
    call_class: CallClass
    number: E164
    person: PersonId | None
    payer: Payer
    account: AccountId | None
    """None: nobody pays, nothing is metered (a hotline)."""
    quote: Quote | None
    passive: bool
    """The number needs no acceptance."""
    greeting: bool
    """False forces passive and free."""
    recorded: bool
    """What the rules say; the recorder itself comes with its room."""
    not_recorded_because: str
    inspected: bool
    detection_action: DetectionAction
    hotline: bool
    monitored_notice: bool
    """A hotline that is inspected: the caller is told first."""
    tty: bool
    accept_in_band: bool
    """Acceptance may be heard in the sound. Never on a privileged call."""
    limit_s: int
    limit_cause: LimitCause
    called_language: str
    """Language of the b-leg to begin with; '' = the facility's first."""
    speed_dial: str
    line_type: str
    carrier: str
    ported: bool | None
    line_source: str
    rules_version: str
    tty_limit_s: int = 0
    """How long it may last if its tones turn out to be a text telephone's."""
    tty_limit_cause: LimitCause = LimitCause.TIME
    undo_offered: bool = False
    """This number blocked calls by keypad before: its block menu also offers to take them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A call that may not be placed, and what fills the holes of its sentence."""

    reason: DenyReason
    values: tuple[tuple[str, Value], ...] = ()
    detail: str = ""
    """For the record: which row, counter, block or schedule; never spoken."""


Verdict = Permit | Denied
