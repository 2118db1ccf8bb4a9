"""Random histories of calls on shared accounts: whatever happens, the ledger proves itself."""

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switch.billing.credit import Credit
from switch.billing.ledger import Reserved
from switch.billing.meter_news import PaidUntil
from switch.billing.rating import charge, whole_seconds
from switch.ids import AccountId, CallId
from switch.store import meter_statements
from tests.support.money_rig import NODE, KilledError, MoneyRig, quote_of

RATES = tuple(quote_of(rate) for rate in (110_000, 60_000, 7, 250_001, 0))
STATE_GIVES_A_MINUTE = quote_of(110_000, free_s=3)

amounts = st.one_of(st.integers(0, 40_000), st.integers(0, 900_000))
steps = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.01, 2.4)),
    st.tuples(st.just("beat"), st.none()),
    st.tuples(st.just("beat"), st.none()),
    st.tuples(st.just("reserve"), st.tuples(st.integers(0, 1), st.integers(0, 5))),
    st.tuples(st.just("bridge"), st.integers(0, 5)),
    st.tuples(st.just("end"), st.tuples(st.integers(0, 5), st.sampled_from(Credit))),
    st.tuples(st.just("fund"), st.tuples(st.integers(0, 1), st.integers(1, 20_000))),
    st.tuples(st.just("control dies"), st.none()),
    st.tuples(st.just("all dies"), st.none()),
    st.tuples(st.just("dies in a beat"), st.integers(1, 400)),
    st.tuples(st.just("dies in a settle"), st.tuples(st.integers(0, 5), st.integers(1, 400))),
)


@dataclass
class Talk:
    """What the media worker knows of a call."""

    bridged_at: float | None = None
    paid_until: float = 0.0


class House:
    """Two accounts, a clock, workers that end a call at `paid_until`, and the ledger."""

    def __init__(self, first: int, second: int) -> None:
        self.rig = MoneyRig()
        self.accounts = [self.rig.account(first), self.rig.account(second)]
        self.paid_in = {self.accounts[0]: first, self.accounts[1]: second}
        self.talks: dict[CallId, Talk] = {}
        self.owner: dict[CallId, AccountId] = {}
        self.charged = dict.fromkeys(self.accounts, 0)
        self.now = 1_000.0
        self.beaten_at = self.now
        self.calls = 0

    def step(self, name: str, value: object) -> None:
        getattr(self, name.replace(" ", "_"))(value)
        self.check()

    def check(self) -> None:
        assert self.rig.faults() == []
        for account in self.accounts:
            posted, held = self.rig.standing(account)
            assert posted - held >= 0
            assert self.charged[account] <= self.paid_in[account]

    def nth(self, n: int) -> CallId | None:
        return list(self.talks)[n % len(self.talks)] if self.talks else None

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for call, talk in list(self.talks.items()):
            if talk.bridged_at is not None and talk.paid_until <= self.now:
                self.finish(call, talk.paid_until, Credit.NONE)

    def beat(self, _value: object) -> None:
        for item in self.rig.beat(now=self.now):
            if isinstance(item, PaidUntil):
                self.talks[item.call].paid_until = item.at
        self.beaten_at = self.now

    def reserve(self, which: tuple[int, int]) -> None:
        account = self.accounts[which[0]]
        quote = (*RATES, STATE_GIVES_A_MINUTE)[which[1]]
        self.calls += 1
        call = CallId(self.calls)
        if isinstance(self.rig.reserve(call, account, quote, now=self.now), Reserved):
            self.talks[call] = Talk()
            self.owner[call] = account

    def bridge(self, n: int) -> None:
        call = self.nth(n)
        if call is not None and self.talks[call].bridged_at is None:
            talk = self.talks[call]
            talk.bridged_at = self.now
            talk.paid_until = self.rig.book.bridged(call, at=self.now)

    def end(self, which: tuple[int, Credit]) -> None:
        call = self.nth(which[0])
        if call is not None:
            self.finish(call, self.now, which[1])

    def finish(self, call: CallId, ended_at: float, credit: Credit) -> None:
        talk = self.talks[call]
        settled = self.rig.end(call, ended_at=ended_at, credit=credit)
        again = self.rig.settle(call, seconds=settled.seconds + 60, credit=Credit.NONE)
        assert again == settled
        del self.talks[call]
        talked_s = self.talked_s(talk, ended_at)
        expected = 0 if credit is Credit.FREE else charge(self.rig.quotes[call].rate, talked_s)
        assert settled.charged == expected
        assert settled.credited <= settled.charged
        self.charged[self.owner[call]] += settled.charged - settled.credited

    def talked_s(self, talk: Talk, ended_at: float) -> int:
        return (
            0
            if talk.bridged_at is None
            else whole_seconds(round((ended_at - talk.bridged_at) * 1e9))
        )

    def fund(self, which: tuple[int, int]) -> None:
        account = self.accounts[which[0]]
        assert self.rig.fund(account, which[1]).is_done
        self.paid_in[account] += which[1]

    def control_dies(self, _value: object) -> None:
        """The workers talk on; a new control adopts the meters, settles what was not bridged."""
        self.rig.restart()
        for row in meter_statements.unsettled(self.rig.raw, NODE):
            talk = self.talks[row.call]
            quote = self.rig.quotes[row.call]
            self.rig.book.adopt(row, quote, bridged_at=talk.bridged_at, now=self.now)
            if talk.bridged_at is not None:
                assert talk.paid_until <= talk.bridged_at + row.paid_s
                talk.paid_until = talk.bridged_at + row.paid_s

    def all_dies(self, _value: object) -> None:
        """The machine went: every meter is settled where it stands; the unwritten is our loss."""
        self.rig.restart()
        for row in meter_statements.unsettled(self.rig.raw, NODE):
            talk = self.talks.pop(row.call)
            settled = self.rig.settle(row.call, seconds=row.seq)
            talked_s = self.talked_s(talk, min(self.now, talk.paid_until))
            unwritten_s = self.now - max(self.beaten_at, talk.bridged_at or self.now)
            assert 0 <= talked_s - settled.seconds <= unwritten_s + 1
            self.charged[self.owner[row.call]] += settled.charged
        assert not self.talks

    def dies_in_a_beat(self, steps_max: int) -> None:
        self.rig.kill_after = steps_max
        try:
            self.beat(None)
        except KilledError:
            pass
        finally:
            self.rig.kill_after = None
        self.control_dies(None)

    def dies_in_a_settle(self, which: tuple[int, int]) -> None:
        call = self.nth(which[0])
        if call is None:
            return
        self.rig.kill_after = which[1]
        seconds = self.rig.book.ended(call, ended_at=self.now)
        try:
            settled = self.rig.settle(call, seconds=seconds)
        except KilledError:
            self.rig.kill_after = None
            assert self.rig.faults() == []
            settled = self.rig.settle(call, seconds=seconds)
        finally:
            self.rig.kill_after = None
        assert settled.charged == charge(self.rig.quotes[call].rate, seconds)
        self.charged[self.owner[call]] += settled.charged
        del self.talks[call]
        self.control_dies(None)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=amounts, second=amounts, history=st.lists(steps, min_size=5, max_size=50))
def test_whatever_happens_the_ledger_proves_itself(
    first: int, second: int, history: list[tuple[str, object]]
) -> None:
    house = House(first, second)
    for name, value in history:
        house.step(name, value)
    for call in list(house.talks):
        house.finish(call, min(house.now, house.talks[call].paid_until or house.now), Credit.NONE)
    house.check()
    for account in house.accounts:
        posted, held = house.rig.standing(account)
        assert held == 0
        assert posted == house.paid_in[account] - house.charged[account]
