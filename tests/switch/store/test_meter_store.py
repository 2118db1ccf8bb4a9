import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Transfer, TransferResult
from switch.billing.meter import MeterBook
from switch.billing.rating import charge
from switch.clock import SystemClock
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.media.messages import CallEnded
from switch.money import Micros
from switch.store import account_statements, ledger_verify
from switch.store.account_limits import Scope
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store, driver
from switch.store.meter_file import file_meters
from switch.store.vault import FileVault
from tests.support.money_rig import ELEVEN_CENTS

CALL = CallId(4_001)
RATE = ELEVEN_CENTS.rate


class Scene:
    """An open store with one funded account and a meter store on it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = AccountStore(FileVault(store))
        self.meters = file_meters(store)
        self.account = AccountId(0)
        self.epoch = 0
        self.book = MeterBook(node="n1", epoch=0)

    async def begin(self, amount: int) -> None:
        self.epoch = await self.meters.begin_epoch("n1", "boot")
        self.book = MeterBook(node="n1", epoch=self.epoch)
        self.account = await self.accounts.open(NewAccount(kind="called_prepaid"))
        await self.accounts.fund(self.account, Micros(amount), ref="r1")

    async def talk(self, seconds: float, *, call: CallId = CALL) -> int:
        reserved = await self.meters.reserve(call, self.account, ELEVEN_CENTS, facility="F1")
        assert isinstance(reserved, Reserved)
        self.book.opened(
            call, self.account, ELEVEN_CENTS, reserved.paid_s, now=0.0, purse=reserved.purse
        )
        self.book.bridged(call, at=0.0)
        for n in range(1, int(seconds) + 1):
            beat = self.book.beat(now=n - 0.5)
            result = await self.meters.beat(beat)
            assert result.outcome is BeatOutcome.DONE
            self.book.applied(beat, result, now=n - 0.5)
        return self.book.ended(call, ended_at=seconds)

    async def faults(self) -> list[ledger_verify.Fault]:
        return await self.store.read(lambda c: ledger_verify.verify(driver(c)))


def play(path: Path, amount: int, scene: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(path / "kinline.db", clock=SystemClock())
        try:
            stage = Scene(store)
            await stage.begin(amount)
            await scene(stage)
            assert await stage.faults() == []
        finally:
            await store.close()

    asyncio.run(main())


def test_a_call_from_reserve_to_settle(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        seconds = await stage.talk(12.7)
        settled = await stage.meters.settle(CALL, seconds=seconds, credit=Credit.NONE)
        assert (settled.seconds, settled.charged) == (12, charge(RATE, 12))
        assert len(settled.postings) == 4
        assert settled.taxes == sum(settled_taxes(await ledger_of(stage, CALL)))
        purse = await stage.meters.balance(stage.account)
        assert (purse.posted, purse.held) == (1_000_000 - settled.charged, 0)

    play(tmp_path, 1_000_000, scene)


def does(statement: str) -> Callable[[Connection], object]:
    return lambda connection: driver(connection).execute(statement)


async def ledger_of(stage: Scene, call: CallId) -> list[tuple[str, int]]:
    query = """
    SELECT a.kind, t.amount FROM transfer t JOIN account a ON a.id = t.credit
     WHERE t.ref = ? AND t.code = 'settle' ORDER BY t.seq
    """
    rows = await stage.store.read(lambda c: driver(c).execute(query, (f"call:{call}",)).fetchall())
    return [(kind, amount) for kind, amount in rows]


def settled_taxes(rows: list[tuple[str, int]]) -> list[int]:
    return [amount for kind, amount in rows if kind.startswith("tax:")]


@pytest.mark.parametrize("credit", list(Credit))
def test_an_end_that_is_told_again_says_the_same(tmp_path: Path, credit: Credit) -> None:
    async def scene(stage: Scene) -> None:
        seconds = await stage.talk(75.0)
        first = await stage.meters.settle(CALL, seconds=seconds, credit=credit)
        again = await stage.meters.settle(CALL, seconds=3, credit=Credit.NONE)
        assert again == first
        back = 0 if credit in {Credit.NONE, Credit.FREE} else charge(RATE, 75) - charge(RATE, 15)
        assert first.credited == back == sum(amount for _, amount in first.credits)

    play(tmp_path, 1_000_000, scene)


def test_dead_sound_is_not_charged_and_a_minute_before_it_comes_back(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        seconds = await stage.talk(90.0)
        ended = CallEnded(CALL, 90.0, by_paid_until=False, last_both_heard_at=79.9)
        settled = await stage.meters.settle(
            CALL, seconds=seconds, credit=Credit.DEAD_60, ended=ended
        )
        assert (settled.seconds, settled.charged) == (79, charge(RATE, 79))
        assert settled.credited == charge(RATE, 79) - charge(RATE, 19)

    play(tmp_path, 1_000_000, scene)


def test_review_gives_the_rest_back_once(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        seconds = await stage.talk(90.0)
        settled = await stage.meters.settle(CALL, seconds=seconds, credit=Credit.LAST_60_ALL)
        rest = await stage.meters.credit_rest(CALL)
        assert rest == settled.charged - settled.credited > 0
        assert await stage.meters.credit_rest(CALL) == 0
        assert (await stage.meters.balance(stage.account)).posted == 1_000_000

    play(tmp_path, 1_000_000, scene)


def test_a_call_that_was_never_bridged_is_void(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        first = await stage.meters.reserve(CALL, stage.account, ELEVEN_CENTS)
        again = await stage.meters.reserve(CALL, stage.account, ELEVEN_CENTS)
        assert isinstance(first, Reserved)
        assert isinstance(again, Reserved)
        assert again.paid_s == first.paid_s
        assert (await stage.meters.void(CALL)).charged == 0
        assert (await stage.meters.balance(stage.account)).held == 0
        assert (
            await stage.meters.reserve(CALL, stage.account, ELEVEN_CENTS)
            is ReserveResult.CALL_ENDED
        )

    play(tmp_path, 1_000_000, scene)


def test_what_cannot_be_reserved_says_why(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        reserve = stage.meters.reserve
        assert await reserve(CALL, AccountId(999), ELEVEN_CENTS) is ReserveResult.ACCOUNT_UNKNOWN
        closed = await stage.accounts.open(NewAccount(kind="called_prepaid"))
        await stage.accounts.close(closed, ref="test")
        assert await reserve(CALL, closed, ELEVEN_CENTS) is ReserveResult.ACCOUNT_CLOSED
        abroad = await stage.accounts.open(NewAccount(kind="called_prepaid", currency="CAD"))
        assert await reserve(CALL, abroad, ELEVEN_CENTS) is ReserveResult.CURRENCY_DIFFERS
        await stage.accounts.set_limit(
            Scope(scope="person", id="P1"), set_by="payer", unit="micros", period="week", cap=1,
            zone="America/Chicago",
        )  # fmt: skip
        scopes = (Scope(scope="person", id="P1"),)
        empty = await stage.accounts.open(NewAccount(kind="called_prepaid"))
        answer = await reserve(CALL, empty, ELEVEN_CENTS, scopes=scopes)
        assert answer is ReserveResult.PAYER_LIMIT
        assert await reserve(CALL, empty, ELEVEN_CENTS) is ReserveResult.NO_FUNDS
        with pytest.raises(LocalError, match="no meter"):
            await stage.meters.settle(CALL, seconds=1, credit=Credit.NONE)

    play(tmp_path, 1_000_000, scene)


def test_an_agency_talks_on_its_limit(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        stage.account = await stage.accounts.open(
            NewAccount(kind="agency", owner="A1", floor=Micros(-50_000))
        )
        seconds = await stage.talk(20.0)
        await stage.meters.settle(CALL, seconds=seconds, credit=Credit.NONE)
        assert (await stage.meters.balance(stage.account)).posted == -charge(RATE, 20)

    play(tmp_path, 0, scene)


def test_a_transfer_is_done_once_and_another_under_its_name_is_refused(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        other = await stage.accounts.open(NewAccount(kind="caller_debit", owner="P1"))
        row = Transfer(
            id="t", debit=stage.account, credit=other, amount=Micros(600_000), code="gift", ref=""
        )
        transfer = stage.meters.transfer
        assert await transfer(row) is TransferResult.OK
        assert await transfer(row) is TransferResult.EXISTS
        twice = replace(row, amount=Micros(1))
        assert await transfer(twice) is TransferResult.EXISTS_WITH_ANOTHER_BODY
        assert await transfer(replace(row, id="u")) is TransferResult.EXCEEDS_FUNDS
        assert (await stage.meters.balance(other)).posted == 600_000

    play(tmp_path, 1_000_000, scene)


def test_money_that_is_being_talked_cannot_be_moved_away(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        reserved = await stage.meters.reserve(CALL, stage.account, ELEVEN_CENTS)
        assert isinstance(reserved, Reserved)
        other = await stage.accounts.open(NewAccount(kind="caller_debit", owner="P1"))
        row = Transfer(
            id="t", debit=stage.account, credit=other, amount=Micros(100_000), code="gift", ref=""
        )
        assert await stage.meters.transfer(row) is TransferResult.EXCEEDS_FUNDS

    play(tmp_path, 100_000, scene)


def test_a_transfer_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        for statement in ("UPDATE transfer SET amount = 1", "DELETE FROM transfer"):
            with pytest.raises(sqlite3.IntegrityError, match="a transfer is never"):
                await stage.store.write(does(statement))

    play(tmp_path, 1_000_000, scene)


def test_the_file_itself_refuses_to_go_below_the_floor(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        for change, name in (
            ("posted = -1", "m4_never_below_the_floor"),
            ("held = 1000001", "m4_never_below_the_floor"),
        ):
            statement = f"UPDATE account SET {change} WHERE id = {stage.account}"
            with pytest.raises(sqlite3.IntegrityError, match=name):
                await stage.store.write(does(statement))
        await stage.talk(5.0)
        for change in (
            "seq = paid_s + 1",
            "charged = charged + 1",
            "posted = -1",
            "hold = hold + 1",
        ):
            statement = f"UPDATE meter SET {change}"
            with pytest.raises(sqlite3.IntegrityError, match="m5_"):
                await stage.store.write(does(statement))

    play(tmp_path, 1_000_000, scene)


def test_the_payer_of_a_number_is_the_account_that_approved_the_person(tmp_path: Path) -> None:
    async def scene(stage: Scene) -> None:
        number = "+15550100123"
        everybody = NewAccount(kind="called_prepaid", numbers=(number,), approves="all")
        listed = NewAccount(kind="called_prepaid", numbers=(number,))
        one, two = await stage.accounts.open(everybody), await stage.accounts.open(listed)
        await stage.accounts.judge_person(two, "P1", approved=True)
        await stage.accounts.fund(two, Micros(5), ref="two")

        async def payer(person: str) -> AccountId | None:
            found = await stage.store.read(
                lambda c: account_statements.called_account(driver(c), number=number, person=person)
            )
            return found.id if found is not None else None

        assert await payer("P1") == two
        assert await payer("P2") == one
        await stage.accounts.judge_person(one, "P2", approved=False)
        assert await payer("P2") is None
        await stage.accounts.unlink(one, number)
        assert [v.account.id for v in await stage.accounts.find_all(number=number)] == [two]

    play(tmp_path, 0, scene)


KILLED = """
import asyncio, sys
from pathlib import Path
from switch.clock import SystemClock
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved
from switch.billing.meter import MeterBook
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.meter_file import file_meters
from switch.store.vault import FileVault
from tests.support.money_rig import ELEVEN_CENTS

async def main():
    store = await Store.open(Path(sys.argv[1]), clock=SystemClock())
    meters, accounts = file_meters(store), AccountStore(FileVault(store))
    book = MeterBook(node="n1", epoch=await meters.begin_epoch("n1", "boot"))
    purses = [await accounts.open(NewAccount(kind="called_prepaid")) for _ in range(20)]
    for purse in purses:
        await accounts.fund(purse, Micros(200_000), ref=f"r{purse}")
    for call in range(1, 61):
        purse = purses[call % 20]
        got = await meters.reserve(CallId(call), purse, ELEVEN_CENTS)
        if isinstance(got, Reserved):
            book.opened(CallId(call), purse, ELEVEN_CENTS, got.paid_s, now=0.0, purse=got.purse)
            book.bridged(CallId(call), at=0.0)
    for n in range(1, 10_000):
        beat = book.beat(now=n + 0.0)
        book.applied(beat, await meters.beat(beat), now=n + 0.0)
        print(n, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("beats", [3, 17])
def test_killed_in_mid_beat_loses_at_most_one_second(tmp_path: Path, beats: int) -> None:
    path = tmp_path / "kinline.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = 0
    while told < beats:
        told = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    told = max([told, *map(int, rest)])

    async def scene() -> None:
        store = await Store.open(path, clock=SystemClock())
        meters = file_meters(store)
        await meters.begin_epoch("n1", "boot")
        rows = await meters.unsettled("n1")
        assert rows
        for row in rows:
            assert row.seq in {told, told + 1} or row.seq == row.paid_s <= told
            settled = await meters.settle(row.call, seconds=row.seq, credit=Credit.NONE)
            assert settled.charged == charge(RATE, row.seq)
        assert await store.read(lambda c: ledger_verify.verify(driver(c))) == []
        await store.close()

    asyncio.run(scene())
