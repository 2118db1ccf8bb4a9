"""What staff say about claims, files of money, late invoices and addresses."""

from pathlib import Path

import pytest

from switch.admin.audit_note import news_of
from switch.admin.registry import find
from switch.errors import UserError
from tests.switch.admin.test_money_commands import Say, at_the_desk


def test_a_claim_needs_a_call_that_somebody_paid(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        for words in ("claim ask", "claim false-alarm"):
            with pytest.raises(UserError, match="not over"):
                await say(words, call=7, why="nothing was heard")
        for words in ("claim grant", "claim deny", "claim appeal"):
            with pytest.raises(UserError, match="no claim 7"):
                await say(words, claim=7, why="so")
        with pytest.raises(UserError, match="no claim 7"):
            await say("claim show", claim=7)
        assert await say("claim list") == []

    at_the_desk(tmp_path, scene)


def test_a_sign_of_interest_is_noted(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open"))["id"])
        assert (await say("account sign", account=account, what="rang us up"))["sign"]
        with pytest.raises(UserError, match="no account 99"):
            await say("account sign", account="99", what="x")
        with pytest.raises(UserError, match="neither"):
            await say("account sign", account="nobody", what="x")

    at_the_desk(tmp_path, scene)


def test_a_file_of_a_kiosk_from_dry_run_to_its_lines(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open", number=["+15550100123"]))["id"])
        file = tmp_path / "kiosk.csv"
        file.write_text(f"line,payee,amount\nK1,{account},20.00\nK2,+15550100123,1.50\nK3,x,2.00\n")
        given = {"file": str(file), "kind": "kiosk", "total": "23.50"}
        dry = await say("money-file import", **given, dry_run=True)
        assert (dry["accepted"], dry["note"]) == (2, "nothing was imported")
        done = await say("money-file import", **given)
        assert (done["accepted_sum"], done["rejected_sum"], done["difference"]) == (
            "21.50", "2.00", "0.00",
        )  # fmt: skip
        assert [row["line"] for row in done["rejects"]] == [3]
        assert (await say("money-file import", **given))["note"] == "was imported before"
        assert (await say("account show", account=account))["posted"] == "21.50"
        (listed,) = await say("money-file list")
        assert (listed["name"], listed["by"]) == ("kiosk.csv", "test")
        lines = await say("money-file show", file=listed["file"])
        assert [line["account"] for line in lines] == [int(account), int(account), ""]
        assert (await say("ledger verify"))["sound"]

    at_the_desk(tmp_path, scene)


def test_a_file_that_cannot_be_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        file = tmp_path / "f.csv"
        given = {"file": str(file), "kind": "kiosk", "total": "1.00"}
        with pytest.raises(UserError, match="cannot be read"):
            await say("money-file import", **given)
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(UserError, match="UTF-8"):
            await say("money-file import", **given)
        file.write_text("a,b\n")
        with pytest.raises(UserError, match="first line"):
            await say("money-file import", **given)
        file.write_text("line,payee,amount\nA,1,1.01\n")
        with pytest.raises(UserError, match="difference"):
            await say("money-file import", **given)
        with pytest.raises(UserError, match="no facility"):
            await say("money-file import", **(given | {"kind": "trust", "facility": "moon"}))
        with pytest.raises(UserError, match="0 files"):
            await say("money-file show", file="abc")

    at_the_desk(tmp_path, scene)


def test_a_credit_limit_belongs_to_who_pays_afterwards(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        direct = str((await say("account open", kind="called_direct", owner="Casey"))["id"])
        changed = await say("account credit-limit", account=direct, most="50")
        assert (changed["limit"], changed["available"]) == ("50.00", "50.00")
        assert await say("late list", account=direct) == []
        prepaid = str((await say("account open"))["id"])
        with pytest.raises(UserError, match="beforehand"):
            await say("account credit-limit", account=prepaid, most="50")
        with pytest.raises(UserError, match="how far"):
            await say("account credit-limit", account=direct, most="-5")

    at_the_desk(tmp_path, scene)


def test_codes_need_the_running_switch(tmp_path: Path) -> None:
    async def scene(say: Say) -> None:
        account = str((await say("account open"))["id"])
        with pytest.raises(UserError, match="Say --mail"):
            await say("contact ask", account=account)
        with pytest.raises(UserError, match="does not run"):
            await say("contact ask", account=account, mail="pat@example.invalid")
        with pytest.raises(UserError, match="does not run"):
            await say("contact prove", account=account, sms="+15550100123", code="123456")
        assert await say("contact list", account=account) == []

    at_the_desk(tmp_path, scene)


def test_a_code_is_never_in_the_trail() -> None:
    command = find("contact", "prove")
    assert command is not None
    given = {"account": "3", "mail": "pat@example.invalid", "code": "481516"}
    entry = news_of(command, given, by="cli:lee", address="", outcome="", at_wall=1.0)
    assert "481516" not in repr(entry)
