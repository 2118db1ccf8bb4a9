"""What staff say about money by card."""

from pathlib import Path

import pytest

from switch.errors import UserError
from tests.switch.admin.test_money_commands import Say, at_the_desk


def test_without_a_switch_no_page_is_made(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        opened = await say("account open")
        with pytest.raises(UserError, match=r"outside\.stripe"):
            await say("account deposit", account=str(opened["id"]), amount="20")
        assert await say("deposit list") == []

    at_the_desk(tmp_path, scene)


def test_reloads_need_a_card_and_consent_and_say_what_is_wrong(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open"))["id"])
        assert (await say("account reload", account=account))["state"] == "never agreed to"
        good = {"below": "5", "amount": "20", "consent": True}
        for wrong, says in (
            ({}, "no saved card"),
            ({"below": "0"}, "--below"),
            ({"amount": "0.50"}, "--amount"),
            ({"day_most": "10"}, "--day-most"),
            ({"day_most": "40", "month_most": "20"}, "--day-most"),
            ({"consent": False}, "--consent"),
            ({"zone": "Moon/Base"}, "--zone"),
        ):
            with pytest.raises(UserError, match=says):
                await say("account reload", account=account, **(good | wrong))
        for words in ({"pause": True}, {"go_on": True}):
            with pytest.raises(UserError, match="nothing to"):
                await say("account reload", account=account, **words)
        with pytest.raises(UserError, match="no saved card"):
            await say("account forget-card", account=account)

    at_the_desk(tmp_path, scene)


def test_a_payout_by_hand_is_noted_once(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open"))["id"])
        await say("account fund", account=account, amount="12.345678", ref="r1")
        closed = await say("account close", account=account)
        assert closed["paid_back"] == "12.35"
        rows = await say("payout list")
        assert sorted(row["amount"] for row in rows) == ["0.004322", "12.345678"]
        for row in rows:
            done = await say("payout paid", payout=row["payout"], how="cheque 7")
            assert (done["state"], done["note"]) == ("done", "cheque 7")
        with pytest.raises(UserError, match="is done"):
            await say("payout paid", payout=rows[0]["payout"], how="cheque 8")
        await say("account fund", account=(other := str((await say("account open"))["id"])),
                  amount="1.00", ref="r2")  # fmt: skip
        await say("account close", account=other)
        shortened = await say("payout paid", payout=f"close:{other}:off…", how="cheque 9")
        assert shortened["state"] == "done"
        with pytest.raises(UserError, match="no payout"):
            await say("payout paid", payout="x", how="cheque 8")
        assert await say("dispute list") == []
        assert (await say("ledger verify"))["sound"]

    at_the_desk(tmp_path, scene)
