"""How each end reason is brought about from the outside: one scene for each way.

A scene is named by its reason, and after a colon by what is special about it.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from switch.errors import UserError
from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall
from switch.store.account_limits import Scope, set_limit
from tests.support.switch_ahead import FILE
from tests.support.switch_rig import SwitchRig, within

QUARTER_S = 900
HEARD_S = 2
"""Whole seconds in which both are heard before one falls silent for good."""

DEAD_S = 2
"""How long one side is unheard before its line fails."""

EVERY_OTHER_QUARTER = ", ".join(
    f'{{ start = "{hour:02d}:{minute:02d}", end = "{hour:02d}:{minute + 15:02d}" }}'
    for hour in range(24)
    for minute in (0, 30)
)

SCRIPT = """
ring_s_max = 5
greeting_rounds_max = 1
answer_wait_s = 1
inactivity_s_max = 120
"""

MORE = f"""
[[house.account]]
owner = "poor"
numbers = ["+15551900001"]
amount_micros = 5_000

[[house.account]]
owner = "limited"
numbers = ["+15551900002"]
amount_micros = 1_000_000

# Less than two minutes: money is held for two or three seconds at a time.
[[house.account]]
owner = "hand to mouth"
numbers = ["+15551900003"]
amount_micros = 200_000

[[house.account]]
owner = "by the hour"
numbers = ["+15551900004"]
amount_micros = 1_000_000

[[house.account]]
owner = "short"
numbers = ["+15551900005"]
amount_micros = 1_000_000

[[house.terminal]]
user = "t5"
terminal = {{ id = "T5", facility = "OPEN" }}

[[house.terminal]]
user = "t6"
terminal = {{ id = "T6", facility = "OPEN" }}

[[house.number]]
pattern = "+15551900004"
facility = "OPEN"
treatment = {{ passive = true, schedule = {{ open = [{EVERY_OTHER_QUARTER}] }} }}

[[house.number]]
pattern = "+15551900005"
facility = "OPEN"
treatment = {{ passive = true, limits = {{ call_minutes_max = 1 }} }}
"""


# ---- the house


@dataclass
class House:
    """The switch and the telephones around it."""

    rig: SwitchRig
    outside: LabPhone
    gateway: LabPhone
    terminals: dict[str, LabPhone]

    async def there(self, number: str) -> PhoneCall:
        """Wait for the call to this number at the outside."""
        async with asyncio.timeout(30):
            while True:
                for call in self.outside.calls:
                    if call.invite is not None and f"+{number}@" in call.invite.uri:
                        return call
                await asyncio.sleep(0.02)

    async def talk(self, number: str, *, seconds: float = 2.5) -> "Placed":
        """Call a passive number from the gateway and talk."""
        call = await self.gateway.call(number)
        there = await self.there(number)
        there.answer()
        await asyncio.sleep(seconds)
        return Placed(number, call, there)

    async def talk_at(self, terminal: str, number: str) -> "Placed":
        """Call a passive number from a terminal and talk for a moment."""
        call = await self.terminals[terminal].call(number)
        there = await self.there(number)
        there.answer()
        await asyncio.sleep(2.5)
        return Placed(number, call, there)

    async def greeted(self, number: str) -> "Placed":
        """Call a number that must accept; it picks up."""
        call = await self.gateway.call(number)
        there = await self.there(number)
        there.ring()
        there.answer()
        await asyncio.sleep(1.0)
        return Placed(number, call, there)

    async def live(self) -> list[dict[str, Any]]:
        """Return a row for each live call."""
        return list((await self.rig.asked("calls", "list", rows=1))["live"])

    async def until(self, terminal: str, state: str, *, call: int = 0) -> int:
        """Wait until a terminal's call (this one, if said) is in a state; return its id."""
        async with asyncio.timeout(30):
            while True:
                for row in await self.live():
                    fits = (row["terminal"], row["state"]) == (terminal, state)
                    if fits and call in {0, row["call"]}:
                        return int(row["call"])
                await asyncio.sleep(0.05)


@dataclass
class Placed:
    """A call of which both ends are known."""

    number: str
    here: PhoneCall
    there: PhoneCall


class HouseAhead(SwitchRig):
    """The switch whose wall clock can be set ahead."""

    program = "tests.support.switch_ahead"


# ---- how each is brought about

Scene = Callable[[House], Awaitable[Placed]]
SCENES: dict[str, Scene] = {}


def ends_as(name: str) -> Callable[[Scene], Scene]:
    """Name the scene by its ending."""

    def keep(scene: Scene) -> Scene:
        SCENES[name] = scene
        return scene

    return keep


def refused_by_trunk(number: str, status: int, *headers: tuple[str, str]) -> Scene:
    """Make the scene of a call that the trunk refuses."""

    async def scene(house: House) -> Placed:
        call = await house.gateway.call(number)
        there = await house.there(number)
        there.refuse(status, headers)
        return Placed(number, call, there)

    return scene


CONTACT = ("Contact", "<sip:+15550100199@127.0.0.1>")

SCENES |= {
    "busy": refused_by_trunk("15552000021", 486),
    "no_answer": refused_by_trunk("15552000022", 480),
    "bad_number": refused_by_trunk("15552000023", 404),
    "congestion": refused_by_trunk("15552000024", 500),
    "rejected_by_network": refused_by_trunk("15552000025", 403),
    "redirected": refused_by_trunk("15552000026", 302, CONTACT),
}


@ends_as("no_answer: it rings too long")
async def it_rings_too_long(house: House) -> Placed:
    """After five seconds of ringing, by the settings above."""
    call = await house.gateway.call("15552000030")
    there = await house.there("15552000030")
    there.ring()
    return Placed("15552000030", call, there)


@ends_as("refused")
async def key_2(house: House) -> Placed:
    placed = await house.greeted("15552000027")
    placed.there.media.press("2")
    return placed


@ends_as("blocked_by_called")
async def keys_5_and_1(house: House) -> Placed:
    placed = await house.greeted("15552000028")
    placed.there.media.press("5")
    await asyncio.sleep(1.0)
    placed.there.media.press("1")
    return placed


@ends_as("no_response")
async def nobody_presses_a_key(house: House) -> Placed:
    return await house.greeted("15552000029")


@ends_as("caller_hangup")
async def the_caller_hangs_up(house: House) -> Placed:
    placed = await house.talk("15551000001")
    placed.here.hang_up()
    return placed


@ends_as("caller_hangup: while it rings")
async def the_caller_gives_up(house: House) -> Placed:
    call = await house.gateway.call("15552000031")
    there = await house.there("15552000031")
    there.ring()
    await within(10, call.answered)
    call.hang_up()
    return Placed("15552000031", call, there)


@ends_as("refused: it hangs up in the greeting")
async def the_called_party_hangs_up_at_once(house: House) -> Placed:
    placed = await house.greeted("15552000032")
    placed.there.hang_up()
    return placed


@ends_as("called_hangup")
async def the_called_party_hangs_up(house: House) -> Placed:
    placed = await house.talk("15551000002")
    placed.there.hang_up()
    return placed


@ends_as("time_limit")
async def a_minute_is_all(house: House) -> Placed:
    return await house.talk("15551900005", seconds=60.0)


@ends_as("inactivity")
async def nobody_speaks(house: House) -> Placed:
    return await house.talk("15551000003", seconds=122.0)


@ends_as("funds")
async def money_for_two_seconds(house: House) -> Placed:
    return await house.talk("15551900001")


@ends_as("payer_limit")
async def a_limit_of_four_seconds(house: House) -> Placed:
    account = (await house.rig.asked("account", "show", account="+15551900002"))["id"]
    with sqlite3.connect(house.rig.data / "kinline.sqlite3") as raw:
        set_limit(
            raw,
            Scope(scope="account", id=str(account)),
            set_by="payer",
            unit="seconds",
            period="ever",
            cap=4,
            zone="UTC",
            at=house.rig.clock.wall(),
        )
    raw.close()
    return await house.talk("15551900002", seconds=4.0)


@ends_as("lockdown")
async def staff_turn_the_phones_off(house: House) -> Placed:
    return await ordered_off(house, "T1", "15551000004", kind="lockdown")


@ends_as("maintenance")
async def staff_need_to_repair(house: House) -> Placed:
    return await ordered_off(house, "T2", "15551000005", kind="maintenance")


async def ordered_off(house: House, terminal: str, number: str, *, kind: str) -> Placed:
    placed = await house.talk_at(terminal, number)
    await house.rig.asked(
        "lockdown", "set", level="terminal", target=terminal, way="now", kind=kind, why="test"
    )
    return placed


@ends_as("staff_cut")
async def staff_cut_the_call(house: House) -> Placed:
    placed = await house.talk_at("T5", "15551000006")
    await house.rig.asked("cut", call=await house.until("T5", "talking"), why="test")
    return placed


@ends_as("joined_calls")
async def staff_know_that_two_calls_are_joined(house: House) -> Placed:
    """The switch raised no such alarm, so they have to name it."""
    placed = await house.talk_at("T6", "15551000011")
    call = await house.until("T6", "talking")
    with pytest.raises(UserError, match="has no alarm inmate_to_inmate"):
        await house.rig.asked("cut", call=call, joined=True, why="test")
    await house.rig.asked("cut", call=call, joined=True, alarm="inmate_to_inmate", why="test")
    return placed


@ends_as("person_changed")
async def the_person_is_released(house: House) -> Placed:
    number = "15552000001"
    call = await house.terminals["T3"].call("call")
    await within(10, call.answered)
    await house.until("T3", "pin")
    call.media.press("1234561357")
    # The name is asked for once, and kept.
    await asyncio.sleep(6.0)
    call.media.say(sounds.voice(house.rig.data / "prompts" / "en" / "n1.ulaw"))
    await house.until("T3", "number")
    call.media.press(number)
    there = await house.there(number)
    there.answer()
    await house.until("T3", "greeting")
    there.media.press("1")
    await house.until("T3", "talking")
    await asyncio.sleep(2.5)
    await house.rig.asked("person", "release", person="123456")
    return Placed(number, call, there)


@ends_as("dial_tone")
async def the_line_falls_back_to_dial_tone(house: House) -> Placed:
    placed = await house.talk("15551000007")
    placed.there.media.say(sounds.tone(sounds.DIAL_HZ, 20.0))
    return placed


@ends_as("network_failure")
async def the_trunk_fails(house: House) -> Placed:
    """Its sound goes first: what nobody could hear is not paid."""
    placed = await house.talk("15551000008")
    placed.there.media.close()
    await asyncio.sleep(DEAD_S)
    placed.there.hang_up("Q.850;cause=38")
    return placed


@ends_as("terminal_failure")
async def the_terminal_fails(house: House) -> Placed:
    placed = await house.talk("15551000009")
    placed.here.media.close()
    await asyncio.sleep(DEAD_S)
    placed.here.hang_up("Q.850;cause=27")
    return placed


@ends_as("media_lost")
async def the_sound_of_one_side_stops(house: House) -> Placed:
    """Its line stands, and nothing comes over it any more: the switch notices."""
    placed = await house.talk("15551000019", seconds=HEARD_S + 0.7)
    placed.there.media.close()
    return placed


# ---- these want the switch for themselves


@ends_as("schedule")
async def phone_hours_end(house: House) -> Placed:
    """The wall is set to ten seconds before the end of an open quarter."""
    into_s = house.rig.clock.wall() % (2 * QUARTER_S)
    ahead_s = (QUARTER_S - 10 - into_s) % (2 * QUARTER_S)
    (house.rig.data / FILE).write_text(f"{ahead_s:.3f}")
    return await house.talk("15551900004", seconds=9.0)


@ends_as("congestion: the trunk asks for a rest")
async def the_trunk_rests(house: House) -> Placed:
    """No other call can go out for a second."""
    placed = await refused_by_trunk("15552000033", 503, ("Retry-After", "1"))(house)
    await asyncio.sleep(1.5)
    return placed


@ends_as("metering_lost")
async def the_meter_cannot_write(house: House) -> Placed:
    """Somebody else holds the database until the paid seconds are over."""
    placed = await house.talk("15551900003", seconds=1.5)
    call = max(row["call"] for row in await house.live())
    raw = sqlite3.connect(house.rig.data / "kinline.sqlite3", isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    try:
        await house.until("gateway:gateway", "closing", call=call)
    finally:
        raw.execute("ROLLBACK")
        raw.close()
    return placed


async def the_switch_is_ended(house: House) -> Placed:
    """SIGTERM lets the call go on; a second one does not."""
    placed = await house.talk("15551000010")
    assert house.rig.process is not None
    house.rig.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(1.0)
    assert not placed.here.ended.is_set()
    house.rig.process.send_signal(signal.SIGTERM)
    await within(10, placed.here.ended)
    await asyncio.to_thread(house.rig.process.wait, 20)
    return placed


@asynccontextmanager
async def house_of(rig: SwitchRig) -> AsyncIterator[House]:
    """Put telephones around a switch."""
    async with rig:
        terminals = {name: await rig.terminal(name) for name in ("T1", "T2", "T3", "T5", "T6")}
        yield House(rig, await rig.outside(), await rig.gateway(), terminals)
