import pytest

from switch.call.leg import (
    TABLE,
    IllegalInputError,
    Input,
    Leg,
    SendAnswer,
    SendBye,
    SendCancel,
    SendInvite,
    SendRefusal,
    State,
    Tell,
)
from switch.call.signals import Answer, Fail, Release, Ring, Signal, Try

RECEIVED: dict[Input, Signal] = {
    Input.RECV_RING: Ring(),
    Input.RECV_ANSWER: Answer(),
    Input.RECV_FAIL: Fail(486),
    Input.RECV_RELEASE: Release(),
}
OURS = [kind for kind in Input if kind not in RECEIVED]


def give(leg: Leg, kind: Input) -> object:
    match kind:
        case Input.TRY:
            return leg.dial()
        case Input.GIVE_UP:
            return leg.give_up()
        case Input.ANSWER:
            return leg.answer()
        case Input.REFUSE:
            return leg.refuse(403, 21, "bad_pin")
        case Input.RELEASE:
            return leg.release()
        case _:
            return leg.received(RECEIVED[kind])


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(RECEIVED))
def test_the_other_end_may_do_anything_in_any_state(state: State, kind: Input) -> None:
    give(Leg(state), kind)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", OURS)
def test_our_own_mistake_is_refused_and_changes_nothing(state: State, kind: Input) -> None:
    leg = Leg(state)
    if (state, kind) in TABLE:
        give(leg, kind)
        return
    with pytest.raises(IllegalInputError):
        give(leg, kind)
    assert leg.state is state


@pytest.mark.parametrize("state", [state for state in State if state is not State.OVER])
def test_every_state_but_the_last_can_be_left(state: State) -> None:
    assert any(to is not state for (at, _), (to, _) in TABLE.items() if at is state)


@pytest.mark.parametrize("state", list(State))
def test_a_leg_can_be_released_wherever_it_stands(state: State) -> None:
    leg = Leg(state)
    leg.release()
    leg.received(Fail(487))
    assert leg.state is State.OVER


def test_an_answer_that_crosses_the_cancel_is_released() -> None:
    leg = Leg.outgoing()
    assert leg.dial() == [SendInvite()]
    assert leg.release() == [SendCancel()]
    assert leg.received(Answer()) == [SendBye(16, "")]
    assert leg.state is State.OVER


def test_a_failure_lets_the_next_trunk_be_tried() -> None:
    leg = Leg.outgoing()
    leg.dial()
    assert leg.received(Fail(503)) == [Tell(Fail(503))]
    assert leg.dial() == [SendInvite()]
    leg.received(Ring())
    assert leg.received(Answer()) == [Tell(Answer())]


def test_a_silent_trunk_is_left_for_the_next() -> None:
    leg = Leg.outgoing()
    leg.dial()
    assert leg.give_up() == [SendCancel()]
    assert leg.dial() == [SendInvite()]


def test_an_answer_of_ours_that_crosses_the_callers_cancel_says_nothing() -> None:
    leg = Leg.incoming()
    leg.received(Release())
    assert leg.answer() == []
    assert leg.refuse(480, 31, "lockdown") == []
    assert leg.state is State.OVER


def test_a_second_ringing_is_told_once() -> None:
    leg = Leg.outgoing()
    leg.dial()
    assert leg.received(Ring()) == [Tell(Ring())]
    assert leg.received(Ring()) == []


def test_an_offered_leg_is_answered_or_refused() -> None:
    leg = Leg.incoming()
    assert leg.answer() == [SendAnswer()]
    assert leg.release(21, "bad_pin") == [SendBye(21, "bad_pin")]
    assert Leg.incoming().refuse(486, 17, "terminal_busy") == [
        SendRefusal(486, 17, "terminal_busy")
    ]
    assert Leg.incoming().release(41, "switch_failure") == [SendRefusal(480, 41, "switch_failure")]


def test_two_releases_that_cross_are_one() -> None:
    leg = Leg(State.ANSWERED)
    assert leg.received(Release(31)) == [Tell(Release(31))]
    assert leg.release() == []


def test_no_other_end_sends_a_try() -> None:
    with pytest.raises(IllegalInputError):
        Leg.outgoing().received(Try())
