"""What a beat means for the calls: the book returns these, the switchboard acts on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import msgspec

from switch.billing.ledger import Refusal
from switch.billing.rating_columns import Float64s, Int64s
from switch.ids import CallId
from switch.money import Micros


class CutCause(Enum):
    """Why the worker reached `paid_until`."""

    FUNDS = "funds"
    PAYER_LIMIT = "payer_limit"
    METERING_LOST = "metering_lost"
    """More could not be asked for."""


class PaidUntil(msgspec.Struct, frozen=True, gc=False):
    """Tell the worker: this call may talk until then (monotonic seconds)."""

    call: CallId
    at: float


class SecondsLeft(msgspec.Struct, frozen=True, gc=False):
    """What is left for this call, and what the balance shows."""

    call: CallId
    seconds: int
    balance_micros: Micros


@dataclass(frozen=True, slots=True)
class Final:
    """No more is granted: the call ends at its `paid_until` unless money comes."""

    call: CallId
    cause: Refusal


@dataclass(frozen=True, slots=True)
class MoneyAdded:
    """Money came into the account of this call."""

    call: CallId
    minutes: int
    """Left now, whole ones."""


@dataclass(frozen=True, slots=True)
class ReservedTooLong:
    """This call was not bridged in time: end it. Told each beat until it has ended."""

    call: CallId


@dataclass(frozen=True, slots=True)
class MeteringFenced:
    """Another node took over. Nothing is metered any more; live calls end as paid."""


MeterNews = PaidUntil | SecondsLeft | Final | MoneyAdded | ReservedTooLong | MeteringFenced


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidUntils:
    """`PaidUntil` of many calls, column by column."""

    call: Int64s
    at: Float64s


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLeft:
    """`SecondsLeft` of all talking calls, column by column."""

    call: Int64s
    seconds: Int64s
    balance_micros: Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatNews:
    """Everything that one beat means. What is said of each call is made when it is read."""

    paid_until: PaidUntils | None = None
    rare: tuple[MeterNews, ...] = ()
    """What happens to few calls at a time."""
    left: MoneyLeft | None = None

    def __iter__(self) -> Iterator[MeterNews]:
        if (until := self.paid_until) is not None:
            yield from map(PaidUntil, until.call.tolist(), until.at.tolist())
        yield from self.rare
        if (left := self.left) is not None:
            columns = left.call.tolist(), left.seconds.tolist(), left.balance_micros.tolist()
            yield from map(SecondsLeft, *columns)
