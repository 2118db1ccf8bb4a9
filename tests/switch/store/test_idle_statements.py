"""Idle money: told after 150 days, paid back after 180, never ours."""

from switch.billing.settings import MoneyRules
from switch.ids import AccountId
from switch.store import idle_statements, payer_notice
from switch.store.idle_statements import DAY_S, IdleNight
from switch.store.vault import Raw
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import MoneyScene

RULES = MoneyRules()


async def night(money: MoneyScene, *, days: float) -> IdleNight:
    at = money.clock.wall() + days * DAY_S
    return await money.vault.write(lambda raw: idle_statements.look(raw, RULES, at=at))


async def sign(money: MoneyScene, account: AccountId, *, days: float) -> None:
    at = money.clock.wall() + days * DAY_S
    await money.vault.write(lambda raw: idle_statements.sign(raw, account, "signed in", at=at))


async def test_idle_money_is_told_once_then_paid_back(money: MoneyScene) -> None:
    account = await money.purse(1_234_567)
    now = money.clock.wall()

    def addresses(raw: Raw) -> None:
        payer_notice.add_contact(raw, account, "mail", "pat@example.invalid", at=now)
        payer_notice.add_contact(raw, account, "sms", "+15550100123", at=now)

    await money.vault.write(addresses)
    assert await night(money, days=149.9) == IdleNight(told=(), paid_back=())
    assert (await night(money, days=150.1)).told == (account,)
    assert await night(money, days=179.9) == IdleNight(told=(), paid_back=())
    back = await night(money, days=180.2)
    assert back.paid_back == ((account, 1_240_000),)
    assert await night(money, days=400) == IdleNight(told=(), paid_back=())
    told = await money.rows("SELECT kind, recipient FROM payer_notice ORDER BY id")
    assert [kind for kind, _ in told] == ["idle", "idle", "idle_returned", "idle_returned"]
    assert {recipient for _, recipient in told} == {"pat@example.invalid", "+15550100123"}
    assert (await money.standing(account)).posted == 0
    await money.fund(account, 1)  # it can still be used


async def test_any_sign_of_interest_starts_the_clock_again(money: MoneyScene) -> None:
    account = await money.purse(1_000_000)
    await sign(money, account, days=140)
    assert (await night(money, days=151)).told == ()
    assert (await night(money, days=290.5)).told == (account,)
    await sign(money, account, days=300)
    assert (await night(money, days=330)).paid_back == ()
    assert (await night(money, days=450.5)).told == (account,)


async def test_nobody_is_paid_back_before_a_month_of_notice(money: MoneyScene) -> None:
    account = await money.purse(1_000_000)
    assert (await night(money, days=500)).told == (account,)  # the switch was off all the time
    assert (await night(money, days=529)).paid_back == ()
    assert (await night(money, days=530.1)).paid_back != ()


async def test_a_call_in_progress_and_an_empty_account_are_left_alone(money: MoneyScene) -> None:
    await money.purse(0)
    caller = await money.purse(1_000_000)
    await money.reserve(7, caller, ELEVEN_CENTS)
    assert (await night(money, days=200)).told == ()


async def test_no_idle_money_ever_becomes_ours(money: MoneyScene) -> None:
    await money.purse(1_000_000)
    await night(money, days=151)
    await night(money, days=182)
    rows = await money.rows("SELECT posted FROM account WHERE kind = 'revenue'")
    assert sum(row[0] for row in rows) == 0
    assert await money.rows("SELECT state, way FROM payout") == [("waiting", "by_hand")]
