"""Calls over IPv6, and from IPv4 to IPv6: SIP and RTP, judged by what each side hears."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall
from tests.support.peers.talk import NUMBER, hears
from tests.support.switch_rig import SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

HERE_HZ, THERE_HZ = 400.0, 1000.0
"""Whole periods in a frame."""


class Ip6Rig(SwitchRig):
    """The switch with sockets of both families; its trunk and its gateway are at `::1`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, edit=self._with_ip6)

    def _with_ip6(self, text: str) -> str:
        text = text.replace("listen = [", f'listen = ["udp:[::1]:{self.sip_port}", ')
        text = text.replace("[media]\n", '[media]\naddress_ip6 = "::1"\n')
        text = text.replace("rate_exempt_networks = [", 'rate_exempt_networks = ["::1/128", ')
        return text.replace('host = "127.0.0.1"', 'host = "::1"')

    def phone6(self, user: str, port: int) -> LabPhone:
        """Make a telephone at `::1`."""
        return LabPhone(
            user=user,
            switch=("::1", self.sip_port),
            clock=self.clock,
            random=self.random,
            ip="::1",
            port=port,
        )


def hum(call: PhoneCall, frequency_hz: float) -> None:
    call.media.background = sounds.encode(sounds.tone([frequency_hz], 0.02, 0.3))


@pytest.mark.parametrize("caller", ["ip6 gateway", "ip4 terminal"])
async def test_a_call_to_a_trunk_at_ip6_talks_both_ways(tmp_path: Path, caller: str) -> None:
    rig = Ip6Rig(tmp_path)
    async with rig, AsyncExitStack() as life:
        outside = await life.enter_async_context(rig.phone6("outside", rig.trunk_port))
        if caller == "ip6 gateway":
            phone = await life.enter_async_context(rig.phone6("gateway", rig.gateway_port))
        else:
            phone = await rig.terminal("T2")
        call = await phone.call(NUMBER)
        await within(10, call.answered)
        there = await next_call(outside)
        there.answer()
        assert call.remote is not None
        assert (":" in call.remote.ip) is (caller == "ip6 gateway")
        assert there.remote is not None
        assert there.remote.ip == "::1"
        hum(call, HERE_HZ)
        hum(there, THERE_HZ)
        await asyncio.gather(hears(there.media, HERE_HZ), hears(call.media, THERE_HZ))
        call.hang_up()
        await within(10, there.ended)
        assert (await rig.last_record())["reason"] == "caller_hangup"
        await rig.quiet()
