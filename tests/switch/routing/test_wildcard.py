import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import UserError
from switch.routing.wildcard import (
    best_first,
    canonical_pattern,
    is_wildcard,
    matches,
    precedence,
)

numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
patterns = st.from_regex(r"\+[0-9?]{1,15}\*?", fullmatch=True)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("900-???-????", "+1900???????"),
        ("1 (555) 234-5678", "+15552345678"),
        ("+1555???????", "+1555???????"),
        ("+52*", "+52*"),
        ("5552345678", "+15552345678"),
    ],
)
def test_a_pattern_is_kept_as_it_is_matched(typed: str, kept: str) -> None:
    assert canonical_pattern(typed) == kept


@pytest.mark.parametrize("typed", ["", "abc", "555", "+1*555", "+", "555-????x", "+1" + "?" * 20])
def test_what_is_no_pattern_is_refused(typed: str) -> None:
    with pytest.raises(UserError):
        canonical_pattern(typed)


@given(patterns, numbers)
def test_a_wildcard_matches_what_its_regular_expression_matches(pattern: str, number: str) -> None:
    rule = re.escape(pattern).replace(r"\?", "[0-9]").replace(r"\*", "[0-9]*")
    assert matches(pattern, number) is (re.fullmatch(rule, number) is not None)


@given(numbers)
def test_a_number_matches_itself_and_is_exact(number: str) -> None:
    assert matches(number, number)
    assert not is_wildcard(number)
    assert precedence(number) < precedence(number[:-1] + "?")


def test_the_pattern_that_says_most_comes_first() -> None:
    every = ["+1*", "+1555???????", "+15552345678", "+1555234????"]
    assert best_first(every) == ["+15552345678", "+1555234????", "+1555???????", "+1*"]
