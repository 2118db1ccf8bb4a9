import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from switch.admin.command import Desk
from switch.admin.money_text import dollars_of, micros_of
from switch.admin.registry import commands
from switch.clock import SystemClock
from switch.errors import SettingsError, UserError
from switch.store.engine import Store

CONFIG = Path(__file__).parents[3] / "config"
Say = Callable[..., Awaitable[Any]]
LATER = """[[rate]]
id = "lab-2031"
class = "interstate"
micros_per_minute = 140_000
valid_from = "2031-01-01"

"""


def at_the_desk(path: Path, scene: Callable[[Say], Awaitable[None]]) -> None:
    """Play a scene that says commands: `say("account open", owner="P1")`."""

    async def main() -> None:
        clock = SystemClock()
        store = await Store.open(path / "kinline.db", clock=clock)
        desk = Desk(store=store, clock=clock, board=None, by="test")

        async def say(words: str, **given: object) -> object:
            noun, verb = words.split()
            (command,) = [c for c in commands() if (c.noun, c.verb) == (noun, verb)]
            values: Mapping[str, Any] = {
                argument.key: argument.default for argument in command.arguments
            }
            values = {**values, **given}
            if command.prepare is not None:
                values = command.prepare(values)
            return await command.run(desk, values)

        try:
            await scene(say)
        finally:
            await store.close()

    asyncio.run(main())


def test_an_account_from_opening_to_closing(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        opened = await say("account open", number=["+15550100123"], facility="F1")
        assert (opened["numbers"], opened["available"]) == (["+15550100123"], "0.00")
        funded = await say("account fund", account="+15550100123", amount="12.5", ref="r1")
        assert funded["available"] == "12.50"
        again = await say("account fund", account=str(opened["id"]), amount="12.5", ref="r1")
        assert (again["available"], again["note"]) == ("12.50", "was paid in before")
        linked = await say("account link", account=str(opened["id"]), number="+15550100124")
        assert len(linked["numbers"]) == 2
        await say("account link", account=str(opened["id"]), person="P1", deny=True)
        assert len(await say("account list", kind="called_prepaid")) == 1
        closed = await say("account close", account=str(opened["id"]))
        assert (closed["paid_back"], closed["state"], closed["posted"]) == (
            "12.50",
            "closed",
            "0.00",
        )
        assert (await say("account show", account=str(opened["id"])))["state"] == "closed"
        assert await say("ledger verify") == {"sound": True, "faults": []}

    at_the_desk(tmp_path, scene)


def test_the_ledger_is_shown_and_sealed(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        opened = await say("account open", kind="caller_debit", owner="P1")
        await say("account fund", account=str(opened["id"]), amount="3", ref="r1")
        (row,) = await say("ledger show", account=str(opened["id"]))
        assert (row["id"], row["amount"], row["code"]) == ("offline:r1", "3.00", "fund")
        assert await say("ledger show", call="5") == []
        books = {row["book"]: row["posted"] for row in await say("ledger show", books=True)}
        assert books == {"offline": "-3.00", "all purses": "3.00"}
        assert await say("ledger seal") == {"sealed": []}

    at_the_desk(tmp_path, scene)


def test_a_price_is_explained(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        answer = await say("rate quote", tariff="lab", config=str(CONFIG), date="2026-11-24")
        assert (answer["a_minute"], answer["price"], answer["taxes"]) == ("0.11", "0.10", "0.01")
        assert answer["law_row"] == "fcc-25-75-prison-audio"
        assert (await say("rate quote", tariff="lab", config=str(CONFIG)))["tier"] == "prison"
        with pytest.raises(UserError, match="no price"):
            await say("rate quote", tariff="none", config=str(CONFIG))

    at_the_desk(tmp_path, scene)


async def test_a_contract_is_compared_then_taken_in(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    lab = config / "tariffs/lab.toml"
    before = lab.read_text()
    new = tmp_path / "new.toml"
    new.write_text(before.replace("[[rate]]", LATER + "[[rate]]", 1))

    async def scene(say: Say) -> None:
        given = {"file": str(new), "config": str(config)}
        shown = await say("rate import", **given, dry_run=True)
        assert [(c["what"], c["row"]) for c in shown["changes"]] == [("added", "rate lab-2031")]
        assert not shown["written"]
        (alarm,) = shown["alarms"]
        assert "lab-2031 is above the cap fcc-25-75-prison-audio, which nobody has" in alarm
        assert lab.read_text() == before
        assert (await say("rate import", **given))["written"]
        assert lab.read_text() == new.read_text()
        later = await say("rate quote", tariff="lab", config=str(config), date="2031-01-01")
        assert (later["rate_row"], later["price"], later["capped"]) == ("lab-2031", "0.11", True)
        assert (await say("rate import", **given))["note"] == "nothing differs"
        new.write_text(before.replace("micros_per_minute = 100_000", "micros_per_minute = 90_000"))
        with pytest.raises(UserError, match="a price of a day that is over would change"):
            await say("rate import", **given)
        new.write_text(before.replace('id = "lab"', 'id = "pine"', 1))
        assert (await say("rate import", **given))["file"] == str(config / "tariffs/pine.toml")
        new.write_text("id = ")
        with pytest.raises(SettingsError, match=r"new\.toml"):
            await say("rate import", **given)
        with pytest.raises(UserError, match="cannot be read"):
            await say("rate import", file=str(tmp_path / "none.toml"), config=str(config))

    await asyncio.to_thread(at_the_desk, tmp_path, scene)


def test_money_goes_back_to_where_it_came_from_the_newest_first(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open", number=["+15550100123"]))["id"])
        await say("account fund", account=account, amount="10", ref="old")
        await say("account fund", account=account, amount="3", ref="new")
        back = await say("account refund", account=account, amount="5", ref="r1")
        assert (back["available"], back["by_cheque_or_transfer"]) == ("8.00", "0.00")
        assert [(part["source"], part["amount"]) for part in back["to_sources"]] == [
            ("offline:new", "3.00"),
            ("offline:old", "2.00"),
        ]
        for amount, ref, says in (
            ("5", "r1", "was paid before"),
            ("8.01", "r2", "has not so much"),
            ("0", "r2", "above zero"),
            ("1", "r*", "no name of a refund"),
        ):
            with pytest.raises(UserError, match=says):
                await say("account refund", account=account, amount=amount, ref=ref)
        assert (await say("account close", account=account))["paid_back"] == "8.00"
        assert (await say("ledger verify"))["sound"]

    at_the_desk(tmp_path, scene)


def test_an_invoice_is_drafted_and_what_cannot_be_issued_says_why(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        opened = await say("account open", kind="called_direct", owner="Legal Aid")
        assert opened["available"] == "30.00"
        given = {"account": opened["id"], "month": "2026-11", "out": str(tmp_path)}
        draft = await say("account invoice", **given)
        assert (draft["number"], draft["calls"], draft["to_pay"]) == (0, 0, "0.00")
        pdf, table = (Path(name) for name in draft["files"])
        assert pdf.read_bytes().startswith(b"%PDF-1.4")
        assert table.read_text().endswith("to pay,,,,,,,,0.00\n")
        with pytest.raises(UserError, match="no calls"):
            await say("account invoice", **given | {"issue": True, "month": "2026-10"})
        with pytest.raises(UserError, match="is no month"):
            await say("account invoice", **given | {"month": "November"})
        with pytest.raises(UserError, match="cannot be written"):
            await say("account invoice", **given | {"out": str(tmp_path / "none")})
        assert await say("account invoices") == []

    at_the_desk(tmp_path, scene)


def test_the_law_is_listed_with_who_verified_it(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        rows = await say("rate law", config=str(CONFIG), date="2026-11-24", all=False)
        assert not any(row["verified"] for row in rows)
        by_id = {row["id"]: row for row in rows}
        assert by_id["fcc-25-75-prison-audio"]["says"].endswith("value_micros=110000")
        assert by_id["L6"]["citation"].startswith("89 FR 77244")
        assert "fcc-2020-paper-bill" not in by_id
        every = await say("rate law", config=str(CONFIG), date="2026-11-24", all=True)
        assert len(every) > len(rows)

    at_the_desk(tmp_path, scene)


def test_what_cannot_be_done_says_what_to_do(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        for given, says in (
            ({"kind": "caller_debit"}, "needs its owner"),
            ({"limit": "5"}, "Only agencies"),
            ({"number": ["5550100123"]}, "Write it like"),
        ):
            with pytest.raises(UserError, match=says):
                await say("account open", **given)
        with pytest.raises(UserError, match="There is no account 99"):
            await say("account show", account="99")
        with pytest.raises(UserError, match="There is no account 99"):
            await say("account close", account="99")
        with pytest.raises(UserError, match="credit unknown"):
            await say("account fund", account="99", amount="1")
        with pytest.raises(UserError, match="0 accounts pay"):
            await say("account show", account="+15550100199")
        agency = await say("account open", kind="agency", owner="A1", limit="5")
        assert agency["available"] == "5.00"
        with pytest.raises(UserError, match="amount not positive"):
            await say("account fund", account=str(agency["id"]), amount="-1")

    at_the_desk(tmp_path, scene)


@pytest.mark.parametrize(
    ("text", "micros"),
    [("12.50", 12_500_000), ("$3", 3_000_000), ("0.000001", 1), ("-0.11", -110_000)],
)
def test_an_amount_is_read_exactly(text: str, micros: int) -> None:
    assert micros_of(text) == micros


@pytest.mark.parametrize("text", ["", "1.2.3", "1e3", "0.0000001", "five", "1,000"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not an amount"):
        micros_of(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (12_833, "0.012833"), (-1_500_000, "-1.50"), (110_000, "0.11"), (1, "0.000001")],
)
def test_an_amount_is_written_exactly(micros: int, text: str) -> None:
    assert dollars_of(micros) == text
