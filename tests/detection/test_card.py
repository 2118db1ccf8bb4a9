"""What was not measured well enough must never enable a cut."""

import json
from pathlib import Path

from switch.call.ladder import WRONG_CUTS_MAX, read_card
from tests.detection.card import card_json, card_md

CARD = Path("dsp/card.json")

RATE = {"hours": 30.0, "false_digits": 1, "per_100_h": 3.3, "per_100_h_upper_95": 15.8}
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
    "tty": {"hours": 1.0, "legs": 60, "told_as_tty": 1.0, "other_events": 0},
}


def test_a_card_without_wrong_cuts_enables_none() -> None:
    card = read_card(card_json(REPORT).encode())
    for kind in ("three_way", "extra_digits", "forwarded", "inmate_to_inmate"):
        for path in ("g711", "amr", "opus", "gsm", "unknown"):
            assert not card.allows(kind, path)


def test_a_bound_above_the_limit_enables_none() -> None:
    text = json.dumps({"wrong_cuts": {"three_way": {"g711": WRONG_CUTS_MAX * 1.01}}})
    assert not read_card(text.encode()).allows("three_way", "g711")


def test_the_committed_card_enables_nothing_that_was_not_measured() -> None:
    if not CARD.exists():
        return
    card = read_card(CARD.read_bytes())
    assert card.wrong_cuts == {}


def test_what_was_not_reached_stays_in_the_table() -> None:
    text = card_md(REPORT)
    assert "| clean | 90.00 % | 100.00 % | ≥ 99 % | **not reached** |" in text
    assert "**Not reached.**" in text
