"""What outlives what: calls their media worker, media a control process that stands still."""

import asyncio
import json
import os
import signal
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.kill_scene import KillScene, percentile
from tests.support.switch_rig import SwitchRig

pytestmark = [pytest.mark.live, pytest.mark.slow]

SEED = 20261124
CALLS = 20
KILLS = 4
MICROS_PER_MINUTE = 110_000
STOPPED_S = 10.0


async def assert_books_are_exact(rig: SwitchRig, records: list[dict[str, Any]]) -> None:
    for record in records:
        assert record["charge"] == MICROS_PER_MINUTE * int(record["talked_s"]) // 60
        assert record["credits"] == []
    assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
    books = await rig.asked("ledger", "show", books=True)
    assert sum(Decimal(book["posted"]) for book in books) == 0


def gaps_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [mark for mark in record["marks"] if mark["kind"] == "media_gap"]


@pytest.mark.parametrize("workers", [1, 2])
async def test_no_call_is_lost_with_its_worker(workers: int, tmp_path: Path) -> None:
    packed = "port_rest_s = 1\nlegs_packed = 0"
    edit = lambda text: text.replace("port_rest_s = 1", packed)  # noqa: E731 - one place
    async with SwitchRig(tmp_path, workers=workers, edit=edit) as rig:
        scene = KillScene(rig, CALLS, SEED)
        await scene.place()
        await scene.kill(KILLS, apart_s=(3.0, 5.0))
        assert await scene.talking() == CALLS
        assert all(scene.heard_after_the_last_kill())
        gaps = scene.gaps_s()
        figures = {"calls": CALLS, "kills": KILLS, "workers": workers, "gaps": len(gaps)}
        for share in (0.5, 0.99) if gaps else ():
            figures[f"p{100 * share:g}_ms"] = round(1000 * percentile(gaps, share))
        sys.stdout.write(json.dumps({"bench": "worker_kills", **figures}) + "\n")
        await scene.hang_up()
        await rig.last_record(CALLS)
        records = await rig.records()
        assert [record["reason"] for record in records] == ["caller_hangup"] * CALLS
        if workers == 1:
            assert [len(gaps_of(record)) for record in records] == [KILLS] * CALLS
        assert sum(len(gaps_of(record)) for record in records) > 0
        assert (await rig.asked("health"))["workers_died"] >= KILLS
        await rig.quiet()
        await assert_books_are_exact(rig, records)


async def test_media_goes_on_while_control_stands_still(tmp_path: Path) -> None:
    """Money is held for half a minute ahead: ten seconds without control cost nobody a word."""
    async with SwitchRig(tmp_path) as rig:
        scene = KillScene(rig, 5, SEED)
        await scene.place()
        await asyncio.sleep(2.0)
        assert rig.process is not None
        loop = asyncio.get_running_loop()
        begin = loop.time()
        os.kill(rig.process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(STOPPED_S)
        finally:
            os.kill(rig.process.pid, signal.SIGCONT)
        end = loop.time()
        await asyncio.sleep(2.0)
        assert await scene.talking() == 5
        for talk in scene.talks:
            for phone in talk.sides():
                times = [one.at for one in phone.media.heard if begin < one.at < end]
                assert len(times) >= 0.9 * STOPPED_S * 50
                assert max(b - a for a, b in pairwise(times)) < 1.0
        await scene.hang_up()
        await rig.last_record(5)
        records = await rig.records()
        assert [record["reason"] for record in records] == ["caller_hangup"] * 5
        assert all(record["talked_s"] > STOPPED_S + 3 for record in records)
        await rig.quiet()
        await assert_books_are_exact(rig, records)


async def test_paid_time_that_ends_while_control_stands_still_ends_the_talk(
    tmp_path: Path,
) -> None:
    poor = """
[[house.account]]
owner = "poor"
numbers = ["+15551900001"]
amount_micros = 9_000
"""
    async with SwitchRig(tmp_path, more=poor) as rig:
        gateway, outside = await rig.gateway(), await rig.outside()
        call = await gateway.call("15551900001")
        there = await outside.incoming()
        there.answer()
        await rig.until("talking")
        begin = asyncio.get_running_loop().time()
        assert rig.process is not None
        os.kill(rig.process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(STOPPED_S)
            last_heard_s = there.media.heard[-1].at - begin
        finally:
            os.kill(rig.process.pid, signal.SIGCONT)
        assert last_heard_s < 5.0
        record = await rig.last_record()
        assert record["reason"] in {"funds", "metering_lost"}
        assert record["talked_s"] <= 5.0
        assert record["charge"] <= 9_000
        assert call.ended.is_set()
        await rig.quiet()
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
