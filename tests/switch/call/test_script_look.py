from dataclasses import replace
from typing import Any

import pytest

from switch.call.cause import EndReason
from switch.call.effects import HoldBack, Mark, NoteDetector, Part, Play
from switch.call.ladder import ErrorCard
from switch.call.settings import ScriptSettings
from switch.call.signals import Side
from switch.screening.permit import DetectionAction, Permit
from tests.switch.call.script_rig import DIRECT, PERMIT, Rig

PASSIVE = replace(PERMIT, passive=True)
CARD = ErrorCard(wrong_cuts={"three_way": {"g711": 0.00001}})
CUTS = ScriptSettings(
    detection_action="cut",
    cut_opted_in_by="Warden Example, 2026-01-05",
    cut_opted_in_for=("three_way",),
)


def three_way(tier: str, *, renewed: bool = False) -> dict[str, Any]:
    return {
        "kind": "three_way",
        "tier": tier,
        "score_nats": 14.0,
        "path": "g711",
        "cues": [
            {"cue": "G2", "group": "gap", "t_s": 1.0, "nats": 4.0, "value": ""},
            {"cue": "T2", "group": "tone", "t_s": 2.0, "nats": 6.0, "renewed": renewed},
        ],
    }


def talking(action: DetectionAction = DetectionAction.FLAG, **named: Any) -> Rig:
    permit: Permit = replace(PASSIVE, detection_action=action, **named.pop("permit", {}))
    rig = Rig(DIRECT, **named)
    rig.talking(permit)
    rig.last = []
    return rig


def detect(rig: Rig, event: dict[str, Any], side: Side = Side.B) -> list[Any]:
    return rig.do(rig.script.detected(event, side, now=rig.now))


def test_a_key_is_logged_with_its_leg() -> None:
    rig = talking()
    (mark,) = rig.keys("7", Side.A)
    assert isinstance(mark, Mark)
    assert mark.kind == "digits"
    assert dict(mark.detail)["leg"] == "a"


def test_a_site_may_let_keys_pass_or_warn_of_them() -> None:
    assert talking(extra_digits="pass").keys("7", Side.A) == []
    rig = talking(extra_digits="warn")
    rig.keys("77", Side.A)
    assert rig.said() == ["warning_keys"]
    for _ in range(9):
        rig.wait(31)
        rig.keys("7", Side.B)
    assert len(rig.only(Play)) == 1 + 3


def test_digits_alone_never_end_a_call() -> None:
    rig = talking(DetectionAction.CUT, settings=CUTS, card=CARD)
    rig.keys("5550100009" * 3, Side.B)
    detect(rig, {"kind": "extra_digits", "tier": "log", "value": "5550100009"})
    assert not rig.only(Part)


@pytest.mark.parametrize("form", ["1", "2", "6"])
def test_a_hookflash_is_logged_and_told_to_the_detectors(form: str) -> None:
    rig = talking()
    mark, told = rig.do(rig.script.flash(Side.B, form, now=rig.now))
    assert isinstance(mark, Mark)
    assert mark.kind == "hookflash"
    assert told == NoteDetector(Side.B, "flash", form)


def test_dial_tone_holds_the_caller_back_at_once_and_lets_go_when_it_is_over() -> None:
    rig = talking()
    assert detect(rig, {"kind": "dial_tone", "value": "0.2"})[0] == HoldBack(on=True)
    rig.wait(2.4)
    assert HoldBack(on=False) not in rig.all
    rig.wait(0.2)
    assert rig.last == [HoldBack(on=False)]


def test_ten_seconds_of_nothing_but_dial_tone_end_the_call() -> None:
    rig = talking()
    for second in range(11):
        detect(rig, {"kind": "dial_tone", "value": f"{second + 0.2:.1f}"})
        if rig.script.reason is not None:
            break
        rig.wait(1)
    assert second == 10
    assert rig.script.reason is EndReason.DIAL_TONE
    assert rig.said(Side.A) == ["end_dial_tone"]


def test_dial_tone_that_comes_and_goes_does_not_add_up() -> None:
    rig = talking()
    for _ in range(20):
        detect(rig, {"kind": "dial_tone", "value": "0.2"})
        rig.wait(3)
    assert rig.script.reason is None


def test_the_caller_s_own_dial_tone_is_only_a_line() -> None:
    rig = talking()
    detect(rig, {"kind": "dial_tone"}, Side.A)
    assert not rig.only(HoldBack)


def test_a_flag_is_covert() -> None:
    rig = talking()
    (mark,) = detect(rig, three_way("cut_eligible"))
    assert mark.for_review
    assert mark.kind == "detection:three_way"
    assert rig.said() == []


def test_call_waiting_and_noise_are_never_more_than_a_line() -> None:
    rig = talking(DetectionAction.CUT, settings=CUTS, card=CARD)
    for kind in ("call_waiting", "noise_masking", "noise_anomaly", "device_switch", "music"):
        (mark,) = detect(rig, {"kind": kind, "tier": "log"})
        assert not mark.for_review
    assert not rig.only(Part)


def test_a_prompt_is_spoken_on_both_legs() -> None:
    rig = talking(DetectionAction.PROMPT_ONCE)
    detect(rig, three_way("warn"))
    assert rig.said(Side.A) == rig.said(Side.B) == ["warning_three_way"]


def test_the_warning_counts_when_both_have_heard_all_of_it() -> None:
    rig = talking(DetectionAction.PROMPT_ONCE)
    detect(rig, three_way("warn"))
    assert rig.heard(Side.A) == []
    told = rig.heard(Side.B)
    assert NoteDetector(Side.A, "warned") in told
    assert NoteDetector(Side.B, "warned") in told
    stopped = talking(DetectionAction.PROMPT_ONCE)
    detect(stopped, three_way("warn"))
    stopped.heard(Side.A, completed=False)
    assert stopped.heard(Side.B) == []


def cutting() -> Rig:
    rig = talking(DetectionAction.CUT, settings=CUTS, card=CARD)
    detect(rig, three_way("warn"))
    rig.wait(6)
    rig.heard(Side.A)
    rig.heard(Side.B)
    return rig


def test_a_cut_follows_renewed_evidence_after_the_warning() -> None:
    rig = cutting()
    rig.wait(16)
    done = detect(rig, three_way("cut_eligible", renewed=True))
    assert any(isinstance(effect, Part) for effect in done)
    assert rig.said(Side.A) == rig.said(Side.B) == ["end_three_way"]
    assert rig.script.reason is EndReason.THREE_WAY


def test_evidence_from_before_the_warning_cuts_nothing() -> None:
    rig = cutting()
    rig.wait(16)
    (mark,) = detect(rig, three_way("cut_eligible"))
    assert ("unmet", "renewed") in mark.detail
    assert rig.script.reason is None


def test_without_a_published_card_nothing_is_cut() -> None:
    rig = talking(DetectionAction.CUT, settings=CUTS)
    detect(rig, three_way("warn"))
    rig.heard(Side.A)
    rig.heard(Side.B)
    rig.wait(16)
    (mark,) = detect(rig, three_way("cut_eligible", renewed=True))
    assert ("unmet", "card") in mark.detail


@pytest.mark.parametrize("treatment", [{"hotline": True}, {"tty": True}])
def test_a_hotline_and_a_tty_call_are_never_warned_nor_cut(treatment: dict[str, bool]) -> None:
    rig = talking(DetectionAction.CUT, settings=CUTS, card=CARD, permit=treatment)
    detect(rig, three_way("cut_eligible", renewed=True))
    assert rig.said() == []
    assert not rig.only(Part)


def test_a_random_warning_comes_later() -> None:
    rig = talking(DetectionAction.PROMPT_RANDOM)
    detect(rig, three_way("warn"))
    assert rig.said() == []
    rig.wait(15.1)
    assert rig.said(Side.A) == ["warning_three_way"]


def test_long_silence_ends_a_call_only_where_the_site_says_so() -> None:
    silent = {"kind": "silence_long", "tier": "log", "value": "180"}
    rig = talking()
    detect(rig, silent)
    assert rig.script.reason is None
    strict = talking(inactivity_s_max=180)
    detect(strict, {**silent, "value": "120"})
    assert strict.script.reason is None
    detect(strict, silent)
    assert strict.script.reason is EndReason.INACTIVITY


def test_a_number_that_is_not_inspected_has_no_detections() -> None:
    rig = talking(permit={"inspected": False})
    assert detect(rig, three_way("cut_eligible")) == []
