"""The meter of one call: what was talked, charged, posted and paid. Pure."""

from enum import Enum

from switch.billing.beat import Ask, MeterRow, SecondTalked
from switch.billing.horizon import AMPLE_HORIZON_S, KEPT_S, POOR_HORIZON_S, through
from switch.billing.ledger import Refusal
from switch.billing.rating import Rate, charge, to_ns, whole_seconds
from switch.ids import AccountId, CallId
from switch.money import Micros


class MeterState(Enum):
    """Where a meter is."""

    RESERVED = "reserved"
    LIVE = "live"
    FINAL = "final"
    """The last ask was refused: the paid seconds are the last ones, for now."""


class CallMeter:
    """One call in the book. Mirrors its row in the store as of the last applied beat.

    Args:
        call: the call.
        account: who pays.
        rate: what it costs.
        paid_s: what was reserved.
        opened_at: monotonic seconds.
        refused: set if the reserve granted less than a horizon.
    """

    def __init__(
        self,
        call: CallId,
        account: AccountId,
        rate: Rate,
        *,
        paid_s: int,
        opened_at: float,
        refused: Refusal | None,
    ) -> None:
        self.call = call
        self.account = account
        self.rate = rate
        self.paid_s = paid_s
        self.opened_at = opened_at
        self.bridged_at: float | None = None
        self._bridged_ns = 0
        self.is_bridge_stored = False
        self.seq = 0
        self.charged = Micros(0)
        self.posted = Micros(0)
        self.refused = refused

    @property
    def state(self) -> MeterState:
        """Where this meter is."""
        if self.bridged_at is None:
            return MeterState.RESERVED
        return MeterState.LIVE if self.refused is None else MeterState.FINAL

    @property
    def paid_until(self) -> float:
        """When the worker ends the talk by itself. Only for a bridged call."""
        assert self.bridged_at is not None
        return self.bridged_at + self.paid_s

    @property
    def price_of_unused(self) -> Micros:
        """What the paid seconds that were not talked yet cost."""
        return Micros(charge(self.rate, self.paid_s) - self.charged)

    def bridge(self, at: float | None) -> None:
        """Start the seconds, at this reading of the monotonic clock; None: not yet."""
        self.bridged_at = at
        self._bridged_ns = 0 if at is None else to_ns(at)

    def take_up(self, row: MeterRow) -> None:
        """Stand where the store says."""
        self.seq, self.charged, self.posted = row.seq, row.charged, row.posted
        self.paid_s = row.paid_s
        self.is_bridge_stored = row.bridged_ns is not None

    def elapsed_ns(self, now_ns: int) -> int:
        """How long the call has been bridged; nothing before."""
        return 0 if self.bridged_at is None else now_ns - self._bridged_ns

    def talked_s(self, now_ns: int) -> int:
        """Count the whole seconds that were talked and paid."""
        return min(whole_seconds(self.elapsed_ns(now_ns)), self.paid_s)

    def second(self, to_s: int) -> SecondTalked:
        """What a beat charges that finds so many whole seconds talked."""
        delta = Micros(charge(self.rate, to_s) - self.charged)
        return SecondTalked(self.call, self.seq, to_s, delta)

    def is_pressed(self, now_ns: int) -> bool:
        """True if the paid seconds may end before the beat after the next."""
        return self.paid_s < through(now_ns - self._bridged_ns, POOR_HORIZON_S)

    def ask(self, now_ns: int, to_s: int, *, is_poor: bool) -> Ask:
        """Post what is charged by this beat, to second `to_s`, and ask for the horizon."""
        elapsed_ns = self.elapsed_ns(now_ns)
        least_s = max(0, through(elapsed_ns, POOR_HORIZON_S) - self.paid_s)
        whole_s = max(0, through(elapsed_ns, AMPLE_HORIZON_S) - self.paid_s)
        charged = charge(self.rate, max(self.seq, to_s))
        return Ask(
            call=self.call,
            account=self.account,
            post=Micros(charged - self.posted),
            micros_per_minute=self.rate.micros_per_minute,
            free_s=self.rate.free_s,
            paid_s=self.paid_s,
            more_s=least_s if is_poor else whole_s,
            least_s=least_s,
            keep_s=through(elapsed_ns, KEPT_S),
        )
