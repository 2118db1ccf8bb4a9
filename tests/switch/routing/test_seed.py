import msgspec
import pytest

from switch.errors import SettingsError
from switch.routing.seed import AccountRange, HouseSeed
from switch.store.house_seed import checked
from tests.support.house_rig import lab_seed


@pytest.mark.parametrize("name", ["lab", "bench"])
def test_the_houses_that_come_with_us_are_right(name: str) -> None:
    checked(lab_seed(name))


def test_a_range_names_its_numbers() -> None:
    numbers = AccountRange(prefix="+1555", digits=7, count=4_096, amount_micros=1).numbers()
    assert (numbers[0], numbers[-1], len(numbers)) == ("+15550000000", "+15550004095", 4_096)


def test_a_wrong_body_names_its_table_and_row() -> None:
    seed = HouseSeed(facility=({"id": "F1", "agency": "a", "name": "n"}, {"id": "F2"}))
    with pytest.raises(SettingsError, match=r"house\.facility\[1\].*agency"):
        checked(seed)


def test_an_unknown_field_names_its_path() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.trunk\[0\]"):
        msgspec.convert({"trunk": [{"id": "t", "host": "h", "prot": 1}]}, HouseSeed)
