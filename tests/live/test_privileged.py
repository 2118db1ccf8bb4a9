"""An attorney's call: nothing that could hear exists. calls.md section 6, on the real switch."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from switch.lab import sounds
from tests.support.switch_rig import SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

ATTORNEY = "15553000001"


async def test_no_ring_row_digit_or_detection_exists_for_a_privileged_call(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call(ATTORNEY)
        await within(10, call.answered)
        there = await next_call(outside)
        held = await rig.asked("health")
        assert held["rings"] == 0, "a ring lives before the b-leg answers"
        for pid in held["worker_pids"]:  # P12: no sound in a core dump
            limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
            (core,) = [line.split() for line in limits if line.startswith("Max core file size")]
            assert core[4:6] == ["0", "0"]
        there.answer()
        row = await rig.until("talking")
        assert row["privileged"] is True
        # Everything that would be noticed on an ordinary call.
        there.media.say(sounds.tone(sounds.RINGBACK_HZ, 2.0))
        there.media.say(sounds.tone(sounds.DIAL_HZ, 1.0))
        call.media.press("159")
        there.media.press("7")
        await asyncio.sleep(4.0)
        held = await rig.asked("health")
        assert held["legs"] == 2
        assert held["rings"] == 0
        assert held["rows"] == 0
        row = (await rig.asked("calls", "list", rows=1))["live"][0]
        assert row["detections"] == []
        assert there.media.keys_heard == ["1", "5", "9"], "keys after acceptance are relayed"
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["class"] == "privileged"
        assert record["reason"] == "caller_hangup"
        assert record["payer"] == "agency_free"
        for sounding in ("evidence", "marks", "digits_after_accept"):
            assert record[sounding] == [], sounding
        assert record["recorded"] is False
        assert not record["recording_id"]


async def test_a_staff_cut_of_a_privileged_call_blocks_nothing(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call(ATTORNEY)
        there = await next_call(outside)
        there.answer()
        row = await rig.until("talking")
        await rig.asked("cut", call=row["call"], why="an order in writing", block=True)
        await within(20, call.ended)
        assert (await rig.last_record())["reason"] == "staff_cut"
        again = await gateway.call(ATTORNEY)
        assert await next_call(outside) is not None, "the attorney can still be called"
        again.hang_up()


async def test_two_people_are_needed_to_take_an_attorney_off_the_register(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        listed = await rig.asked("privileged", "list")
        assert len(listed) == 1
        assert (await rig.asked("privileged", "verify"))["whole"] is True


def break_register(database: Path) -> None:
    """Do to the file what somebody with a tool for databases might do."""
    with sqlite3.connect(database) as raw:
        of = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        for (name,) in raw.execute(of, ("privileged_register",)).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("DELETE FROM privileged_register")
    raw.close()


async def test_a_register_that_breaks_stops_the_inspection_of_calls_in_progress(
    tmp_path: Path,
) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        await asyncio.sleep(1.2)
        held = await rig.asked("health")
        assert (held["rings"], held["rows"]) == (2, 2)
        break_register(rig.data / "kinline.sqlite3")
        assert (await rig.asked("privileged", "verify"))["whole"] is False
        await asyncio.sleep(1.2)
        held = await rig.asked("health")
        assert (held["rings"], held["rows"], held["calls"]) == (0, 0, 1)
        assert held["register_fault"]
        there.media.say(sounds.tone(sounds.RINGBACK_HZ, 2.0))
        call.media.press("5")
        await asyncio.sleep(2.5)
        assert there.media.keys_heard == ["5"], "keys are relayed as on a privileged call"
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"
        assert record["evidence"] == record["digits_after_accept"] == []
