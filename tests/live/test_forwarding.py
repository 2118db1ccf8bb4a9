"""What a carrier says of forwarding, from its header to the detectors' evidence and the record."""

import asyncio
from pathlib import Path

import pytest

from switch.lab import sounds
from tests.support.switch_rig import SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

HISTORY = (
    "History-Info",
    "<sip:15551000001@127.0.0.1>;index=1, <sip:15552340099@127.0.0.1;cause=302>;index=1.1;mp=1",
)


async def test_history_info_and_a_second_ringing_tone_are_one_alarm_and_a_hold_is_allowed(
    tmp_path: Path,
) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        outside.respond(there.dialog, 180, headers=(HISTORY,))
        there.answer()
        await rig.until("talking")
        await asyncio.sleep(0.5)
        there.media.say(sounds.tone([440, 480], 2.0))
        await asyncio.sleep(3.5)
        there.hold()
        await asyncio.sleep(0.5)
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        marks = {mark["kind"]: mark["detail"] for mark in record["marks"]}
        assert marks["forwarding"] == {
            "form": "history_info", "reason": "302", "target": "15552340099",
        }  # fmt: skip
        assert marks["far_end_hold"] == {"form": "sendonly"}
        (alarm,) = [e for e in record["evidence"] if e["kind"] == "forwarded"][:1]
        assert {entry["cue"] for entry in alarm["cues"]} >= {"F1", "F2"}
        shown = await rig.asked("calls", "show", call=record["call_id"])
        assert [leg["forwarding"] for leg in shown["legs"]] == [[], ["history_info"]]
        assert (await rig.quiet())["dialogs"] in ({}, 0)
