"""An open ledger behind its port, a meter book over it, and a clock that is only a number."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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
from switch.clock import Clock, SystemClock
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import ledger_seal, ledger_verify
from switch.store.account_limits import Scope
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store, driver
from switch.store.meter_file import file_meters
from switch.store.meter_store import MeterStore
from switch.store.postgres_link import Postgres
from switch.store.postgres_meters import postgres_meters
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import FileVault, Vault
from tests.support.money_rig import ELEVEN_CENTS

NODE = "n1"


class MoneyScene:
    """What the switchboard does with money, on a ledger that is really open."""

    def __init__(
        self,
        meters: MeterStore,
        accounts: AccountStore,
        *,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self.meters = meters
        self.accounts = accounts
        self.vault = vault
        self.clock = clock
        self.book = MeterBook(node=NODE, epoch=0)
        self._refs = itertools.count(1)

    async def another_control(self) -> MeterStore:
        """The same ledger as a second process of the switch has it."""
        raise NotImplementedError

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        raise NotImplementedError

    async def change(self, statement: str) -> None:
        """Carry out a statement as the switch's own connection."""
        raise NotImplementedError

    async def faults(self) -> list[ledger_verify.Fault]:
        """What the ledger cannot prove."""
        raise NotImplementedError

    async def seal(self, *, at: float) -> list[str]:
        """Seal the days that are over."""
        raise NotImplementedError

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
        await self.meters.follow_limits()
        beat = self.book.beat(now=now, limited=self.meters.limited)
        result: BeatResult = await self.meters.beat(beat)
        assert result.outcome is BeatOutcome.DONE
        return list(self.book.applied(beat, result, now=now))

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


class SqliteScene(MoneyScene):
    """On a database file."""

    def __init__(self, store: Store) -> None:
        vault = FileVault(store)
        super().__init__(file_meters(store), AccountStore(vault), vault=vault, clock=store.clock)
        self.store = store

    async def another_control(self) -> MeterStore:
        return file_meters(self.store)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda c: driver(c).execute(query).fetchall())

    async def change(self, statement: str) -> None:
        await self.store.write(lambda c: driver(c).execute(statement).rowcount)

    async def faults(self) -> list[ledger_verify.Fault]:
        return await self.store.read(lambda c: ledger_verify.verify(driver(c)))

    async def seal(self, *, at: float) -> list[str]:
        return await self.store.write(lambda c: ledger_seal.seal_days(driver(c), at=at))


class PostgresScene(MoneyScene):
    """On PostgreSQL, as the role that the switch has there."""

    def __init__(self, store: Postgres) -> None:
        vault = PostgresVault(store)
        super().__init__(
            postgres_meters(store), AccountStore(vault), vault=vault, clock=store.clock
        )
        self.store = store

    async def another_control(self) -> MeterStore:
        return postgres_meters(self.store)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        found = await self.store.read(lambda link: link.fetch(query))
        return [tuple(row) for row in found]

    async def change(self, statement: str) -> None:
        await self.store.write(lambda link: link.execute(statement))

    async def faults(self) -> list[ledger_verify.Fault]:
        return await self.vault.read(ledger_verify.verify)

    async def seal(self, *, at: float) -> list[str]:
        return await self.vault.write(lambda raw: ledger_seal.seal_days(raw, at=at))


@asynccontextmanager
async def sqlite_scene(folder: Path) -> AsyncIterator[SqliteScene]:
    """A scene on a database file, whose ledger must prove itself at the end."""
    store = await Store.open(folder / "kinline.db", clock=SystemClock())
    try:
        scene = SqliteScene(store)
        await scene.begin()
        yield scene
        assert await scene.faults() == []
    finally:
        await store.close()


@asynccontextmanager
async def postgres_scene(dsn: str) -> AsyncIterator[PostgresScene]:
    """A scene on PostgreSQL, whose ledger must prove itself at the end."""
    store = await Postgres.open(dsn, clock=SystemClock())
    try:
        scene = PostgresScene(store)
        await scene.begin()
        yield scene
        assert await scene.faults() == []
    finally:
        await store.close()
