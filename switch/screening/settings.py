"""What a facility chose, as far as screening asks: the limits of calls.md section 2.3 and more.

The names of section 2.3 are shared with the script of a call; both rooms read the same mapping and
each takes what is its own, so unknown names are not refused here but there.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from switch.ids import FacilityId, UnitId
from switch.routing.call_class import CallClass
from switch.routing.limits import Limits
from switch.routing.schedule import Schedule

PinMode = Literal["none", "id", "passcode", "id_passcode"]
Spared = Literal["hotline", "privileged"]
DayKind = Literal["weekday", "weekend", "holiday"]


class ScreeningSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of calls.md section 2.3 that decide whether a call may be placed."""

    pin_mode: PinMode = "id_passcode"
    id_digits: Annotated[int, Meta(ge=3, le=12)] = 6
    passcode_digits: Annotated[int, Meta(ge=4, le=8)] = 4
    pin_attempts_max: Annotated[int, Meta(ge=1, le=9)] = 3
    pin_lock_s: Annotated[int, Meta(ge=0, le=86_400)] = 900
    pan_numbers_max: Annotated[int, Meta(ge=1, le=100)] = 20
    call_minutes_max: Annotated[int, Meta(ge=1, le=99)] = 15
    tty_time_factor: Annotated[int, Meta(ge=1, le=4)] = 3
    attempts_per_number_max: Annotated[int, Meta(ge=1, le=100)] = 6
    numbers_per_day_max: Annotated[int, Meta(ge=1, le=200)] = 20
    cool_down_s: Annotated[int, Meta(ge=0, le=86_400)] = 900
    detection_action: Literal["off", "flag", "prompt_once", "prompt_random", "cut"] = "flag"


class CallMinutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A length of call for some classes on some days. calls.md C1."""

    minutes: Annotated[int, Meta(ge=1, le=99)]
    classes: tuple[CallClass, ...] = tuple(CallClass)
    days: tuple[DayKind, ...] = ("weekday", "weekend", "holiday")


class TerminalClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for all terminals of one use: library, booking, visiting room. calls.md A21."""

    schedule: Schedule = Schedule()
    limits: Limits = Limits()


class FacilityRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a facility chose beyond calls.md section 2.3."""

    allow_list: bool = False
    """Only numbers on the facility's list may be called."""
    pan_required: bool = True
    """A person may dial the numbers of their own list only."""
    velocity: bool = True
    """False: no limits of tries at all; for load tests."""
    spared_by_lockdown: tuple[Spared, ...] = ()
    """What a lockdown leaves, unless the order says otherwise."""
    spared_by_suspension: tuple[Spared, ...] = ("hotline", "privileged")
    countries: tuple[str, ...] = ("US", "AS", "GU", "MP", "PR", "VI", "CA")
    """Where may be called, by ISO 3166. Chosen: the plan of money.md section 6 without abroad."""
    call_minutes: tuple[CallMinutes, ...] = ()
    holidays: tuple[str, ...] = ()
    """Dates, `2026-12-25`."""
    limits: Limits = Limits()
    schedule: Schedule = Schedule()
    """When the telephones of the site may be used at all, with gaps for meals and counts."""
    terminal_classes: dict[str, TerminalClass] = {}
    """Hours and limits of every terminal with this `use`, beside its own; the strictest counts."""
    agency_pays_privileged: bool = False
    collect: bool = False
    """Calls may go on the called line's bill."""
    recording: bool = False
    """Calls are to be recorded."""
    recording_accepted_by: str = ""
    """Who accepted in writing, and when, that nothing is recorded, listened to or inspected while
    the privileged register cannot be proved whole: without it nothing is recorded. P8."""
    recording_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """How long recordings are kept. The facility must say: without it nothing is recorded."""
    refuse_unrecorded: bool = False
    """A call whose recorder fails ends with `recorder_failure`. Default: alarm, and go on."""


class Facility(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One building or campus."""

    id: FacilityId
    agency: str
    name: str
    provider: str = "Kinline"
    zone: str = "UTC"
    """IANA time zone."""
    state: str = ""
    """State of the United States, for the price."""
    tariff: str = ""
    """The contract: a name in `config/tariffs/`."""
    home_area_code: str = ""
    local_codes: tuple[str, ...] = ()
    """NPA-NXX of local calls, six digits each."""
    caller_number: str = ""
    """What its calls come from, E.164."""
    service_number: str = ""
    """Where called parties may call in to take back their own blocks, E.164; '' is nowhere. Our
    trunks must bring calls to it, and vouch for who calls (`trusted`). calls.md section 2.2."""
    languages: tuple[str, ...] = ()
    """Those that it offers, the first by default; () leaves it to the node."""
    settings: dict[str, bool | int | str | tuple[int | str, ...]] = {}
    """Its own choices of calls.md section 2.3, by name."""
    rules: FacilityRules = FacilityRules()

    @property
    def provider_id(self) -> str:
        """The provider's name as a path of the prompt folder has it."""
        return "".join(sign for sign in self.provider.lower() if sign.isalnum())


class Agency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The authority over some facilities."""

    id: str
    name: str


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A housing block of a facility."""

    id: UnitId
    facility: FacilityId
    name: str = ""
    schedule: Schedule = Schedule()
