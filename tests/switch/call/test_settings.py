import pytest

from switch.call.settings import ScriptSettings, merged
from switch.errors import SettingsError


def test_the_defaults_are_those_of_the_design() -> None:
    settings = ScriptSettings()
    assert settings.languages == ("en", "es")
    assert settings.pin_digits == 10
    assert settings.warnings_s == (60, 30)
    assert settings.detection_action == "flag"
    assert settings.mutes_caller_digits


@pytest.mark.parametrize(
    ("mode", "digits"), [("none", 0), ("id", 6), ("passcode", 4), ("id_passcode", 10)]
)
def test_a_pin_has_the_digits_of_its_mode(mode: str, digits: int) -> None:
    assert merged(ScriptSettings(), {"pin_mode": mode}).pin_digits == digits


def test_a_facility_s_choices_lie_over_the_node_s() -> None:
    settings = merged(ScriptSettings(ring_s_max=30), {"accept_key": "3", "quote_key": "1"})
    assert settings.ring_s_max == 30
    assert settings.accept_key == "3"
    assert merged(settings, {}) is settings


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ({"ring_s_max": 999}, "ring_s_max"),
        ({"rings": 3}, "rings"),
        ({"accept_key": "2"}, "must differ"),
        ({"inactivity_s_max": 60}, "at least 120"),
        ({"detection_action": "cut"}, "cut_opted_in_by"),
        ({"accept_by_voice": True}, "accept_by_voice"),
        ({"overlay_gap_s_min": 400}, "overlay_gap_s_min"),
    ],
)
def test_a_choice_out_of_range_is_refused_by_name(choices: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        merged(ScriptSettings(), choices)
