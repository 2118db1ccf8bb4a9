"""Every way in which a call may be refused, driven through the real switch from the outside.

What needs one call only is placed once for the whole file, all at the same time, each from a line
of its own; each test looks at one. What needs a call before it has a test of its own.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from switch.lab.phone import LabPhone, PhoneCall
from switch.routing.schedule import WEEKDAYS
from switch.screening.reasons import DenyReason
from switch.store.account_limits import Scope, set_limit
from tests.support.switch_rig import ROOT, SwitchRig, free_port, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

R = DenyReason

PORTS = 80
"""RTP and RTCP of 40 legs: more than all cases at once, and few enough to be used up."""

OTHER_DAY = WEEKDAYS[(time.gmtime().tm_wday + 3) % 7]
"""Not today, and not tomorrow if it is nearly midnight."""
ON_OTHER_DAYS = f'{{ open = [{{ days = ["{OTHER_DAY}"], start = "09:00", end = "17:00" }}] }}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call that is refused at once."""

    reason: DenyReason
    dialled: str
    facility: str = "WIDE"
    line: str = ""
    """More of the terminal, as TOML."""

    @property
    def terminal(self) -> str:
        return f"L-{self.reason.value}"


CASES = (
    Case(reason=R.LOCKDOWN, dialled="15551000100"),
    Case(reason=R.MAINTENANCE, dialled="15551000101"),
    Case(reason=R.TERMINAL_OFF, dialled="15551000102"),
    Case(reason=R.TERMINAL_SCHEDULE, dialled="15551000103", line=f"schedule = {ON_OTHER_DAYS}"),
    Case(reason=R.NO_INPUT, dialled="call"),
    Case(reason=R.BAD_PIN, dialled="999999*15551000105", facility="NAMED"),
    Case(reason=R.PERSON_INACTIVE, dialled="300001*15551000106", facility="NAMED"),
    Case(reason=R.SUSPENDED, dialled="300002*15551000107", facility="NAMED"),
    Case(reason=R.NOT_ENROLLED, dialled="300003*15551000108", facility="NAMED"),
    Case(reason=R.NUMBER_INVALID, dialled="1555100"),
    Case(reason=R.PREFIX_FORBIDDEN, dialled="18005550110"),
    Case(reason=R.BLOCKED_SECURITY, dialled="15551000111"),
    Case(reason=R.BLOCKED_FACILITY, dialled="15551000112"),
    Case(reason=R.BLOCKED_AGENT, dialled="15551000113"),
    Case(reason=R.NOT_ALLOWED, dialled="15551000114", facility="LISTED"),
    Case(reason=R.PAN_PENDING, dialled="300004*15551000115", facility="NAMED"),
    Case(reason=R.PAN_MISSING, dialled="300004*15551000116", facility="NAMED"),
    Case(
        reason=R.TERMINAL_CLASS,
        dialled="15551000117",
        line='use = "library"\nonly = ["privileged"]',
    ),
    Case(reason=R.SCHEDULE, dialled="15551000118"),
    Case(
        reason=R.LIMIT_MINUTES, dialled="15551000119", line="limits = { minutes_per_day_max = 0 }"
    ),
    Case(reason=R.LINE_UNBILLABLE, dialled="15554000120"),
    Case(reason=R.LINE_UNVERIFIED, dialled="15554000121"),
    Case(reason=R.NO_RATE, dialled="15551000122", facility="UNPRICED"),
    Case(reason=R.NO_PAYER, dialled="15554000123"),
    Case(reason=R.PAYER_LIMIT, dialled="15551000124"),
    Case(reason=R.NO_FUNDS, dialled="15554000125"),
)

AFTER_ANOTHER_CALL = {
    R.TERMINAL_UNKNOWN, R.TERMINAL_BUSY, R.PIN_LOCKED, R.PERSON_BUSY, R.BLOCKED_KEYPAD,
    R.LIMIT_CALLS, R.VELOCITY, R.CAPACITY, R.INBOUND_REFUSED,
}  # fmt: skip
"""Those with a test of their own."""

OWN_LINES = {
    "L-busy": ("WIDE", ""),
    "L-lock": ("LOCK", ""),
    "L-first": ("NAMED", ""),
    "L-second": ("NAMED", ""),
    "L-keypad": ("WIDE", ""),
    "L-calls": ("WIDE", "limits = { calls_per_day_max = 1 }"),
    "L-velocity": ("QUICK", ""),
    "L-channel": ("WIDE", ""),
    "L-no-channel": ("WIDE", ""),
}

OPEN_TO_ALL = "velocity = false, pan_required = false"
FACILITIES = {
    "WIDE": ("lab", 'pin_mode = "none", first_digit_s = 1, next_digit_s = 1', OPEN_TO_ALL),
    "LISTED": ("lab", 'pin_mode = "none"', f"{OPEN_TO_ALL}, allow_list = true"),
    "UNPRICED": ("nowhere", 'pin_mode = "none"', OPEN_TO_ALL),
    "QUICK": ("lab", 'pin_mode = "none", numbers_per_day_max = 1', "pan_required = false"),
    "NAMED": ("lab", 'pin_mode = "id", pin_attempts_max = 1, next_digit_s = 1', "velocity = false"),
    "LOCK": ("lab", "pin_attempts_max = 1", "velocity = false"),
}
"""Tariff, settings and rules of each."""

HOUSE = f"""
[outside]
lines_file = "lines.toml"

[[house.person]]
person = {{ id = "300001", facility = "NAMED", name = "Ari Sample", name_file = "person/a" }}
pan = ["+15551000106"]

[[house.person]]
person = {{ id = "300002", facility = "NAMED", name = "Bo Sample", name_file = "person/b" }}
pan = ["+15551000107"]

[[house.person]]
pan = ["+15551000108"]
[house.person.person]
id = "300003"
facility = "NAMED"
name = "Cy Sample"
name_file = "person/c"
enrolled = false

[[house.person]]
person = {{ id = "300004", facility = "NAMED", name = "Di Sample", name_file = "person/d" }}

[[house.person]]
person = {{ id = "300005", facility = "NAMED", name = "El Sample", name_file = "person/e" }}
pan = ["+15551000130"]

[[house.person]]
passcode = "1357"
person = {{ id = "300006", facility = "LOCK", name = "Fay Sample", name_file = "person/f" }}
pan = ["+15551000131"]

[[house.number]]
pattern = "+15551000118"
facility = "WIDE"
treatment = {{ schedule = {ON_OTHER_DAYS} }}

[[house.number]]
pattern = "+15554000120"
facility = "WIDE"
treatment = {{ payer = "called_collect" }}

[[house.number]]
pattern = "+15554000121"
facility = "WIDE"
treatment = {{ payer = "called_collect" }}

[[house.number]]
pattern = "+15551000140"
facility = "WIDE"
treatment = {{ passive = true }}

[[house.account]]
owner = "empty"
numbers = ["+15554000125"]
"""

LINES = """
[[line]]
pattern = "+15554000120"
verdict = "deny"
reason = "the line refuses collect calls"
"""


def house(lines_port: int) -> str:
    """Return the house: its facilities, the gateway that all lines hang on, and the lines."""
    text = HOUSE
    for name, (tariff, settings, rules) in FACILITIES.items():
        text += f"""
[[house.facility]]
id = "{name}"
agency = "agency"
name = "{name.title()} House"
tariff = "{tariff}"
languages = ["en"]
settings = {{ {settings} }}
rules = {{ {rules} }}
"""
    text += f"""
[[house.gateway]]
id = "lines"
facility = "WIDE"
host = "127.0.0.1"
port = {lines_port}
channels_max = 1000
calls_per_second_max = 1000
"""
    lines = {case.terminal: (case.facility, case.line) for case in CASES} | OWN_LINES
    for name, (facility, more) in lines.items():
        text += f"""
[[house.terminal]]
[house.terminal.terminal]
id = "{name}"
facility = "{facility}"
gateway = "lines"
{more}
"""
    return text


@dataclass(slots=True, kw_only=True)
class Stage:
    """The switch and the telephones around it."""

    rig: SwitchRig
    outside: LabPhone
    lines: LabPhone
    calls: dict[DenyReason, PhoneCall] = field(default_factory=dict)

    async def dial(self, line: str, dialled: str) -> PhoneCall:
        """Call from a line of the gateway."""
        self.lines.user = line
        return await self.lines.call(dialled)

    async def ended(self, line: str, dialled: str, *, skip: int = 0) -> dict[str, Any]:
        """Wait for the record of a line's call, past the `skip` oldest ones."""
        digits = dialled.rpartition("*")[2]
        async with asyncio.timeout(20):
            while True:
                found = [r for r in await self.rig.records() if r["terminal"] == line]
                if len(found) > skip:
                    record = found[-1 - skip]
                    assert record["digits"] in {digits, ""}
                    return record
                await asyncio.sleep(0.1)

    async def in_closing(self, line: str) -> None:
        """Wait until the reason is being spoken to a line."""
        async with asyncio.timeout(20):
            while not any(
                row["terminal"] == line and row["state"] == "closing"
                for row in (await self.rig.asked("calls", "list", rows=1))["live"]
            ):
                await asyncio.sleep(0.05)

    async def gone(self, line: str, *, seconds: float = 20.0) -> None:
        """Wait until a line has no call any more."""
        async with asyncio.timeout(seconds):
            while any(
                row["terminal"] == line
                for row in (await self.rig.asked("calls", "list", rows=1))["live"]
            ):
                await asyncio.sleep(0.05)

    async def answering(self, dialled: str) -> PhoneCall:
        """Wait for the call to a number."""
        there = await next_call(self.outside)
        assert there.invite is not None
        assert f"+{dialled}@" in there.invite.uri
        return there

    def rang(self, dialled: str) -> int:
        """How often a number was called outside."""
        number = dialled.rpartition("*")[2]
        return sum(f"{number}@" in c.invite.uri for c in self.outside.calls if c.invite is not None)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("deny")
    (folder / "lines.toml").write_text(LINES)
    port = free_port()

    def narrow(text: str) -> str:
        first = int(text.partition("port_min = ")[2].split()[0])
        return text.replace(f"port_max = {first + 1999}", f"port_max = {first + PORTS - 1}")

    async with SwitchRig(folder, more=house(port), edit=narrow) as rig:
        outside = await rig.outside()
        lines = await rig.phone("lines", port=port, speaks_always=False)
        stage = Stage(rig=rig, outside=outside, lines=lines)
        await give_orders(rig)
        for case in CASES:
            stage.calls[case.reason] = await stage.dial(case.terminal, case.dialled)
        yield stage


async def give_orders(rig: SwitchRig) -> None:
    """Do what staff do."""
    for kind in ("lockdown", "maintenance"):
        given = {"level": "terminal", "target": f"L-{kind}", "kind": kind, "why": "a test"}
        await rig.asked("lockdown", "set", **given)
    await rig.asked("terminal", "disable", terminal="L-terminal_off")
    await rig.asked("person", "release", person="300001")
    await rig.asked("person", "suspend", person="300002", until="2099-01-01")
    await rig.asked("pan", "add", person="300004", number="+15551000115")
    for kind, last in (("security", 1), ("facility", 2), ("agent", 3)):
        pattern = f"+1555100011{last}"
        await rig.asked("number", "block", pattern=pattern, kind=kind, note="a test")
    # A limit of a contact: there is no command for it yet.
    with sqlite3.connect(rig.data / "kinline.sqlite3") as raw:
        scope = Scope(scope="contact", id="+15551000124")
        at = rig.clock.wall()
        set_limit(raw, scope, set_by="payer", unit="micros", period="day", cap=0, zone="UTC", at=at)
    raw.close()


def assert_free(record: dict[str, Any], reason: DenyReason) -> None:
    """Nothing was charged, nothing given back, nothing sent out."""
    assert record["reason"] == reason.value, record
    assert record["charge"] == 0
    assert not record["credits"]
    assert not record["postings"]
    assert record["talked_s"] == 0
    assert record["sent_at"] is None
    assert record["released_by"] == "switch"


def assert_spoken(record: dict[str, Any], call: PhoneCall, reason: DenyReason) -> None:
    """The caller heard the whole sentence, and their telephone was told why."""
    said = [entry for entry in record["prompts"] if f"deny_{reason.value}" in entry["prompts"]]
    assert [entry["side"] for entry in said] == ["a"], record["prompts"]
    assert said[0]["completed"]
    assert call.status == 200
    assert call.reason.startswith(f"Q.850;cause={reason.q850}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason.value)
async def test_a_refused_caller_is_told_why_and_nobody_pays(stage: Stage, case: Case) -> None:
    call = stage.calls[case.reason]
    await within(20, call.ended)
    record = await stage.ended(case.terminal, case.dialled)
    assert_free(record, case.reason)
    assert_spoken(record, call, case.reason)
    assert stage.rang(case.dialled) == 0


def assert_unspoken(record: dict[str, Any], call: PhoneCall, reason: DenyReason) -> None:
    """The telephone was told by its status, and the call never answered."""
    assert record["prompts"] == []
    assert call.status == reason.sip
    assert call.reason.startswith(f"Q.850;cause={reason.q850}")
    assert not call.answered.is_set()


async def test_a_line_of_the_gateway_that_is_nobodys_gets_a_status(stage: Stage) -> None:
    call = await stage.dial("L-stranger", "15551000150")
    await within(10, call.ended)
    record = await stage.rig.record_of(lambda r: r["reason"] == "terminal_unknown")
    assert_free(record, R.TERMINAL_UNKNOWN)
    assert_unspoken(record, call, R.TERMINAL_UNKNOWN)
    assert stage.rang("15551000150") == 0


async def test_a_line_that_has_a_call_is_busy(stage: Stage) -> None:
    first = await stage.dial("L-busy", "call")
    await within(10, first.answered)
    second = await stage.dial("L-busy", "15551000151")
    await within(10, second.ended)
    record = await stage.rig.record_of(lambda r: r["reason"] == "terminal_busy")
    assert record["terminal"] == "L-busy"
    assert_free(record, R.TERMINAL_BUSY)
    assert_unspoken(record, second, R.TERMINAL_BUSY)
    assert not first.ended.is_set()
    assert stage.rang("15551000151") == 0
    first.hang_up()


async def test_a_pin_is_locked_on_a_line_after_three_wrong_calls(stage: Stage) -> None:
    for _ in range(3):
        wrong = await stage.dial("L-lock", "3000060000*15551000131")
        await stage.in_closing("L-lock")
        wrong.hang_up()
        await stage.gone("L-lock")
    right = await stage.dial("L-lock", "3000061357*15551000131")
    await within(20, right.ended)
    record = await stage.ended("L-lock", "15551000131", skip=3)
    assert_free(record, R.PIN_LOCKED)
    assert_spoken(record, right, R.PIN_LOCKED)
    assert stage.rang("15551000131") == 0


async def test_a_person_calls_from_one_line_at_a_time(stage: Stage) -> None:
    first = await stage.dial("L-first", "300005*15551000130")
    await stage.answering("15551000130")
    second = await stage.dial("L-second", "300005*15551000130")
    await within(20, second.ended)
    record = await stage.ended("L-second", "15551000130")
    assert_free(record, R.PERSON_BUSY)
    assert_spoken(record, second, R.PERSON_BUSY)
    assert not first.ended.is_set()
    assert stage.rang("15551000130") == 1
    first.hang_up()


async def test_the_called_party_blocks_a_facility_by_keypad(stage: Stage) -> None:
    first = await stage.dial("L-keypad", "15551000152")
    there = await stage.answering("15551000152")
    there.answer()
    await stage.rig.until("greeting")
    there.media.press("59")
    await stage.gone("L-keypad", seconds=30)
    assert (await stage.ended("L-keypad", "15551000152"))["reason"] == "blocked_by_called"
    first.hang_up()
    second = await stage.dial("L-keypad", "15551000152")
    await within(20, second.ended)
    record = await stage.ended("L-keypad", "15551000152", skip=1)
    assert_free(record, R.BLOCKED_KEYPAD)
    assert_spoken(record, second, R.BLOCKED_KEYPAD)
    assert stage.rang("15551000152") == 1


async def test_the_calls_of_a_line_are_used_up(stage: Stage) -> None:
    first = await stage.dial("L-calls", "15551000140")
    there = await stage.answering("15551000140")
    there.answer()
    await stage.rig.until("talking")
    await asyncio.sleep(1.2)
    first.hang_up()
    await stage.gone("L-calls")
    second = await stage.dial("L-calls", "15551000153")
    await within(20, second.ended)
    record = await stage.ended("L-calls", "15551000153", skip=1)
    assert_free(record, R.LIMIT_CALLS)
    assert_spoken(record, second, R.LIMIT_CALLS)
    assert stage.rang("15551000153") == 0


async def test_too_many_numbers_are_tried_in_a_day(stage: Stage) -> None:
    first = await stage.dial("L-velocity", "15551000154")
    there = await stage.answering("15551000154")
    there.refuse(486)
    await stage.in_closing("L-velocity")
    first.hang_up()
    await stage.gone("L-velocity")
    second = await stage.dial("L-velocity", "15551000155")
    await within(20, second.ended)
    record = await stage.ended("L-velocity", "15551000155", skip=1)
    assert_free(record, R.VELOCITY)
    assert_spoken(record, second, R.VELOCITY)
    assert stage.rang("15551000155") == 0


async def test_a_call_from_outside_is_refused(stage: Stage) -> None:
    before = len(stage.outside.calls)
    call = await stage.outside.call("15550000001")
    await within(10, call.ended)
    record = await stage.rig.record_of(lambda r: r["reason"] == "inbound_refused")
    assert_free(record, R.INBOUND_REFUSED)
    assert_unspoken(record, call, R.INBOUND_REFUSED)
    assert len(stage.outside.calls) == before + 1


async def test_a_trunk_whose_channels_are_all_taken_has_no_room(stage: Stage) -> None:
    await stage.rig.quiet()
    trunk = {"key": "trunk", "why": "a test"}
    await stage.rig.asked("trunk", "set", changes=["channels_max=1"], **trunk)
    first = await stage.dial("L-channel", "15551000156")
    await stage.answering("15551000156")
    asked = {"terminal": "L-no-channel", "person": "-", "number": "15551000157"}
    why = await stage.rig.asked("why", config=str(ROOT / "config"), **asked)
    second = await stage.dial("L-no-channel", "15551000157")
    await within(20, second.ended)
    record = await stage.ended("L-no-channel", "15551000157")
    assert_free(record, R.CAPACITY)
    assert_spoken(record, second, R.CAPACITY)
    assert stage.rang("15551000157") == 0
    (room,) = [row for row in why["conditions"] if row["reason"] == "capacity"]
    assert room["detail"] == "trunk.channels_max"
    first.hang_up()
    await stage.gone("L-channel")
    await stage.rig.asked("trunk", "set", changes=["channels_max=1000"], **trunk)


async def test_no_line_is_left_when_all_ports_are_in_use(stage: Stage) -> None:
    """The last of the calls: a port rests for half a minute before it is used again."""
    await stage.rig.quiet()
    gateway = await stage.rig.gateway(speaks_always=False)
    held = []
    for _ in range(PORTS // 2 + 1):
        call = await gateway.call("call")
        await answered_or_ended(call)
        held.append(call)
        if call.ended.is_set():
            break
    last = held.pop()
    assert len(held) > 1
    record = await stage.rig.record_of(lambda r: r["reason"] == "capacity" and not r["prompts"])
    assert record["refusal_detail"] == "media.port_max"
    for call in held:
        call.hang_up()
    assert_free(record, R.CAPACITY)
    assert_unspoken(record, last, R.CAPACITY)


async def test_no_reason_to_refuse_is_left_out() -> None:
    """`voice_mismatch` needs the voice check, which is not built."""
    assert {case.reason for case in CASES} | AFTER_ANOTHER_CALL == set(R) - {R.VOICE_MISMATCH}


async def answered_or_ended(call: PhoneCall) -> None:
    """Wait for the final answer to an INVITE."""
    async with asyncio.timeout(10):
        while not call.status:
            await asyncio.sleep(0.01)
