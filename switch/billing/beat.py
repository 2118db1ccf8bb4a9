"""What the meter book and the store say to each other once a second. Values, column by column.

Twenty thousand calls are written each second, so nothing here is one object per call: row n of
every column of a part is about the same call.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec
import numpy as np

from switch.billing.ledger import Refusal
from switch.billing.rating import SECONDS_MAX
from switch.billing.rating_columns import Flags, Int64s
from switch.ids import AccountId, CallId
from switch.money import Micros

REFUSALS: Final = (None, Refusal.FUNDS, Refusal.PAYER_LIMIT)
"""What a number in a column of refusals says."""

NOBODY: Final = np.zeros(0, np.int64)
"""A column of no calls."""


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One row of `Asks`: one call moves its money, and asks for more seconds."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridges:
    """Calls whose bridge the store does not know yet."""

    call: Int64s
    at_ns: Int64s
    """The monotonic clock."""

    def __len__(self) -> int:
        return len(self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Calls that have talked on, and what it costs."""

    call: Int64s
    from_s: Int64s
    to_s: Int64s
    delta: Int64s

    def only(self, rows: Flags) -> "Seconds":
        """Return some of them."""
        return Seconds(
            call=self.call[rows],
            from_s=self.from_s[rows],
            to_s=self.to_s[rows],
            delta=self.delta[rows],
        )

    def but_for(self, rows: Flags) -> "Seconds":
        """Return the same, where some are written already."""
        return Seconds(
            call=self.call,
            from_s=np.where(rows, self.to_s, self.from_s),
            to_s=self.to_s,
            delta=np.where(rows, 0, self.delta),
        )

    def __len__(self) -> int:
        return len(self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """Calls that move their money; see `Ask`. What they have talked on is written with it."""

    talked: Seconds
    account: Int64s
    post: Int64s
    micros_per_minute: Int64s
    free_s: Int64s
    paid_s: Int64s
    more_s: Int64s
    least_s: Int64s
    keep_s: Int64s

    @property
    def call(self) -> Int64s:
        """Who asks."""
        return self.talked.call

    @property
    def firsts(self) -> Int64s:
        """Where each account begins; account by account as the asks are."""
        return np.flatnonzero(np.diff(self.account, prepend=-1))

    def one(self, row: int) -> Ask:
        """Return one ask."""
        return Ask(
            call=CallId(int(self.call[row])),
            account=AccountId(int(self.account[row])),
            post=Micros(int(self.post[row])),
            micros_per_minute=Micros(int(self.micros_per_minute[row])),
            free_s=int(self.free_s[row]),
            paid_s=int(self.paid_s[row]),
            more_s=int(self.more_s[row]),
            least_s=int(self.least_s[row]),
            keep_s=int(self.keep_s[row]),
        )

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Where the book kept what a beat is about, when it said it. Only the book looks."""

    bridges: Int64s
    seconds: Int64s
    asks: Int64s
    accounts: Int64s
    """Of the asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Everything that one second writes, for all calls."""

    number: int
    node: str
    epoch: int
    bridges: Bridges
    seconds: Seconds
    """Of the calls that do not ask."""
    still: Seconds
    """Calls that have neither talked on nor ask: nothing is written of them."""
    asks: Asks
    """Account by account in id order, the cheapest first."""
    seats: Seats

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to write."""
        return not (len(self.bridges) or len(self.seconds) or len(self.asks))


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


@dataclass(frozen=True, slots=True)
class Purses:
    """What stands on some accounts, in id order."""

    account: Int64s
    posted: Int64s
    available: Int64s
    funded: Int64s

    def only(self, rows: Flags) -> "Purses":
        """Return some of them."""
        columns = (self.account, self.posted, self.available, self.funded)
        return Purses(*(column[rows] for column in columns))


NO_PURSES: Final = Purses(NOBODY, NOBODY, NOBODY, NOBODY)


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
    granted_s: Int64s = field(default_factory=lambda: NOBODY)
    """Seconds more, ask by ask; fewer than none where a lowered limit took some back."""
    refused: Int64s = field(default_factory=lambda: NOBODY)
    """Ask by ask, why less than one whole ask was granted: a place in `REFUSALS`."""
    purses: Purses = NO_PURSES
    """The accounts that were moved, as they stand now."""
    rows: tuple[MeterRow, ...] = ()
    """All unsettled meters of the node, if the beat was stale."""
