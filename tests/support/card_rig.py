"""A cashier between a real store and our own Stripe, and a clock that is only a number."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from switch.billing.funding import Reload
from switch.billing.ledger import Transfer, TransferResult
from switch.ids import AccountId
from switch.money import Micros
from switch.outside.cashier import Cashier
from switch.outside.settings import StripeSettings
from switch.outside.stripe import Stripe
from switch.store import ledger_statements, ledger_verify, payer_notice, reload_statements
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.vault import FileVault, Raw
from tests.support.house_rig import HouseClock
from tests.support.peers.local_stripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe

T = TypeVar("T")
DOLLAR = 1_000_000
PAYER = "pat@example.invalid"


class CardRig:
    def __init__(self, store: Store, clock: HouseClock, folder: Path) -> None:
        self.store, self.clock = store, clock
        self.vault = FileVault(store)
        self.stripe = LocalStripe()
        self.accounts = AccountStore(self.vault)
        self._numbers = itertools.count()
        for name, secret in (("key", SECRET_KEY), ("hook", WEBHOOK_SECRET)):
            (folder / name).write_text(secret + "\n")
        self.settings = StripeSettings(
            secret_key_file=str(folder / "key"), webhook_secret_file=str(folder / "hook")
        )
        self.cashier = Cashier(
            Stripe(self.settings, self.stripe),
            webhook_secret=WEBHOOK_SECRET,
            vault=self.vault,
            clock=clock,
            origin="https://switch.example",
        )

    async def open(self, number: str = "+15550100123") -> AccountId:
        account = await self.accounts.open(
            NewAccount(kind="called_prepaid", numbers=(number,), approves="all")
        )
        await self.write(
            lambda raw: payer_notice.add_contact(raw, account, "mail", PAYER, at=self.clock.wall())
        )
        return account

    async def tell(self, *events: dict[str, Any]) -> list[str]:
        """Deliver events in this order."""
        outcomes = []
        for event in events:
            self.stripe.now = int(self.clock.wall())
            outcomes.append(await self.cashier.webhook(*self.stripe.delivery(event)))
        return outcomes

    async def paid_in(self, account: AccountId, dollars: int, *, save: bool = False) -> str:
        """Pay by card and deliver what is told; return the name of the payment."""
        amount = Micros(dollars * DOLLAR)
        _funding, page = await self.cashier.deposit(account, amount, save_card=save)
        before = len(self.stripe.events)
        self.stripe.pay(page.session)
        await self.tell(*self.stripe.events[before:])
        return str(self.stripe.objects[page.session]["payment_intent"])

    async def agree(self, account: AccountId, **more: int) -> None:
        values = {"threshold": 5, "amount": 20, "day_cap": 40, "month_cap": 60} | more
        limits = {name: Micros(value * DOLLAR) for name, value in values.items()}
        await self.write(
            lambda raw: reload_statements.agree(
                raw, account, Reload(**limits, is_on=True), zone="UTC", version="1",
                text="agreed", at=self.clock.wall(),
            )
        )  # fmt: skip

    async def spend(self, account: AccountId, amount: int) -> None:
        """Move money away, as calls would."""
        n = next(self._numbers)

        def deed(raw: Raw) -> TransferResult:
            revenue = ledger_statements.book(raw, "revenue", currency="USD", at=0.0)
            row = Transfer(
                id=f"spent:{n}", debit=account, credit=revenue, amount=Micros(amount),
                code="spent", ref="test",
            )  # fmt: skip
            return ledger_statements.transfer(raw, row, at=self.clock.wall())

        assert await self.write(deed) is TransferResult.OK

    async def balance(self, account: AccountId) -> int:
        view = await self.accounts.find(account)
        assert view is not None
        return view.account.purse.available

    async def rows(self, query: str) -> list[Any]:
        return await self.read(lambda raw: raw.execute(query).fetchall())

    async def told(self) -> list[str]:
        return [kind for (kind,) in await self.rows("SELECT kind FROM payer_notice ORDER BY id")]

    async def write(self, deed: Callable[[Raw], T]) -> T:
        return await self.vault.write(deed)

    async def read(self, deed: Callable[[Raw], T]) -> T:
        return await self.vault.read(deed)

    async def must_be_sound(self) -> None:
        assert await self.read(ledger_verify.verify) == []


def with_cards(path: Path, scene: Callable[[CardRig], Awaitable[None]]) -> None:
    """Play a scene; the ledger must prove itself at the end."""

    async def main() -> None:
        clock = HouseClock()
        store = await Store.open(path / "kinline.sqlite3", clock=clock)
        try:
            rig = CardRig(store, clock, path)
            await scene(rig)
            await rig.must_be_sound()
        finally:
            await store.close()

    asyncio.run(main())
