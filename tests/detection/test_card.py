"""What was not measured well enough must never enable a cut."""

import json
from pathlib import Path

import pytest

from switch.call.ladder import WRONG_CUTS_MAX, read_card
from tests.detection.card import card_json, card_md, share_lower, wrong_cuts

CARD = Path("dsp/card.json")

RATE = {"hours": 30.0, "false_digits": 1, "per_100_h": 3.3, "per_100_h_upper_95": 15.8}
HOME = {
    "hours": 40.0,
    "warn": 0,
    "warn_per_100_h": 0.0,
    "warn_per_100_h_upper_95": 7.5,
    "cut_eligible": 0,
    "cut_eligible_per_100_h": 0.0,
    "cut_eligible_per_100_h_upper_95": 7.5,
    "by_kind": {},
    "cut_by_kind": {},
}
REPORT = {
    "family": "report",
    "seed": 1,
    "voices": ["en"],
    "digits": [
        {
            "cell": "clean",
            "kinline_taken": 0.9,
            "libspandsp_taken": 1.0,
            "kinline_latency_ms": 44.0,
            "target_min": 0.99,
            "target_max": None,
            "reached": False,
        }
    ],
    "talk_off_speech": {"kinline": RATE},
    "talk_off_music": {"kinline": RATE},
    "progress": [],
    "false_tones_speech": {"sit": RATE},
    "false_tones_music": {"sit": RATE},
    "three_way": [],
    "household": {"all": HOME},
    "tty": {"hours": 1.0, "legs": 60, "told_as_tty": 1.0, "other_events": 0},
}


def with_hours(hours: float, cuts: int) -> dict[str, object]:
    home = {**HOME, "hours": hours, "cut_by_kind": {"three_way": cuts}}
    return {**REPORT, "household": {"all": home}}


def test_a_short_run_enables_no_cut_even_without_an_alarm() -> None:
    card = read_card(card_json(REPORT).encode())
    for kind in ("three_way", "forwarded"):
        assert card.wrong_cuts[kind]["g711"] == pytest.approx(3.0 / 120, rel=0.01)
        assert not card.allows(kind, "g711")


def test_ten_thousand_hours_without_an_alarm_enable_the_cut_on_what_was_measured_only() -> None:
    card = read_card(card_json(with_hours(10_000, 0)).encode())
    assert card.allows("three_way", "g711")
    for path in ("amr", "opus", "gsm", "unknown"):
        assert not card.allows("three_way", path)
    assert not card.allows("extra_digits", "g711")


def test_one_wrong_alarm_is_in_the_bound() -> None:
    card = read_card(card_json(with_hours(10_000, 1)).encode())
    assert card.wrong_cuts["three_way"]["g711"] == pytest.approx(4.74 / 30_000, rel=0.01)
    assert not card.allows("three_way", "g711")
    assert card.allows("forwarded", "g711")


def test_a_bound_above_the_limit_enables_none() -> None:
    text = json.dumps({"wrong_cuts": {"three_way": {"g711": WRONG_CUTS_MAX * 1.01}}})
    assert not read_card(text.encode()).allows("three_way", "g711")


def test_the_committed_card_enables_only_what_its_own_figures_bear() -> None:
    if not CARD.exists():
        return
    card = read_card(CARD.read_bytes())
    figures = json.loads(CARD.read_bytes())["figures"]
    assert card.wrong_cuts == wrong_cuts(figures)


def test_what_was_not_reached_stays_in_the_table() -> None:
    text = card_md(REPORT)
    assert "| clean | 90.00 % | 100.00 % | ≥ 99 % | **not reached** |" in text
    assert "**Not reached.**" in text
    assert "**not allowed**" in text


def test_a_part_that_was_left_out_says_so_and_bears_nothing() -> None:
    short = {name: value for name, value in REPORT.items() if name not in ("digits", "household")}
    says = "Not measured in this run."
    assert card_md(short).count(says) == card_md(REPORT).count(says) + 2
    assert read_card(card_json(short).encode()).wrong_cuts == {}


def test_a_share_of_few_calls_is_bounded_far_below_itself() -> None:
    assert share_lower(1.0, 15) == pytest.approx(0.847, abs=0.001)
    assert share_lower(0.5, 100) == pytest.approx(0.419, abs=0.001)
    assert share_lower(0.0, 15) == pytest.approx(0.0, abs=1e-9)
