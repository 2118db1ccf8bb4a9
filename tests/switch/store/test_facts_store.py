import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from switch.billing.line import LineInfo, LineType, LineVerdict
from switch.billing.payer import Payer
from switch.ids import CallId, FacilityId, PersonId, TerminalId
from switch.money import Micros
from switch.outside.mail_text import mail_of
from switch.routing.call_class import CallClass, Inspectable, Privileged
from switch.routing.limits import Limits
from switch.routing.number import E164
from switch.routing.seed import HouseSeed
from switch.routing.terminal import Terminal
from switch.screening.facts import Facts, HouseOrder
from switch.screening.order import preview, screen
from switch.screening.permit import Denied, Permit
from switch.screening.reasons import DenyReason
from switch.screening.register import RegisterEntry
from switch.store import (
    account_limits,
    account_statements,
    house_numbers,
    house_orders,
    house_pan,
    house_people,
    house_rows,
    outbox_store,
)
from switch.store.account_limits import Scope
from switch.store.account_statements import NewAccount
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from switch.store.outbox_store import Notice
from tests.support.house_rig import HouseClock, block_in_bulk, lab_seed, open_house

R = DenyReason
MOTHER = E164("+15552345678")
NOW = HouseClock().wall()


class Site:
    """The lab's house, and questions to it."""

    def __init__(self, store: Store, house: HouseStore, clock: HouseClock) -> None:
        self.store, self.house, self.clock = store, house, clock

    def terminal(self, name: str = "T1") -> Terminal:
        return self.house.house.terminals[TerminalId(name)]

    async def facts(
        self,
        digits: str = MOTHER,
        *,
        person: str | None = "123456",
        **more: Any,
    ) -> Facts:
        return await self.house.gather(
            call=CallId(9),
            terminal=more.pop("terminal", self.terminal()),
            person=PersonId(person) if person else None,
            digits=digits,
            at_wall=self.clock.wall(),
            **more,
        )

    async def ask(self, digits: str = MOTHER, **more: Any) -> DenyReason | None:
        verdict = screen(await self.facts(digits, **more))
        return verdict.reason if isinstance(verdict, Denied) else None

    async def write(self, deed: Any) -> None:
        await self.store.write(lambda c: deed(driver(c)))
        await self.house.reload()

    async def notices(self) -> list[Notice]:
        return await self.store.read(
            lambda c: outbox_store.listed(driver(c), state="waiting", rows_max=9)
        )

    async def block(self, pattern: str, kind: house_numbers.RuleKind) -> None:
        await self.write(
            lambda raw: house_numbers.add_rule(
                raw, pattern, kind=kind, facility="F1", by="officer", at=NOW, note="why"
            )
        )


def _counting_tries() -> HouseSeed:
    """Return the lab's house, but with the velocity rule that `make run` is spared."""
    seed = lab_seed()
    first = seed.facility[0] | {"rules": seed.facility[0]["rules"] | {"velocity": True}}
    return msgspec.structs.replace(seed, facility=(first, *seed.facility[1:]))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    clock = HouseClock()
    async with open_house(tmp_path, clock, seed=_counting_tries()) as (store, house):
        yield Site(store, house, clock)


async def test_the_labs_call_is_allowed_and_paid_by_the_called_party(site: Site) -> None:
    verdict = screen(await site.facts())
    assert isinstance(verdict, Permit)
    assert verdict.payer is Payer.CALLED_PREPAID
    assert verdict.quote is not None
    assert verdict.quote.micros_per_minute == 110_000
    assert verdict.limit_s == 900


async def test_ten_digits_and_seven_with_the_sites_area_code_are_the_same_number(
    site: Site,
) -> None:
    for digits in ("5552345678", "15552345678", "2345678"):
        facts = await site.facts(digits)
        assert facts.number is not None
        assert facts.number.number.e164 == MOTHER


async def test_a_terminal_that_is_nobodys_is_unknown(site: Site) -> None:
    assert await site.ask(terminal=None) is R.TERMINAL_UNKNOWN


async def test_a_hotline_is_reached_by_its_code_and_by_its_number(site: Site) -> None:
    for digits in ("*77", "+15552340077"):
        verdict = screen(await site.facts(digits, person=None))
        assert isinstance(verdict, Permit)
        assert verdict.call_class is CallClass.HOTLINE
        assert verdict.speed_dial == "*77"
        assert verdict.quote is None


async def test_a_code_of_the_site_comes_before_service_strings(site: Site) -> None:
    dial = msgspec.structs.replace(lab_seed().speed_dial[0], code="988", number="+15552340988")
    await site.write(lambda raw: house_rows.put(raw, dial))
    assert await site.ask("988", person=None) is None


async def test_an_attorney_is_called_without_a_list_or_a_balance(site: Site) -> None:
    verdict = screen(await site.facts("15552340001", person="345678"))
    assert isinstance(verdict, Permit)
    assert isinstance(verdict.audibility, Privileged)
    assert verdict.payer is Payer.AGENCY_FREE
    assert not verdict.recorded


async def test_a_free_number_is_paid_by_the_agency(site: Site) -> None:
    verdict = screen(await site.facts("15552340002", person="345678"))
    assert isinstance(verdict, Permit)
    assert verdict.call_class is CallClass.FREE
    assert verdict.quote is not None
    assert verdict.quote.micros_per_minute == 33_000


async def test_a_person_pays_where_the_called_party_does_not(site: Site) -> None:
    verdict = screen(await site.facts("15552345679", person="345678"))
    assert isinstance(verdict, Permit)
    assert verdict.payer is Payer.CALLER_DEBIT
    assert verdict.tty


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("security", R.BLOCKED_SECURITY),
        ("facility", R.BLOCKED_FACILITY),
        ("agent", R.BLOCKED_AGENT),
    ],
)
@pytest.mark.parametrize("pattern", [MOTHER, "+1555234????", "555*"])
async def test_blocks_of_staff_exact_and_wildcard(
    site: Site, kind: house_numbers.RuleKind, reason: DenyReason, pattern: str
) -> None:
    await site.block(pattern, kind)
    assert await site.ask() is reason


async def test_a_block_of_another_facility_does_not_count(site: Site) -> None:
    await site.write(
        lambda raw: house_numbers.add_rule(
            raw, MOTHER, kind="facility", facility="F2", by="officer", at=NOW, note="why"
        )
    )
    assert await site.ask() is None


@pytest.mark.parametrize(
    ("scope", "target"), [("person", "123456"), ("facility", "F1"), ("agency", "pine-county")]
)
async def test_the_called_partys_own_block_and_its_undoing(
    site: Site, scope: house_numbers.KeypadScope, target: str
) -> None:
    await site.house.keypad_block(number=MOTHER, scope=scope, target=target)
    assert await site.ask() is R.BLOCKED_KEYPAD
    other = screen(await site.facts(person="234567"))
    if scope == "person":
        assert isinstance(other, Permit)
        assert other.undo_offered
    assert await site.house.undo_keypad_blocks(MOTHER) == 1
    assert await site.ask() is None
    assert await site.house.undo_keypad_blocks(MOTHER) == 0


async def test_all_blocks_of_a_number_are_undone_and_no_other_numbers(site: Site) -> None:
    other = E164("+15552345679")
    await site.house.keypad_block(number=MOTHER, scope="facility", target="F2")
    await site.house.keypad_block(number=MOTHER, scope="person", target="123456")
    await site.house.keypad_block(number=other, scope="agency", target="pine-county")
    assert await site.house.undo_keypad_blocks(MOTHER) == 2
    assert await site.ask() is None
    assert await site.ask(other) is R.BLOCKED_KEYPAD


async def test_a_person_may_be_exempted_from_the_facilitys_block(site: Site) -> None:
    await site.block(MOTHER, "facility")
    await site.write(
        lambda raw: house_numbers.exempt(raw, "123456", MOTHER, by="x", note="court", at=NOW)
    )
    assert await site.ask() is None
    assert await site.ask(person="234567") is R.BLOCKED_FACILITY


async def test_the_list_of_a_person_from_asked_to_approved_to_removed(site: Site) -> None:
    number = E164("+15552345670")
    assert await site.ask(number) is R.PAN_MISSING
    assert await site.house.request_number(person=PersonId("123456"), digits="5552345670")
    assert await site.ask(number) is R.PAN_PENDING
    await site.write(lambda raw: house_pan.approve(raw, "123456", number, by="c", at=NOW, most=20))
    assert await site.ask(number) is None
    await site.write(lambda raw: house_pan.refuse(raw, "123456", number, by="c", note="no", at=NOW))
    assert await site.ask(number) is R.PAN_MISSING


@pytest.mark.parametrize(
    ("level", "target"),
    [
        ("agency", "pine-county"),
        ("facility", "F1"),
        ("unit", "F1/A"),
        ("terminal", "T1"),
    ],
)
async def test_a_lockdown_at_each_of_its_levels(site: Site, level: str, target: str) -> None:
    order = msgspec.convert(
        {"id": 0, "kind": "lockdown", "level": level, "target": target, "by": "officer",
         "why": "count", "at": NOW, "spares": ["privileged"]},
        HouseOrder,
    )  # fmt: skip
    given: list[HouseOrder] = []
    await site.write(lambda raw: given.append(house_orders.give(raw, order)))
    assert await site.ask() is R.LOCKDOWN
    assert await site.ask("15552340001") is None
    assert (await site.ask(terminal=site.terminal("T2")) is None) is (level == "terminal")
    denied = site.house.check_off_hook(site.terminal(), call=CallId(1), at_wall=NOW)
    assert denied is None, "some class is spared, so the caller may dial first"
    assert site.house.order_for(site.terminal(), CallClass.ORDINARY) == given[0]
    assert site.house.order_for(site.terminal(), CallClass.PRIVILEGED) is None
    await site.house.lift_order(given[0].id, by="officer", why="over")
    await site.house.reload()
    assert await site.ask() is None


async def test_a_terminal_that_is_off_or_cut_by_staff(site: Site) -> None:
    await site.house.after_cut(
        terminal=site.terminal(), number=MOTHER, person=None, audibility=None, off_s=60,
        block=True, by="officer", why="shouting", at_wall=NOW,
    )  # fmt: skip
    await site.house.reload()
    assert await site.ask() is R.TERMINAL_OFF
    site.clock.at += 60
    assert await site.ask() is R.BLOCKED_SECURITY


async def test_a_cut_without_a_block_blocks_nothing(site: Site) -> None:
    await site.house.after_cut(
        terminal=site.terminal(), number=MOTHER, person=None,
        audibility=Inspectable(CallId(9)), off_s=0, block=False, by="officer", why="shouting",
        at_wall=NOW,
    )  # fmt: skip
    await site.house.reload()
    assert await site.ask() is None
    assert await site.notices() == []


async def test_a_cut_never_blocks_a_privileged_number_but_tells_the_attorney(site: Site) -> None:
    attorney = E164("+15552340042")
    await site.house.register.add(
        RegisterEntry(
            seq=0, action="add", number=attorney, tell="counsel@law.invalid", by=("staff",), at=NOW
        )
    )
    await site.house.after_cut(
        terminal=site.terminal(), number=attorney, person=PersonId("123456"),
        audibility=Privileged(CallId(9)), off_s=0, block=True, by="officer", why="fire",
        at_wall=NOW,
    )  # fmt: skip
    await site.house.reload()
    (notice,) = await site.notices()
    assert (notice.kind, notice.recipient) == ("privileged_cut", "counsel@law.invalid")
    mail = mail_of(notice, sender="kinline@site.invalid", node="n1")
    assert mail is not None
    assert "fire" in mail.get_content()
    assert attorney in mail.get_content()
    facts = await site.facts(attorney)
    assert facts.number is not None
    assert facts.number.blocks == ()


async def change(site: Site, **fields: object) -> None:
    await site.write(lambda raw: house_people.change(raw, "123456", **fields))


async def test_hours_of_the_person_are_local_hours(site: Site) -> None:
    await change(site, schedule={"open": [{"start": "08:00", "end": "12:00"}]})
    assert await site.ask() is R.SCHEDULE
    site.clock.at -= 60
    assert await site.ask() is None


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(calls_per_day_max=1), R.LIMIT_CALLS),
        (Limits(minutes_per_day_max=2), R.LIMIT_MINUTES),
        (Limits(redial_gap_s=100), R.VELOCITY),
        (Limits(attempts_per_number_max=1), R.VELOCITY),
        (Limits(calls_per_day_max=2, minutes_per_day_max=3), None),
    ],
)
async def test_what_was_talked_counts(
    site: Site, limits: Limits, reason: DenyReason | None
) -> None:
    await change(site, limits=msgspec.to_builtins(limits))
    await called(site, reason="called_hangup", talked_s=120)
    site.clock.at += 10
    assert await site.ask() is reason


async def called(site: Site, *, reason: str, talked_s: int = 0, digits: str = MOTHER) -> None:
    """Place a call as far as its attempt goes."""
    facts = await site.facts(digits)
    call = CallId(int(site.clock.at))
    site.clock.at += 1
    await site.house.note_attempt(_of_call(facts, call))
    await site.house.attempt_over(call=call, reason=reason, talked_s=talked_s)


def _of_call(facts: Facts, call: CallId) -> Facts:
    return Facts(
        call=call, at=facts.at, site=facts.site, terminal=facts.terminal, person=facts.person,
        number=facts.number,
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["network_failure", "congestion", "switch_failure"])
async def test_what_failed_by_our_own_fault_does_not_count(site: Site, reason: str) -> None:
    for _ in range(10):
        await called(site, reason=reason, talked_s=1_000)
    await change(site, limits={"minutes_per_day_max": 1})
    assert await site.ask() is None


async def test_six_tries_an_hour_and_the_seventh_waits(site: Site) -> None:
    for _ in range(6):
        await called(site, reason="called_hangup", talked_s=1)
    assert await site.ask() is R.VELOCITY
    assert await site.ask("15552345679") is None
    site.clock.at += 3_600
    assert await site.ask() is None


async def test_three_unanswered_tries_cool_down(site: Site) -> None:
    for reason in ("no_answer", "refused", "busy"):
        await called(site, reason=reason)
    assert await site.ask() is R.VELOCITY
    site.clock.at += 900
    assert await site.ask() is None


async def test_privileged_calls_and_hotlines_are_not_counted(site: Site) -> None:
    for digits in ("15552340001", "*77"):
        await called(site, reason="no_answer", digits=digits)
    rows = await site.store.read(
        lambda c: driver(c).execute("SELECT count(*) FROM attempt").fetchone()
    )
    assert rows == (0,)


async def test_a_spending_limit_of_the_payer_and_an_empty_account(site: Site) -> None:
    await site.write(
        lambda raw: account_limits.set_limit(
            raw, Scope(scope="person", id="123456"), set_by="payer", unit="micros", period="day",
            cap=0, zone="America/Denver", at=NOW,
        )
    )  # fmt: skip
    assert await site.ask() is R.PAYER_LIMIT


async def test_no_money_no_payer_no_price(site: Site) -> None:
    number = E164("+15552345671")

    def poor(raw: sqlite3.Connection) -> None:
        house_pan.approve(raw, "234567", number, by="c", at=NOW, most=20)
        account_statements.open_purse(
            raw,
            account_statements.NewAccount(
                kind="called_prepaid", owner="Nobody", numbers=(number,), approves="all"
            ),
            at=NOW,
        )

    await site.write(poor)
    assert await site.ask(number, person="234567") is R.NO_FUNDS
    await site.write(
        lambda raw: house_pan.approve(raw, "234567", E164("+15552345672"), by="c", at=NOW, most=20)
    )
    assert await site.ask("+15552345672", person="234567") is R.NO_PAYER
    site.house.prices = None
    assert await site.ask() is R.NO_RATE


class Lines:
    """A source that answers the same for every line, and notes who asked about whom."""

    def __init__(self, verdict: LineVerdict, line_type: LineType = "mobile") -> None:
        self.verdict, self.line_type = verdict, line_type
        self.asked: list[str] = []

    async def line_info(self, number: str, *, purpose: str, deadline_ms: int = 800) -> LineInfo:
        self.asked.append(number)
        return LineInfo(verdict=self.verdict, line_type=self.line_type, source="test")


async def collect(site: Site) -> None:
    facility = site.house.house.facilities[FacilityId("F1")]
    rules = msgspec.structs.replace(facility.rules, collect=True)
    changed = msgspec.structs.replace(facility, rules=rules)

    def deed(raw: sqlite3.Connection) -> None:
        house_rows.put(raw, changed)
        house_pan.approve(raw, "234567", E164("+15552345673"), by="c", at=NOW, most=20)

    await site.write(deed)


@pytest.mark.parametrize(
    ("verdict", "line_type", "reason"),
    [
        (LineVerdict.DENY, "landline", R.LINE_UNBILLABLE),
        (LineVerdict.UNKNOWN, "landline", R.LINE_UNVERIFIED),
        (LineVerdict.ALLOW, "landline", R.NO_PAYER),
        (LineVerdict.ALLOW, "mobile", R.LINE_UNBILLABLE),
        (LineVerdict.UNKNOWN, "mobile", R.LINE_UNBILLABLE),
    ],
)
async def test_collect_asks_about_the_line_and_a_mobile_has_none(
    site: Site, verdict: LineVerdict, line_type: LineType, reason: DenyReason
) -> None:
    await collect(site)
    lines = Lines(verdict, line_type)
    asked = await site.ask("+15552345673", person="234567", line_information=lines)
    assert asked is reason
    assert lines.asked == ["+15552345673"]


async def test_a_line_of_the_agents_pays_where_collect_is_allowed(site: Site) -> None:
    number = "+15552345673"
    lines = Lines(LineVerdict.ALLOW, "landline")

    def open_line(raw: sqlite3.Connection) -> None:
        new = NewAccount(
            kind="called_collect", owner="line", floor=Micros(-30_000_000), numbers=(number,),
            approves="all",
        )  # fmt: skip
        account_statements.open_purse(raw, new, at=NOW)

    await site.write(open_line)
    assert await site.ask(number, person="234567", line_information=lines) is not None
    await collect(site)
    facts = await site.facts(number, person="234567", line_information=lines)
    assert (facts.money.payer, facts.money.available) == (Payer.CALLED_COLLECT, 30_000_000)


async def test_prepaid_goes_on_whatever_the_line_says_and_keeps_its_type(site: Site) -> None:
    verdict = screen(await site.facts(line_information=Lines(LineVerdict.DENY)))
    assert isinstance(verdict, Permit)
    assert (verdict.line_type, verdict.line_source) == ("mobile", "test")


async def test_nobody_outside_is_told_which_attorney_or_hotline_is_called(site: Site) -> None:
    lines = Lines(LineVerdict.ALLOW)
    for digits in ("15552340001", "*77", "911", "12"):
        await site.facts(digits, line_information=lines)
    assert lines.asked == []


async def test_live_state_comes_from_the_switchboard(site: Site) -> None:
    busy_line = {TerminalId("T1"): CallId(1)}
    busy_person = {PersonId("123456"): CallId(1)}
    assert await site.ask(busy_terminals=busy_line) is R.TERMINAL_BUSY
    assert await site.ask(busy_persons=busy_person) is R.PERSON_BUSY


async def test_the_bench_lets_every_line_of_its_gateway_call_every_number(tmp_path: Path) -> None:
    seed = lab_seed("bench")
    few = msgspec.structs.replace(seed.account_range[0], count=3)
    seed = msgspec.structs.replace(seed, account_range=(few,))
    async with open_house(tmp_path, HouseClock(), seed=seed) as (store, house):
        line = house.house.terminal_of_gateway("bench-gateway", "gateway")
        assert line is not None
        assert line.shared
        facts = await house.gather(
            call=CallId(9), terminal=line, person=None, digits="15550000002", at_wall=NOW
        )
        verdict = screen(facts)
        assert isinstance(verdict, Permit)
        assert verdict.passive
        assert verdict.inspected
        assert verdict.limit_s == 99 * 60
        assert len(await store.read(lambda c: account_statements.find_all(driver(c)))) >= 3


async def test_one_block_is_found_among_ten_thousand_and_two_hundred_wildcards(site: Site) -> None:
    """How long it takes is measured by `tests/bench/bench_screening.py`."""
    await site.write(block_in_bulk)
    assert await site.ask("+15553001234") is R.BLOCKED_FACILITY
    assert await site.ask("+15551279901") is R.BLOCKED_FACILITY, "a wildcard"
    assert await site.ask() is None


async def test_one_number_is_allowed_among_ten_thousand_and_a_block_comes_before_the_list(
    site: Site,
) -> None:
    """A10: both lists at once, in their fixed order."""
    facility = site.house.house.facilities[FacilityId("F1")]
    rules = msgspec.structs.replace(facility.rules, allow_list=True, pan_required=False)
    changed = msgspec.structs.replace(facility, rules=rules)

    def lists(raw: sqlite3.Connection) -> None:
        house_rows.put(raw, changed)
        block_in_bulk(raw, "allow")
        block_in_bulk(raw)
        raw.execute("UPDATE number_rule SET pattern = replace(pattern, '+15553', '+15556')"
                    " WHERE kind = 'facility' AND is_wildcard = 0")  # fmt: skip
        raw.execute("DELETE FROM number_rule WHERE kind = 'facility' AND is_wildcard = 1"
                    " AND pattern <> '+155512799??'")  # fmt: skip

    await site.write(lists)
    assert await site.ask("+15553001234") is None, "exact"
    assert await site.ask("+15551289901") is None, "a wildcard"
    assert await site.ask("+15553009999") is None, "the last"
    assert await site.ask("+15557000001") is R.NOT_ALLOWED
    assert await site.ask("+15556001234") is R.BLOCKED_FACILITY
    assert await site.ask("+15551279901") is R.BLOCKED_FACILITY, "on both lists"


async def test_a_call_looks_its_blocks_up_and_does_not_read_them_all(site: Site) -> None:
    await site.write(block_in_bulk)
    plan = await site.store.read(
        lambda c: (
            driver(c)
            .execute(
                f"EXPLAIN QUERY PLAN {house_numbers._EXACT}", {"number": MOTHER, "facility": "F1"}
            )
            .fetchall()
        )
    )
    assert all("SCAN" not in row[-1] for row in plan), plan


async def test_a_preview_and_a_call_read_the_same_facts(site: Site) -> None:
    await site.block(MOTHER, "agent")
    facts = await site.facts()
    failing = [r.denied for r in preview(facts) if r.denied is not None]
    assert failing == [screen(facts)]
