from switch.call.call import Call, OfLeg
from switch.call.effects import (
    AnswerCaller,
    Bridge,
    CancelDial,
    Dial,
    HangUp,
    RefuseCaller,
)
from switch.call.leg import SendAnswer, SendBye, SendCancel, SendInvite, SendRefusal, Tell
from switch.call.signals import Answer, Fail, Release, Ring, Side
from switch.screening.reasons import DenyReason


def talking() -> Call:
    call = Call()
    assert call.perform(AnswerCaller()) == [OfLeg(Side.A, SendAnswer())]
    assert call.perform(Dial(40)) == [OfLeg(Side.B, SendInvite())]
    call.received(Side.B, Ring())
    assert not call.can_join
    assert call.received(Side.B, Answer()) == [OfLeg(Side.B, Tell(Answer()))]
    return call


def test_two_answered_legs_can_be_joined() -> None:
    assert talking().can_join


def test_the_carrier_is_never_told_why() -> None:
    call = talking()
    assert call.perform(HangUp(Side.B, 41, "metering_lost")) == [OfLeg(Side.B, SendBye(16, ""))]
    told = call.perform(HangUp(Side.A, 41, "metering_lost"))
    assert told == [OfLeg(Side.A, SendBye(41, "metering_lost"))]
    assert call.is_over


def test_one_side_that_leaves_does_not_release_the_other() -> None:
    call = talking()
    assert call.received(Side.B, Release()) == [OfLeg(Side.B, Tell(Release()))]
    assert not call.can_join
    assert not call.is_over


def test_a_refused_call_has_no_b_leg() -> None:
    call = Call()
    done = call.perform(RefuseCaller(DenyReason.TERMINAL_BUSY))
    assert done == [OfLeg(Side.A, SendRefusal(486, 17, "terminal_busy"))]
    assert call.is_over


def test_giving_up_cancels_the_b_leg() -> None:
    call = Call()
    call.perform(AnswerCaller())
    call.perform(Dial(40))
    assert call.perform(CancelDial()) == [OfLeg(Side.B, SendCancel())]
    call.received(Side.B, Fail(487))
    call.perform(HangUp(Side.A, 19, "no_answer"))
    assert call.is_over


def test_what_is_not_about_a_leg_is_left_to_others() -> None:
    assert talking().perform(Bridge(900)) == []
