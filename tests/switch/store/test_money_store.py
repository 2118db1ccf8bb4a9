"""The eight statements, on every database: what they hold, refuse, and say when told twice."""

import asyncio
from dataclasses import replace

import pytest

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Transfer, TransferResult
from switch.billing.meter import MeterBook
from switch.billing.meter_news import CutCause, Final
from switch.billing.rating import charge
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.media.messages import CallEnded
from switch.money import Micros
from switch.store.account_limits import Scope
from switch.store.account_statements import NewAccount
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import NODE, MoneyScene

CALL = CallId(4_001)
RATE = ELEVEN_CENTS.rate
DOLLAR = 1_000_000


async def talk(money: MoneyScene, account: AccountId, seconds: int, *, call: int = CALL) -> None:
    """Reserve, bridge and beat so often."""
    await money.start(call, account)
    for n in range(1, seconds + 1):
        await money.beat(now=n + 0.25)


async def test_a_call_is_divided_over_its_books(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    await talk(money, account, 12)
    settled = await money.end(CALL, ended_at=12.7)
    assert (settled.seconds, settled.charged) == (12, charge(RATE, 12))
    assert len(settled.postings) == len(ELEVEN_CENTS.lines)
    query = f"""
    SELECT a.kind, t.amount FROM transfer t JOIN account a ON a.id = t.credit
     WHERE t.ref = 'call:{CALL}' ORDER BY t.seq
    """
    books = dict(await money.rows(query))
    assert list(books) == [line.book for line in ELEVEN_CENTS.lines]
    assert settled.taxes == sum(amount for kind, amount in books.items() if "tax:" in kind)
    purse = await money.standing(account)
    assert (purse.posted, purse.held) == (DOLLAR - settled.charged, 0)


@pytest.mark.parametrize("credit", list(Credit))
async def test_an_end_that_is_told_again_says_the_same(money: MoneyScene, credit: Credit) -> None:
    account = await money.purse(DOLLAR)
    await talk(money, account, 75)
    first = await money.end(CALL, ended_at=75.5, credit=credit)
    again = await money.meters.settle(CALL, seconds=3, credit=Credit.NONE)
    assert again == first
    back = 0 if credit in {Credit.NONE, Credit.FREE} else charge(RATE, 75) - charge(RATE, 15)
    assert first.credited == back == sum(amount for _, amount in first.credits)


async def test_dead_sound_is_not_charged(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    await talk(money, account, 90)
    ended = CallEnded(CALL, 90.0, by_paid_until=False, last_both_heard_at=79.9)
    settled = await money.meters.settle(CALL, seconds=90, credit=Credit.DEAD_60, ended=ended)
    assert (settled.seconds, settled.charged) == (79, charge(RATE, 79))


async def test_review_gives_the_rest_back_once(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    await talk(money, account, 90)
    with pytest.raises(LocalError, match="not settled"):
        await money.meters.credit_rest(CALL)
    settled = await money.end(CALL, ended_at=90.5, credit=Credit.LAST_60_ALL)
    assert await money.meters.credit_rest(CALL) == settled.charged - settled.credited > 0
    assert await money.meters.credit_rest(CALL) == 0
    assert (await money.standing(account)).posted == DOLLAR


async def test_what_cannot_be_reserved_says_why(money: MoneyScene) -> None:
    assert await money.reserve(1, AccountId(999)) is ReserveResult.ACCOUNT_UNKNOWN
    abroad = await money.accounts.open(NewAccount(kind="called_prepaid", currency="CAD"))
    assert await money.reserve(1, abroad) is ReserveResult.CURRENCY_DIFFERS
    empty = await money.purse(0)
    assert await money.reserve(1, empty) is ReserveResult.NO_FUNDS
    account = await money.purse(DOLLAR)
    assert isinstance(await money.reserve(1, account), Reserved)
    again = await money.meters.reserve(CallId(1), account, ELEVEN_CENTS)
    assert isinstance(again, Reserved)
    assert (await money.meters.void(CallId(1))).charged == 0
    ended = await money.meters.reserve(CallId(1), account, ELEVEN_CENTS)
    assert ended is ReserveResult.CALL_ENDED
    with pytest.raises(LocalError, match="no meter"):
        await money.meters.settle(CallId(77), seconds=1, credit=Credit.NONE)


async def test_a_limit_ends_a_call_and_a_lowered_one_the_next_second(money: MoneyScene) -> None:
    scope = Scope(scope="person", id="P1")

    async def limit(cap: int) -> None:
        await money.accounts.set_limit(
            scope, set_by="payer", unit="seconds", period="day", cap=cap, zone="UTC"
        )

    account = await money.purse(DOLLAR)
    await limit(0)
    assert await money.reserve(1, account, scopes=(scope,)) is ReserveResult.PAYER_LIMIT
    await limit(100)
    assert isinstance(await money.reserve(2, account, scopes=(scope,)), Reserved)
    money.book.bridged(CallId(2), at=0.0)
    await limit(35)
    for n in range(1, 35):
        news = await money.beat(now=n + 0.25)
        if any(isinstance(item, Final) for item in news):
            break
    assert money.book.cut_cause(CallId(2)) is CutCause.PAYER_LIMIT
    (room,) = [limit.room for limit in await money.accounts.limits([scope])]
    assert room == 0
    assert (await money.end(2, ended_at=60.0)).seconds == 35
    (room,) = [limit.room for limit in await money.accounts.limits([scope])]
    assert room == 0
    assert await money.reserve(3, account, scopes=(scope,)) is ReserveResult.PAYER_LIMIT


async def test_two_calls_of_one_beat_share_what_a_limit_has_left(money: MoneyScene) -> None:
    scope = Scope(scope="contact", id="+15550100001")
    await money.accounts.set_limit(
        scope, set_by="payer", unit="seconds", period="day", cap=9, zone="UTC"
    )
    account = await money.purse(20 * 1_834)
    for call in (1, 2):
        assert isinstance(await money.reserve(call, account, scopes=(scope,)), Reserved)
        money.book.bridged(CallId(call), at=0.0)
    for n in range(1, 8):
        await money.beat(now=n + 0.25)
    talked = [(await money.end(call, ended_at=60.0)).seconds for call in (1, 2)]
    assert sum(talked) == 9


async def test_a_transfer_is_done_once(money: MoneyScene) -> None:
    account, other = await money.purse(DOLLAR), await money.purse(0)
    row = Transfer(id="t", debit=account, credit=other, amount=Micros(600_000), code="x", ref="")
    transfer = money.meters.transfer
    results = await asyncio.gather(*(transfer(row) for _ in range(5)))
    assert sorted(results, key=lambda r: r.value) == [
        *[TransferResult.EXISTS] * 4,
        TransferResult.OK,
    ]
    changed = replace(row, amount=Micros(1))
    assert await transfer(changed) is TransferResult.EXISTS_WITH_ANOTHER_BODY
    assert await transfer(replace(row, id="u")) is TransferResult.EXCEEDS_FUNDS
    assert (
        await transfer(replace(row, id="v", debit=AccountId(999))) is TransferResult.DEBIT_UNKNOWN
    )
    assert (await money.standing(other)).posted == 600_000


async def test_one_name_used_at_once_for_two_movements_is_one_movement(money: MoneyScene) -> None:
    purses = [await money.purse(DOLLAR) for _ in range(4)]
    rows = [
        Transfer(id="t", debit=purses[0], credit=purses[1], amount=Micros(5), code="x", ref=""),
        Transfer(id="t", debit=purses[2], credit=purses[3], amount=Micros(7), code="x", ref=""),
    ]
    results = set(await asyncio.gather(*map(money.meters.transfer, rows)))
    assert results == {TransferResult.OK, TransferResult.EXISTS_WITH_ANOTHER_BODY}


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE account SET posted = -1 WHERE id = {account}", "m4_never_below_the_floor"),
        ("UPDATE account SET held = 1000001 WHERE id = {account}", "m4_never_below_the_floor"),
        ("UPDATE meter SET seq = paid_s + 1", "m5_"),
        ("UPDATE meter SET charged = charged + 1", "m5_"),
        ("UPDATE meter SET posted = -1", "m5_"),
        ("UPDATE meter SET hold = hold + 1", "m5_"),
        ("UPDATE transfer SET amount = 1", "never|permission denied"),
        ("DELETE FROM transfer", "never|permission denied"),
        ("UPDATE quote SET body = ''", "never|permission denied"),
        ("DELETE FROM quote", "never|permission denied|FOREIGN KEY"),
    ],
)
async def test_the_database_itself_refuses(money: MoneyScene, statement: str, says: str) -> None:
    account = await money.purse(DOLLAR)
    await talk(money, account, 5)
    with pytest.raises(Exception, match=says):
        await money.change(statement.format(account=account))


async def test_a_node_that_was_taken_over_writes_nothing_more(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    await money.start(CALL, account)
    await (await money.another_control()).begin_epoch(NODE, "boot")
    result = await money.meters.beat(money.book.beat(now=3.25))
    assert result.outcome is BeatOutcome.FENCED
    (row,) = await money.meters.unsettled(NODE)
    assert (row.seq, row.posted) == (0, 0)


async def test_a_beat_that_is_sent_again_does_nothing(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    await money.start(CALL, account)
    beat = money.book.beat(now=3.25)
    assert (await money.meters.beat(beat)).outcome is BeatOutcome.DONE
    again = await money.meters.beat(beat)
    assert again.outcome is BeatOutcome.STALE
    assert [row.seq for row in again.rows] == [3]
    money.book.applied(beat, again, now=3.25)
    assert (await money.end(CALL, ended_at=5.0)).charged == charge(RATE, 5)


async def test_a_day_is_sealed_once_and_stays_sealed(money: MoneyScene) -> None:
    account = await money.purse(DOLLAR)
    at = money.clock.wall() + 86_400
    (day,) = await money.seal(at=at)
    assert await money.seal(at=at) == []
    await money.fund(account, 5)
    assert len(day) == len("2026-11-24")
    assert await money.faults() == []


@pytest.mark.slow
async def test_two_nodes_on_shared_accounts_never_wait_for_each_other_in_a_ring(
    money: MoneyScene,
) -> None:
    """Two books beat at once on the same poor accounts; each account stays above its floor."""
    accounts = [await money.purse(40 * 1_834) for _ in range(30)]
    stores = [await money.another_control() for _ in range(2)]
    books = []
    for n, store in enumerate(stores):
        book = MeterBook(node=f"two{n}", epoch=await store.begin_epoch(f"two{n}", "boot"))
        books.append(book)
        for call in range(1, 51):
            id_ = CallId(1_000 * n + call)
            account = accounts[call % len(accounts)]
            got = await store.reserve(id_, account, ELEVEN_CENTS)
            assert isinstance(got, Reserved)
            book.opened(id_, account, ELEVEN_CENTS, got.paid_s, now=0.0, purse=got.purse)
            book.bridged(id_, at=0.0)
    for second in range(1, 21):
        beats = [book.beat(now=second + 0.25) for book in books]
        results = await asyncio.gather(
            *(store.beat(beat) for store, beat in zip(stores, beats, strict=True))
        )
        assert [result.outcome for result in results] == [BeatOutcome.DONE] * 2
        for book, beat, result in zip(books, beats, results, strict=True):
            book.applied(beat, result, now=second + 0.25)
    for n, (book, store) in enumerate(zip(books, stores, strict=True)):
        for call in range(1, 51):
            id_ = CallId(1_000 * n + call)
            seconds = book.ended(id_, ended_at=21.0)
            await store.settle(id_, seconds=seconds, credit=Credit.NONE)
    assert all([(await money.standing(account)).available >= 0 for account in accounts])
