"""An open ledger behind its port, a meter book over it, and a clock that is only a number."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from switch.billing.beat import BeatOutcome, BeatResult
from switch.billing.credit import Credit
from switch.billing.ledger import (
    Purse,
    Reserved,
    ReserveResult,
    Settled,
    Transfer,
    TransferResult,
)
from switch.billing.meter import MeterBook
from switch.billing.meter_news import MeterNews
from switch.billing.quote import Quote
from switch.clock import SystemClock
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import ledger_verify
from switch.store.account_limits import Scope
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store, driver
from switch.store.meter_store import MeterStore
from tests.support.money_rig import ELEVEN_CENTS

NODE = "n1"


class MoneyScene:
    """What the switchboard does with money, on a store that is really open."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = AccountStore(store)
        self.meters = MeterStore(store)
        self.book = MeterBook(node=NODE, epoch=0)
        self._refs = itertools.count(1)

    async def begin(self) -> None:
        """A new control process: its own epoch, an empty book."""
        self.book = MeterBook(node=NODE, epoch=await self.meters.begin_epoch(NODE, "boot"))

    async def purse(
        self, amount: int, *, floor: int = 0, kind: str = "called_prepaid"
    ) -> AccountId:
        """Open an account with so much in it."""
        account = await self.accounts.open(NewAccount(kind=kind, owner="P1", floor=Micros(floor)))
        if amount:
            await self.fund(account, amount)
        return account

    async def fund(self, account: AccountId, amount: int) -> None:
        """Pay in."""
        ref = f"scene-{next(self._refs)}"
        assert await self.accounts.fund(account, Micros(amount), ref=ref) is TransferResult.OK

    async def reserve(
        self,
        call: int,
        account: AccountId,
        quote: Quote = ELEVEN_CENTS,
        *,
        scopes: tuple[Scope, ...] = (),
        now: float = 0.0,
    ) -> Reserved | ReserveResult:
        """Reserve in the store, then open in the book."""
        result = await self.meters.reserve(
            CallId(call), account, quote, facility="F1", scopes=scopes
        )
        if isinstance(result, Reserved):
            self.book.opened(
                CallId(call),
                account,
                quote,
                result.paid_s,
                now=now,
                purse=result.purse,
                refused=result.refused,
            )
        return result

    async def start(
        self, call: int, account: AccountId, quote: Quote = ELEVEN_CENTS, *, at: float = 0.0
    ) -> float:
        """Reserve and bridge; return `paid_until`."""
        assert isinstance(await self.reserve(call, account, quote, now=at), Reserved)
        return self.book.bridged(CallId(call), at=at)

    async def beat(self, *, now: float) -> list[MeterNews]:
        """One beat, carried out and taken in."""
        beat = self.book.beat(now=now)
        result: BeatResult = await self.meters.beat(beat)
        assert result.outcome is BeatOutcome.DONE
        return self.book.applied(beat, result, now=now)

    async def end(self, call: int, *, ended_at: float, credit: Credit = Credit.NONE) -> Settled:
        """End a call in the book and settle it in the store."""
        seconds = self.book.ended(CallId(call), ended_at=ended_at)
        return await self.meters.settle(CallId(call), seconds=seconds, credit=credit)

    async def move(
        self, amount: int, *, debit: AccountId, credit: AccountId, name: str = ""
    ) -> TransferResult:
        """Move money from one purse to another."""
        row = Transfer(
            id=name or f"move-{next(self._refs)}",
            debit=debit,
            credit=credit,
            amount=Micros(amount),
            code="gift",
            ref="",
        )
        return await self.meters.transfer(row)

    async def standing(self, account: AccountId) -> Purse:
        """What stands on an account."""
        return await self.meters.balance(account)

    async def faults(self) -> list[ledger_verify.Fault]:
        """What the ledger cannot prove."""
        return await self.store.read(lambda c: ledger_verify.verify(driver(c)))


@asynccontextmanager
async def sqlite_scene(folder: Path) -> AsyncIterator[MoneyScene]:
    """A scene on a database file, whose ledger must prove itself at the end."""
    store = await Store.open(folder / "kinline.db", clock=SystemClock())
    try:
        scene = MoneyScene(store)
        await scene.begin()
        yield scene
        assert await scene.faults() == []
    finally:
        await store.close()
