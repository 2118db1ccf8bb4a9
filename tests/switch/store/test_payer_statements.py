"""What a payer sees, and who they are, on both databases: nothing is reckoned a second time."""

from switch.billing.credit import Credit
from switch.billing.funding import CheckoutPage
from switch.ids import AccountId
from switch.money import Micros
from switch.store import (
    account_statements,
    code_statements,
    funding_statements,
    payer_notice,
    payer_session_statements,
    payer_statements,
)
from switch.store.funding_statements import Funding
from switch.store.vault import Raw
from tests.support.money_scene import MoneyScene

PAT, HASH = "pat@example.invalid", "a" * 64
FAR = 1e12


async def contact(money: MoneyScene, account: AccountId, way: str, address: str) -> None:
    at = money.clock.wall()
    await money.vault.write(lambda raw: payer_notice.add_contact(raw, account, way, address, at=at))


async def talked(money: MoneyScene, account: AccountId, call: int, seconds: int) -> None:
    await money.start(call, account)
    for beat in range(1, seconds + 1):
        await money.beat(now=beat + 0.25)


async def test_an_address_owns_what_it_was_proved_for_in_small_or_large_letters(
    money: MoneyScene,
) -> None:
    one, two, _ = [await money.purse(0) for _ in range(3)]
    await contact(money, one, "mail", "Pat@Example.invalid")
    await contact(money, two, "mail", PAT)
    await contact(money, two, "voice", "+15552010188")

    def look(raw: Raw) -> tuple[list[AccountId], list[str], list[str]]:
        return (
            [found.id for found in payer_session_statements.accounts_of(raw, PAT)],
            payer_session_statements.telephones_of(raw, two),
            payer_session_statements.addresses_of(raw, two),
        )

    owned, telephones, addresses = await money.vault.read(look)
    assert owned == [one, two]
    assert telephones == ["+15552010188"]
    assert addresses == [PAT, "+15552010188"]


async def test_a_sign_in_is_found_used_and_ended(money: MoneyScene) -> None:
    def begin(raw: Raw, hash_: str = HASH, at: float = 100.0) -> None:
        payer_session_statements.begin(
            raw, hash_, way="mail", address=PAT, client="192.0.2.1", at=at, ends_at=at + 50
        )

    await money.vault.write(begin)
    await money.vault.write(lambda raw: payer_session_statements.seen(raw, HASH, at=120.0))
    found = await money.vault.read(lambda raw: payer_session_statements.find(raw, HASH))
    assert found is not None
    assert (found.address, found.seen_at, found.ends_at) == (PAT, 120.0, 150.0)
    await money.vault.write(lambda raw: begin(raw, "b" * 64, 150.0))  # the first one is over
    assert await money.vault.read(lambda raw: payer_session_statements.find(raw, HASH)) is None
    assert await money.vault.write(lambda raw: payer_session_statements.end_all(raw, PAT)) == 1
    assert await money.rows("SELECT count(*) FROM payer_session") == [(0,)]


async def test_every_second_of_a_live_call_is_gone_from_the_balance_at_once(
    money: MoneyScene,
) -> None:
    account = await money.purse(5_000_000)
    await talked(money, account, 7, 3)
    left = await money.vault.read(lambda raw: payer_session_statements.left_on(raw, account))
    (call,) = await money.vault.read(
        lambda raw: payer_statements.charged_calls(raw, account, rows_max=9)
    )
    assert (call.seconds, call.is_over) == (3, False)
    assert left == 5_000_000 - call.charged
    await money.end(7, ended_at=3.5)


async def test_a_month_adds_up_and_a_charge_is_one_movement(money: MoneyScene) -> None:
    account = await money.purse(5_000_000)
    await talked(money, account, 7, 5)
    settled = await money.end(7, ended_at=5.5, credit=Credit.LAST_60)
    month = await money.vault.read(
        lambda raw: payer_statements.month_of(raw, account, 0.0, FAR, rows_max=99)
    )
    assert [move.code for move in month.moves] == ["fund", "settle", "credit"]
    assert month.moves[1].amount == -settled.charged
    assert (month.opening, month.closing) == (0, 5_000_000)
    later = await money.vault.read(
        lambda raw: payer_statements.month_of(raw, account, FAR, FAR + 1, rows_max=99)
    )
    assert (later.opening, later.closing, later.moves) == (5_000_000, 5_000_000, ())
    (call,) = await money.vault.read(
        lambda raw: payer_statements.charged_calls(raw, account, call=7, rows_max=1)
    )
    assert call.credited == call.charged == settled.charged


async def test_who_may_call_and_since_when_there_is_an_account(money: MoneyScene) -> None:
    account = await money.purse(0)
    await money.vault.write(
        lambda raw: account_statements.judge_person(raw, account, "123", approved=False)
    )
    everybody, judged = await money.vault.read(lambda raw: payer_statements.approves(raw, account))
    assert (everybody, judged) == (False, {"123": "denied"})
    assert await money.vault.read(lambda raw: payer_statements.opened_at(raw, account)) > 0
    assert await money.vault.read(lambda raw: payer_statements.invoices_of(raw, account)) == []


async def test_a_deposit_keeps_the_name_of_its_page(money: MoneyScene) -> None:
    account = await money.purse(0)
    new = Funding(
        id="f1", account=account, method="checkout", amount=Micros(1_000_000), state="waiting",
        intent="", consent_version="", consent_text="", at=1.0, tries=0, fault="",
    )  # fmt: skip

    def deed(raw: Raw) -> Funding | None:
        funding_statements.begin(raw, new, next_at=1.0)
        page = CheckoutPage(session="cs_1", url="https://x.invalid", intent="")
        funding_statements.note_page(raw, "f1", page, next_at=5.0)
        return funding_statements.find(raw, "f1")

    found = await money.vault.write(deed)
    assert found is not None
    assert found.session == "cs_1"
    due = await money.vault.read(lambda raw: funding_statements.due(raw, at=5.0, rows_max=9))
    assert [one.id for one in due] == ["f1"]


async def test_a_spoken_code_is_counted_like_any_other(money: MoneyScene) -> None:
    def ask(raw: Raw) -> object:
        return code_statements.begin(
            raw, "sign-in", "voice", "+15552010188", mac="m", client="192.0.2.1", at=100.0
        )

    assert await money.vault.write(ask) is None
    assert await money.vault.write(ask) is not None
    assert await money.rows("SELECT prefix FROM code_sent") == [("+1555201",)]


async def test_a_telephone_that_takes_no_messages_is_not_written_to(money: MoneyScene) -> None:
    account = await money.purse(0)
    await contact(money, account, "voice", "+15552010188")
    at = money.clock.wall()

    async def tell() -> int:
        return await money.vault.write(
            lambda raw: payer_notice.tell(raw, account, "idle", {"amount": 1}, at=at)
        )

    assert await tell() == 0  # it fails where staff see it
    await contact(money, account, "mail", PAT)
    assert await tell() == 1
