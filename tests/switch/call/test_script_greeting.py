from dataclasses import replace
from typing import Any

import pytest

from switch.billing.payer import Payer
from switch.call.cause import EndReason
from switch.call.effects import (
    Accepted,
    BlockByKeypad,
    BlockScope,
    Bridge,
    CallState,
    Deafen,
    Finish,
    HangUp,
    HearDigits,
    Play,
    PlayTone,
    UndoKeypadBlock,
)
from switch.call.signals import Release, Side
from switch.media.phrase import Named, Tone
from switch.screening.permit import Permit
from tests.switch.call.script_rig import DIRECT, PERMIT, PRIVILEGED, Person, Rig


def greeting(permit: Permit = PERMIT, *, money_s: int = 600, **choices: Any) -> Rig:
    rig = Rig(DIRECT, **choices)
    rig.begin()
    rig.placed(permit, money_s=money_s)
    rig.answered()
    return rig


def test_the_greeting_says_who_where_through_whom_and_what_it_costs() -> None:
    rig = greeting()
    assert rig.said(Side.B) == [
        "greeting",
        "greeting_recorded",
        "price_called_prepaid",
        "greeting_keys",
        "offer@es",
    ]
    assert rig.at(CallState.GREETING)


def test_the_greeting_uses_the_recorded_name() -> None:
    rig = Rig(replace(DIRECT, person_known=Person()))
    rig.begin()
    rig.placed()
    rig.answered()
    (play,) = [play for play in rig.only(Play) if play.side is Side.B]
    assert dict(play.phrases[0].values)["name"] == Named("person/P1")


def test_a_name_that_nobody_approved_is_not_spoken() -> None:
    rig = Rig(replace(DIRECT, person_known=Person(name_path="")))
    rig.talking()
    greetings = [p for play in rig.only(Play) for p in play.phrases if p.key == "greeting"]
    assert [set(dict(p.values)) for p in greetings] == [{"facility", "provider"}]


def test_the_caller_is_told_to_wait_and_hears_a_soft_tone() -> None:
    rig = greeting()
    assert rig.said(Side.A) == ["answered_wait"]
    assert rig.heard(Side.A) == [PlayTone(Side.A, Tone.WAIT)]


@pytest.mark.parametrize(
    ("payer", "sentence"),
    [(payer, f"price_{payer.value}") for payer in Payer if payer is not Payer.CALLER_DEBIT],
)
def test_each_payer_has_a_sentence(payer: Payer, sentence: str) -> None:
    assert sentence in greeting(replace(PERMIT, payer=payer)).said(Side.B)


def test_a_call_that_the_caller_pays_is_said_to_be_free_for_the_other() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.placed(replace(PERMIT, payer=Payer.CALLER_DEBIT))
    rig.heard(Side.A)
    rig.answered()
    assert "price_caller_debit" in rig.said(Side.B)


def test_little_money_is_said_in_seconds() -> None:
    assert "price_called_prepaid_seconds" in greeting(money_s=90).said(Side.B)


def test_an_unrecorded_call_says_so() -> None:
    assert "greeting_unrecorded" in greeting(replace(PERMIT, recorded=False)).said(Side.B)


def test_a_privileged_call_says_so_and_hears_no_keys_in_the_sound() -> None:
    rig = greeting(PRIVILEGED)
    assert "greeting_privileged" in rig.said(Side.B)
    assert HearDigits(Side.B) not in rig.all
    rig.do(rig.script.digit(Side.B, "1", in_band=True, now=rig.now))
    assert not rig.only(Accepted)
    rig.keys("1", Side.B)
    assert rig.only(Accepted) == [Accepted("1")]


def test_the_accept_key_interrupts_the_greeting_and_connects() -> None:
    rig = greeting()
    rig.keys("1", Side.B)
    assert rig.only(Accepted) == [Accepted("1")]
    assert Deafen(Side.B) in rig.last
    assert rig.said(Side.A) == ["accepted_minutes"]
    assert rig.said(Side.B) == ["connected"]
    assert not rig.only(Bridge)
    rig.heard(Side.B)
    assert not rig.only(Bridge)
    rig.heard(Side.A)
    assert rig.only(Bridge) == [Bridge(900)]
    assert rig.at(CallState.GREETING)
    rig.do(rig.script.bridged(now=rig.now))
    assert rig.at(CallState.TALKING)


def test_the_last_words_never_hold_the_bridge_up_for_long() -> None:
    rig = greeting()
    rig.keys("1", Side.B)
    rig.wait(5.1)
    assert rig.only(Bridge)


def test_silence_is_not_a_yes() -> None:
    rig = greeting()
    rig.heard(Side.B)
    rig.wait(10.1)
    greetings = [p for p in rig.only(Play) if p.side is Side.B]
    assert len(greetings) == 2
    rig.heard(Side.B)
    rig.wait(10.1)
    assert rig.script.reason is EndReason.NO_RESPONSE
    assert not rig.only(Bridge)


def test_a_wrong_key_is_not_a_yes_and_does_not_stop_the_greeting() -> None:
    rig = greeting()
    assert rig.keys("4", Side.B) == []
    assert rig.keys("1", Side.A) == []
    assert not rig.only(Accepted)


def test_refusing_and_hanging_up_are_the_same() -> None:
    rig = greeting()
    rig.keys("2", Side.B)
    assert rig.said() == ["end_refused", "end_refused"]
    rig.heard(Side.A)
    rig.heard(Side.B)
    assert rig.finish == Finish(EndReason.REFUSED, "called")
    hung_up = greeting()
    hung_up.do(hung_up.script.signal(Side.B, Release(), now=hung_up.now))
    hung_up.heard(Side.A)
    assert hung_up.finish == Finish(EndReason.REFUSED, "called")
    assert hung_up.only(HangUp) == [HangUp(Side.A, 21, "refused")]


def test_the_full_price_is_said_and_the_greeting_goes_on() -> None:
    rig = greeting()
    rig.keys("3", Side.B)
    assert rig.said(Side.B) == [
        "quote_price",
        "quote_taxes",
        "quote_balance",
        "quote_collected_called_prepaid",
        "quote_complaints",
        "greeting_keys",
        "offer@es",
    ]
    rig.keys("1", Side.B)
    assert rig.only(Accepted)


def test_the_language_key_greets_again_in_the_other_language() -> None:
    rig = greeting()
    rig.keys("8", Side.B)
    assert rig.script.language(Side.B) == "es"
    assert rig.said(Side.B)[-1] == "offer@en"
    assert rig.script.language(Side.A) == "en"


def test_a_number_may_have_its_own_language() -> None:
    rig = greeting(replace(PERMIT, called_language="es"))
    assert rig.script.language(Side.B) == "es"


def test_blocking_asks_again_before_it_acts() -> None:
    rig = greeting()
    rig.keys("5", Side.B)
    assert rig.said(Side.B) == ["block_menu", "block_menu_agency"]
    assert not rig.only(BlockByKeypad)
    rig.keys("1", Side.B)
    assert rig.only(BlockByKeypad) == [BlockByKeypad(BlockScope.PERSON)]
    assert rig.said(Side.A) == ["end_refused"]
    assert rig.said(Side.B) == ["end_blocked_by_called"]
    assert rig.script.reason is EndReason.BLOCKED_BY_CALLED
    assert not rig.only(Accepted)


def test_nine_blocks_the_facility_zero_the_agency_and_the_star_goes_back() -> None:
    rig = greeting()
    rig.keys("59", Side.B)
    assert rig.only(BlockByKeypad) == [BlockByKeypad(BlockScope.FACILITY)]
    agency = greeting()
    agency.keys("50", Side.B)
    assert agency.only(BlockByKeypad) == [BlockByKeypad(BlockScope.AGENCY)]
    assert agency.said(Side.B)[-1] == "end_blocked_by_called"
    back = greeting()
    back.keys("5*", Side.B)
    assert back.said(Side.B)[-2:] == ["greeting_keys", "offer@es"]
    back.keys("1", Side.B)
    assert back.only(Accepted)


def test_a_block_can_be_taken_back_on_the_next_call() -> None:
    rig = greeting(replace(PERMIT, undo_offered=True))
    rig.keys("5", Side.B)
    assert rig.said(Side.B) == ["block_menu", "block_menu_agency", "block_menu_undo"]
    rig.keys("7", Side.B)
    assert rig.only(UndoKeypadBlock) == [UndoKeypadBlock()]
    assert rig.said(Side.B)[0] == "block_undone"
    never = greeting()
    never.keys("57", Side.B)
    assert not never.only(UndoKeypadBlock)


def test_the_keys_are_the_facility_s() -> None:
    rig = greeting(accept_key="3", quote_key="1")
    rig.keys("3", Side.B)
    assert rig.only(Accepted) == [Accepted("3")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("sit", EndReason.BAD_NUMBER), ("machine", EndReason.VOICEMAIL), ("fax", EndReason.FAX)],
)
def test_a_machine_cannot_accept(kind: str, reason: EndReason) -> None:
    rig = greeting()
    rig.do(rig.script.detected({"kind": kind}, Side.B, now=rig.now))
    assert rig.script.reason is reason
    private = greeting(PRIVILEGED)
    assert private.do(private.script.detected({"kind": kind}, Side.B, now=private.now)) == []


def test_a_passive_number_is_bridged_at_once() -> None:
    rig = greeting(replace(PERMIT, passive=True))
    assert rig.only(Accepted) == [Accepted("passive")]
    assert rig.only(Bridge)
    assert not [play for play in rig.only(Play) if play.side is Side.B]


def test_no_greeting_means_passive() -> None:
    assert greeting(replace(PERMIT, greeting=False)).only(Accepted) == [Accepted("passive")]


def test_the_caller_may_leave_during_the_greeting() -> None:
    rig = greeting()
    rig.do(rig.script.signal(Side.A, Release(), now=rig.now))
    assert rig.said(Side.B) == ["end_caller_hangup"]
    rig.heard(Side.B)
    assert rig.only(HangUp) == [HangUp(Side.B, 16, "")]
    assert rig.finish.reason is EndReason.CALLER_HANGUP
