"""Two hundred calls over wires that lose, repeat and reorder, on both sides of the switch."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from switch.lab.phone import LabPhone, PhoneCall
from tests.support.lossy_relay import LossyRelay
from tests.support.switch_rig import SwitchRig, free_port, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

CALLS = 200
CALLS_PER_SECOND = 10
SECONDS_MAX = 40.0
"""Of one step: a sending that is lost three times comes after 3.5 s, and a step has several."""
TALK_S = 1.2
OPENED_WITH = 1_000_000
"""What each called number's account holds at the start."""


def number_of(n: int) -> str:
    return f"+15551{n:06d}"


def sound_of(n: int) -> bytes:
    return bytes([n % 100, 0x80 + n // 100]) * 80


def wide(text: str) -> str:
    """No limit of the gateway is in the way: what is tried here is the wire."""
    return text.replace("anonymous_lines = true", "anonymous_lines = true\nchannels_max = 1000", 1)


def phone(rig: SwitchRig, user: str, relay: LossyRelay, port: int) -> LabPhone:
    return LabPhone(
        user=user,
        switch=relay.front,
        port=port,
        clock=rig.clock,
        random=rig.random,
        speaks_always=False,
    )


class Outside:
    """Answers what comes, and keeps it by the number that was dialled."""

    def __init__(self, there: LabPhone) -> None:
        self._phone = there
        self._came: dict[str, asyncio.Future[PhoneCall]] = {}
        self.came = 0

    def of(self, number: str) -> asyncio.Future[PhoneCall]:
        return self._came.setdefault(number, asyncio.get_running_loop().create_future())

    async def run(self) -> None:
        while True:
            call = await self._phone.incoming()
            assert call.invite is not None
            self.came += 1
            call.answer()
            self.of(call.invite.uri.removeprefix("sip:").partition("@")[0]).set_result(call)


async def one_call(n: int, gateway: LabPhone, outside: Outside) -> None:
    await asyncio.sleep(n / CALLS_PER_SECOND)
    call = await gateway.call(number_of(n).removeprefix("+"))
    await within(SECONDS_MAX, call.answered)
    async with asyncio.timeout(SECONDS_MAX):
        there = await outside.of(number_of(n))
        while not any(heard.payload == sound_of(n) for heard in call.media.heard):
            there.media.say(sound_of(n))
            await asyncio.sleep(0.1)
    await asyncio.sleep(TALK_S)
    first, last = (call, there) if n % 2 else (there, call)
    first.hang_up()
    await within(SECONDS_MAX, last.ended)


async def without_transactions(rig: SwitchRig) -> dict[str, Any]:
    """Wait until the last answer is forgotten (RFC 3261 timers: 32 s); return what is held."""
    async with asyncio.timeout(SECONDS_MAX):
        while (held := await rig.asked("health"))["transactions"]:
            await asyncio.sleep(0.5)
    return dict(held)


def assert_billed_once(
    records: list[dict[str, Any]], accounts: list[dict[str, Any]], reasons: tuple[str, str]
) -> None:
    by_number = {record["number"]: record for record in records}
    assert len(by_number) == len(records) == CALLS
    left = {account["numbers"][0]: account for account in accounts if account["numbers"]}
    for n in range(CALLS):
        record = by_number[number_of(n)]
        assert record["reason"] == reasons[n % 2]
        assert record["talked_s"] >= 1.0
        assert record["charge"] == 110_000 * int(record["talked_s"]) // 60
        account = left[number_of(n)]
        assert account["posted_micros"] == OPENED_WITH - record["charge"]
        assert account["held"] == "0.00"


SCRIPT = """
announcements = "none"
# The telephones say one thing and are silent then, and a BYE may take ten seconds to get through.
media_lost_s = 60
"""


async def test_two_hundred_calls_through_relays_that_lose_a_fifth(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, script=SCRIPT, edit=wide) as rig:
        inside_port, outside_port = free_port(), free_port()
        inside_at, outside_at = ("127.0.0.1", inside_port), ("127.0.0.1", outside_port)
        with (
            LossyRelay(rig.address, inside_at, seed=7, back_port=rig.gateway_port) as inner,
            LossyRelay(rig.address, outside_at, seed=8, back_port=rig.trunk_port) as outer,
        ):
            async with (
                phone(rig, "gateway", inner, inside_port) as gateway,
                phone(rig, "outside", outer, outside_port) as far,
                asyncio.TaskGroup() as watching,
            ):
                outside = Outside(far)
                answering = watching.create_task(outside.run())
                async with asyncio.TaskGroup() as group:
                    for n in range(CALLS):
                        group.create_task(one_call(n, gateway, outside))
                await rig.last_record(CALLS)
                await rig.quiet()
                held = await without_transactions(rig)
                answering.cancel()
            assert inner.lost > CALLS
            assert outer.lost > CALLS
        assert outside.came == CALLS
        records = await rig.records()
        accounts = await rig.asked("account", "list", kind="called_prepaid", owner="", rows=1000)
        assert_billed_once(records, accounts, ("called_hangup", "caller_hangup"))
        for name in (
            "calls",
            "terminals_busy",
            "persons_busy",
            "dialog_listeners",
            "rings",
            "rows",
        ):
            assert held[name] == 0, name
        assert [trunk["channels"] for trunk in held["trunks"]] == [0]
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
