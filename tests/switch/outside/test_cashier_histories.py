"""Random histories of cards: whatever is lost, late or told twice, both sides agree at the end."""

from pathlib import Path
from random import Random

import pytest

from switch.errors import UserError
from switch.ids import AccountId
from switch.money import Micros
from switch.store import payer_notice
from tests.support.card_rig import DOLLAR, CardRig, with_cards

STEPS = 40
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined")


class History:
    """One family, its card, its bank, and a network that loses answers."""

    def __init__(self, rig: CardRig, random: Random, account: AccountId) -> None:
        self.rig, self.random, self.account = rig, random, account
        self.pages: list[str] = []
        self.refs = 0

    async def step(self) -> None:
        deeds = (
            self.deposit, self.pay, self.pay, self.deliver, self.deliver, self.round, self.round,
            self.lose, self.refund, self.spend, self.dispute, self.decide, self.fail_refund,
            self.wait,
        )  # fmt: skip
        await self.random.choice(deeds)()

    async def deposit(self) -> None:
        amount = Micros(self.random.randrange(1, 40) * DOLLAR)
        try:
            _, page = await self.rig.cashier.deposit(self.account, amount, save_card=True)
        except UserError:
            return  # the answer was lost
        self.pages.append(page.session)

    async def pay(self) -> None:
        if self.pages:
            page = self.random.choice(self.pages)
            if self.rig.stripe.pay(page, self.random.choice(CARDS)):
                self.pages.remove(page)

    async def deliver(self) -> None:
        events = self.rig.stripe.events
        if events:
            await self.rig.tell(self.random.choice(events))

    async def round(self) -> None:
        await self.rig.cashier.round()

    async def lose(self) -> None:
        self.rig.stripe.lose_answers = self.random.randrange(3)

    async def refund(self) -> None:
        self.refs += 1
        amount = Micros(self.random.randrange(1, 2000) * 10_000)
        try:
            await self.rig.accounts.refund(self.account, amount, ref=f"r{self.refs}")
        except UserError:
            return  # it has not so much

    async def spend(self) -> None:
        left = await self.rig.balance(self.account)
        if left > 0:
            await self.rig.spend(self.account, self.random.randrange(left) + 1)

    async def dispute(self) -> None:
        stripe = self.rig.stripe
        paid = [
            thing for name, thing in stripe.objects.items()
            if name.startswith("pi_") and thing["status"] == "succeeded"
            and thing["_refunded"] == 0 and not thing.get("_disputed")
        ]  # fmt: skip
        if paid and self.random.random() < 0.3:
            thing = self.random.choice(paid)
            thing["_disputed"] = True
            stripe.dispute(thing["id"], thing["amount_received"])

    async def decide(self) -> None:
        stripe = self.rig.stripe
        waiting = [n for n, thing in stripe.objects.items()
                   if n.startswith("dp_") and thing["status"] == "needs_response"]  # fmt: skip
        if waiting:
            stripe.decide(self.random.choice(waiting), won=self.random.random() < 0.5)

    async def fail_refund(self) -> None:
        stripe = self.rig.stripe
        done = [n for n, thing in stripe.objects.items()
                if n.startswith("re_") and thing["status"] == "succeeded"]  # fmt: skip
        if done and self.random.random() < 0.3:
            stripe.fail_refund(self.random.choice(done))

    async def wait(self) -> None:
        self.rig.clock.at += self.random.choice((1, 60, 3600))

    async def settle(self) -> None:
        """Let everything be told, in any order, and everything that waits be carried out."""
        self.rig.stripe.lose_answers = 0
        for _ in range(3):
            events = list(self.rig.stripe.events)
            self.random.shuffle(events)
            await self.rig.tell(*events)
            self.rig.clock.at += 3600
            await self.rig.cashier.round()

    def at_stripe(self) -> int:
        """What the processor owes us, in micros."""
        cents = 0
        for name, thing in self.rig.stripe.objects.items():
            if name.startswith("pi_") and thing["status"] == "succeeded":
                cents += thing["amount_received"] - thing["_refunded"]
            if name.startswith("dp_") and thing["status"] == "lost":
                cents -= thing["amount"]
        return cents * 10_000


@pytest.mark.parametrize("seed", range(12))
def test_both_sides_agree_after_any_history(tmp_path: Path, seed: int) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        history = History(rig, Random(seed), account)
        await rig.paid_in(account, 10, save=True)
        await rig.agree(account, month_cap=400, day_cap=200)
        for _ in range(STEPS):
            await history.step()
            assert await rig.balance(account) >= 0
        for name, thing in list(rig.stripe.objects.items()):
            if name.startswith("dp_") and thing["status"] == "needs_response":
                rig.stripe.decide(name, won=False)
        await history.settle()
        await rig.must_be_sound()
        rows = await rig.rows("SELECT posted FROM account WHERE kind = 'clearing:stripe'")
        waiting = await rig.rows(
            "SELECT coalesce(sum(amount), 0) FROM payout"
            " WHERE way = 'stripe' AND state IN ('waiting', 'asked')"
        )
        assert -sum(row[0] for row in rows) == history.at_stripe() - waiting[0][0]

    with_cards(tmp_path, scene)


def test_a_telling_whose_deed_fails_half_way_leaves_nothing_and_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, Micros(20 * DOLLAR), save_card=False)
        rig.stripe.pay(page.session)

        def broken(*_: object, **__: object) -> int:
            raise RuntimeError("killed here")

        with monkeypatch.context() as patch:
            patch.setattr(payer_notice, "tell", broken)
            with pytest.raises(RuntimeError, match="killed here"):
                await rig.tell(*rig.stripe.events)
        assert await rig.balance(account) == 0
        assert await rig.rows("SELECT * FROM transfer") == []
        assert await rig.rows("SELECT * FROM payment_event") == []
        await rig.tell(*rig.stripe.events)
        assert await rig.balance(account) == 20 * DOLLAR

    with_cards(tmp_path, scene)
