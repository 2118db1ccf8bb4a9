from dataclasses import replace
from typing import Any

import pytest

from switch.call.cause import EndReason
from switch.call.effects import (
    AnswerCaller,
    CallState,
    Dial,
    Finish,
    HearDigits,
    Mark,
    Play,
    Screen,
    UndoKeypadBlock,
)  # fmt: skip
from switch.call.signals import Release, Side
from tests.switch.call.script_rig import LINE, Rig

SERVICE = replace(LINE, pin_required=False, service=True)


def called(**choices: Any) -> Rig:
    rig = Rig(SERVICE, **choices)
    rig.begin()
    return rig


def said(rig: Rig) -> list[str]:
    return [p.key for e in rig.last if isinstance(e, Play) for p in e.phrases]


def test_the_service_number_is_answered_and_says_what_can_be_done() -> None:
    rig = called()
    assert any(isinstance(e, AnswerCaller) for e in rig.all)
    assert said(rig) == ["service_greeting", "block_menu_undo", "offer@es"]
    assert rig.script.state is CallState.NUMBER


def test_a_key_takes_the_blocks_back_and_leaves_a_mark() -> None:
    rig = called()
    rig.keys("7")
    assert [type(e) for e in rig.last] == [UndoKeypadBlock, Mark, Play]
    assert said(rig) == ["block_undone"]
    rig.do(rig.script.signal(Side.A, Release(16), now=rig.now))
    assert [e.reason for e in rig.all if isinstance(e, Finish)] == [EndReason.CALLER_HANGUP]


@pytest.mark.parametrize("key", list("012345690*#"))
def test_another_key_does_nothing_and_nobody_is_ever_called(key: str) -> None:
    rig = called()
    rig.keys(key * 3)
    assert rig.last == []
    assert not any(isinstance(e, Dial | Screen) for e in rig.all)


def test_the_language_key_begins_again_in_the_other_language() -> None:
    rig = called()
    rig.keys("8")
    assert said(rig)[0] == "service_greeting"
    assert rig.script.language(Side.A) == "es"


def test_silence_is_asked_again_and_then_the_end() -> None:
    rig = called(greeting_rounds_max=2, answer_wait_s=10)
    rig.heard(Side.A)
    rig.wait(11)
    assert said(rig) == ["block_menu_undo", "offer@es"]
    rig.heard(Side.A)
    rig.wait(11)
    assert rig.script.reason is EndReason.NO_RESPONSE
    assert said(rig) == ["end_no_response"]


def test_the_sound_of_a_number_that_may_be_privileged_is_not_listened_to() -> None:
    assert any(isinstance(e, HearDigits) for e in called().all)
    rig = Rig(replace(SERVICE, in_band=False))
    rig.begin()
    assert not any(isinstance(e, HearDigits) for e in rig.all)
