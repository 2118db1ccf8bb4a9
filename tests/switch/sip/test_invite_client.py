from itertools import product

import pytest

from switch.sip.invite_client import (
    TABLE,
    Acknowledge,
    Input,
    InviteClient,
    PassUp,
    Resend,
    State,
    TimedOut,
    TransportFailed,
)
from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Response

RINGING, OK, BUSY = Response(180), Response(200), Response(486)


def run_down(tx: InviteClient) -> list[tuple[float, object]]:
    seen: list[tuple[float, object]] = []
    while (at := tx.next_deadline()) is not None:
        seen += [(at, effect) for effect in tx.handle_timers(now=at)]
    return seen


def test_timer_a_doubles_without_ceiling_until_timer_b() -> None:
    tx = InviteClient(reliable=False, now=0.0)
    seen = run_down(tx)
    assert [at for at, effect in seen if effect == Resend()] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert seen[-1] == (32.0, TimedOut())
    assert tx.state is State.TERMINATED


def test_over_tcp_nothing_is_sent_again_but_timer_b_stands() -> None:
    assert run_down(InviteClient(reliable=True, now=0.0)) == [(32.0, TimedOut())]


def test_a_provisional_answer_stops_the_resending_for_good() -> None:
    tx = InviteClient(reliable=False, now=0.0)
    assert tx.receive(RINGING, now=0.2) == [PassUp(RINGING)]
    assert tx.next_deadline() is None


@pytest.mark.parametrize(("reliable", "until"), [(False, 32.5), (True, 0.5)])
def test_every_repeat_of_a_refusal_is_acknowledged_until_timer_d(
    reliable: bool, until: float
) -> None:
    tx = InviteClient(reliable=reliable, now=0.0)
    assert tx.receive(BUSY, now=0.5) == [Acknowledge(BUSY), PassUp(BUSY)]
    assert tx.receive(BUSY, now=0.5) == [Acknowledge(BUSY)]
    assert tx.next_deadline() == until
    assert tx.handle_timers(now=until) == []
    assert tx.state is State.TERMINATED


@pytest.mark.parametrize("reliable", [False, True])
def test_every_2xx_goes_up_until_timer_m(reliable: bool) -> None:
    tx = InviteClient(reliable=reliable, now=0.0)
    assert tx.receive(OK, now=1.0) == [PassUp(OK)]
    assert tx.receive(OK, now=2.0) == [PassUp(OK)]
    assert tx.next_deadline() == 33.0
    tx.handle_timers(now=33.0)
    assert tx.state is State.TERMINATED


def test_an_icmp_error_before_any_answer_is_reported() -> None:
    tx = InviteClient(reliable=False, now=0.0)
    assert tx.transport_failed(now=0.1) == [TransportFailed()]
    assert tx.next_deadline() is None


def test_every_state_but_the_last_can_be_left() -> None:
    for state in State:
        leaves = any(a is state and b is not state for (a, _), (b, _) in TABLE.items())
        assert leaves == (state is not State.TERMINATED)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("response", [RINGING, OK, BUSY], ids=lambda r: str(r.status))
def test_the_peer_may_send_anything_in_any_state(state: State, response: Response) -> None:
    tx = InviteClient(reliable=False, now=0.0)
    tx.state = state
    tx.receive(response, now=0.0)
    tx.state = state
    tx.transport_failed(now=0.0)


@pytest.mark.parametrize(("state", "kind"), [p for p in product(State, Input) if p not in TABLE])
def test_our_own_illegal_input_is_refused(state: State, kind: Input) -> None:
    tx = InviteClient(reliable=False, now=0.0)
    tx.state = state
    with pytest.raises(IllegalInputError):
        tx._step(kind, None, now=0.0)
    assert tx.state is state
