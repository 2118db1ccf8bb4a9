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
from tests.support.switch_rig import ROOT, SwitchRig, next_call, within

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
    with postgres_server() as running:
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
