import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from switch.errors import UserError
from switch.ids import CallId, FacilityId, PersonId, TerminalId
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.store import house_people, house_rows, name_store, pin_store
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from switch.store.pin_store import PersonChecked
from tests.support.house_rig import HouseClock, open_house

RIGHT, WRONG = "1234561357", "1234561358"


class Site:
    """The lab's house, and keys pressed at its telephones."""

    def __init__(self, store: Store, house: HouseStore, clock: HouseClock) -> None:
        self.store, self.house, self.clock = store, house, clock

    async def key(
        self, digits: str, *, call: int = 1, terminal: str = "T1"
    ) -> PersonChecked | DenyReason:
        answer = await self.house.check_pin(
            call=CallId(call),
            terminal=self.house.house.terminals[TerminalId(terminal)],
            digits=digits,
            at_wall=self.clock.wall(),
        )
        return answer.reason if isinstance(answer, Denied) else answer

    async def choose(self, **settings: int | str) -> None:
        facility = self.house.house.facilities[FacilityId("F1")]
        changed = msgspec.structs.replace(facility, settings={**facility.settings, **settings})
        await self.store.write(lambda c: house_rows.put(driver(c), changed))
        await self.house.reload()

    async def give(self, person: str, passcode: str) -> None:
        await pin_store.set_passcode(
            self.store,
            key=self.house.keys.pin_key(),
            person=person,
            passcode=passcode,
            settings=self.house.settings_of(FacilityId("F1")),
        )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    clock = HouseClock()
    async with open_house(tmp_path, clock) as (store, house):
        yield Site(store, house, clock)


async def test_id_and_passcode_keyed_together_name_a_person(site: Site) -> None:
    answer = await site.key(RIGHT)
    assert isinstance(answer, PersonChecked)
    assert (answer.person, answer.needs_name, answer.tty) == ("123456", True, False)
    answer = await site.key("2345672468")
    assert isinstance(answer, PersonChecked)
    assert answer.language == "es"


async def test_a_name_is_asked_for_once_and_spoken_once_it_is_approved(
    site: Site, tmp_path: Path
) -> None:
    person = PersonId("123456")
    file = name_store.name_file(tmp_path, name_store.pending_name(person))
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff" * 160)
    await site.store.write(lambda c: name_store.taken(driver(c), person))
    waits = await site.key(RIGHT)
    assert isinstance(waits, PersonChecked)
    assert (waits.needs_name, waits.name_path) == (False, "")
    await site.store.write(lambda c: name_store.approve(driver(c), person, data=tmp_path))
    spoken = await site.key(RIGHT)
    assert isinstance(spoken, PersonChecked)
    assert (spoken.needs_name, spoken.name_path) == (False, "person/123456")


@pytest.mark.parametrize(
    "digits", [WRONG, "123456135", "12345613577", "6543211357", "1357", "0000000000"]
)
async def test_every_other_digits_are_a_bad_pin(site: Site, digits: str) -> None:
    assert await site.key(digits) is DenyReason.BAD_PIN


async def test_nothing_keyed_is_no_input_and_no_miss(site: Site) -> None:
    assert await site.key("") is DenyReason.NO_INPUT
    missed = await site.store.read(
        lambda c: driver(c).execute("SELECT count(*) FROM bad_pin").fetchone()
    )
    assert missed == (0,)


async def test_an_id_alone_names_a_person_where_the_site_says_so(site: Site) -> None:
    await site.choose(pin_mode="id")
    assert isinstance(await site.key("123456"), PersonChecked)
    assert await site.key("999999") is DenyReason.BAD_PIN


async def test_a_passcode_alone_names_a_person_and_is_theirs_alone(site: Site) -> None:
    await site.choose(pin_mode="passcode", passcode_digits=6)
    await site.give("123456", "135799")
    assert isinstance(await site.key("135799"), PersonChecked)
    assert await site.key("135798") is DenyReason.BAD_PIN
    with pytest.raises(UserError, match="Somebody else"):
        await site.give("234567", "135799")
    await site.give("123456", "135799")


async def test_a_passcode_of_the_wrong_length_is_refused(site: Site) -> None:
    for passcode in ("123", "12345", "12a4", ""):
        with pytest.raises(UserError, match="4 digits"):
            await site.give("123456", passcode)


async def test_three_failed_calls_in_an_hour_lock_the_pair_of_person_and_terminal(
    site: Site,
) -> None:
    for call in range(3):
        for _ in range(3):
            assert await site.key(WRONG, call=call) is DenyReason.BAD_PIN
        site.clock.at += 60
    assert await site.key(RIGHT, call=8) is DenyReason.PIN_LOCKED
    assert isinstance(await site.key(RIGHT, call=9, terminal="T2"), PersonChecked)
    assert isinstance(await site.key("2345672468", call=9), PersonChecked)
    site.clock.at += 900
    assert isinstance(await site.key(RIGHT, call=10), PersonChecked)


async def test_hanging_up_after_two_misses_does_not_get_round_the_lock(site: Site) -> None:
    for call in range(5):
        for _ in range(2):
            await site.key(WRONG, call=call)
    assert await site.key(RIGHT, call=9) is DenyReason.PIN_LOCKED


async def test_misses_of_more_than_an_hour_ago_do_not_lock(site: Site) -> None:
    for call in range(3):
        for _ in range(3):
            await site.key(WRONG, call=call)
        site.clock.at += 1_801
    assert isinstance(await site.key(RIGHT, call=9), PersonChecked)


async def test_a_lock_of_no_length_is_none(site: Site) -> None:
    await site.choose(pin_lock_s=0)
    for call in range(4):
        for _ in range(3):
            await site.key(WRONG, call=call)
    assert isinstance(await site.key(RIGHT, call=9), PersonChecked)


async def test_time_and_place_of_the_last_bad_pin_are_kept_without_its_digits(site: Site) -> None:
    await site.key(WRONG)
    last = await site.store.read(lambda c: house_people.last_bad_pin(driver(c), "123456"))
    assert last == ("T1", 1, site.clock.wall())
    columns = await site.store.read(lambda c: driver(c).execute("SELECT * FROM bad_pin").fetchall())
    assert not any("1358" in str(value) for row in columns for value in row)


async def test_released_suspended_and_moved_people_are_refused_by_name(site: Site) -> None:
    async def change(**fields: str) -> None:
        await site.store.write(
            lambda c: house_people.change(driver(c), PersonId("123456"), **fields)
        )

    await change(state="released")
    assert await site.key(RIGHT) is DenyReason.PERSON_INACTIVE
    await change(state="active", facility="F2")
    assert await site.key(RIGHT) is DenyReason.PERSON_INACTIVE


async def test_a_pin_in_use_elsewhere_is_refused(site: Site) -> None:
    answer = await site.house.check_pin(
        call=CallId(2),
        terminal=site.house.house.terminals[TerminalId("T1")],
        digits=RIGHT,
        busy_persons={PersonId("123456"): CallId(1)},
        at_wall=site.clock.wall(),
    )
    assert isinstance(answer, Denied)
    assert answer.reason is DenyReason.PERSON_BUSY


async def test_neither_the_log_nor_the_database_shows_a_pin(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await site.house.check_pin(
            call=CallId(1),
            terminal=site.house.house.terminals[TerminalId("T1")],
            digits="1234568642",
            at_wall=site.clock.wall(),
        )
    assert "8642" not in caplog.text + repr(answer)
    stored = (tmp_path / "kinline.db").read_bytes() + (tmp_path / "kinline.db-wal").read_bytes()
    assert b"1234568642" not in stored


async def test_two_people_with_one_passcode_look_different_in_the_database(site: Site) -> None:
    await site.give("123456", "5555")
    await site.give("234567", "5555")
    query = "SELECT passcode_hash, passcode_tag FROM person WHERE id IN ('123456', '234567')"
    (one, two) = await site.store.read(lambda c: driver(c).execute(query).fetchall())
    assert one[0] != two[0]
    assert (one[1], two[1]) == (None, None)
