"""Everything that screening may ask, gathered once; the conditions read nothing else."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import msgspec

from switch.billing.line import LineInfo
from switch.billing.payer import Payer
from switch.billing.quote import Quote
from switch.ids import AccountId, CallId, PersonId
from switch.money import Micros
from switch.routing.call_class import Audibility, CallClass
from switch.routing.limits import Limits
from switch.routing.number import Number
from switch.routing.schedule import ALWAYS_OPEN, LocalTime, Schedule
from switch.routing.terminal import Terminal
from switch.routing.treatment import PLAIN, SpeedDial, Treatment
from switch.screening.register import RegisterEntry
from switch.screening.settings import Facility, ScreeningSettings, Spared

OrderLevel = Literal["agency", "facility", "unit", "terminal"]
OrderWay = Literal["finish", "announce", "now"]


class HouseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lockdown or a maintenance, at one of four levels, in one of three ways."""

    id: int
    kind: Literal["lockdown", "maintenance"]
    level: OrderLevel
    target: str
    way: OrderWay = "finish"
    spares: tuple[Spared, ...] = ()
    by: str
    why: str = ""
    at: float

    def covers(self, *, agency: str, terminal: Terminal) -> bool:
        """Say whether this order is about that terminal."""
        ids = {
            "agency": agency,
            "facility": terminal.facility,
            "unit": f"{terminal.facility}/{terminal.unit}",
            "terminal": terminal.id,
        }
        return ids[self.level] == self.target


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Someone in custody who may use a terminal, as screening sees them."""

    id: PersonId
    facility: str
    name: str
    state: Literal["active", "moved", "released"] = "active"
    suspended_from: str = ""
    suspended_until: str = ""
    """The first day on which the telephone may be used again, `2026-12-01`."""
    enrolled: bool = True
    language: str = ""
    tty: bool = False
    recorded: bool = True
    schedule: Schedule = Schedule()
    limits: Limits = Limits()
    name_file: str = ""
    """Path of the approved recorded name, as in `Named`; '' if there is none."""
    name_pending: str = ""
    """Path of a recorded name that nobody has approved: it is not spoken."""


class PinOutcome(Enum):
    """What came of the digits that were keyed."""

    NOT_ASKED = "not_asked"
    GOOD = "good"
    NOTHING = "nothing"
    BAD = "bad"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """The facility, and the orders that cover this terminal."""

    facility: Facility
    settings: ScreeningSettings
    orders: tuple[HouseOrder, ...] = ()
    any_hour_hotline: bool = False
    """Some hotline may be called outside the hours of a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalFacts:
    """The telephone, and what it does right now."""

    terminal: Terminal
    unit_schedule: Schedule = ALWAYS_OPEN
    busy_call: CallId | None = None
    off: bool = False
    """Not enabled, or turned off for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """Who calls; nobody in particular where no PIN is asked."""

    person: Person | None = None
    pin: PinOutcome = PinOutcome.NOT_ASKED
    locked_s: int = 0
    """How long the PIN stays locked on this telephone."""
    busy_call: CallId | None = None
    detail: str = ""
    """When and where the last bad PIN was keyed, tries so far. Never its digits."""


class BlockKind(Enum):
    """The four kinds of block, in their order."""

    SECURITY = "security"
    FACILITY = "facility"
    AGENT = "agent"
    KEYPAD = "keypad"


@dataclass(frozen=True, slots=True)
class Block:
    """A ban on a number that meets this call."""

    kind: BlockKind
    id: int
    pattern: str
    note: str = ""


class PanState(Enum):
    """Where a number stands on the person's list."""

    APPROVED = "approved"
    PENDING = "pending"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFacts:
    """What was dialled, classified."""

    number: Number
    call_class: CallClass = CallClass.ORDINARY
    audibility: Audibility
    entry: RegisterEntry | None = None
    speed_dial: SpeedDial | None = None
    treatment: Treatment = PLAIN
    rate_class: str = "interstate"
    blocks: tuple[Block, ...] = ()
    keypad_blocked: bool = False
    """Its owner blocked somebody by keypad, this call or another."""
    exempt: bool = False
    """Staff exempted this person from the facility's block."""
    listed: bool = False
    """On the facility's own list."""
    pan: PanState = PanState.MISSING
    pan_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one of person, terminal and number has used up: calls that talked, and seconds."""

    calls_day: int = 0
    calls_week: int = 0
    calls_month: int = 0
    talked_s_day: int = 0
    talked_s_week: int = 0
    talked_s_month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFacts:
    """What was used up, by whom, and the tries of this person to this number."""

    person: Spent = Spent()
    terminal: Spent = Spent()
    number: Spent = Spent()
    attempts_hour: int = 0
    """Tries of this person to this number in the last hour."""
    oldest_attempt_s: int = 0
    """How long ago the first of those was."""
    numbers_day: int = 0
    """Different numbers today, this one not counted."""
    last_try_s: int | None = None
    """How long ago the last try to this number ended."""
    failed_in_a_row: int = 0
    """Refused or unanswered tries to this number since one succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFacts:
    """Who would pay, and at which price."""

    payer: Payer | None = None
    account: AccountId | None = None
    available: Micros | None = None
    quote: Quote | None = None
    limit_reached: str = ""
    """The spending limit that is used up, by name; '' is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """Whether there is room for one more call."""

    full: str = ""
    """Which limit is reached, by name; '' is none."""
    reserved_left: bool = False
    """A channel kept for hotlines and privileged calls is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, at one moment."""

    call: CallId
    at: LocalTime
    site: SiteFacts | None
    terminal: TerminalFacts | None
    person: PersonFacts = PersonFacts()
    number: NumberFacts | None = None
    use: UseFacts = UseFacts()
    money: MoneyFacts = MoneyFacts()
    line: LineInfo | None = None
    room: RoomFacts = RoomFacts()
    voice_mismatch: bool = False
    rules_version: str = ""

    @property
    def call_class(self) -> CallClass | None:
        """The class of the call, once a number is known."""
        return self.number.call_class if self.number is not None else None
