import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from switch.errors import SettingsError, StoreError, UserError
from switch.ids import FacilityId, PersonId, TerminalId, TrunkId
from switch.money import Micros
from switch.routing.call_class import CallClass
from switch.routing.number import E164
from switch.routing.seed import HouseSeed, NumberSeed, PersonSeed
from switch.routing.trunk import TrunkSettings
from switch.screening.facts import HouseOrder
from switch.screening.register import RegisterEntry
from switch.screening.settings import FacilityRules, ScreeningSettings
from switch.sip.digest import Algorithm, ha1
from switch.sip.events import Flow, SourceKind
from switch.store import (
    account_statements,
    house_numbers,
    house_orders,
    house_pan,
    house_people,
    house_rows,
)
from switch.store.engine import Store, driver
from switch.store.house_clock import local_time, period_starts
from switch.store.house_seed import apply, unsaid
from switch.store.house_store import HouseStore, known_terminal
from tests.support.house_rig import HouseClock, lab_seed, open_house

House = tuple[Store, HouseStore]
NOW = HouseClock().wall()
NUMBER = E164("+15552345670")


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, HouseClock()) as house:
        yield house


# ---- the snapshot


async def test_a_terminal_proves_itself_by_the_digest_of_its_password_file(
    opened: House, tmp_path: Path
) -> None:
    _, directory = opened
    credentials = directory.house.credentials()
    assert {c.algorithm for c in credentials.values()} == {Algorithm.MD5, Algorithm.SHA_256}
    password = (tmp_path / "keys" / "terminal-T1.password").read_text()
    assert credentials["lab"].ha1 == ha1("lab", "kinline", password, Algorithm.MD5)
    stored = (tmp_path / "kinline.db").read_bytes() + (tmp_path / "kinline.db-wal").read_bytes()
    assert password.encode() not in stored


async def test_trunks_and_gateways_are_known_by_their_address(opened: House) -> None:
    _, directory = opened
    book = directory.house.source_book(["192.0.2.0/24"])

    def kind(host: str, port: int) -> SourceKind | None:
        found = book.find(Flow("udp", ("127.0.0.1", 5060), (host, port)))
        return found.source.kind if found is not None else None

    assert kind("127.0.0.1", 15090) is SourceKind.TRUNK
    assert kind("192.0.2.7", 5060) is SourceKind.TERMINAL
    assert kind("198.51.100.1", 5060) is None


async def test_lines_are_found_by_user_and_by_gateway(opened: House) -> None:
    _, directory = opened
    house = directory.house
    found = house.terminal_of_user("lab")
    assert found is not None
    assert found.id == "T1"
    assert house.terminal_of_user("nobody") is None
    assert house.terminal_of_user("") is None
    assert house.terminal_of_gateway("no-gateway", "T1") is None
    assert house.hotline_codes(FacilityId("F1")) == {"*77"}
    assert known_terminal(house, "T1").id == "T1"
    with pytest.raises(UserError, match="no terminal T9"):
        known_terminal(house, "T9")


async def test_a_facilitys_choices_lie_over_the_nodes(tmp_path: Path) -> None:
    async with open_house(tmp_path, HouseClock()) as (store, _):
        node = ScreeningSettings(pin_lock_s=60, call_minutes_max=20)
        directory = await HouseStore.open(store, data=tmp_path, defaults=node)
        assert directory.settings_of(FacilityId("F1")).call_minutes_max == 20
        facility = directory.house.facilities[FacilityId("F1")]
        own = msgspec.structs.replace(facility, settings={"call_minutes_max": 30})
        await store.write(lambda c: house_rows.put(driver(c), own))
        later = await HouseStore.open(store, data=tmp_path)
        settings = later.settings_of(FacilityId("F1"))
        assert (settings.call_minutes_max, settings.pin_lock_s) == (30, 60)
        assert later.house.overrides(FacilityId("F1"))["languages"] == ("en", "es")


async def test_what_is_known_of_a_number_before_anybody_is_let_in(opened: House) -> None:
    _, directory = opened
    phone = directory.house.terminals[TerminalId("T1")]
    (hotline,) = directory.house.hotlines(phone.facility)[:1]
    attorney, one_persons = E164("+15553000009"), E164("+15553000010")
    for number, person in ((attorney, ""), (one_persons, "123456")):
        await directory.register.add(
            RegisterEntry(seq=0, action="add", number=number, person=person, by=("legal",), at=NOW)
        )
    class_of = directory.class_at_the_door
    assert class_of(phone, hotline.code) is CallClass.HOTLINE
    assert class_of(phone, attorney) is CallClass.PRIVILEGED
    assert class_of(phone, NUMBER) is CallClass.ORDINARY
    assert class_of(phone, one_persons) is class_of(phone, None) is None
    directory.register.fault = "cut off"
    assert class_of(phone, NUMBER) is class_of(phone, attorney) is None
    assert class_of(phone, hotline.code) is CallClass.HOTLINE


async def test_every_change_of_the_rules_makes_another_version(opened: House) -> None:
    store, directory = opened
    before = directory.house.version
    terminal = directory.house.terminals[TerminalId("T1")]
    await store.write(lambda c: house_rows.put(driver(c), terminal))
    assert (await directory.reload()).version == before
    off = msgspec.structs.replace(terminal, enabled=False)
    await store.write(lambda c: house_rows.put(driver(c), off))
    assert (await directory.reload()).version == before + 1


async def test_a_trunk_without_its_password_file_stops_the_start(opened: House) -> None:
    store, directory = opened
    trunk = TrunkSettings(id=TrunkId("t"), host="192.0.2.1", password_file="keys/none")
    await store.write(lambda c: house_rows.put(driver(c), trunk))
    with pytest.raises(StoreError, match="trunk t"):
        await directory.reload()


# ---- the caller's menu


async def test_a_persons_own_money_and_what_it_is_worth(opened: House) -> None:
    _, directory = opened
    assert await directory.own_balance(PersonId("123456")) == (Micros(1_000_000), 9)
    assert await directory.own_balance(PersonId("234567")) == (Micros(0), 0)


async def test_a_number_is_asked_for_once_and_only_if_it_is_whole(opened: House) -> None:
    _, directory = opened
    person = PersonId("123456")
    assert await directory.request_number(person=person, digits="5552345670")
    assert not await directory.request_number(person=person, digits="5552345670")
    assert not await directory.request_number(person=person, digits="555")
    assert not await directory.request_number(person=PersonId("999999"), digits="5552345670")


# ---- lists


async def test_a_list_holds_twenty_numbers(opened: House) -> None:
    store, _ = opened
    numbers = [E164(f"+155523460{n:02d}") for n in range(21)]

    def fill(connection: Connection) -> None:
        for number in numbers[:18]:
            house_pan.approve(driver(connection), "123456", number, by="clerk", at=NOW, most=20)

    await store.write(fill)
    with pytest.raises(UserError, match="20 numbers"):
        await store.write(
            lambda c: house_pan.approve(
                driver(c), "123456", numbers[20], by="clerk", at=NOW, most=20
            )
        )
    full = await store.write(
        lambda c: house_pan.ask(driver(c), "123456", numbers[20], at=NOW, by="123456", most=20)
    )
    assert full is False


async def test_the_history_of_a_list_tells_everything_and_cannot_be_changed(opened: House) -> None:
    store, directory = opened
    person = PersonId("123456")
    await directory.request_number(person=person, digits=NUMBER)
    with pytest.raises(UserError, match="why"):
        await store.write(
            lambda c: house_pan.refuse(driver(c), person, NUMBER, by="clerk", note=" ", at=NOW)
        )
    await store.write(
        lambda c: house_pan.refuse(driver(c), person, NUMBER, by="clerk", note="no", at=NOW)
    )
    changes = await store.read(lambda c: house_pan.history(driver(c), person))
    assert [(c.state, c.by) for c in changes if c.number == NUMBER] == [
        ("pending", "123456"),
        ("refused", "clerk"),
    ]
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        await store.write(lambda c: driver(c).execute("UPDATE pan_history SET note = ''"))
    with pytest.raises(sqlite3.IntegrityError, match="never removed"):
        await store.write(lambda c: driver(c).execute("DELETE FROM pan_history"))


# ---- blocks


async def test_a_block_needs_a_note_and_stays_written_when_it_ends(opened: House) -> None:
    store, _ = opened

    with pytest.raises(UserError, match="note"):
        await store.write(
            lambda c: house_numbers.add_rule(
                driver(c), NUMBER, kind="security", facility="F1", by="x", at=NOW, note=" "
            )
        )
    await store.write(
        lambda c: house_numbers.add_rule(
            driver(c), NUMBER, kind="security", facility="F1", by="x", at=NOW, note="threats"
        )
    )
    ended = await store.write(
        lambda c: house_numbers.remove_rule(
            driver(c), NUMBER, kind="security", facility="F1", by="y", why="over", at=NOW + 1
        )
    )
    assert ended
    query = "SELECT note, by, removed_by, removed_why FROM number_rule WHERE pattern = ?"
    row = await store.read(lambda c: driver(c).execute(query, (NUMBER,)).fetchone())
    assert row == ("threats", "x", "y", "over")
    rules = await store.read(lambda c: house_numbers.rules_for(driver(c), NUMBER, facility="F1"))
    assert rules == []


async def test_an_exact_rule_comes_before_a_wildcard_and_the_site_before_all(
    opened: House,
) -> None:
    store, _ = opened
    typed = ((NUMBER, ""), (NUMBER, "F1"), ("+1555*", "F1"), ("+15552345*", ""))

    def fill(connection: Connection) -> None:
        for pattern, facility in typed:
            house_numbers.add_rule(
                driver(connection), pattern, kind="allow", facility=facility, by="x", at=NOW
            )

    await store.write(fill)
    rules = await store.read(lambda c: house_numbers.rules_for(driver(c), NUMBER, facility="F1"))
    assert [(rule.pattern, rule.facility) for rule in rules] == [
        (NUMBER, "F1"),
        (NUMBER, ""),
        ("+15552345*", ""),
        ("+1555*", "F1"),
    ]


# ---- orders


async def test_an_order_is_logged_with_who_gave_and_who_lifted_it(opened: House) -> None:
    store, directory = opened
    order = HouseOrder(
        id=0, kind="lockdown", level="unit", target="F1/A", way="now", by="a", why="count", at=NOW
    )
    with pytest.raises(UserError, match="why"):
        await directory.give_order(msgspec.structs.replace(order, why=""))
    given = await directory.give_order(order)
    await directory.lift_order(given.id, by="b", why="over")
    with pytest.raises(UserError, match="not in force"):
        await directory.lift_order(given.id, by="b", why="again")
    (row,) = await store.read(lambda c: house_orders.logged(driver(c)))
    assert (row["by"], row["why"], row["way"]) == ("a", "count", "now")
    assert (row["lifted_by"], row["lifted_why"]) == ("b", "over")
    assert await store.read(lambda c: house_orders.in_force(driver(c))) == []


# ---- the seed


async def test_a_second_start_changes_nothing(opened: House) -> None:
    store, directory = opened
    before = directory.house
    await apply(lab_seed(), store=store, house=directory)
    assert directory.house == before
    accounts = await store.read(lambda c: account_statements.find_all(driver(c), owner="123456"))
    assert [a.purse.posted for a in accounts] == [1_000_000]
    assert len(directory.register.listed()) == 1


async def test_what_staff_did_is_left_alone_by_the_next_start(opened: House) -> None:
    store, directory = opened
    terminal = directory.house.terminals[TerminalId("T1")]

    def staff(connection: Connection) -> None:
        raw = driver(connection)
        off = msgspec.structs.replace(terminal, enabled=False)
        house_rows.put(raw, off)
        house_people.change(raw, "123456", state="released")
        house_numbers.remove_rule(
            raw, "+15552340002", kind="allow", facility="F1", by="x", why="y", at=NOW
        )

    await store.write(staff)
    await apply(lab_seed(), store=store, house=directory)
    assert not directory.house.terminals[TerminalId("T1")].enabled
    assert not directory.house.person_active(PersonId("123456"))
    rules = await store.read(
        lambda c: house_numbers.rules_for(driver(c), "+15552340002", facility="F1")
    )
    assert rules == []


async def test_a_suspension_spares_a_privileged_call_and_a_release_does_not(opened: House) -> None:
    store, directory = opened
    person, site = PersonId("123456"), FacilityId("F1")
    house = directory.house

    async def changed(**fields: object) -> None:
        await store.write(lambda c: house_people.change(driver(c), "123456", **fields))
        nonlocal house
        house = await directory.reload()

    await changed(suspended_until="2099-01-01")
    assert not house.person_active(person)
    assert not house.may_talk(person, site, CallClass.ORDINARY)
    assert not house.may_talk(person, site, CallClass.FREE)
    assert house.may_talk(person, site, CallClass.PRIVILEGED)
    assert house.may_talk(person, site, None)
    rules = FacilityRules(spared_by_suspension=())
    facility = msgspec.structs.replace(house.facilities[site], rules=rules)
    strict = replace(house, facilities={site: facility})
    assert not strict.may_talk(person, site, CallClass.PRIVILEGED)
    assert not strict.may_talk(person, site, None)
    await changed(suspended_until="", state="released")
    assert not house.may_talk(person, site, CallClass.PRIVILEGED)


async def test_an_order_that_spares_somebody_leaves_a_caller_who_has_not_dialled(
    opened: House,
) -> None:
    _, directory = opened
    order = HouseOrder(
        id=0, kind="lockdown", level="facility", target="F1", by="x", why="y", at=NOW
    )

    async def given(**fields: object) -> HouseOrder | None:
        found = await directory.give_order(msgspec.structs.replace(order, **fields))
        await directory.reload()
        terminal = directory.house.terminals[TerminalId("T1")]
        before = directory.order_for(terminal, None)
        await directory.lift_order(found.id, by="x", why="y")
        return before

    assert await given(spares=("hotline",)) is None
    assert await given() is not None


async def test_a_seed_that_is_wrong_changes_nothing(opened: House) -> None:
    store, directory = opened
    before = directory.house.version
    seed = HouseSeed(
        number=(NumberSeed(pattern="+15552345699"),),
        person=(PersonSeed(person={"id": "9", "facility": "F1"}),),
    )
    with pytest.raises(SettingsError, match=r"house\.person\[0\]"):
        await apply(seed, store=store, house=directory)
    assert (await directory.reload()).version == before


# ---- time


def test_a_moment_is_local_where_the_facility_is() -> None:
    at = local_time(NOW, "America/Denver")
    assert (at.weekday, at.minute_of_day, at.iso_date) == (1, 720, "2026-11-24")


def test_periods_begin_at_local_midnight_on_monday_and_on_the_first() -> None:
    starts = period_starts(NOW, "America/Denver")
    assert NOW - starts.day == 12 * 3_600
    assert NOW - starts.week == 36 * 3_600
    # The clocks went back on the first of November: that month has an hour more behind it.
    assert NOW - starts.month == (23 * 24 + 12 + 1) * 3_600


def test_recording_waits_for_what_only_the_facility_can_say() -> None:
    rules: dict[str, object] = {"recording": True}
    facility = {"id": "F1", "agency": "a", "name": "F", "rules": rules}
    assert len(unsaid(HouseSeed(facility=(facility,)))) == 2
    rules["recording_days"] = 30
    (said,) = unsaid(HouseSeed(facility=(facility,)))
    assert "recording_accepted_by does not say who" in said
    rules["recording_accepted_by"] = "Sheriff Sample, 2026-11-01"
    assert unsaid(HouseSeed(facility=(facility,))) == []
