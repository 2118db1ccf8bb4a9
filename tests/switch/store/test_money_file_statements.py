"""Files of payments in the ledger: each line once, everything accounted for."""

import pytest

from switch.errors import UserError
from switch.money import Micros
from switch.store import money_file_statements
from switch.store.account_statements import NewAccount
from switch.store.money_file_statements import Imported, MoneyFile
from tests.support.money_scene import MoneyScene

HEAD = "line,payee,amount\n"
PEOPLE = {"100042": "north", "100043": "north", "200001": "south"}


async def take(
    money: MoneyScene, body: str, total: int, *, kind: str = "trust", is_dry: bool = False
) -> Imported:
    file = MoneyFile(
        kind=kind, facility="north", name="f.csv", text=HEAD + body, total=Micros(total * 10_000)
    )
    return await money.vault.write(
        lambda raw: money_file_statements.take(
            raw, file, people=PEOPLE, by="lee", is_dry=is_dry, at=money.clock.wall()
        )
    )


async def balances(money: MoneyScene) -> dict[str, int]:
    rows = await money.rows("SELECT owner, posted FROM account WHERE kind = 'caller_debit'")
    return dict(rows)


async def test_a_trust_file_fills_the_accounts_of_its_people(money: MoneyScene) -> None:
    body = "A,100042,20.00\nB,100043,5.50\nC,100042,1.00\nD,200001,3.00\nE,999,4.00\n"
    done = await take(money, body, 3350)
    assert (done.sums.accepted, done.sums.rejected) == (3, 2)
    assert await balances(money) == {"100042": 21_000_000, "100043": 5_500_000}
    assert [line.fault for line in done.lines[3:]] == ["the person is at south", "no such person"]
    rows = await money.rows("SELECT posted FROM account WHERE kind = 'trust'")
    assert rows == [(-26_500_000,)]


async def test_a_file_and_each_of_its_lines_come_in_once(money: MoneyScene) -> None:
    await take(money, "A,100042,20.00\n", 2000)
    again = await take(money, "A,100042,20.00\n", 2000)
    assert again.was_known
    longer = await take(money, "A,100042,20.00\nB,100042,1.00\n", 2100)
    assert (longer.sums.accepted, longer.sums.rejected_micros) == (1, 20_000_000)
    assert "imported before" in longer.lines[0].fault
    other_books = await take(money, "A,100042,2.00\n", 200, kind="commissary")
    assert other_books.sums.accepted == 1
    assert await balances(money) == {"100042": 23_000_000}


async def test_a_line_that_was_rejected_may_come_right_later(money: MoneyScene) -> None:
    first = await take(money, "A,999,4.00\n", 400)
    assert first.sums.rejected == 1
    assert (await take(money, "A,100043,4.00\n", 400)).sums.accepted == 1


async def test_a_file_with_a_difference_is_not_imported(money: MoneyScene) -> None:
    with pytest.raises(UserError, match=r"a difference of -0\.01"):
        await take(money, "A,100042,20.00\n", 2001)
    assert await balances(money) == {}
    assert await money.rows("SELECT * FROM money_file") == []


async def test_a_dry_run_writes_nothing(money: MoneyScene) -> None:
    assert (await take(money, "A,100042,20.00\n", 2000, is_dry=True)).sums.accepted == 1
    assert await balances(money) == {}


async def test_a_kiosk_pays_into_accounts_by_id_or_number(money: MoneyScene) -> None:
    account = await money.accounts.open(
        NewAccount(kind="called_prepaid", numbers=("+15550100123",))
    )
    closed = await money.purse(0)
    await money.accounts.close(closed, ref="test")
    body = f"A,{account},5.00\nB,+15550100123,6.00\nC,{closed},1.00\nD,+15550100199,1.00\n"
    done = await take(money, body, 1300, kind="kiosk")
    assert done.sums.accepted == 2
    assert (await money.standing(account)).posted == 11_000_000
    assert "closed" in done.lines[2].fault
    assert "0 open accounts" in done.lines[3].fault


async def test_no_line_pays_into_a_book(money: MoneyScene) -> None:
    await take(money, "A,100042,20.00\n", 2000)
    ((book,),) = await money.rows("SELECT id FROM account WHERE kind = 'trust'")
    done = await take(money, f"A,{book},5.00\n", 500, kind="money_order")
    assert done.sums.rejected == 1
