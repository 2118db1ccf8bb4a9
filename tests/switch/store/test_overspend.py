"""How others were robbed, or robbed their payers, tried on this ledger. money.md section 13.

Each test names whose failure it is. All must be refused, or be exact to the micro.
"""

import asyncio
from pathlib import Path
from random import Random

import pytest

from switch.billing.cdr import CallRecord, Cdr
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, TransferResult
from switch.billing.meter_news import CutCause, PaidUntil
from switch.billing.meter_state import MeterState
from switch.billing.rating import charge
from switch.ids import CallId, leg_id
from switch.store.account_limits import Scope
from switch.store.record_store import RecordStore
from tests.support.money_rig import ELEVEN_CENTS, quote_of
from tests.support.money_scene import MoneyScene, SqliteScene, sqlite_scene

CALL = CallId(7)
RATE = ELEVEN_CENTS.rate
DOLLAR = 1_000_000
A_SECOND = charge(RATE, 1) + 1
"""No second of this rate costs more."""


async def talk_out(money: MoneyScene, calls: list[int], *, from_s: int = 1) -> dict[int, int]:
    """Beat every second and cut each call at its `paid_until`; return what each was charged."""
    until = {call: float("inf") for call in calls}
    charged: dict[int, int] = {}
    for call in calls:
        until[call] = money.book.paid_until(CallId(call))
    for n in range(from_s, 3_600):
        for news in await money.beat(now=n + 0.25):
            if isinstance(news, PaidUntil):
                until[news.call] = news.at
        for call in [call for call in calls if call not in charged and until[call] <= n + 1.25]:
            charged[call] = (await money.end(call, ended_at=until[call])).charged
        if len(charged) == len(calls):
            return charged
    raise AssertionError("a call never ended")


async def test_thirty_calls_at_once_on_one_dollar(money: MoneyScene) -> None:
    """MagnusBilling: all thirty passed, each on the whole dollar."""
    account = await money.purse(DOLLAR)
    got = await asyncio.gather(*(money.reserve(n, account) for n in range(1, 31)))
    talking = [n for n, answer in enumerate(got, 1) if isinstance(answer, Reserved)]
    for call in talking:
        money.book.bridged(CallId(call), at=0.0)
    assert (await money.standing(account)).available >= 0
    charged = await talk_out(money, talking)
    left = await money.standing(account)
    assert sum(charged.values()) + left.posted == DOLLAR
    assert 0 <= left.available < A_SECOND
    # The first three came while the account was ample, and hold half a minute each.
    assert charge(RATE, 15) <= min(charged.values()) <= max(charged.values()) <= charge(RATE, 30)


async def test_the_thirty_first_second_of_thirty_poor_calls_is_nobodys(money: MoneyScene) -> None:
    """MagnusBilling: credit was looked at only at the start."""
    account = await money.purse(10 * charge(RATE, 1))
    got = [await money.reserve(n, account) for n in range(1, 31)]
    paid_s = [answer.paid_s for answer in got if isinstance(answer, Reserved)]
    assert paid_s == [3, 3, 3]
    assert got[3:] == [ReserveResult.NO_FUNDS] * 27


NUMBER = Scope(scope="contact", id="+15550100042")


async def limit(money: MoneyScene, unit: str, cap: int) -> None:
    await money.accounts.set_limit(
        NUMBER, set_by="payer", unit=unit, period="day", cap=cap, zone="UTC"
    )


@pytest.mark.parametrize(
    ("before", "unit", "cap", "talked"),
    [
        (None, "seconds", 10, 10),
        (None, "micros", charge(RATE, 10), 10),
        (None, "seconds", 2, 7),  # used up already: the second that runs, and one more
        (60, "seconds", 10, 10),
        (60, "seconds", 2, 7),
    ],
)
async def test_a_limit_set_in_mid_call_holds_from_the_next_second(
    money: MoneyScene, before: int | None, unit: str, cap: int, talked: int
) -> None:
    """calls.md section 4.1: though half a minute is held, set first or lowered, in mid-call."""
    account = await money.purse(10 * DOLLAR)
    if before is not None:
        await limit(money, "seconds", before)
    await money.reserve(CALL, account, scopes=(NUMBER,))
    money.book.bridged(CALL, at=0.0)
    for n in range(1, 6):
        await money.beat(now=n + 0.25)
    assert money.book.paid_until(CALL) >= 30.0
    await limit(money, unit, cap)
    until = [n for n in await money.beat(now=6.0) if isinstance(n, PaidUntil)]
    assert until == [PaidUntil(CALL, float(talked))]
    assert money.book.cut_cause(CALL) is CutCause.PAYER_LIMIT
    charged = await talk_out(money, [CALL], from_s=7)
    assert charged[CALL] == charge(RATE, talked)
    (left,) = await money.accounts.limits([NUMBER])
    assert left.room == cap - (talked if unit == "seconds" else charged[CALL])
    assert (await money.standing(account)).available == 10 * DOLLAR - charged[CALL]


async def test_a_limit_that_is_raised_again_lets_the_call_go_on(money: MoneyScene) -> None:
    account = await money.purse(10 * DOLLAR)
    await money.reserve(CALL, account, scopes=(NUMBER,))
    money.book.bridged(CALL, at=0.0)
    await money.beat(now=1.25)
    await limit(money, "seconds", 10)
    assert PaidUntil(CALL, 10.0) in await money.beat(now=2.25)
    await limit(money, "seconds", 600)
    assert PaidUntil(CALL, 34.0) in await money.beat(now=3.25)
    assert money.book.state(CALL) is MeterState.LIVE


async def test_two_calls_give_back_to_a_lowered_limit_together(money: MoneyScene) -> None:
    account = await money.purse(10 * DOLLAR)
    for call in (1, 2):
        await money.reserve(call, account, scopes=(NUMBER,))
        money.book.bridged(CallId(call), at=0.0)
    await money.beat(now=1.25)
    await limit(money, "seconds", 40)
    charged = await talk_out(money, [1, 2], from_s=2)
    assert sum(charged.values()) == charge(RATE, 30) + charge(RATE, 10)


async def test_money_moved_away_in_mid_call_ends_the_call(money: MoneyScene) -> None:
    """ASTPP: the balance was moved to another account, and the talk went on."""
    account, other = await money.purse(DOLLAR), await money.purse(0)
    await money.start(CALL, account)
    for n in range(1, 8):
        await money.beat(now=n + 0.25)
    purse = await money.standing(account)
    refused = await money.move(purse.available + 1, debit=account, credit=other)
    assert refused is TransferResult.EXCEEDS_FUNDS
    moved = await money.move(purse.available, debit=account, credit=other)
    assert moved is TransferResult.OK
    charged = await talk_out(money, [CALL], from_s=8)
    left = await money.standing(account)
    assert charged[CALL] + left.posted + purse.available == DOLLAR
    assert left.posted == left.available == 0


@pytest.mark.parametrize("amount", [0, 1, charge(RATE, 1) - 1])
async def test_no_first_block_on_an_account_that_cannot_pay_it(
    money: MoneyScene, amount: int
) -> None:
    """A2Billing: the first block was not reserved."""
    account = await money.purse(amount)
    assert await money.reserve(CALL, account) is ReserveResult.NO_FUNDS
    assert money.meters.reserve_failures == 1
    assert len(money.book) == 0
    purse = await money.standing(account)
    assert (purse.posted, purse.held) == (amount, 0)


async def test_one_cent_buys_five_seconds_and_ends_above_zero(money: MoneyScene) -> None:
    """A2Billing: 0.01 ended at -0.03."""
    account = await money.purse(10_000)
    await money.start(CALL, account)
    assert (await talk_out(money, [CALL]))[CALL] == charge(RATE, 5) == 9_166
    assert (await money.standing(account)).posted == 834


async def test_a_second_call_shares_the_account(money: MoneyScene) -> None:
    """A2Billing: a second call on the account was simply refused."""
    account = await money.purse(20 * A_SECOND)
    await money.start(1, account)
    await money.start(2, account)
    charged = await talk_out(money, [1, 2])
    assert abs(charged[1] - charged[2]) <= A_SECOND
    assert sum(charged.values()) + (await money.standing(account)).posted == 20 * A_SECOND


async def test_an_end_that_both_sides_tell_at_once_is_one_end(money: MoneyScene) -> None:
    """jambonz: crossing BYEs counted down twice."""
    account = await money.purse(DOLLAR)
    await money.start(CALL, account)
    for n in range(1, 13):
        await money.beat(now=n + 0.25)
    settle, void = money.meters.settle, money.meters.void
    first, *others = await asyncio.gather(
        settle(CALL, seconds=12, credit=Credit.NONE),
        settle(CALL, seconds=12, credit=Credit.NONE),
        settle(CALL, seconds=99, credit=Credit.LAST_60),
        void(CALL),
    )
    after_a_restart = await money.another_control()
    others.append(await after_a_restart.settle(CALL, seconds=30, credit=Credit.NONE))
    assert others == [first] * 4
    assert first.charged == charge(RATE, 12)
    assert (await money.standing(account)).posted == DOLLAR - charge(RATE, 12)


async def test_a_record_is_a_quotation_and_never_charges(tmp_path: Path) -> None:
    """ivozprovider, CGRateS: charged live and again by the CDR, and the two disagreed."""
    async with sqlite_scene(tmp_path) as money:
        await record_it_three_times(money)


async def record_it_three_times(money: SqliteScene) -> None:
    account = await money.purse(DOLLAR)
    await money.start(CALL, account)
    await money.beat(now=4.25)
    settled = await money.end(CALL, ended_at=4.5)
    before = await everything(money)
    records = RecordStore(money.store)
    record = CallRecord(
        call_id=CALL,
        account=account,
        reason="caller_hangup",
        phase="talking",
        released_by="caller",
        talked_s=4.5,
        charge=settled.charged + 50_000,
        postings=settled.postings,
    )
    legs = [
        Cdr(leg_id=leg_id(CALL, is_b=is_b), call_id=CALL, side=side)
        for side, is_b in (("a", False), ("b", True))
    ]
    for _ in range(3):
        await records.save(record, legs)
    assert await everything(money) == before


async def everything(money: MoneyScene) -> list[tuple[object, ...]]:
    """Every account and every transfer."""
    accounts, transfers = "SELECT * FROM account ORDER BY id", "SELECT * FROM transfer ORDER BY seq"
    return [*await money.rows(accounts), *await money.rows(transfers)]


async def test_a_call_of_no_second_costs_nothing(money: MoneyScene) -> None:
    """CGRateS: calls of 0 seconds were charged."""
    account = await money.purse(DOLLAR)
    await money.start(CALL, account)
    settled = await money.end(CALL, ended_at=0.999)
    assert (settled.seconds, settled.charged, settled.postings) == (0, 0, ())
    assert (await money.standing(account)).posted == DOLLAR


async def test_a_call_that_nobody_ends_costs_no_more_than_was_paid(money: MoneyScene) -> None:
    """CGRateS: a stuck call drained the account on and on."""
    account = await money.purse(DOLLAR)
    until = await money.start(CALL, account)
    assert until == 30.0
    await money.begin()
    (row,) = await money.meters.unsettled("n1")
    settled = await money.meters.settle(CALL, seconds=86_400, credit=Credit.NONE)
    assert settled.seconds == row.paid_s == 30
    assert settled.charged == charge(RATE, 30)


async def test_the_last_paid_second_ends_the_call_by_itself(money: MoneyScene) -> None:
    """FreeSWITCH nibblebill: no balance left, and no hang-up."""
    account = await money.purse(4 * A_SECOND)
    until = await money.start(CALL, account)
    for n in range(1, 4):
        for news in await money.beat(now=n + 0.25):
            if isinstance(news, PaidUntil):
                until = news.at
    assert until == 4.0
    assert money.book.state(CALL) is MeterState.FINAL
    assert money.book.cut_cause(CALL) is CutCause.FUNDS
    assert (await money.end(CALL, ended_at=900.0)).seconds == 4


@pytest.mark.parametrize("rate", [50_000, 60_000, 110_000])
async def test_a_minute_costs_what_a_minute_costs(money: MoneyScene, rate: int) -> None:
    """ivozprovider: 0.05 became 0.0498."""
    account = await money.purse(DOLLAR)
    await money.start(CALL, account, quote_of(rate))
    for n in range(1, 62):
        await money.beat(now=float(n))
    assert (await money.end(CALL, ended_at=60.0)).charged == rate


@pytest.mark.slow
async def test_ten_thousand_calls_drift_by_nothing(money: MoneyScene) -> None:
    """CGRateS: floats made 474.995 of 475; and a clock of floats is read 45 times a call.

    Drift would come from the book and the settlement, which both databases share: SQLite has ten
    thousand calls. On PostgreSQL five hundred show that its columns and sums are whole numbers too.
    """
    random = Random(20_261)
    calls, rate = (10_000 if isinstance(money, SqliteScene) else 500), quote_of(70_001)
    accounts = await asyncio.gather(*(money.purse(100 * DOLLAR) for _ in range(calls // 10)))
    start = 123_456.789
    begun = {n: start + random.random() for n in range(1, calls + 1)}
    await asyncio.gather(*(money.reserve(n, accounts[n % len(accounts)], rate) for n in begun))
    for n, at in begun.items():
        money.book.bridged(CallId(n), at=at)
    whole = {n: random.randrange(46) for n in begun}
    now, charged = start, 0
    for _ in range(45):
        now += 1.0
        ending = [n for n, s in whole.items() if n in begun and begun[n] + s + 0.5 <= now]
        settled = await asyncio.gather(
            *(money.end(n, ended_at=begun.pop(n) + whole[n]) for n in ending)
        )
        assert [s.charged for s in settled] == [70_001 * whole[n] // 60 for n in ending]
        charged += sum(s.charged for s in settled)
        await money.beat(now=now)
    settled = await asyncio.gather(
        *(money.end(n, ended_at=at + whole[n]) for n, at in begun.items())
    )
    charged += sum(s.charged for s in settled)
    assert charged == sum(70_001 * s // 60 for s in whole.values())
    left = [(await money.standing(account)).posted for account in accounts]
    assert sum(left) + charged == len(accounts) * 100 * DOLLAR
