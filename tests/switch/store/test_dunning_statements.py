"""An invoice that is not paid, from the first reminder to the account that pays beforehand."""

from datetime import UTC, datetime

import pytest

from switch.billing.dunning import DAY_S, Stage
from switch.billing.payer import Payer
from switch.errors import UserError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_statements, dunning_statements, invoice_statements
from switch.store.account_statements import NewAccount
from tests.support.money_scene import MoneyScene

CALL = CallId(7)
NUMBER = "+15550100123"


async def owing(money: MoneyScene) -> tuple[AccountId, float, int]:
    """A direct account with one invoice; return it, when that is due, and how much it asks."""
    account = await money.accounts.open(
        NewAccount(
            kind="called_direct", owner="Casey", floor=Micros(-30_000_000), numbers=(NUMBER,),
            approves="all",
        )
    )  # fmt: skip
    await money.start(CALL, account)
    for beat in range(1, 61):
        await money.beat(now=beat + 0.25)
    await money.end(CALL, ended_at=60.5)
    now = money.clock.wall()
    month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
    invoice = await money.vault.write(
        lambda raw: invoice_statements.issue(raw, account, month, at=now + 32 * DAY_S)
    )
    return account, invoice.due_at, invoice.total_cents * 10_000


async def look(money: MoneyScene, at: float) -> list[tuple[int, Stage, int]]:
    rows = await money.vault.write(lambda raw: dunning_statements.look(raw, at=at))
    return [(row.invoice, row.stage, row.missing) for row in rows]


async def pays(money: MoneyScene, account: AccountId) -> bool:
    """Whether the account would pay for a new call."""
    found = await money.vault.read(
        lambda raw: account_statements.called_account(
            raw, number=NUMBER, person="P1", payer=Payer.CALLED_DIRECT
        )
    )
    return found is not None and found.id == account


async def kinds(money: MoneyScene) -> list[str]:
    return [row[0] for row in await money.rows("SELECT kind FROM payer_notice ORDER BY id")]


async def test_each_stage_is_told_once_and_the_last_turns_the_account(money: MoneyScene) -> None:
    account, due_at, asked = await owing(money)
    for days, stage in ((-1, None), (0, Stage.DUE), (3, None), (7, Stage.LATE_7),
                        (14, Stage.LATE_14), (15, None), (21, Stage.SUSPENDED)):  # fmt: skip
        expected = [] if stage is None else [(1, stage, asked)]
        assert await look(money, due_at + days * DAY_S) == expected
        assert await pays(money, account) is (days < 21)
    assert await look(money, due_at + 45 * DAY_S) == [(1, Stage.CONVERTED, asked)]
    assert await look(money, due_at + 60 * DAY_S) == []
    view = await money.accounts.find(account)
    assert view is not None
    purse = view.account.purse
    assert (view.account.kind, purse.posted, purse.floor) == ("called_prepaid", 0, 0)
    rows = await money.rows("SELECT posted FROM account WHERE kind = 'uncollectable'")
    assert rows == [(-asked,)]
    assert await kinds(money) == [
        "invoice_due", "invoice_late", "invoice_late", "invoice_suspended", "invoice_converted",
    ]  # fmt: skip
    assert await money.vault.read(invoice_statements.broken_invoices) == []


async def test_a_payment_ends_the_suspension_at_once(money: MoneyScene) -> None:
    account, due_at, asked = await owing(money)
    await look(money, due_at + 21 * DAY_S)
    await money.fund(account, asked - 10_000)  # a cent is missing
    assert await look(money, due_at + 22 * DAY_S) == []
    await money.fund(account, 10_000)
    assert await pays(money, account)
    assert await look(money, due_at + 90 * DAY_S) == []
    assert (await kinds(money))[-1] == "invoice_relieved"


async def test_no_account_is_turned_while_a_call_holds_money(money: MoneyScene) -> None:
    account, due_at, asked = await owing(money)
    await money.reserve(8, account)
    assert await look(money, due_at + 46 * DAY_S) == []
    assert not await pays(money, account)
    await money.meters.void(CallId(8))
    assert await look(money, due_at + 47 * DAY_S) == [(1, Stage.CONVERTED, asked)]


async def test_a_lowered_limit_never_breaks_what_is_owed_already(money: MoneyScene) -> None:
    account, _due_at, asked = await owing(money)

    async def limit(micros: int) -> int | None:
        changed = await money.vault.write(
            lambda raw: dunning_statements.set_credit_limit(raw, account, Micros(micros))
        )
        return changed.purse.floor

    assert await limit(50_000_000) == -50_000_000
    assert await limit(0) == -asked
    prepaid = await money.purse(0)
    with pytest.raises(UserError, match="beforehand"):
        await money.vault.write(
            lambda raw: dunning_statements.set_credit_limit(raw, prepaid, Micros(1))
        )
