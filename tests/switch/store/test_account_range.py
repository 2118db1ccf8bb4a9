"""An account for each number of a range, on both databases."""

from switch.money import Micros
from switch.store.account_range import ROWS_AT_ONCE, open_range
from switch.store.account_statements import NewAccount
from tests.support.money_scene import MoneyScene

NUMBERS = [f"+1217555{n:04d}" for n in range(ROWS_AT_ONCE + 3)]
CENT = Micros(10_000)


async def test_each_number_gets_an_account_once_and_the_money_is_in_the_ledger(
    money: MoneyScene,
) -> None:
    mine = await money.accounts.open(
        NewAccount(kind="called_prepaid", owner="P1", numbers=(NUMBERS[1],))
    )
    for _ in range(2):
        await money.vault.write(lambda raw: open_range(raw, NUMBERS, CENT, at=5.0))
    (view,) = await money.accounts.find_all(number=NUMBERS[-1])
    assert (view.account.purse.available, view.account.purse.funded) == (CENT, CENT)
    assert (view.account.owner, view.numbers) == (f"range {NUMBERS[-1]}", (NUMBERS[-1],))
    (other,) = await money.accounts.find_all(number=NUMBERS[1])
    assert other.account.id == mine
    counted = await money.rows(
        "SELECT count(*), sum(amount) FROM transfer WHERE id LIKE 'offline:seed:%'"
    )
    assert [tuple(map(int, row)) for row in counted] == [
        (len(NUMBERS) - 1, CENT * (len(NUMBERS) - 1))
    ]
    assert await money.faults() == []


async def test_a_range_without_money_writes_no_transfer(money: MoneyScene) -> None:
    await money.vault.write(lambda raw: open_range(raw, NUMBERS[:3], Micros(0), at=5.0))
    assert await money.rows("SELECT count(*) FROM transfer") == [(0,)]
    await money.vault.write(lambda raw: open_range(raw, NUMBERS[:3], Micros(0), at=6.0))
    assert len(await money.accounts.find_all(kind="called_prepaid")) == 3
