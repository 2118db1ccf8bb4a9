from dataclasses import replace

import pytest

from switch.billing.ledger import ReserveResult
from switch.billing.payer import Payer
from switch.call.cause import EndReason
from switch.call.effects import (
    CallState,
    CancelDial,
    Deafen,
    Dial,
    Finish,
    HangUp,
    Play,
    PlayTone,
    RequestNumber,
    ReserveMoney,
    Screen,
    StopPlaying,
)
from switch.call.signals import Answer, Fail, Release, Ring, Side
from switch.call.switchboard.money import NOT_HELD
from switch.media.phrase import Amount, Count, Tone
from switch.money import Micros
from switch.screening.permit import Denied, Permit
from switch.screening.reasons import DenyReason
from tests.switch.call.script_rig import DIRECT, LINE, PERMIT, PRIVILEGED, Rig

DEBIT = replace(PERMIT, payer=Payer.CALLER_DEBIT)


def placed(permit: Permit = PERMIT, *, money_s: int = 3600) -> Rig:
    rig = Rig(DIRECT)
    rig.begin()
    rig.placed(permit, money_s=money_s)
    return rig


def test_a_refusal_is_spoken_and_then_the_caller_released() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.do(rig.script.screened(Denied(reason=DenyReason.BLOCKED_KEYPAD), now=rig.now))
    assert rig.said(Side.A) == ["deny_blocked_keypad"]
    assert rig.heard(Side.A)[0] == HangUp(Side.A, 21, "blocked_keypad")
    assert rig.finish.released_by == "switch"
    assert not rig.only(Dial)


def test_a_number_that_is_not_on_the_list_can_be_asked_for_at_once() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.do(rig.script.screened(Denied(reason=DenyReason.PAN_MISSING), now=rig.now))
    assert RequestNumber("5550100001") in rig.keys("*")
    rig.do(rig.script.number_requested(ok=True, now=rig.now))
    assert rig.said() == ["number_requested"]
    rig.heard(Side.A)
    assert rig.finish.reason is DenyReason.PAN_MISSING


def test_nobody_waits_for_ever_to_ask_for_a_number() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.do(rig.script.screened(Denied(reason=DenyReason.PAN_MISSING), now=rig.now))
    rig.heard(Side.A)
    rig.wait(8)
    assert rig.finish.reason is DenyReason.PAN_MISSING


def test_screening_that_does_not_answer_is_maintenance() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.wait(10.1)
    assert rig.script.reason is DenyReason.MAINTENANCE


def test_no_money_is_a_refusal() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.do(rig.script.screened(PERMIT, now=rig.now))
    rig.do(rig.script.reserved(ok=False, seconds=0, now=rig.now))
    assert rig.said() == ["deny_no_funds"]


def test_what_came_between_screening_and_the_money_is_named() -> None:
    for result in ReserveResult:
        rig = Rig(DIRECT)
        rig.begin()
        rig.do(rig.script.screened(PERMIT, now=rig.now))
        reason = NOT_HELD[result]
        rig.do(rig.script.reserved(ok=False, seconds=0, reason=reason, now=rig.now))
        assert rig.said() == [f"deny_{reason.value}"]
        assert rig.script.reason is reason


def test_a_call_that_nobody_pays_reserves_nothing() -> None:
    rig = placed(replace(PERMIT, account=None, quote=None, hotline=True))
    assert not rig.only(ReserveMoney)
    assert rig.only(Dial)


def test_the_called_party_s_call_goes_out_at_once_and_the_time_is_said_meanwhile() -> None:
    rig = placed(money_s=600)
    assert rig.said(Side.A) == ["time_allowed_minutes"]
    kinds = [type(effect) for effect in rig.all]
    assert kinds.index(Dial) < kinds.index(Play)
    (play,) = rig.only(Play)
    assert play.phrases[0].values == (("n", Count(10)),)


def test_a_caller_who_pays_hears_price_and_minutes_before_anything_rings() -> None:
    rig = placed(DEBIT, money_s=300)
    assert not rig.only(Dial)
    (play,) = rig.only(Play)
    assert [phrase.key for phrase in play.phrases] == [
        "quote_price",
        "quote_time_minutes",
        "quote_go_on",
    ]
    assert play.phrases[0].values == (("x", Amount(Micros(110_000))),)
    assert play.phrases[1].values == (("n", Count(5)),)


def test_any_key_or_staying_on_goes_on() -> None:
    hasty = placed(DEBIT)
    done = hasty.keys("7")
    assert StopPlaying(Side.A) in done
    assert hasty.only(Dial)
    patient = placed(DEBIT)
    patient.heard(Side.A)
    assert patient.only(Dial)


def test_hanging_up_during_the_price_is_free() -> None:
    rig = placed(DEBIT)
    rig.do(rig.script.signal(Side.A, Release(), now=rig.now))
    assert rig.finish == Finish(EndReason.CALLER_HANGUP, "caller")
    assert not rig.only(Dial)


def test_a_watched_hotline_tells_the_caller_first() -> None:
    hotline = replace(PERMIT, account=None, quote=None, hotline=True, monitored_notice=True)
    rig = placed(hotline)
    assert rig.said() == ["hotline_notice"]
    assert not rig.only(Dial)
    rig.heard(Side.A)
    assert rig.only(Dial)


def test_a_privileged_call_is_deaf_before_anything_else_happens() -> None:
    rig = Rig(replace(LINE, languages=("en",), pin_required=False))
    rig.begin()
    rig.keys("5550100001")
    assert rig.only(Screen)
    rig.placed(PRIVILEGED)
    kinds = [type(effect) for effect in rig.all]
    assert kinds.index(Deafen) < kinds.index(ReserveMoney) < kinds.index(Dial)


def test_the_caller_hears_our_own_ring_tone_when_it_rings() -> None:
    rig = placed()
    rig.do(rig.script.signal(Side.B, Ring(), now=rig.now))
    assert not rig.only(PlayTone)
    rig.heard(Side.A)
    assert rig.only(PlayTone) == [PlayTone(Side.A, Tone.RINGBACK)]


def test_the_ring_limit_cancels() -> None:
    rig = placed()
    rig.do(rig.script.signal(Side.B, Ring(), now=rig.now))
    rig.wait(39)
    assert not rig.only(CancelDial)
    rig.wait(2)
    assert rig.only(CancelDial)
    assert rig.script.reason is EndReason.NO_ANSWER


def test_trunks_that_say_nothing_at_all_are_congestion() -> None:
    rig = placed()
    rig.heard(Side.A)
    rig.wait(181)
    assert rig.script.reason is EndReason.CONGESTION


@pytest.mark.parametrize(
    ("status", "reason"),
    [(486, EndReason.BUSY), (404, EndReason.BAD_NUMBER), (302, EndReason.REDIRECTED)],
)
def test_the_network_s_no_is_spoken(status: int, reason: EndReason) -> None:
    rig = placed()
    rig.do(rig.script.signal(Side.B, Fail(status), now=rig.now))
    assert rig.said(Side.A) == [f"end_{reason.value}"]
    rig.heard(Side.A)
    assert rig.finish == Finish(reason, "network")
    assert not rig.only(CancelDial)


def test_hanging_up_while_it_rings_cancels() -> None:
    rig = placed()
    rig.do(rig.script.signal(Side.A, Release(), now=rig.now))
    assert rig.only(CancelDial)
    assert rig.finish == Finish(EndReason.CALLER_HANGUP, "caller")


def test_an_answer_that_crosses_the_cancel_changes_nothing() -> None:
    rig = placed()
    rig.do(rig.script.signal(Side.B, Ring(), now=rig.now))
    rig.wait(41)
    assert rig.do(rig.script.signal(Side.B, Answer(), now=rig.now)) == []
    assert rig.at(CallState.CLOSING)
