import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from switch.call.switchboard.nightly import Job, Nightly, struck
from switch.errors import StoreError
from switch.ids import CallId, FacilityId, PersonId, TerminalId
from switch.routing.call_class import Inspectable, Privileged
from switch.screening.order import screen
from switch.screening.permit import Permit
from switch.screening.settings import Facility
from switch.store.engine import driver
from switch.store.house_store import HouseStore
from tests.support.house_rig import HouseClock, open_house

DENVER = Facility(id=FacilityId("D"), agency="a", name="D", zone="America/Denver")
MADRID = Facility(id=FacilityId("M"), agency="a", name="M", zone="Europe/Madrid")
NOON = HouseClock().wall()
"""12:00 in Denver, 20:00 in Madrid."""
HOUR = 3600.0


def nightly(clock: HouseClock, *jobs: Job, hour: int = 3) -> Nightly:
    named = {f"job {n}": job for n, job in enumerate(jobs)}
    return Nightly(clock, hour=hour, facilities=lambda: [DENVER, MADRID], jobs=named)


def test_each_facility_has_its_night_by_its_own_clock() -> None:
    both = [DENVER, MADRID]
    assert struck(both, hour=3, after=NOON, until=NOON + 6 * HOUR) == []
    assert struck(both, hour=3, after=NOON + 6 * HOUR, until=NOON + 7 * HOUR) == ["M"]
    assert struck(both, hour=3, after=NOON + 14 * HOUR, until=NOON + 15 * HOUR) == ["D"]
    assert struck(both, hour=3, after=NOON + 15 * HOUR, until=NOON + 16 * HOUR) == []


def test_a_night_that_was_slept_over_is_made_up_for_once() -> None:
    assert struck([DENVER], hour=23, after=NOON, until=NOON + 18 * HOUR) == ["D"]
    assert struck([DENVER], hour=3, after=NOON, until=NOON + 70 * HOUR) == ["D"]


async def test_a_job_is_done_once_a_night_and_one_that_fails_stops_no_other() -> None:
    clock, done = HouseClock(), list[list[FacilityId]]()

    async def fails(_due: Sequence[FacilityId]) -> None:
        raise StoreError("out of order")

    async def works(due: Sequence[FacilityId]) -> None:
        done.append(list(due))

    night = nightly(clock, fails, works)
    for _ in range(48):
        clock.at += HOUR / 2
        await night.look()
    assert done == [["M"], ["D"]]


@pytest.mark.parametrize("is_whole", [True, False])
async def test_the_register_is_proved_at_night(tmp_path: Path, is_whole: bool) -> None:
    clock = HouseClock()
    async with open_house(tmp_path, clock) as (store, house):
        if not is_whole:
            await store.write(lambda c: tamper(driver(c)))
        assert isinstance((await allowed(house, clock)).audibility, Inspectable), "until the night"
        night = nightly(clock, lambda _due: house.register.verify())
        clock.at += 16 * HOUR
        await night.look()
        assert (house.register.fault == "") is is_whole
        clock.at += 8 * HOUR
        wanted = Inspectable if is_whole else Privileged
        assert isinstance((await allowed(house, clock)).audibility, wanted)


def tamper(raw: sqlite3.Connection) -> None:
    raw.execute("DROP TRIGGER privileged_register_is_never_changed")
    raw.execute("UPDATE privileged_register SET body = replace(body, 'attorney', 'clerk')")


async def allowed(house: HouseStore, clock: HouseClock) -> Permit:
    facts = await house.gather(
        call=CallId(9),
        terminal=house.house.terminals[TerminalId("T1")],
        person=PersonId("123456"),
        digits="+15552345678",
        at_wall=clock.wall(),
    )
    verdict = screen(facts)
    assert isinstance(verdict, Permit)
    return verdict
