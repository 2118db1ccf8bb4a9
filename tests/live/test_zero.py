"""The end of money: to the second, shared by two calls, and with control dead."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from switch.lab.phone import LabPhone, PhoneCall
from switch.lab.phone_media import FRAME_S
from tests.support.switch_rig import SwitchRig, next_call, spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

MICROS_PER_MINUTE = 110_000
SEVEN_S = 12_834
HERE, THERE = bytes([0x35]) * 160, bytes([0x2A]) * 160
"""What each side sends all the time: loud, and known again byte by byte."""

WALL_S = 0.001
"""Bridge and end are steps of the monotonic clock, written down as wall time."""
PAID_AHEAD_S_MAX = 3.0
"""What a poor account has paid ahead at most."""

MORE = """
[[house.account]]
kind = "called_prepaid"
owner = "poor"
facility = "OPEN"
numbers = ["+15551900001", "+15551900002"]
amount_micros = {amount}
"""


def price_of(seconds: int) -> int:
    return MICROS_PER_MINUTE * seconds // 60


async def telephones(rig: SwitchRig) -> tuple[LabPhone, LabPhone]:
    return await rig.gateway(), await rig.outside()


async def talk(gateway: LabPhone, outside: LabPhone, number: str) -> tuple[PhoneCall, PhoneCall]:
    """Set up a passive call; both sides speak without a pause."""
    call = await gateway.call(number)
    call.media.background = HERE
    await within(10, call.answered)
    there = await next_call(outside)
    there.media.background = THERE
    there.answer()
    return call, there


def heard_for(call: PhoneCall, frame: bytes) -> float:
    """For how long the other side was heard: from its first frame to the end of its last."""
    at = [heard.at for heard in call.media.heard if heard.payload == frame]
    assert at, "the other side was never heard"
    return at[-1] + FRAME_S - at[0]


async def purse(rig: SwitchRig) -> dict[str, Any]:
    return dict(await rig.asked("account", "show", account="+15551900001"))


async def assert_sound(rig: SwitchRig) -> None:
    assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}


async def test_money_for_seven_seconds_is_seven_seconds(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, more=MORE.format(amount=SEVEN_S)) as rig:
        call, there = await talk(*await telephones(rig), "15551900001")
        await within(25, call.ended)
        await within(5, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "funds"
        assert 7.0 <= record["talked_s"] <= 7.1
        assert record["charge"] == price_of(7) == 12_833
        wall = [datetime.fromisoformat(record[name]) for name in ("bridged_at", "ended_at")]
        assert 7.0 - WALL_S <= (wall[1] - wall[0]).total_seconds() <= 7.1
        # The same at the telephones, which hear in frames: the bridge falls inside one, and so
        # does the cut, on either leg.
        for side, frame in ((call, THERE), (there, HERE)):
            assert 7.0 - 2 * FRAME_S <= heard_for(side, frame) <= 7.1
        assert "end_funds" in spoken(record, "a") + spoken(record, "b")
        await rig.quiet()
        left = await purse(rig)
        assert (left["posted_micros"], left["held"]) == (SEVEN_S - 12_833, "0.00")
        await assert_sound(rig)


async def test_two_calls_at_once_never_take_more_than_the_account_holds(tmp_path: Path) -> None:
    amount = price_of(13) + 7
    async with SwitchRig(tmp_path, more=MORE.format(amount=amount)) as rig:
        gateway, outside = await telephones(rig)
        first, _ = await talk(gateway, outside, "15551900001")
        second, _ = await talk(gateway, outside, "15551900002")
        while not (first.ended.is_set() and second.ended.is_set()):
            assert (await purse(rig))["available_micros"] >= 0
            await asyncio.sleep(0.2)
        await rig.last_record(2)
        records = await rig.records()
        assert {record["reason"] for record in records} == {"funds"}
        for record in records:
            assert record["charge"] == price_of(int(record["talked_s"]))
        assert sum(record["charge"] for record in records) <= amount
        # Nothing is left that would have bought either of them a second more.
        left = await purse(rig)
        assert left["posted_micros"] == amount - sum(record["charge"] for record in records)
        assert 0 <= left["posted_micros"] <= price_of(1) + 1
        await rig.quiet()
        await assert_sound(rig)


async def test_control_killed_in_mid_call_loses_at_most_a_second(tmp_path: Path) -> None:
    amount = price_of(60)
    async with SwitchRig(tmp_path, more=MORE.format(amount=amount)) as rig:
        call, there = await talk(*await telephones(rig), "15551900001")
        await rig.until("talking")
        await asyncio.sleep(5.3)
        rig.kill()
        killed_at = asyncio.get_running_loop().time()
        while there.media.heard[-1].at > asyncio.get_running_loop().time() - 0.5:
            await asyncio.sleep(0.1)
        # The worker ended it alone: nobody said goodbye yet, and no sound flows.
        assert not there.ended.is_set()
        assert there.media.heard[-1].at - killed_at < PAID_AHEAD_S_MAX
        talked = heard_for(there, HERE)
        await rig.start()
        # Recovery says goodbye to both sides, settles the meter and writes the record.
        await within(10, call.ended)
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "metering_lost"
        assert call.reason.endswith('text="metering_lost"')
        assert abs(record["talked_s"] - talked) <= 0.1
        wall = [datetime.fromisoformat(record[name]) for name in ("bridged_at", "ended_at")]
        assert abs((wall[1] - wall[0]).total_seconds() - record["talked_s"]) < 0.05
        assert price_of(int(talked) - 1) <= record["charge"] <= price_of(int(record["talked_s"]))
        # The fault was ours, so the last minute comes back: here it is the whole call.
        back = sum(micros for _, micros in record["credits"])
        assert back == record["charge"]
        await rig.quiet()
        left = await purse(rig)
        assert (left["posted_micros"], left["held"]) == (amount - record["charge"] + back, "0.00")
        assert len(await rig.records()) == 1
        await assert_sound(rig)
