import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.errors import UserError
from switch.ids import CallId, PersonId, TerminalId
from switch.routing.call_class import CallClass, Inspectable, Privileged
from switch.routing.number import E164
from switch.screening.order import screen
from switch.screening.permit import Permit
from switch.screening.register import RegisterEntry
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore
from tests.support.house_rig import HouseClock, open_house

ATTORNEY = E164("+15552340001")
OTHER = E164("+15552340009")

House = tuple[Store, HouseStore]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, HouseClock()) as opened:
        yield opened


def an_entry(number: E164 = OTHER, *, by: str = "legal", person: str = "") -> RegisterEntry:
    return RegisterEntry(
        seq=0, action="add", number=number, by=(by,), at=1.0, person=person, tell="a@b.invalid"
    )


async def place(house: HouseStore, digits: str, person: str = "123456") -> Permit:
    facts = await house.gather(
        call=CallId(9),
        terminal=house.house.terminals[TerminalId("T1")],
        person=PersonId(person),
        digits=digits,
        at_wall=HouseClock().wall(),
    )
    verdict = screen(facts)
    assert isinstance(verdict, Permit)
    return verdict


async def test_a_seeded_attorney_is_privileged_and_everybody_else_is_not(house: House) -> None:
    _, directory = house
    assert (await place(directory, ATTORNEY)).call_class is CallClass.PRIVILEGED
    assert isinstance((await place(directory, "5552345678")).audibility, Inspectable)


async def test_adding_needs_one_approval_and_holds_from_the_next_call(house: House) -> None:
    _, directory = house
    written = await directory.register.add(an_entry())
    assert written.seq == 2
    answer = directory.register.answer(OTHER, facility="F1", person=None)
    assert answer.entry == written
    with pytest.raises(UserError):
        await directory.register.add(an_entry(by=""))


async def test_removing_needs_two_people_and_a_note_and_tells_the_attorney(house: House) -> None:
    store, directory = house
    await directory.register.add(an_entry())
    common = {"facility": "", "person": "", "at": 2.0}
    with pytest.raises(UserError, match="why"):
        await directory.register.remove(OTHER, by="one", note=" ", **common)  # type: ignore[arg-type]
    asked = await directory.register.remove(OTHER, by="one", note="moved", **common)  # type: ignore[arg-type]
    assert asked is None
    assert directory.register.answer(OTHER, facility="F1", person=None).entry is not None
    with pytest.raises(UserError, match="second person"):
        await directory.register.remove(OTHER, by="one", note="moved", **common)  # type: ignore[arg-type]
    done = await directory.register.remove(OTHER, by="two", note="agreed", **common)  # type: ignore[arg-type]
    assert done is not None
    assert done.by == ("one", "two")
    assert directory.register.answer(OTHER, facility="F1", person=None).entry is None
    notices = await store.read(
        lambda c: driver(c).execute("SELECT kind, recipient FROM outbox").fetchall()
    )
    assert notices == [("privileged_removed", "a@b.invalid")]


async def test_a_number_that_is_not_registered_so_cannot_be_withdrawn(house: House) -> None:
    _, directory = house
    with pytest.raises(UserError, match="not registered"):
        await directory.register.remove(
            ATTORNEY, facility="F1", person="", by="one", note="moved", at=1.0
        )


async def test_an_entry_for_one_person_is_hers_alone(house: House) -> None:
    _, directory = house
    await directory.register.add(an_entry(person="123456"))
    assert directory.register.answer(OTHER, facility="F1", person="123456").entry is not None
    assert directory.register.answer(OTHER, facility="F1", person="234567").entry is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE privileged_register SET number = '+15550000000'", "DELETE FROM privileged_register"],
)
async def test_the_table_lets_nobody_change_or_remove_a_row(house: House, statement: str) -> None:
    store, _ = house
    with pytest.raises(sqlite3.IntegrityError, match="privileged register is never"):
        await store.write(lambda c: driver(c).execute(statement))


TAMPERINGS = {
    "a row is gone": "DELETE FROM privileged_register WHERE seq = 1",
    "every row is gone": "DELETE FROM privileged_register",
    "the last row is gone": "DELETE FROM privileged_register WHERE seq = 2",
    "a body is changed": "UPDATE privileged_register SET body = replace(body, 'Casey', 'Corey')",
    "a signature is changed": "UPDATE privileged_register SET signature = zeroblob(64)",
    "a link is changed": "UPDATE privileged_register SET link = upper(link) WHERE seq = 1",
    "a row is added": "INSERT INTO privileged_register SELECT 3, number, body, signature, link"
    " FROM privileged_register WHERE seq = 2",
    "rows change places": "UPDATE privileged_register SET seq = 3 - seq + 10",
}


async def tampered(store: Store, statement: str) -> None:
    def deed(raw: sqlite3.Connection) -> None:
        raw.execute("DROP TRIGGER privileged_register_is_never_changed")
        raw.execute("DROP TRIGGER privileged_register_is_never_removed")
        raw.execute(statement)

    await store.write(lambda c: deed(driver(c)))


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS.keys())
async def test_every_tampering_is_found_and_then_no_call_is_inspected(
    house: House, statement: str
) -> None:
    store, directory = house
    await directory.register.add(an_entry())
    assert (await place(directory, "5552345678")).inspected
    await tampered(store, statement)
    await directory.reload()
    assert directory.register.fault != ""
    permit = await place(directory, "5552345678")
    assert isinstance(permit.audibility, Privileged)
    assert not permit.inspected
    assert permit.call_class is CallClass.ORDINARY
    assert permit.account is not None
    with pytest.raises(UserError, match="not whole"):
        await directory.register.add(an_entry(E164("+15552340010")))


@pytest.mark.parametrize("name", ["register.ed25519", "register.head"])
async def test_a_key_or_head_that_vanished_leaves_nothing_inspected(
    house: House, tmp_path: Path, name: str
) -> None:
    _, directory = house
    (tmp_path / "keys" / name).unlink()
    await directory.reload()
    assert directory.register.fault != ""
    assert not (await place(directory, "5552345678")).inspected


async def test_a_key_that_vanished_is_not_made_anew(tmp_path: Path) -> None:
    async with open_house(tmp_path, HouseClock()):
        pass
    (tmp_path / "keys" / "register.ed25519").unlink()
    async with open_house(tmp_path, HouseClock()) as (_, directory):
        assert directory.register.fault == "its key is missing"
    assert not (tmp_path / "keys" / "register.ed25519").exists()


async def test_an_older_copy_of_the_database_is_found(tmp_path: Path) -> None:
    async with open_house(tmp_path, HouseClock()):
        pass
    shutil.copy(tmp_path / "kinline.db", tmp_path / "backup.db")
    async with open_house(tmp_path, HouseClock()) as (_, directory):
        await directory.register.add(an_entry())
    shutil.copy(tmp_path / "backup.db", tmp_path / "kinline.db")
    async with open_house(tmp_path, HouseClock()) as (_, directory):
        assert directory.register.fault == "2 entries were written, 1 are there"


async def test_what_was_proved_at_start_answers_until_the_next_proof(house: House) -> None:
    store, directory = house
    await tampered(store, "DELETE FROM privileged_register")
    answer = directory.register.answer(ATTORNEY, facility="F1", person=None)
    assert answer.entry is not None


async def test_the_key_and_the_pin_key_are_ours_alone(house: House, tmp_path: Path) -> None:
    for name in ("register.ed25519", "pin.key"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o077 == 0
