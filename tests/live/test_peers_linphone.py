from pathlib import Path

import pytest

from tests.support.peers.linphone import linphone
from tests.support.peers.program import listening
from tests.support.peers.talk import (
    NUMBER,
    SHARE_MIN,
    answered_call,
    heard_in,
    hum,
    registered,
    talk,
)
from tests.support.switch_rig import SwitchRig, within

pytestmark = [pytest.mark.live, pytest.mark.slow]


@pytest.mark.parametrize("terminal", ["T1", "T2"], ids=["md5", "sha-256"])
async def test_linphone_registers_calls_and_talks_both_ways(tmp_path: Path, terminal: str) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside = await rig.outside()
        password = (rig.data / "keys" / f"terminal-{terminal}.password").read_text().strip()
        host = f"127.0.0.1:{rig.sip_port}"
        async with linphone(tmp_path, user=terminal.lower(), host=host, password=password) as peer:
            await registered(rig)
            peer.order(f"call sip:{NUMBER}@{host}")
            there = await answered_call(outside)
            await peer.use_files()
            await talk(rig, there)
            await peer.quit()
            await within(20, there.ended)
            assert heard_in(peer.heard) > SHARE_MIN
        record = await rig.last_record()
        assert (record["reason"], record["terminal"]) == ("caller_hangup", terminal)


async def test_linphone_is_called_and_talks_both_ways(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        terminal = await rig.terminal("T2")
        async with linphone(tmp_path, user="outside", port=rig.trunk_port, answers=True) as peer:
            await listening(rig.trunk_port)
            call = await terminal.call(NUMBER)
            await within(10, call.answered)
            hum(call)
            await peer.use_files()
            await talk(rig, call)
            call.hang_up()
            record = await rig.last_record()
            await peer.quit()
            assert heard_in(peer.heard) > SHARE_MIN
        assert record["reason"] == "caller_hangup"
