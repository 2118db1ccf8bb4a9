from pathlib import Path

import pytest

from tests.support.peers.pjsua2_child import pjsua2_phone
from tests.support.peers.talk import NUMBER, SHARE_MIN, answered_call, heard_in, hum, talk
from tests.support.switch_rig import SwitchRig, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

ACCEPTING = "15552000001"
"""Must be accepted by a key."""


@pytest.mark.parametrize("terminal", ["T1", "T2"], ids=["md5", "sha-256"])
async def test_pjsua2_registers_calls_and_talks_both_ways(tmp_path: Path, terminal: str) -> None:
    async with SwitchRig(tmp_path) as rig, pjsua2_phone(tmp_path) as peer:
        outside = await rig.outside()
        password = (rig.data / "keys" / f"terminal-{terminal}.password").read_text().strip()
        user, host = terminal.lower(), f"127.0.0.1:{rig.sip_port}"
        peer.order("register", f"sip:{user}@{host}", f"sip:{host}", user, password)
        assert await peer.report("registered") == "registered 200"
        peer.order("call", f"sip:{NUMBER}@{host}")
        there = await answered_call(outside)
        await talk(rig, there)
        peer.order("hang_up")
        await within(20, there.ended)
        await peer.report("ended")
        await peer.go()
        assert heard_in(peer.heard) > SHARE_MIN
        record = await rig.last_record()
        assert (record["reason"], record["terminal"]) == ("caller_hangup", terminal)


async def test_pjsua2_is_called_accepts_by_a_key_and_talks_both_ways(tmp_path: Path) -> None:
    async with (
        SwitchRig(tmp_path) as rig,
        pjsua2_phone(tmp_path, port=rig.trunk_port) as peer,
    ):
        terminal = await rig.terminal("T2")
        peer.order("wait", f"sip:+{ACCEPTING}@127.0.0.1:{rig.trunk_port}")
        await peer.report("waiting")
        call = await terminal.call(ACCEPTING)
        await within(10, call.answered)
        hum(call)
        await peer.report("talking")
        await rig.until("greeting")
        peer.order("keys", "1")
        await talk(rig, call)
        call.hang_up()
        assert await peer.report("ended") == "ended 200"
        await peer.go()
        assert heard_in(peer.heard) > SHARE_MIN
        record = await rig.last_record()
        assert (record["reason"], record["acceptance"]["how"]) == ("caller_hangup", "1")
