from itertools import product
from random import Random

import pytest

from switch.sip.events import Flow
from switch.sip.invite_server import IllegalInputError
from switch.sip.message import Headers, Response
from switch.sip.registration import (
    TABLE,
    Input,
    Registration,
    RegistrationPlan,
    SendRegister,
    State,
    TrunkRegistered,
    TrunkUnregistered,
)

PLAN = RegistrationPlan(
    registrar="sip:trunk.example.net",
    address_of_record="sip:15550100@trunk.example.net",
    contact="<sip:kinline@192.0.2.9:5060>",
    flow=Flow("udp", ("192.0.2.9", 5060), ("192.0.2.50", 5060)),
)


def answer(status: int, *fields: tuple[str, str], cseq: int = 1) -> Response:
    return Response(status, "", Headers((("CSeq", f"{cseq} REGISTER"), *fields)))


def started(seed: int = 1) -> Registration:
    machine = Registration(PLAN, Random(seed))
    machine.start(now=0.0)
    return machine


@pytest.mark.parametrize("seed", range(20))
def test_it_is_refreshed_between_50_and_90_percent_of_the_grant(seed: int) -> None:
    machine = started(seed)
    granted = answer(200, ("Contact", "<sip:kinline@192.0.2.9:5060>;expires=200"))
    assert machine.answered(granted, now=0.0) == [TrunkRegistered(200.0)]
    at = machine.next_deadline()
    assert at is not None
    assert 100.0 <= at <= 180.0


def test_a_refresh_keeps_call_id_and_tag_and_counts_cseq_past_a_challenge() -> None:
    machine = Registration(PLAN, Random(1))
    (first,) = machine.start(now=0.0)
    machine.answered(answer(200, ("Expires", "100"), cseq=2), now=0.0)
    (again,) = machine.handle_timers(now=91.0)
    assert isinstance(first, SendRegister)
    assert isinstance(again, SendRegister)
    assert (again.plan.call_id, again.plan.from_tag) == (first.plan.call_id, first.plan.from_tag)
    assert again.plan.cseq == 3


def test_403_stops_for_good_and_raises_the_alarm() -> None:
    machine = started()
    assert machine.answered(answer(403), now=0.0) == [TrunkUnregistered(403, forbidden=True)]
    assert machine.next_deadline() is None
    assert machine.state is State.STOPPED
    assert len(machine.start(now=9.0)) == 1


def test_423_asks_for_more_once() -> None:
    machine = started()
    (again,) = machine.answered(answer(423, ("Min-Expires", "600")), now=0.0)
    assert isinstance(again, SendRegister)
    assert ("Expires", "600") in again.plan.headers
    effects = machine.answered(answer(423, ("Min-Expires", "600")), now=0.0)
    assert effects == [TrunkUnregistered(423, forbidden=False)]


@pytest.mark.parametrize("response", [None, answer(503, ("Retry-After", "5"))])
def test_silence_and_failure_are_tried_again_after_a_while(response: Response | None) -> None:
    machine = started()
    machine.answered(response, now=0.0)
    at = machine.next_deadline()
    assert at is not None
    assert 30.0 <= at <= 60.0
    assert len(machine.handle_timers(now=at)) == 1


def test_a_longer_retry_after_is_obeyed() -> None:
    machine = started()
    machine.answered(answer(503, ("Retry-After", "500")), now=0.0)
    assert machine.next_deadline() == 500.0


def test_stopping_takes_the_binding_away() -> None:
    machine = started()
    machine.answered(answer(200), now=0.0)
    (leaving,) = machine.stop(now=5.0)
    assert isinstance(leaving, SendRegister)
    assert ("Expires", "0") in leaving.plan.headers
    assert machine.answered(answer(200), now=5.1) == [TrunkUnregistered(200, forbidden=False)]
    assert machine.state is State.IDLE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("status", [0, 200, 403, 423, 500])
def test_the_trunk_may_answer_anything_in_any_state(state: State, status: int) -> None:
    machine = started()
    machine.state = state
    machine.answered(answer(status) if status else None, now=0.0)


def test_every_state_can_be_left() -> None:
    for state in State:
        assert any(a is state and b is not state for (a, _), (b, _) in TABLE.items())


@pytest.mark.parametrize(("state", "kind"), [p for p in product(State, Input) if p not in TABLE])
def test_our_own_illegal_input_is_refused(state: State, kind: Input) -> None:
    machine = Registration(PLAN, Random(1))
    machine.state = state
    with pytest.raises(IllegalInputError):
        machine._step(kind, None, now=0.0)
    assert machine.state is state
