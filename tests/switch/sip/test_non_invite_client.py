from itertools import product

import pytest

from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response
from switch.sip.non_invite_client import (
    TABLE,
    Input,
    NonInviteClient,
    PassUp,
    Resend,
    State,
    TimedOut,
    TransportFailed,
)

TRYING, OK = Response(100), Response(200)
SENT_AGAIN = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def run_down(tx: NonInviteClient) -> list[tuple[float, object]]:
    seen: list[tuple[float, object]] = []
    while (at := tx.next_deadline()) is not None:
        seen += [(at, effect) for effect in tx.handle_timers(now=at)]
    return seen


def test_timer_e_doubles_up_to_t2_until_timer_f() -> None:
    tx = NonInviteClient(reliable=False, now=0.0)
    seen = run_down(tx)
    assert [at for at, effect in seen if effect == Resend()] == SENT_AGAIN
    assert seen[-1] == (32.0, TimedOut())


def test_over_tcp_nothing_is_sent_again_but_timer_f_stands() -> None:
    assert run_down(NonInviteClient(reliable=True, now=0.0)) == [(32.0, TimedOut())]


def test_in_proceeding_it_is_sent_again_each_t2() -> None:
    tx = NonInviteClient(reliable=False, now=0.0)
    assert tx.receive(TRYING, now=0.1) == [PassUp(TRYING)]
    resent = [at for at, effect in run_down(tx) if effect == Resend()]
    assert resent == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]


@pytest.mark.parametrize(("reliable", "until"), [(False, 6.0), (True, 1.0)])
def test_timer_k_absorbs_repeats(reliable: bool, until: float) -> None:
    tx = NonInviteClient(reliable=reliable, now=0.0)
    assert tx.receive(OK, now=1.0) == [PassUp(OK)]
    assert tx.receive(OK, now=1.0) == []
    assert tx.next_deadline() == until
    assert tx.handle_timers(now=until) == []
    assert tx.state is State.TERMINATED


def test_an_icmp_error_is_reported() -> None:
    tx = NonInviteClient(reliable=False, now=0.0)
    assert tx.transport_failed(now=0.1) == [TransportFailed()]


def test_every_state_but_the_last_can_be_left() -> None:
    for state in State:
        leaves = any(a is state and b is not state for (a, _), (b, _) in TABLE.items())
        assert leaves == (state is not State.TERMINATED)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("response", [TRYING, OK], ids=lambda r: str(r.status))
def test_the_peer_may_send_anything_in_any_state(state: State, response: Response) -> None:
    tx = NonInviteClient(reliable=False, now=0.0)
    tx.state = state
    tx.receive(response, now=0.0)
    tx.state = state
    tx.transport_failed(now=0.0)


@pytest.mark.parametrize(("state", "kind"), [p for p in product(State, Input) if p not in TABLE])
def test_our_own_illegal_input_is_refused(state: State, kind: Input) -> None:
    tx = NonInviteClient(reliable=False, now=0.0)
    tx.state = state
    with pytest.raises(IllegalInputError):
        tx._step(kind, None, now=0.0)
    assert tx.state is state
