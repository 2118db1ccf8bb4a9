import asyncio
from pathlib import Path

import pytest

from switch.call.speech import ENTER_PIN
from switch.lab import sounds
from switch.media.prompt_book import PhraseBook
from tests.support.switch_rig import ROOT, SwitchRig, next_call, spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]


async def test_a_passive_call_from_a_gateway_talks_both_ways_and_is_charged(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call("15551000001")
        await within(10, call.answered)
        there = await next_call(outside)
        there.answer()
        await asyncio.sleep(1.0)
        call.media.say(sounds.tone([440], 2.0))
        there.media.say(sounds.tone([1000], 2.0))
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(2.5)
        heard_there = there.media.heard_sound(since=began + 0.3, until=began + 1.8)
        heard_here = call.media.heard_sound(since=began + 0.3, until=began + 1.8)
        assert sounds.power_at(heard_there, 440) > 0.9
        assert sounds.power_at(heard_here, 1000) > 0.9
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"
        assert record["charge"] == 110_000 * int(record["talked_s"]) // 60
        held = await rig.quiet()
        assert held["persons_busy"] == held["terminals_busy"] == 0
        assert (await rig.asked("ledger", "verify")) is not None


async def test_a_person_keys_a_pin_and_a_number_and_is_accepted(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, terminal = await rig.outside(), await rig.terminal("T3")
        call = await terminal.call("call")
        await within(10, call.answered)
        await rig.until("pin")
        call.media.press("1234561357")
        # The name is asked for once, and kept.
        await asyncio.sleep(6.0)
        call.media.say(sounds.voice(rig.data / "prompts" / "en" / "n1.ulaw"))
        await rig.until("number")
        call.media.press("15552000001")
        there = await next_call(outside)
        there.ring()
        there.answer()
        await rig.until("greeting")
        there.media.press("1")
        await rig.until("talking")
        there.hang_up()
        await within(15, call.ended)
        record = await rig.last_record()
        assert record["reason"] == "called_hangup"
        assert record["person"] == "123456"
        assert record["acceptance"]["how"] == "1"
        assert "end_called_hangup" in spoken(record, "a")
        asked = next(said for said in record["prompts"] if said["prompts"] == ["enter_pin"])
        book = PhraseBook(rig.data, ROOT / "config" / "prompts")
        assert asked["versions"] == [book.version(ENTER_PIN, asked["language"])]
        assert call.reason.startswith("Q.850;cause=16")
