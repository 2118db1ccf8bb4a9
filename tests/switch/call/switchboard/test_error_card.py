"""The card at the start of the switch: what may be cut is what it bears, and no more."""

import logging
from pathlib import Path

import pytest

from switch.call.ladder import CUT_REASON, WRONG_CUTS_MAX
from switch.call.switchboard.error_card import CARD_BYTES_MAX, load_card, release_card


def test_a_card_that_bears_a_cut_allows_it_on_its_path_only(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    file.write_text(f'{{"wrong_cuts": {{"three_way": {{"g711": {WRONG_CUTS_MAX / 2}}}}}}}')
    card = load_card(file)
    assert card is not None
    assert card.allows("three_way", "g711")
    assert not card.allows("three_way", "unknown")
    assert not card.allows("forwarded", "g711")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"wrong_cuts": 1}', '{"wrong_cuts": {"three_way": {"g711": "low"}}}']
)
def test_a_broken_card_is_none_and_is_said(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "card.json"
    file.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert load_card(file) is None
    assert "no call is ever cut" in caplog.text


def test_a_missing_or_swollen_card_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "card.json"
    assert load_card(file) is None
    file.write_bytes(b" " * (CARD_BYTES_MAX + 1))
    assert load_card(file) is None
    assert caplog.text.count("ever cut") == 2


def test_the_card_of_this_release_can_be_read_and_allows_no_cut_on_unknown_lines() -> None:
    card = load_card(release_card())
    assert card is not None
    assert not any(card.allows(kind, "unknown") for kind in CUT_REASON)
