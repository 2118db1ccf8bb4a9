"""A house of people who talk, pay in, move money, set limits and pull plugs, over one ledger.

Every step is checked: the ledger proves itself, no account is below its floor, no payer paid for
a second that was not talked, no limit was passed by what came after it.
"""

from dataclasses import dataclass

from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, Transfer, TransferResult
from switch.billing.meter_news import PaidUntil
from switch.billing.rating import charge, whole_seconds
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import (
    account_limits,
    ledger_seal,
    ledger_statements,
    meter_settlement,
    meter_statements,
)
from switch.store.account_limits import Scope
from tests.support.money_rig import NODE, KilledError, MoneyRig, quote_of

QUOTES = (
    *(quote_of(rate) for rate in (110_000, 60_000, 7, 250_001, 0)),
    quote_of(110_000, free_s=3),
)
"""The last one is of a state that gives three seconds."""

CONTACTS = ("+15550100001", "+15550100002")
CREDIT_LIMIT = 30_000
DAY_S = 86_400.0


@dataclass
class Talk:
    """What the media worker knows of a call."""

    bridged_at: float | None = None
    paid_until: float = 0.0


class House:
    """Two prepaid purses, one on credit, a clock, workers that end a call at `paid_until`."""

    def __init__(self, first: int, second: int) -> None:
        self.rig = MoneyRig()
        rig = self.rig
        self.accounts = [rig.account(first), rig.account(second)]
        self.accounts.append(rig.account(0, floor=-CREDIT_LIMIT))
        self.paid_in = dict(zip(self.accounts, (first, second, 0), strict=True))
        self.talks: dict[CallId, Talk] = {}
        self.owner: dict[CallId, AccountId] = {}
        self.settled: dict[CallId, int] = {}
        """What each ended call still costs, credits taken off."""
        self.charged = dict.fromkeys(self.accounts, 0)
        self.now = 1_000.0
        self.beaten_at = self.now
        self.calls = 0
        self.moves = 0
        self.limits_before: dict[int, tuple[int, int]] = {}

    # ---- what must hold after every step

    def check(self) -> None:
        """Every invariant that can be seen from outside."""
        assert self.rig.faults() == []
        for account in self.accounts:
            found = ledger_statements.find(self.rig.raw, account)
            assert found is not None
            assert found.purse.floor is not None
            assert found.purse.posted - found.purse.held >= found.purse.floor
            assert self.charged[account] <= self.paid_in[account] - found.purse.floor
        self.check_limits()

    def check_limits(self) -> None:
        """M13: nothing is used or held beyond a cap, unless the cap came after it."""
        now = {
            id_: (cap, used + held)
            for id_, cap, used, held in self.rig.raw.execute(
                "SELECT id, cap, used, held FROM budget"
            )
        }
        for id_, (cap, taken) in now.items():
            assert taken <= max(cap, self.limits_before.get(id_, (0, 0))[1])
        self.limits_before = now

    def check_end(self) -> None:
        """Nothing is held, and every account is what came in less what was talked."""
        self.check()
        for account in self.accounts:
            posted, held = self.rig.standing(account)
            assert held == 0
            assert posted == self.paid_in[account] - self.charged[account]

    # ---- steps

    def nth(self, n: int) -> CallId | None:
        """One of the live calls."""
        return list(self.talks)[n % len(self.talks)] if self.talks else None

    def wait(self, seconds: float) -> None:
        """Time goes on; the workers end what is not paid any more."""
        self.now += seconds
        for call, talk in list(self.talks.items()):
            if talk.bridged_at is not None and talk.paid_until <= self.now:
                self.finish(call, talk.paid_until, Credit.NONE)

    def beat(self) -> None:
        """One beat. Posting leaves what is available as it was; holding takes what it asks (M6)."""
        before = self.available()
        held = self.price_held()
        for item in self.rig.beat(now=self.now):
            if isinstance(item, PaidUntil):
                self.talks[item.call].paid_until = item.at
        self.beaten_at = self.now
        more = {account: sum_ - held[account] for account, sum_ in self.price_held().items()}
        assert self.available() == {a: before[a] - more[a] for a in self.accounts}

    def available(self) -> dict[AccountId, int]:
        """What may be moved away from each account."""
        standing = {account: self.rig.standing(account) for account in self.accounts}
        return {account: posted - held for account, (posted, held) in standing.items()}

    def price_held(self) -> dict[AccountId, int]:
        """What all paid seconds of the live calls cost, talked or not."""
        total = dict.fromkeys(self.accounts, 0)
        for row in meter_statements.unsettled(self.rig.raw, NODE):
            total[row.account] += charge(self.rig.quotes[row.call].rate, row.paid_s)
        return total

    def reserve(self, which: int, price: int, contact: int) -> None:
        """A call is admitted, or not."""
        account = self.accounts[which % len(self.accounts)]
        self.calls += 1
        call = CallId(self.calls)
        scopes = (
            Scope(scope="account", id=str(account)),
            Scope(scope="contact", id=CONTACTS[contact % len(CONTACTS)]),
        )
        quote = QUOTES[price % len(QUOTES)]
        if isinstance(
            self.rig.reserve(call, account, quote, now=self.now, scopes=scopes), Reserved
        ):
            self.talks[call] = Talk()
            self.owner[call] = account

    def bridge(self, n: int) -> None:
        """Two people begin to talk."""
        call = self.nth(n)
        if call is not None and self.talks[call].bridged_at is None:
            talk = self.talks[call]
            talk.bridged_at = self.now
            talk.paid_until = self.rig.book.bridged(call, at=self.now)

    def end(self, n: int, credit: Credit) -> None:
        """Somebody hangs up, or something breaks."""
        call = self.nth(n)
        if call is not None:
            self.finish(call, self.now, credit)

    def finish(self, call: CallId, ended_at: float, credit: Credit) -> None:
        """The end of a call, told twice."""
        talk = self.talks[call]
        settled = self.rig.end(call, ended_at=ended_at, credit=credit)
        again = self.rig.settle(call, seconds=settled.seconds + 60, credit=Credit.NONE)
        assert again == settled
        del self.talks[call]
        expected = charge(self.rig.quotes[call].rate, talked_s(talk, ended_at))
        assert settled.charged == (0 if credit is Credit.FREE else expected)
        assert settled.credited <= settled.charged
        self.note(call, settled.charged - settled.credited)

    def note(self, call: CallId, cost: int) -> None:
        """A call has cost so much in the end."""
        self.settled[call] = cost
        self.charged[self.owner[call]] += cost

    def give_back(self, n: int) -> None:
        """Review says that a call must cost nothing; said twice."""
        if not self.settled:
            return
        call = list(self.settled)[n % len(self.settled)]
        rig = self.rig
        rest = rig.deed(lambda: meter_settlement.credit_rest(rig.raw, call, at=rig.wall))
        assert rest == self.settled[call]
        again = rig.deed(lambda: meter_settlement.credit_rest(rig.raw, call, at=rig.wall))
        assert again == 0
        self.note(call, -rest)
        self.settled[call] = 0

    def fund(self, which: int, amount: int) -> None:
        """Money comes in."""
        account = self.accounts[which % len(self.accounts)]
        assert self.rig.fund(account, amount).is_done
        self.paid_in[account] += amount

    def move(self, from_: int, to: int, amount: int) -> None:
        """Somebody moves money from one purse to another, in mid-call or not; sent twice."""
        debit = self.accounts[from_ % len(self.accounts)]
        credit = self.accounts[to % len(self.accounts)]
        found = ledger_statements.find(self.rig.raw, debit)
        assert found is not None
        self.moves += 1
        row = Transfer(
            id=f"move:{self.moves}",
            debit=debit,
            credit=credit,
            amount=Micros(amount),
            code="gift",
            ref="",
        )
        rig = self.rig
        results = [
            rig.deed(lambda: ledger_statements.transfer(rig.raw, row, at=rig.wall)) for _ in (1, 2)
        ]
        if debit == credit:
            assert results == [TransferResult.SAME_ACCOUNT] * 2
        elif amount > found.purse.available:
            assert results == [TransferResult.EXCEEDS_FUNDS] * 2
        else:
            assert results == [TransferResult.OK, TransferResult.EXISTS]
            self.paid_in[debit] -= amount
            self.paid_in[credit] += amount

    def set_limit(self, which: int, unit: str, period: str, cap: int) -> None:
        """A payer sets, raises or lowers a limit."""
        places = [("account", str(account)) for account in self.accounts]
        places += [("contact", number) for number in CONTACTS]
        scope, id_ = places[which % len(places)]
        rig = self.rig
        rig.deed(
            lambda: account_limits.set_limit(
                rig.raw,
                Scope(scope=scope, id=id_),
                set_by="payer",
                unit=unit,
                period=period,
                cap=cap,
                zone="America/Denver",
                at=rig.wall + self.now,
            )
        )

    def next_day(self) -> None:
        """Midnight passes: limits begin again, the day before is sealed."""
        rig = self.rig
        rig.later_s += DAY_S
        rig.deed(lambda: ledger_seal.seal_days(rig.raw, at=rig.wall))

    # ---- plugs that are pulled

    def control_dies(self) -> None:
        """The workers talk on; a new control adopts the meters, settles what was not bridged."""
        self.rig.restart()
        for row in meter_statements.unsettled(self.rig.raw, NODE):
            talk = self.talks[row.call]
            quote = self.rig.quotes[row.call]
            self.rig.book.adopt(row, quote, bridged_at=talk.bridged_at, now=self.now)
            if talk.bridged_at is not None:
                assert talk.paid_until <= talk.bridged_at + row.paid_s
                talk.paid_until = talk.bridged_at + row.paid_s

    def all_dies(self) -> None:
        """The machine went: every meter is settled where it stands; the unwritten is our loss."""
        self.rig.restart()
        for row in meter_statements.unsettled(self.rig.raw, NODE):
            talk = self.talks.pop(row.call)
            settled = self.rig.settle(row.call, seconds=row.seq)
            talked = talked_s(talk, min(self.now, talk.paid_until))
            unwritten_s = self.now - max(self.beaten_at, talk.bridged_at or self.now)
            assert 0 <= talked - settled.seconds <= unwritten_s + 1
            self.note(row.call, settled.charged)
        assert not self.talks

    def dies_in_a_beat(self, steps_max: int) -> None:
        """Control dies somewhere in the middle of writing a beat."""
        self.rig.kill_after = steps_max
        try:
            for item in self.rig.beat(now=self.now):
                if isinstance(item, PaidUntil):
                    self.talks[item.call].paid_until = item.at
            self.beaten_at = self.now
        except KilledError:
            pass
        finally:
            self.rig.kill_after = None
        self.control_dies()

    def dies_in_a_settle(self, n: int, steps_max: int) -> None:
        """Control dies somewhere in the middle of settling; the next one settles again."""
        call = self.nth(n)
        if call is None:
            return
        seconds = self.rig.book.ended(call, ended_at=self.now)
        self.rig.kill_after = steps_max
        try:
            settled = self.rig.settle(call, seconds=seconds)
        except KilledError:
            self.rig.kill_after = None
            assert self.rig.faults() == []
            settled = self.rig.settle(call, seconds=seconds)
        finally:
            self.rig.kill_after = None
        assert settled.charged == charge(self.rig.quotes[call].rate, seconds)
        self.note(call, settled.charged)
        del self.talks[call]
        self.control_dies()

    def close(self) -> None:
        """Everybody hangs up."""
        for call in list(self.talks):
            self.finish(call, min(self.now, self.talks[call].paid_until or self.now), Credit.NONE)
        self.check_end()
        self.rig.raw.close()


def talked_s(talk: Talk, ended_at: float) -> int:
    """Count the whole seconds of a talk."""
    if talk.bridged_at is None:
        return 0
    return whole_seconds(round((ended_at - talk.bridged_at) * 1e9))
