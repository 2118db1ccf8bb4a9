"""Numbers whose kind, place and class were written down by hand, from a facility in Colorado.

Subscriber parts are invented; each row says what it is for.
"""

import csv
from pathlib import Path

import pytest

from switch.routing.number import NumberKind, normalise, rate_class

with (Path(__file__).parents[2] / "vectors/numbers.csv").open(encoding="utf-8") as file:
    ROWS = tuple(csv.DictReader(file))
LOCAL = frozenset({"303555"})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['digits']}-{row['why']}")
def test_a_number_is_what_a_person_says(row: dict[str, str]) -> None:
    number = normalise(row["digits"])
    assert (number.e164 or "", number.kind.value) == (row["e164"], row["kind"])
    if number.kind is NumberKind.ORDINARY:
        reach = rate_class(number, home_state="CO", local_codes=LOCAL)
        assert (number.country, number.state, reach.value) == (
            row["country"],
            row["state"],
            row["class"],
        )


def test_there_are_enough_of_them_and_none_twice() -> None:
    assert len(ROWS) >= 200
    assert len({row["digits"] for row in ROWS}) == len(ROWS)
