"""Collect lines: a month for the agent, and a bill that bounces."""

from datetime import UTC, datetime

import pytest

from switch.billing.dunning import DAY_S
from switch.billing.payer import Payer
from switch.errors import UserError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_statements, collect_statements, invoice_statements
from switch.store.account_statements import NewAccount
from switch.store.collect_statements import CollectBill
from tests.support.money_scene import MoneyScene

NUMBER = "+15550100123"


async def a_line(money: MoneyScene) -> AccountId:
    account = await money.accounts.open(
        NewAccount(
            kind="called_collect", owner="line", floor=Micros(-30_000_000), numbers=(NUMBER,),
            approves="all",
        )
    )  # fmt: skip
    await money.start(7, account)
    for beat in range(1, 61):
        await money.beat(now=beat + 0.25)
    await money.end(CallId(7), ended_at=60.5)
    return account


async def month(money: MoneyScene, *, after_days: int = 32) -> list[CollectBill]:
    now = money.clock.wall()
    period = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
    at = now + after_days * DAY_S
    return await money.vault.write(lambda raw: collect_statements.month_of(raw, period, at=at))


async def bounce(money: MoneyScene, invoice: int) -> int:
    at = money.clock.wall()
    return await money.vault.write(
        lambda raw: collect_statements.bounce(raw, invoice, why="no such line", at=at)
    )


async def test_a_month_is_billed_once_for_each_line(money: MoneyScene) -> None:
    account = await a_line(money)
    with pytest.raises(UserError, match="not over"):
        await month(money, after_days=0)
    (bill,) = await month(money)
    assert (bill.invoice, bill.account, bill.number) == (1, account, NUMBER)
    assert bill.cents == 11
    assert await month(money) == [bill]


async def test_a_bill_that_bounces_stays_a_claim_and_stops_the_line(money: MoneyScene) -> None:
    account = await a_line(money)
    (bill,) = await month(money)
    assert await bounce(money, bill.invoice) == bill.cents * 10_000
    assert (await money.standing(account)).posted == 0
    rows = await money.rows("SELECT posted FROM account WHERE kind = 'uncollectable'")
    assert rows == [(-bill.cents * 10_000,)]
    found = await money.vault.read(
        lambda raw: account_statements.called_account(
            raw, number=NUMBER, person="P1", payer=Payer.CALLED_COLLECT
        )
    )
    assert found is None
    told = await money.rows("SELECT kind FROM payer_notice")
    assert told == [("collect_bounced",)]
    with pytest.raises(UserError, match="before"):
        await bounce(money, bill.invoice)
    assert await money.vault.read(invoice_statements.broken_invoices) == []


async def test_only_a_bill_of_a_collect_line_bounces(money: MoneyScene) -> None:
    with pytest.raises(UserError, match="no bill"):
        await bounce(money, 1)
