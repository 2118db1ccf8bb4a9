"""What the meter book and the store say to each other once a second. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from switch.billing.ledger import Purse, Refusal
from switch.billing.rating import SECONDS_MAX
from switch.ids import AccountId, CallId
from switch.money import Micros


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One call moves its money: posts what it has charged, asks for more seconds."""

    call: CallId
    account: AccountId
    post: Micros
    """Charged and not yet posted."""
    micros_per_minute: Micros
    free_s: int
    paid_s: int
    more_s: int
    """Asked for; 0 only posts."""
    least_s: int
    """If the whole is refused, this much, or what fits of it."""
    keep_s: int = SECONDS_MAX
    """Of the paid seconds these are too near to be given back to a limit that was lowered."""


class SecondTalked(msgspec.Struct, frozen=True, gc=False):
    """One call has talked to second `to_s`."""

    call: CallId
    from_s: int
    to_s: int
    delta: Micros


class Beat(msgspec.Struct, frozen=True, gc=False):
    """Everything that one second writes, for all calls."""

    number: int
    node: str
    epoch: int
    bridged: tuple[tuple[CallId, int], ...]
    """Calls whose bridge the store does not know yet, and its monotonic nanoseconds."""
    seconds: tuple[SecondTalked, ...]
    asks: tuple[Ask, ...]
    """Account by account in id order, the cheapest first."""


class MeterRow(msgspec.Struct, frozen=True, gc=False):
    """A meter as it stands in the store."""

    call: CallId
    account: AccountId
    quote_id: str
    seq: int
    paid_s: int
    charged: Micros
    posted: Micros
    boot_id: str
    bridged_ns: int | None
    opened_at: float
    """Wall time."""


class BeatOutcome(Enum):
    """What became of a beat; in order of precedence."""

    FENCED = "fenced"
    """Another node took over: this one must stop metering. Nothing was written."""
    STALE = "stale"
    """A meter stood elsewhere than the book thought. Nothing was written; `rows` says where."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatResult:
    """What the store made of a beat."""

    outcome: BeatOutcome
    granted: Mapping[CallId, int] = field(default_factory=dict)
    """Seconds more, for each call that asked."""
    refused: Mapping[CallId, Refusal] = field(default_factory=dict)
    """Calls that were granted less than one whole ask."""
    purses: Mapping[AccountId, Purse] = field(default_factory=dict)
    """The accounts that were moved, as they stand now."""
    rows: tuple[MeterRow, ...] = ()
    """All unsettled meters of the node, if the beat was stale."""
