"""Every way in which a call may end, driven through the real switch from the outside.

The calls are placed once for the whole file, many at the same time, and each test looks at one.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from switch.call.cause import EndReason
from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall
from switch.store.account_limits import Scope, set_limit
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.record_store import RecordStore, public
from tests.support.switch_ahead import FILE
from tests.support.switch_rig import SwitchRig, spoken, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

MICROS_PER_MINUTE = 110_000
FULL_MICROS = 1_000_000
START_MICROS = {"15551900001": 5_000, "15551900003": 200_000}
"""What stood on the accounts that are not full."""

QUARTER_S = 900
AT_ONCE = 8
"""Calls in progress beside the long ones: two cores carry the switch and all telephones."""

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

[[house.number]]
pattern = "+15551900004"
facility = "OPEN"
treatment = {{ passive = true, schedule = {{ open = [{EVERY_OTHER_QUARTER}] }} }}

[[house.number]]
pattern = "+15551900005"
facility = "OPEN"
treatment = {{ passive = true, limits = {{ call_minutes_max = 1 }} }}
"""


# ---- what must come of it: calls.md section 5.2, and who ended it, and when


@dataclass(frozen=True)
class Ending:
    """What stands in the record, and who hears the reason."""

    phase: str
    by: str
    to: str
    """`a` is the caller, `b` the called party."""
    q850: int
    credit: str = "free"


# fmt: off
ENDINGS = {
    EndReason.BUSY:                Ending("ringing",  "network", "a",  17),
    EndReason.NO_ANSWER:           Ending("ringing",  "network", "a",  19),
    EndReason.BAD_NUMBER:          Ending("ringing",  "network", "a",  1),
    EndReason.CONGESTION:          Ending("ringing",  "network", "a",  34),
    EndReason.REJECTED_BY_NETWORK: Ending("ringing",  "network", "a",  21),
    EndReason.REDIRECTED:          Ending("ringing",  "network", "a",  23),
    EndReason.REFUSED:             Ending("greeting", "called",  "ab", 21),
    EndReason.BLOCKED_BY_CALLED:   Ending("greeting", "called",  "ab", 21),
    EndReason.NO_RESPONSE:         Ending("greeting", "switch",  "ab", 16),
    EndReason.CALLER_HANGUP:       Ending("talking",  "caller",  "b",  16, "-"),
    EndReason.CALLED_HANGUP:       Ending("talking",  "called",  "a",  16, "-"),
    EndReason.TIME_LIMIT:          Ending("talking",  "switch",  "ab", 16, "-"),
    EndReason.FUNDS:               Ending("talking",  "switch",  "ab", 16, "-"),
    EndReason.PAYER_LIMIT:         Ending("talking",  "switch",  "ab", 16, "-"),
    EndReason.SCHEDULE:            Ending("talking",  "switch",  "ab", 16, "-"),
    EndReason.LOCKDOWN:            Ending("talking",  "staff",   "ab", 16, "-"),
    EndReason.MAINTENANCE:         Ending("talking",  "staff",   "ab", 41, "60"),
    EndReason.STAFF_CUT:           Ending("talking",  "staff",   "ab", 16, "-"),
    EndReason.PERSON_CHANGED:      Ending("talking",  "staff",   "ab", 16, "-"),
    EndReason.INACTIVITY:          Ending("talking",  "switch",  "ab", 16, "60"),
    EndReason.DIAL_TONE:           Ending("talking",  "network", "ab", 16, "60"),
    EndReason.NETWORK_FAILURE:     Ending("talking",  "network", "a",  38, "60"),
    EndReason.TERMINAL_FAILURE:    Ending("talking",  "caller",  "b",  27, "60"),
    EndReason.METERING_LOST:       Ending("talking",  "switch",  "ab", 41, "60"),
    EndReason.SWITCH_FAILURE:      Ending("talking",  "switch",  "",   41, "60"),
}
# fmt: on

UNREACHABLE = {
    EndReason.THREE_WAY: "a cut needs dsp/card.json, the published error rates",
    EndReason.EXTRA_DIGITS: "a cut needs dsp/card.json, the published error rates",
    EndReason.JOINED_CALLS: "no command of the staff gives this order yet",
}

ELSEWHERE = {
    EndReason.VOICEMAIL,
    EndReason.FAX,
    EndReason.FORWARD,
    EndReason.MEDIA_LOST,
    EndReason.RECORDER_FAILURE,
}
"""Need a machine's voice, a carrier that forwards, lost sound or a recorder."""


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
                    if (row["terminal"], row["state"]) == (terminal, state):
                        if call in {0, row["call"]}:
                            return int(row["call"])
                await asyncio.sleep(0.05)


@dataclass
class Placed:
    """A call of which both ends are known."""

    number: str
    here: PhoneCall
    there: PhoneCall


@dataclass
class Outcome:
    """What came of a call."""

    placed: Placed
    record: dict[str, Any]
    balance_micros: int
    """What stands on the account afterwards."""


class HouseAhead(SwitchRig):
    """The switch whose wall clock can be set ahead."""

    program = "tests.support.switch_ahead"


# ---- how each is brought about

Scene = Callable[[House], Awaitable[Placed]]
SCENES: dict[EndReason, Scene] = {}


def ends_as(reason: EndReason) -> Callable[[Scene], Scene]:
    """Say which ending a scene brings about."""

    def keep(scene: Scene) -> Scene:
        SCENES[reason] = scene
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

# fmt: off
SCENES |= {
    EndReason.BUSY:                refused_by_trunk("15552000021", 486),
    EndReason.NO_ANSWER:           refused_by_trunk("15552000022", 480),
    EndReason.BAD_NUMBER:          refused_by_trunk("15552000023", 404),
    EndReason.CONGESTION:          refused_by_trunk("15552000024", 500),
    EndReason.REJECTED_BY_NETWORK: refused_by_trunk("15552000025", 403),
    EndReason.REDIRECTED:          refused_by_trunk("15552000026", 302, CONTACT),
}
# fmt: on


@ends_as(EndReason.REFUSED)
async def key_2(house: House) -> Placed:
    placed = await house.greeted("15552000027")
    placed.there.media.press("2")
    return placed


@ends_as(EndReason.BLOCKED_BY_CALLED)
async def keys_5_and_1(house: House) -> Placed:
    placed = await house.greeted("15552000028")
    placed.there.media.press("5")
    await asyncio.sleep(1.0)
    placed.there.media.press("1")
    return placed


@ends_as(EndReason.NO_RESPONSE)
async def nobody_presses_a_key(house: House) -> Placed:
    return await house.greeted("15552000029")


@ends_as(EndReason.CALLER_HANGUP)
async def the_caller_hangs_up(house: House) -> Placed:
    placed = await house.talk("15551000001")
    placed.here.hang_up()
    return placed


@ends_as(EndReason.CALLED_HANGUP)
async def the_called_party_hangs_up(house: House) -> Placed:
    placed = await house.talk("15551000002")
    placed.there.hang_up()
    return placed


@ends_as(EndReason.TIME_LIMIT)
async def a_minute_is_all(house: House) -> Placed:
    return await house.talk("15551900005", seconds=60.0)


@ends_as(EndReason.INACTIVITY)
async def nobody_speaks(house: House) -> Placed:
    return await house.talk("15551000003", seconds=122.0)


@ends_as(EndReason.FUNDS)
async def money_for_two_seconds(house: House) -> Placed:
    return await house.talk("15551900001")


@ends_as(EndReason.PAYER_LIMIT)
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


@ends_as(EndReason.LOCKDOWN)
async def staff_turn_the_phones_off(house: House) -> Placed:
    return await ordered_off(house, "T1", "15551000004", kind="lockdown")


@ends_as(EndReason.MAINTENANCE)
async def staff_need_to_repair(house: House) -> Placed:
    return await ordered_off(house, "T2", "15551000005", kind="maintenance")


async def ordered_off(house: House, terminal: str, number: str, *, kind: str) -> Placed:
    placed = await house.talk_at(terminal, number)
    await house.rig.asked(
        "lockdown", "set", level="terminal", target=terminal, way="now", kind=kind, why="test"
    )
    return placed


@ends_as(EndReason.STAFF_CUT)
async def staff_cut_the_call(house: House) -> Placed:
    placed = await house.talk_at("T5", "15551000006")
    await house.rig.asked("cut", call=await house.until("T5", "talking"), why="test")
    return placed


@ends_as(EndReason.PERSON_CHANGED)
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


@ends_as(EndReason.DIAL_TONE)
async def the_line_falls_back_to_dial_tone(house: House) -> Placed:
    placed = await house.talk("15551000007")
    placed.there.media.say(sounds.tone(sounds.DIAL_HZ, 20.0))
    return placed


@ends_as(EndReason.NETWORK_FAILURE)
async def the_trunk_fails(house: House) -> Placed:
    placed = await house.talk("15551000008")
    placed.there.hang_up("Q.850;cause=38")
    return placed


@ends_as(EndReason.TERMINAL_FAILURE)
async def the_terminal_fails(house: House) -> Placed:
    placed = await house.talk("15551000009")
    placed.here.hang_up("Q.850;cause=27")
    return placed


# ---- these want the switch for themselves


@ends_as(EndReason.SCHEDULE)
async def phone_hours_end(house: House) -> Placed:
    """The wall is set to ten seconds before the end of an open quarter."""
    into_s = house.rig.clock.wall() % (2 * QUARTER_S)
    ahead_s = (QUARTER_S - 10 - into_s) % (2 * QUARTER_S)
    (house.rig.data / FILE).write_text(f"{ahead_s:.3f}")
    return await house.talk("15551900004", seconds=9.0)


@ends_as(EndReason.METERING_LOST)
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


LONG = (EndReason.INACTIVITY, EndReason.TIME_LIMIT, EndReason.PERSON_CHANGED)
ALONE = (EndReason.SCHEDULE, EndReason.METERING_LOST)


# ---- all of it, once


async def outcome_of(house: House, scene: Scene) -> Outcome:
    """Bring an ending about and gather what there is to know of it."""
    placed = await scene(house)
    await within(60, placed.here.ended)
    record = await house.rig.record_of(lambda r: r["number"] == f"+{placed.number}")
    shown = await house.rig.asked("account", "show", account=str(record["account"]))
    return Outcome(placed, record, shown["posted_micros"])


async def outcome_after_the_end(house: House, placed: Placed) -> Outcome:
    """Gather the same from the database of a switch that has ended."""
    store = await Store.open(house.rig.data / "kinline.sqlite3", clock=house.rig.clock)
    try:
        [record] = await RecordStore(store).find_all(number=f"+{placed.number}")
        [view] = await AccountStore(store).find_all(number=f"+{placed.number}")
    finally:
        await store.close()
    return Outcome(placed, public(record), view.account.purse.posted)


Result = Outcome | Exception


async def play(
    house: House, wanted: Iterable[EndReason], results: dict[EndReason, Result], at_once: int
) -> None:
    """Play scenes, so many at the same time; what goes wrong is one scene's own."""
    turn = asyncio.Semaphore(at_once)

    async def one(reason: EndReason) -> None:
        async with turn:
            try:
                results[reason] = await outcome_of(house, SCENES[reason])
            except Exception as error:  # noqa: BLE001 - told by the test of this scene
                results[reason] = error

    async with asyncio.TaskGroup() as group:
        for reason in wanted:
            group.create_task(one(reason))


@asynccontextmanager
async def house_of(rig: SwitchRig) -> AsyncIterator[House]:
    """Put telephones around a switch."""
    async with rig:
        terminals = {name: await rig.terminal(name) for name in ("T1", "T2", "T3", "T5")}
        yield House(rig, await rig.outside(), await rig.gateway(), terminals)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[EndReason, Result]:
    """Place the calls of all tests that were chosen; the long ones go on meanwhile."""
    params = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {spec.params["reason"] for spec in params if spec and "reason" in spec.params}
    found: dict[EndReason, Result] = {}
    rig = HouseAhead(tmp_path_factory.mktemp("house"), script=SCRIPT, more=MORE)
    crowd = [r for r in SCENES if r in wanted and r not in {*LONG, *ALONE}]
    async with house_of(rig) as house:
        async with asyncio.TaskGroup() as group:
            group.create_task(play(house, [r for r in LONG if r in wanted], found, len(LONG)))
            await play(house, crowd, found, AT_ONCE)
            await play(house, [r for r in ALONE if r in wanted], found, 1)
        if EndReason.SWITCH_FAILURE in wanted:
            placed = await the_switch_is_ended(house)
            found[EndReason.SWITCH_FAILURE] = await outcome_after_the_end(house, placed)
    return found


# ---- what is said of each


@pytest.mark.parametrize("reason", ENDINGS, ids=lambda reason: reason.value)
def test_a_call_ends_as(reason: EndReason, results: dict[EndReason, Result]) -> None:
    outcome = results[reason]
    if isinstance(outcome, Exception):
        raise outcome
    ending, record = ENDINGS[reason], outcome.record
    assert record["reason"] == reason.value
    assert (record["phase"], record["released_by"]) == (ending.phase, ending.by)
    check_words(reason, ending, outcome)
    check_money(ending, outcome)


def check_words(reason: EndReason, ending: Ending, outcome: Outcome) -> None:
    """Who is still there hears why; the terminal is told, the trunk is not."""
    said = {
        side: [k for k in spoken(outcome.record, side) if k.startswith("end_")] for side in "ab"
    }
    own = {side: [f"end_{reason.value}"] if side in ending.to else [] for side in "ab"}
    if reason is EndReason.BLOCKED_BY_CALLED:
        own["a"] = ["end_refused"]
    assert said == own
    completed = [p["completed"] for p in outcome.record["prompts"] if p["prompts"][0][:4] == "end_"]
    assert all(completed)
    if ending.by != "caller":
        header = f'Q.850;cause={ending.q850};text="{reason.value}"'
        assert outcome.placed.here.reason == header
    assert outcome.placed.there.reason in {"", "Q.850;cause=16"}


def check_money(ending: Ending, outcome: Outcome) -> None:
    """Every paid second is charged; what comes back comes back at once."""
    record = outcome.record
    charge = 0 if ending.credit == "free" else MICROS_PER_MINUTE * int(record["talked_s"]) // 60
    assert record["charge"] == charge
    assert (charge > 0) == (ending.credit != "free")
    before = MICROS_PER_MINUTE * max(0, int(record["talked_s"]) - 60) // 60
    back = charge - before if ending.credit == "60" else 0
    assert sum(amount for _, amount in record["credits"]) == back
    start = START_MICROS.get(outcome.placed.number, FULL_MICROS)
    assert outcome.balance_micros == start - charge + back


@pytest.mark.xfail(reason="not to be reached from the outside", strict=True)
@pytest.mark.parametrize("reason", UNREACHABLE, ids=lambda reason: reason.value)
def test_a_call_cannot_be_made_to_end_as(reason: EndReason) -> None:
    pytest.fail(UNREACHABLE[reason])


def test_every_end_reason_is_driven_or_excused() -> None:
    assert set(SCENES) | {EndReason.SWITCH_FAILURE} == set(ENDINGS)
    assert set(ENDINGS) | set(UNREACHABLE) | ELSEWHERE == set(EndReason)
