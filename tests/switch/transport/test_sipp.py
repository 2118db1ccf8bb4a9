"""SIPp calls us and is called by us: plain, and through a relay that loses a fifth both ways."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from switch.sip.events import AckMissing, Answered, ByeReceived, InviteReceived, InviteTimedOut
from tests.support.lossy_relay import LossyRelay
from tests.support.sip_side import Side, opened, until

SIPP = shutil.which("sipp")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(SIPP is None, reason="SIPp is not installed (package sip-tester)"),
]
CALLS = 200
SCENARIO = Path(__file__).parents[2] / "support" / "sipp" / "uac_transactions.xml"
PATIENT = ("-default_behaviors", "all,-abortunexp")
"""SIPp gives a call up at a message that comes twice or late, unless it is told not to."""


@asynccontextmanager
async def sipp(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    assert SIPP is not None
    process = await asyncio.create_subprocess_exec(
        SIPP, *arguments, "-nostdin", "-trace_err",
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def free_port() -> int:
    return Random().randrange(21_000, 29_000) & ~1


def caller(port: int, to: tuple[str, int], calls: int, *more: str) -> list[str]:
    return [
        "-sf", str(SCENARIO), "-key", "line", "15550199", f"{to[0]}:{to[1]}", "-i", "127.0.0.1",
        "-p", str(port), "-m", str(calls), "-r", "20", "-d", "300", "-timeout", "100",
        *PATIENT, *more,
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_sipp_calls_us(tmp_path: Path, transport: str) -> None:
    side = Side(f"{'udp' if transport == 'u1' else 'tcp'}:127.0.0.1:0", 1)
    side.on_event = side.answer
    async with opened(side):
        arguments = caller(free_port(), side.address, 50, "-t", transport)
        async with sipp(tmp_path, *arguments) as process:
            assert await asyncio.wait_for(process.wait(), 60) == 0
    assert (side.count(InviteReceived), side.count(ByeReceived)) == (50, 50)
    assert not side.stack.counts().dialogs


@pytest.mark.slow
async def test_we_call_sipp(tmp_path: Path) -> None:
    side, port = Side("udp:127.0.0.1:0", 1), free_port()
    side.on_event = side.hang_up
    async with opened(side), sipp(tmp_path, "-sn", "uas", "-i", "127.0.0.1", "-p", str(port)):
        await asyncio.sleep(0.5)
        for _ in range(50):
            side.call("udp", ("127.0.0.1", port))
        await until(lambda: side.count(Answered) == 50, 30.0)
        await until(lambda: not side.stack.counts().dialogs, 30.0)


@pytest.mark.slow
async def test_two_hundred_calls_of_sipp_through_a_relay_that_loses_a_fifth(tmp_path: Path) -> None:
    side, port = Side("udp:127.0.0.1:0", 1), free_port()
    side.on_event = side.answer
    async with opened(side):
        with LossyRelay(side.address, ("127.0.0.1", port), seed=3, duplicates=0.1) as relay:
            arguments = caller(port, relay.front, CALLS)
            async with sipp(tmp_path, *arguments) as process:
                code = await asyncio.wait_for(process.wait(), 120)
            await until(lambda: not side.stack.counts().dialogs, 40.0)
        assert code == 0
        assert relay.lost > CALLS
    assert side.count(InviteReceived) == side.count(ByeReceived) == CALLS
    assert not side.count(AckMissing)


@pytest.mark.slow
async def test_we_call_sipp_through_the_relay(tmp_path: Path) -> None:
    side, port = Side("udp:127.0.0.1:0", 1), free_port()
    side.on_event = side.hang_up
    arguments = ["-sn", "uas", "-i", "127.0.0.1", "-p", str(port), *PATIENT]
    async with opened(side), sipp(tmp_path, *arguments):
        await asyncio.sleep(0.5)
        with LossyRelay(side.address, ("127.0.0.1", port), seed=5, duplicates=0.1) as relay:
            for _ in range(CALLS):
                side.call("udp", relay.back)
                await asyncio.sleep(0.02)
            await until(lambda: side.count(Answered) == CALLS, 60.0)
            # SIPp forgets a call that it thinks is over: a lost 200 to our BYE stays lost
            await until(lambda: set(side.stack.counts().dialogs) <= {"ENDING"}, 10.0)
        assert relay.lost > CALLS
    assert not side.count(InviteTimedOut)
