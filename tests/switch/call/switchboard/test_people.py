from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from switch.call.effects import BlockScope, Mark, ScreenTarget
from switch.call.switchboard.people import People, whom_blocked
from switch.ids import CallId, FacilityId, PersonId, TerminalId
from switch.screening.settings import Facility
from tests.support.house_rig import HouseClock, open_house

ALLOWED = "+15552345678"
"""On the list of the lab's Alex Sample."""

FACILITY = Facility(id=FacilityId("F1"), agency="pine-county", name="Pine")


@pytest.mark.parametrize(
    ("scope", "person", "blocked"),
    [
        (BlockScope.PERSON, PersonId("123456"), ("person", "123456")),
        (BlockScope.PERSON, None, ("facility", "F1")),
        (BlockScope.FACILITY, PersonId("123456"), ("facility", "F1")),
        (BlockScope.AGENCY, None, ("agency", "pine-county")),
    ],
)
def test_whom_the_called_party_blocks(
    scope: BlockScope, person: PersonId | None, blocked: tuple[str, str]
) -> None:
    assert whom_blocked(scope, person, FACILITY) == blocked


async def test_a_call_passed_on_to_a_number_that_may_not_be_called_is_marked_for_review(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, HouseClock()) as (store, house):
        rooms: Any = SimpleNamespace(houses=house, clock=store.clock)
        nobody: Any = None
        people = People(
            rooms, CallId(7), terminal=house.house.terminals[TerminalId("T1")], settings=nobody,
            keeper=nobody, live=nobody, capacity=nobody,
        )  # fmt: skip
        known: Any = SimpleNamespace(person=PersonId("123456"))
        people.person = known
        (mark,) = await people.screen_target(ScreenTarget("15552349999"), 0.0)
        assert isinstance(mark, Mark)
        assert (mark.kind, mark.for_review) == ("forwarding_target", True)
        assert dict(mark.detail)["reason"] == "pan_missing"
        assert "9999" not in repr(mark)
        assert await people.screen_target(ScreenTarget(ALLOWED), 0.0) == []
