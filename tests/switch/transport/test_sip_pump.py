"""The pump on real loopback sockets."""

import asyncio
import socket
from contextlib import suppress

import pytest

from switch.sip.events import (
    AckReceived,
    Answered,
    ByeReceived,
    Dropped,
    Flow,
    InviteReceived,
    InviteTimedOut,
)
from tests.support.lossy_relay import LossyRelay
from tests.support.sip_side import Side, opened, until
from tests.vectors import messages

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "listen", ["udp:127.0.0.1:0", "udp:[::1]:0", "tcp:127.0.0.1:0", "tcp:[::1]:0"]
)
async def test_a_call_over_real_sockets(listen: str) -> None:
    a, b = Side(listen, 1), Side(listen, 2)
    a.on_event, b.on_event = a.hang_up, b.answer
    async with opened(a, b):
        a.call(listen[:3], b.address)
        await until(lambda: b.count(ByeReceived) == 1)
        await until(lambda: not a.stack.counts().dialogs)
    assert (a.count(Answered), b.count(AckReceived)) == (1, 1)


async def test_an_invite_to_a_closed_port_fails_at_once() -> None:
    for transport in ("udp", "tcp"):
        a, closed = Side(f"{transport}:127.0.0.1:0", 1), Side(f"{transport}:127.0.0.1:0", 2)
        async with opened(a, closed):
            nobody = closed.address
            await closed.pump.close()
            a.call(transport, nobody)
            await until(lambda a=a: a.count(InviteTimedOut) == 1, 2.0)  # type: ignore[misc]


async def test_an_address_that_is_taken_says_so_and_nothing_stays_open() -> None:
    a = Side("udp:127.0.0.1:0", 1)
    async with opened(a):
        b = Side(a.pump.bound[0], 2)
        with pytest.raises(OSError, match="in use"):
            await b.pump.start()
        assert b.pump.bound == []


async def test_a_stranger_on_tcp_is_held_in_silence_and_then_closed() -> None:
    side = Side("tcp:127.0.0.1:0", 1, known=False, first_request_s_max=0.2)
    async with opened(side):
        reader, writer = await asyncio.open_connection(*side.address)
        writer.write(messages.request())
        seen = b""
        with suppress(ConnectionResetError):  # what it sent was never read
            async with asyncio.timeout(2.0):
                seen = await reader.read()
        assert seen == b""
        writer.close()
    assert side.events == []


async def test_lost_framing_is_answered_and_the_connection_closed() -> None:
    side = Side("tcp:127.0.0.1:0", 1)
    async with opened(side):
        reader, writer = await asyncio.open_connection(*side.address)
        writer.write(messages.request(length="x"))
        async with asyncio.timeout(2.0):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"SIP/2.0 400 ")


async def test_a_message_in_pieces_and_two_at_once_are_cut_by_their_length() -> None:
    side = Side("tcp:127.0.0.1:0", 1)
    options = messages.request(line="OPTIONS sip:x@y SIP/2.0", cseq="1 OPTIONS", body=b"")
    async with opened(side):
        reader, writer = await asyncio.open_connection(*side.address)
        writer.write(options + options[:40])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(options[40:])
        async with asyncio.timeout(2.0):
            seen = b""
            while seen.count(b"SIP/2.0 200 OK") < 2:
                seen += await reader.read(4096)
        writer.close()


async def test_unknown_datagrams_are_counted_and_not_answered() -> None:
    side = Side("udp:127.0.0.1:0", 1, known=False)
    async with opened(side):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.sendto(messages.request(), side.address)
            await until(lambda: side.count(Dropped) == 1)
    flow = next(e.flow for e in side.events if isinstance(e, Dropped))
    assert flow == Flow("udp", flow.local, flow.peer)


@pytest.mark.slow
async def test_forty_calls_through_a_relay_that_loses_a_fifth() -> None:
    a, b = Side("udp:127.0.0.1:0", 1), Side("udp:127.0.0.1:0", 2)
    a.on_event, b.on_event = a.hang_up, b.answer
    async with opened(a, b):
        relay = LossyRelay(b.address, a.address, seed=7, loss=0.2, duplicates=0.1, delay_s=0.05)
        with relay:
            for _ in range(40):
                a.call("udp", relay.front)
            await until(lambda: b.count(ByeReceived) == 40, 40.0)
            await until(lambda: not a.stack.counts().dialogs, 40.0)
        counts = b.stack.counts()
        assert counts.responses["out:100"] == 40
        assert relay.lost > 20
        assert relay.doubled > 5
    assert (a.count(Answered), b.count(InviteReceived)) == (40, 40)
    assert not b.stack.counts().dialogs
