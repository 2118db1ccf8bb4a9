import pytest

from switch.call.effects import BlockScope
from switch.call.switchboard.people import whom_blocked
from switch.ids import FacilityId, PersonId
from switch.screening.settings import Facility

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
