from pathlib import Path

import pytest

from tests.support.peers.baresip import baresip, heard
from tests.support.peers.program import listening
from tests.support.peers.talk import (
    NUMBER,
    SHARE_MIN,
    answered_call,
    heard_in,
    hum,
    talk,
    wait_for_file,
)
from tests.support.switch_rig import SwitchRig, free_port, within

pytestmark = [pytest.mark.live, pytest.mark.slow]


async def test_baresip_registers_calls_and_talks_both_ways(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside = await rig.outside()
        password = (rig.data / "keys" / "terminal-T1.password").read_text().strip()
        host = f"127.0.0.1:{rig.sip_port}"
        account = f"<sip:t1@{host}>;auth_user=t1;auth_pass={password};regint=300"
        dial = f"sip:{NUMBER}@{host}"
        async with baresip(tmp_path, account, port=free_port(), media=free_port(), dial=dial):
            there = await answered_call(outside)
            await talk(rig, there)
            assert (await rig.asked("health"))["bindings"] == 1
            there.hang_up()
            record = await rig.last_record()
        assert heard_in(await wait_for_file(lambda: heard(tmp_path))) > SHARE_MIN
        assert (record["reason"], record["terminal"]) == ("called_hangup", "T1")


async def test_baresip_is_called_and_talks_both_ways(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        terminal = await rig.terminal("T2")
        account = f"<sip:+{NUMBER}@127.0.0.1:{rig.trunk_port}>;regint=0;answermode=auto"
        async with baresip(tmp_path, account, port=rig.trunk_port, media=free_port()):
            await listening(rig.trunk_port)
            call = await terminal.call(NUMBER)
            await within(10, call.answered)
            hum(call)
            await talk(rig, call)
            call.hang_up()
            record = await rig.last_record()
        assert heard_in(await wait_for_file(lambda: heard(tmp_path))) > SHARE_MIN
        assert record["reason"] == "caller_hangup"
