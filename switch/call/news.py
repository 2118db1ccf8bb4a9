"""What the switchboard tells the outside: MQTT, metrics, the audit trail, the consoles.

Values only. A `Publisher` never blocks and never raises: it has a bounded queue and drops the
oldest, counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from switch.ids import CallId, FacilityId, TerminalId, TrunkId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStateNews:
    """A call is in another state."""

    call: CallId
    facility: FacilityId
    state: str
    at_wall: float
    privileged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyNews:
    """A detection, a refusal, a digit, a flash, an order, an ending: topic `policy`."""

    call: CallId
    facility: FacilityId
    kind: str
    """`detection`, `refusal`, `ending`, `digits`, `hookflash`, `order`, `mark`."""
    code: str
    """The detector's kind, or the code of the reason."""
    tier: str
    at_wall: float
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceNews:
    """What is left, once a second."""

    call: CallId
    facility: FacilityId
    seconds_left: int
    balance_micros: int
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityNews:
    """What a leg's media did."""

    call: CallId
    facility: FacilityId
    side: str
    packets_received: int
    packets_sent: int
    packets_lost: int
    packets_dropped: Mapping[str, int]
    """By the reason why they were not taken; a running total of the leg."""
    jitter_ms: float
    packets_late: int = 0
    mos: float | None = None
    """Of what came since the news before; None: nothing should have come."""
    round_trip_ms: float | None = None
    far_lost: int = 0
    far_jitter_ms: float = 0.0
    """What the far end reports of that which it gets."""
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEndedNews:
    """A call is over and its record written."""

    call: CallId
    facility: FacilityId
    reason: str
    talked_s: int
    charge_micros: int
    setup_s: float | None
    """Post-dial delay: from our INVITE to ringing or answer."""
    trunk: str
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationNews:
    """A terminal registered, refreshed or went."""

    facility: FacilityId
    terminal: TerminalId
    contact: str
    expires_s: int
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkNews:
    """A trunk went up or down, or its number of calls changed."""

    trunk: TrunkId
    up: bool
    channels: int
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerNews:
    """How a media worker is."""

    worker: int
    legs: int
    calls: int
    inspected_legs: int
    late_ticks: int
    shed_ticks: int
    """Without a look at the sound, the worker being full."""
    tick_ms_p99: float
    alive: bool
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNews:
    """Something that somebody should see to; calls go on. No number, no name, no sound."""

    code: str
    text: str
    """One sentence for a person."""
    facility: str
    """'' concerns the node."""
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNews:
    """Something that must stand in the audit trail."""

    who: str
    role: str
    address: str
    what: str
    target: str
    before: str = ""
    after: str = ""
    why: str = ""
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusNews:
    """The node: up, draining, down."""

    state: str
    version: str
    at_wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHeadNews:
    """How long the audit trail is and how it ends: once outside, nobody can cut its tail."""

    head: str
    """Number and link of the newest entry, `12:ab…`, as `kinline audit verify --head` takes it."""
    at_wall: float


News = (
    CallStateNews | PolicyNews | BalanceNews | QualityNews | CallEndedNews | RegistrationNews
    | TrunkNews | WorkerNews | AuditNews | StatusNews
    | AlarmNews | AuditHeadNews
)  # fmt: skip


class Publisher(Protocol):
    """Where news goes."""

    def publish_nowait(self, news: News) -> None:
        """Take one piece of news; never waits, never raises."""
        ...
