from itertools import product

import pytest

from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.non_invite_server import (
    TABLE,
    Input,
    NonInviteServer,
    Send,
    State,
)

TRYING, OK = Response(100), Response(200)


@pytest.mark.parametrize(("reliable", "until"), [(False, 33.0), (True, 1.0)])
def test_repeats_get_the_same_answer_until_timer_j(reliable: bool, until: float) -> None:
    tx = NonInviteServer(reliable=reliable)
    assert tx.receive(now=0.5) == []
    assert tx.respond(OK, now=1.0) == [Send(OK)]
    assert tx.receive(now=1.0) == [Send(OK)]
    assert tx.next_deadline() == until
    assert tx.handle_timers(now=until - 0.1) == []
    assert tx.handle_timers(now=until) == []
    assert tx.state is State.TERMINATED
    assert tx.next_deadline() is None


def test_a_second_answer_changes_nothing() -> None:
    tx = NonInviteServer(reliable=False)
    tx.respond(OK, now=0.0)
    assert tx.respond(Response(500), now=0.1) == []
    assert tx.receive(now=0.2) == [Send(OK)]


def test_nothing_is_ever_sent_by_itself() -> None:
    tx = NonInviteServer(reliable=False)
    assert tx.next_deadline() is None


def test_every_state_but_the_last_can_be_left() -> None:
    for state in State:
        leaves = any(a is state and b is not state for (a, _), (b, _) in TABLE.items())
        assert leaves == (state is not State.TERMINATED)


@pytest.mark.parametrize("state", State)
def test_the_peer_may_repeat_itself_in_any_state(state: State) -> None:
    tx = NonInviteServer(reliable=False)
    tx.respond(TRYING, now=0.0)
    tx.state = state
    tx.receive(now=0.0)


@pytest.mark.parametrize(("state", "kind"), [p for p in product(State, Input) if p not in TABLE])
def test_our_own_illegal_input_is_refused(state: State, kind: Input) -> None:
    tx = NonInviteServer(reliable=False)
    tx.state = state
    with pytest.raises(IllegalInputError):
        tx._step(kind, OK, now=0.0)
    assert tx.state is state
