"""What may come over a call from above: staff, the directory, and failures of our own parts."""

from dataclasses import dataclass
from enum import Enum

from switch.call.signals import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCut:
    """Staff end the call."""

    by: str
    why: str
    block: bool = False
    """Also block the number (the switchboard does it). Never on a privileged call."""


class LockdownWay(Enum):
    """How calls in progress end."""

    FINISH = "finish"
    """They go on; no new ones."""
    ANNOUNCE = "announce"
    """After a minute's notice."""
    NOW = "now"
    """At once, with the sentence."""


class LockdownKind(Enum):
    """What it is called to the people on the call."""

    LOCKDOWN = "lockdown"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockdownOrder:
    """The phones are turned off, or go into service."""

    order: str
    """Its id, for the record."""
    by: str
    way: LockdownWay
    kind: LockdownKind = LockdownKind.LOCKDOWN
    spares_hotlines: bool = False
    spares_privileged: bool = False


@dataclass(frozen=True, slots=True)
class TerminalOff:
    """Staff turned this terminal off: a call finishes, a dialogue before it does not."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """Released, moved or suspended."""

    what: str = ""


@dataclass(frozen=True, slots=True)
class SwitchFails:
    """This switch cannot go on with the call; nothing can be spoken."""


@dataclass(frozen=True, slots=True)
class MeteringLost:
    """The next second could not be asked for. The call ends when the paid ones are over."""


@dataclass(frozen=True, slots=True)
class MediaLost:
    """No packets for 10 s from one side, or (None) no media at all."""

    side: Side | None = None


@dataclass(frozen=True, slots=True)
class TerminalFailed:
    """The terminal or its connection is gone."""


@dataclass(frozen=True, slots=True)
class NetworkFailed:
    """The trunk or its connection is gone."""


@dataclass(frozen=True, slots=True)
class RecorderFailed:
    """The recorder failed at a site that refuses to talk unrecorded."""


@dataclass(frozen=True, slots=True)
class JoinedCalls:
    """Staff found that two facilities' calls were joined. Never on a privileged call."""

    by: str
    why: str = ""


Order = (
    StaffCut | LockdownOrder | TerminalOff | PersonChanged | SwitchFails | MeteringLost | MediaLost
    | TerminalFailed | NetworkFailed | RecorderFailed | JoinedCalls
)  # fmt: skip
