import pytest

from switch.billing.tariff import Tariff, parse_tariff
from switch.billing.tariff_diff import differences

TODAY = "2026-11-24"
TEXT = """
id = "t"
kind = "jail"
adp = 10
[[rate]]
id = "a"
micros_per_minute = 100_000
valid_from = "2026-01-01"
[[rate]]
id = "b"
class = "local"
micros_per_minute = 50_000
valid_from = "2027-01-01"
"""


def tariff(before: str = "", after: str = "") -> Tariff:
    assert before in TEXT
    return parse_tariff("t.toml", TEXT.replace(before, after).encode())


def test_nothing_differs() -> None:
    assert differences(tariff(), tariff(), today=TODAY) == []


def test_a_new_contract_is_all_added() -> None:
    changes = differences(None, tariff(), today=TODAY)
    assert {change.what for change in changes} == {"added"}
    assert {"kind", "adp", "rate a", "rate b"} <= {change.row for change in changes}


@pytest.mark.parametrize(
    ("before", "after", "row", "what", "past"),
    [
        ("100_000", "90_000", "rate a", "changed", True),
        ("50_000", "40_000", "rate b", "changed", False),
        ('"2026-01-01"', '"2026-01-01"\nvalid_to = "2026-12-01"', "rate a", "changed", False),
        ('"2026-01-01"', '"2026-01-01"\nvalid_to = "2026-11-01"', "rate a", "changed", True),
        ('"2027-01-01"', '"2026-06-01"', "rate b", "changed", True),
        ('id = "b"', 'id = "c"', "rate c", "added", False),
        ("adp = 10", "adp = 11", "adp", "changed", False),
    ],
)
def test_what_differs_and_whether_it_rewrites_history(
    before: str, after: str, row: str, what: str, past: bool
) -> None:
    changes = {c.row: c for c in differences(tariff(), tariff(before, after), today=TODAY)}
    assert (changes[row].what, changes[row].rewrites_history) == (what, past)


def test_only_the_fields_that_differ_are_shown() -> None:
    (change,) = differences(tariff(), tariff("50_000", "40_000"), today=TODAY)
    assert (change.before, change.after) == (
        {"micros_per_minute": 50_000},
        {"micros_per_minute": 40_000},
    )


def test_a_row_that_was_in_force_and_is_taken_away_rewrites_history() -> None:
    gone = tariff('id = "a"', 'id = "z"')
    changes = {change.row: change for change in differences(tariff(), gone, today=TODAY)}
    assert changes["rate a"].what == "removed"
    assert changes["rate a"].rewrites_history
