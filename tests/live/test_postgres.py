"""The switch with its ledger on PostgreSQL: a call is paid there, and only there."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from switch.admin.control_client import ControlClient
from tests.support.peers.postgres import ROLE, PostgresServer, binaries, postgres_server
from tests.support.switch_rig import ROOT, SwitchRig, next_call, spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

STORE = """
[store]
postgres_dsn_file = "kinline.dsn"
"""
NUMBER = "+15551000001"
AMOUNT = 1_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if binaries() is None:
        pytest.skip("no PostgreSQL; deploy/install-peers installs one")
    with postgres_server(is_durable=True) as running:
        yield running


def kinline(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "switch", *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


async def prepared(server: PostgresServer, folder: Path) -> str:
    """Make a ledger as an operator would; return the address that the switch gets."""
    name = await server.database()
    (folder / "owner.dsn").write_text(server.dsn(name))
    (folder / "kinline.dsn").write_text(server.dsn(name, role=ROLE))
    words = ("postgres", "prepare", "--dsn-file", str(folder / "owner.dsn"), "--role", ROLE)
    done = await asyncio.to_thread(kinline, *words)
    assert done.returncode == 0, done.stderr
    return server.dsn(name, role=ROLE)


async def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    link = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await link.fetch(query)]
    finally:
        await link.close()


async def test_a_call_is_paid_on_postgresql_and_the_ledger_proves_itself(
    tmp_path: Path, server: PostgresServer
) -> None:
    dsn = await prepared(server, tmp_path)
    async with SwitchRig(tmp_path, edit=lambda text: STORE + text) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call(NUMBER.lstrip("+"))
        await within(10, call.answered)
        (await next_call(outside)).answer()
        await rig.until("talking")
        await asyncio.sleep(3.2)
        [(state, seq)] = await rows(dsn, "SELECT state, seq FROM meter")
        assert state == "LIVE"
        assert seq >= 2
        call.hang_up()
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"
        assert record["charge"] == 110_000 * int(record["talked_s"]) // 60
        await rig.quiet()
        shown = await rig.asked("account", "list", kind="called_prepaid", owner="", rows=1000)
        [purse] = [row for row in shown if row["numbers"] == [NUMBER]]
        assert purse["posted_micros"] == AMOUNT - record["charge"]
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
        [(settled,)] = await rows(dsn, "SELECT sum(amount) FROM transfer WHERE code = 'settle'")
        assert settled == record["charge"]
        back = await rig.asked("account", "refund", account=NUMBER, amount="0.25", ref="r-1")
        assert back["to_sources"][0]["amount"] == "0.25"
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
        # Not a row of money in the file beside it.
        with sqlite3.connect(rig.data / "kinline.sqlite3") as file:
            for table in ("account", "transfer", "meter", "quote"):
                assert file.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


async def test_a_command_without_a_switch_finds_the_ledger_and_a_folder_never_has_two(
    tmp_path: Path, server: PostgresServer
) -> None:
    await prepared(server, tmp_path)
    rig = SwitchRig(tmp_path, edit=lambda text: STORE + text)
    async with rig:
        pass
    data = ("--data", str(rig.data))
    shown = await asyncio.to_thread(kinline, "account", "fund", NUMBER, "5.00", *data, "--json")
    assert '"6.00"' in shown.stdout, shown.stderr
    assert not ControlClient(rig.data / "control.sock").is_served()
    rig.config.write_text(rig.config.read_text().replace(STORE, ""))
    refused = await asyncio.to_thread(kinline, "run", "--config", str(rig.config), *data)
    assert refused.returncode == 1
    assert "The ledger of" in refused.stderr
    assert "is on PostgreSQL" in refused.stderr


async def test_fifteen_seconds_without_the_database_end_the_poor_and_lose_nothing(
    tmp_path: Path, server: PostgresServer
) -> None:
    dsn = await prepared(server, tmp_path)
    more = """
[[house.account]]
kind = "called_prepaid"
owner = "poor"
facility = "OPEN"
numbers = ["+15551900001"]
amount_micros = 110_000
"""
    async with SwitchRig(tmp_path, more=more, edit=lambda text: STORE + text) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        ample = await gateway.call(NUMBER.lstrip("+"))
        await within(10, ample.answered)
        there = await next_call(outside)
        there.answer()
        poor = await gateway.call("15551900001")
        await within(10, poor.answered)
        (await next_call(outside)).answer()
        await asyncio.sleep(4.0)
        await asyncio.to_thread(server.stop)
        # A call that would begin now is told so, in a sentence.
        late = await gateway.call("15551000002")
        await within(12, late.ended)
        await within(10, poor.ended)
        assert not ample.ended.is_set()
        await asyncio.sleep(5.0)
        assert not ample.ended.is_set()
        await asyncio.to_thread(server.start)
        await asyncio.sleep(8.0)
        assert not ample.ended.is_set(), "the ample call outlives the outage"
        ample.hang_up()
        await rig.last_record(3)
        records = {record["reason"]: record for record in await rig.records()}
        assert sorted(records) == ["caller_hangup", "maintenance", "metering_lost"]
        cut, ended = records["metering_lost"], records["caller_hangup"]
        assert "end_metering_lost" in spoken(cut, "a") + spoken(cut, "b")
        assert "deny_maintenance" in spoken(records["maintenance"], "a")
        await rig.quiet()
        # Every second of the ample call is charged, the outage too; the poor one pays what it had
        # talked, and the last minute comes back: the fault was ours.
        for record in (cut, ended):
            assert record["charge"] == 110_000 * int(record["talked_s"]) // 60
        assert ended["talked_s"] > 15
        assert sum(micros for _, micros in cut["credits"]) == cut["charge"]
        assert await rows(dsn, "SELECT 1 FROM meter WHERE state IN ('RESERVED', 'LIVE')") == []
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
