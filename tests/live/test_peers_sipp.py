import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.peers.program import listening
from tests.support.peers.sipp_phone import Sound, sipp
from tests.support.peers.talk import (
    NUMBER,
    OUR_HZ,
    PEER_HZ,
    answered_call,
    hears,
    hum,
)
from tests.support.switch_rig import SwitchRig, free_port, within

pytestmark = [pytest.mark.live, pytest.mark.slow]


@asynccontextmanager
async def sipp_terminal(
    rig: SwitchRig, folder: Path, sound: Sound
) -> AsyncIterator[asyncio.subprocess.Process]:
    """T1 registers, then calls: SIPp has one digest URI per run, and they differ."""
    password = (rig.data / "keys" / "terminal-T1.password").read_text().strip()
    host, port = f"127.0.0.1:{rig.sip_port}", free_port()
    words = [host, "-s", NUMBER, "-key", "line", "t1", "-au", "t1", "-ap", password, "-auth_uri"]
    async with sipp(folder, "register", *words, host, sound="echoes", port=port) as peer:
        assert await asyncio.wait_for(peer.wait(), 20) == 0
    assert (await rig.asked("health"))["bindings"] == 1
    uri = f"{NUMBER}@{host}"
    async with sipp(folder, "terminal", *words, uri, sound=sound, port=port) as peer:
        yield peer


async def test_sipp_registers_and_calls_and_its_tone_is_heard_outside(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside = await rig.outside()
        async with sipp_terminal(rig, tmp_path, "streams") as peer:
            there = await answered_call(outside)
            await hears(there.media, PEER_HZ)
            there.hang_up()
            assert await asyncio.wait_for(peer.wait(), 20) == 0
        record = await rig.last_record()
        assert (record["reason"], record["terminal"]) == ("called_hangup", "T1")


async def test_sipp_calls_and_hears_the_outside(tmp_path: Path) -> None:
    """It echoes: what the outside says comes back to it through both legs."""
    async with SwitchRig(tmp_path) as rig:
        outside = await rig.outside()
        async with sipp_terminal(rig, tmp_path, "echoes") as peer:
            there = await answered_call(outside)
            await hears(there.media, OUR_HZ)
            there.hang_up()
            assert await asyncio.wait_for(peer.wait(), 20) == 0


async def test_sipp_is_called_and_its_tone_is_heard_at_the_terminal(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        terminal = await rig.terminal("T1")
        async with sipp(tmp_path, "outside", sound="streams", port=rig.trunk_port) as peer:
            await listening(rig.trunk_port)
            call = await terminal.call(NUMBER)
            await within(10, call.answered)
            await hears(call.media, PEER_HZ)
            call.hang_up()
            assert await asyncio.wait_for(peer.wait(), 20) == 0
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"


async def test_sipp_is_called_and_hears_the_terminal(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        terminal = await rig.terminal("T2")
        async with sipp(tmp_path, "outside", sound="echoes", port=rig.trunk_port) as peer:
            await listening(rig.trunk_port)
            call = await terminal.call(NUMBER)
            await within(10, call.answered)
            hum(call)
            await hears(call.media, OUR_HZ)
            call.hang_up()
            assert await asyncio.wait_for(peer.wait(), 20) == 0


async def test_sipp_talks_to_sipp(tmp_path: Path) -> None:
    """Both stream: each leg's packets arrive at the other, and none is lost."""
    async with (
        SwitchRig(tmp_path) as rig,
        sipp(tmp_path, "outside", sound="streams", port=rig.trunk_port) as far,
    ):
        await listening(rig.trunk_port)
        async with sipp_terminal(rig, tmp_path, "streams") as near:
            row = await rig.until("talking")
            await until_talked(rig, 3)
            await rig.asked(
                "cut", call=row["call"], why="the test is over", terminal_off_s=0, block=False
            )
            assert await asyncio.wait_for(near.wait(), 30) == 0
            assert await asyncio.wait_for(far.wait(), 30) == 0
        record = await rig.last_record()
        assert record["reason"] == "staff_cut"
        shown = await rig.asked("calls", "show", call=record["call_id"])
        assert all(leg["packets"] > 100 and not leg["lost"] for leg in shown["legs"])


async def until_talked(rig: SwitchRig, seconds: int) -> None:
    async with asyncio.timeout(30):
        while True:
            rows = (await rig.asked("calls", "list", rows=1))["live"]
            if rows and (rows[0]["talked_s"] or 0) >= seconds:
                return
            await asyncio.sleep(0.2)
