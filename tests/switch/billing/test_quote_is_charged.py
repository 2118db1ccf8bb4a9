"""A fixed-seed slice of `make soak`: a quote is what is charged, and never above the law."""

from random import Random

import pytest

from tests.support.price_draws import play


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_quoted_is_what_is_charged(seed: int) -> None:
    assert play(Random(seed), 1_500, calls_per_book=100) > 100
