from dataclasses import replace

import pytest

from switch.call.effects import (
    AnswerCaller,
    CallState,
    CheckPin,
    HearDigits,
    Play,
    RecordName,
    RefuseCaller,
    Screen,
    StopPlaying,
)
from switch.call.signals import Side
from switch.media.phrase import Count
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from tests.switch.call.script_rig import DIRECT, LINE, Person, Rig

BAD = Denied(reason=DenyReason.BAD_PIN)
WITH_PIN = replace(LINE, dialled="5550100001", pin_digits="1234567890")


def test_the_caller_is_answered_first_and_offered_the_languages() -> None:
    rig = Rig()
    assert isinstance(rig.begin()[0], AnswerCaller)
    assert HearDigits(Side.A) in rig.all
    assert rig.said() == ["offer@en", "offer@es"]
    assert rig.at(CallState.LANGUAGE)


def test_a_language_is_kept_for_the_leg() -> None:
    rig = Rig()
    rig.begin()
    rig.keys("2")
    assert rig.script.language(Side.A) == "es"
    assert [play.language for play in rig.only(Play)][-1] == "es"
    assert rig.said() == ["enter_pin"]


def test_without_a_key_it_is_the_first_language() -> None:
    rig = Rig()
    rig.begin()
    rig.heard(Side.A)
    rig.wait(4.9)
    assert rig.at(CallState.LANGUAGE)
    rig.wait(0.2)
    assert rig.said() == ["enter_pin"]
    assert rig.at(CallState.PIN)
    assert rig.script.language(Side.A) == "en"


def test_a_caller_in_a_hurry_begins_the_pin_at_the_language() -> None:
    rig = Rig()
    rig.begin()
    rig.keys("9876543210")
    assert rig.only(CheckPin) == [CheckPin("9876543210")]


def test_one_language_asks_nothing() -> None:
    rig = Rig(replace(LINE, languages=("es",)))
    rig.begin()
    assert rig.said() == ["enter_pin"]
    assert rig.script.language(Side.A) == "es"


@pytest.mark.parametrize(("mode", "pin"), [("id", "123456"), ("passcode", "1234")])
def test_a_pin_of_another_mode_is_looked_up_when_it_has_its_digits(mode: str, pin: str) -> None:
    rig = Rig(replace(LINE, languages=("en",)), pin_mode=mode)
    rig.begin()
    done = rig.keys(pin)
    assert done == [StopPlaying(Side.A), CheckPin(pin)]


def test_mode_none_asks_for_no_pin() -> None:
    rig = Rig(replace(LINE, languages=("en",)), pin_mode="none")
    rig.begin()
    assert rig.said() == ["dial_number"]


def test_the_person_s_language_is_taken_unless_one_was_chosen() -> None:
    rig = Rig(WITH_PIN)
    rig.begin()
    rig.do(rig.script.person_checked(Person(language="es"), now=rig.now))
    assert rig.script.language(Side.A) == "es"
    chosen = Rig()
    chosen.begin()
    chosen.keys("1")
    chosen.keys("1234567890")
    chosen.do(chosen.script.person_checked(Person(language="es"), now=chosen.now))
    assert chosen.script.language(Side.A) == "en"


def test_a_pin_within_the_dialled_number_is_looked_up_and_the_number_screened() -> None:
    rig = Rig(WITH_PIN)
    rig.begin()
    assert not rig.only(Play)
    assert rig.only(CheckPin) == [CheckPin("1234567890")]
    rig.do(rig.script.person_checked(Person(), now=rig.now))
    assert rig.only(Screen) == [Screen("5550100001")]


def test_a_bad_pin_may_be_tried_three_times() -> None:
    rig = Rig(WITH_PIN)
    rig.begin()
    for _ in range(2):
        rig.do(rig.script.person_denied(BAD, now=rig.now))
        assert rig.said() == ["deny_bad_pin", "enter_pin"]
        rig.keys("1111111111")
    rig.do(rig.script.person_denied(BAD, now=rig.now))
    assert rig.said() == ["deny_bad_pin"]
    rig.heard(Side.A)
    assert rig.finish.reason is DenyReason.BAD_PIN


def test_a_locked_pin_is_the_end_and_says_for_how_long() -> None:
    rig = Rig(WITH_PIN)
    rig.begin()
    locked = Denied(reason=DenyReason.PIN_LOCKED, values=(("n", Count(15)),))
    rig.do(rig.script.person_denied(locked, now=rig.now))
    (play,) = [effect for effect in rig.last if isinstance(effect, Play)]
    assert play.phrases[0].values == (("n", Count(15)),)
    assert rig.at(CallState.CLOSING)


def test_no_key_at_all_is_no_input() -> None:
    rig = Rig(replace(LINE, languages=("en",)))
    rig.begin()
    rig.heard(Side.A)
    rig.wait(9.9)
    assert rig.at(CallState.PIN)
    rig.wait(0.2)
    assert rig.script.reason is DenyReason.NO_INPUT


def test_too_few_digits_are_looked_up_all_the_same() -> None:
    rig = Rig(replace(LINE, languages=("en",)))
    rig.begin()
    rig.keys("123")
    rig.wait(5.1)
    assert rig.only(CheckPin) == [CheckPin("123")]


def test_a_hotline_s_code_works_without_a_pin() -> None:
    rig = Rig(replace(LINE, languages=("en",)))
    rig.begin()
    rig.keys("*77")
    assert rig.only(Screen) == [Screen("*77")]
    slow = Rig(replace(LINE, languages=("en",)))
    slow.begin()
    slow.keys("9123")
    assert not slow.only(Screen)
    slow.wait(5.1)
    assert slow.only(Screen) == [Screen("9123")]
    assert not slow.only(CheckPin)


def test_keys_pressed_while_the_pin_is_looked_up_are_the_number() -> None:
    rig = Rig(replace(LINE, languages=("en",)))
    rig.begin()
    rig.keys("1234567890" + "5550100001")
    rig.do(rig.script.person_checked(Person(), now=rig.now))
    assert rig.only(Screen) == [Screen("5550100001")]


def test_a_name_is_taken_once_and_again_if_it_was_not_heard() -> None:
    rig = Rig(replace(LINE, languages=("en",)))
    rig.begin()
    rig.keys("1234567890")
    rig.do(rig.script.person_checked(Person(needs_name=True), now=rig.now))
    assert rig.said() == ["say_name"]
    assert rig.heard(Side.A) == [RecordName(3)]
    rig.do(rig.script.name_taken(ok=False, now=rig.now))
    assert rig.said() == ["name_not_heard", "say_name"]
    rig.heard(Side.A)
    rig.do(rig.script.name_taken(ok=False, now=rig.now))
    assert rig.said() == ["dial_number"]


def test_a_known_person_is_never_asked_for_the_name() -> None:
    rig = Rig(replace(LINE, languages=("en",), person_known=Person()))
    rig.begin()
    assert rig.said() == ["dial_number"]
    assert not rig.only(RecordName)


def test_a_directory_that_does_not_answer_is_maintenance() -> None:
    rig = Rig(WITH_PIN)
    rig.begin()
    rig.wait(10.1)
    assert rig.script.reason is DenyReason.MAINTENANCE


def test_menus_do_not_keep_the_phone_for_ever() -> None:
    rig = Rig(replace(LINE, languages=("en",), pin_required=False))
    rig.begin()
    for _ in range(1000):
        if rig.script.reason is not None:
            break
        rig.keys("*")
        rig.wait(1)
    assert rig.script.reason is DenyReason.NO_INPUT


@pytest.mark.parametrize(
    "reason",
    [DenyReason.TERMINAL_UNKNOWN, DenyReason.TERMINAL_BUSY, DenyReason.INBOUND_REFUSED,
     DenyReason.CAPACITY],
)  # fmt: skip
def test_some_refusals_go_by_status_unspoken(reason: DenyReason) -> None:
    rig = Rig()
    rig.do(rig.script.refused(Denied(reason=reason), now=rig.now))
    assert rig.all[0] == RefuseCaller(reason)
    assert not rig.only(AnswerCaller)
    assert not rig.only(Play)
    assert rig.finish.reason is reason


def test_other_refusals_are_answered_and_spoken() -> None:
    rig = Rig(DIRECT)
    rig.do(rig.script.refused(Denied(reason=DenyReason.LOCKDOWN), now=rig.now))
    assert isinstance(rig.all[0], AnswerCaller)
    assert rig.said() == ["deny_lockdown"]
    rig.heard(Side.A)
    assert rig.finish.reason is DenyReason.LOCKDOWN
