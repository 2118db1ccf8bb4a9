from itertools import product

import msgspec
import pytest

from switch.sip.dialog import (
    ADOPTED_CSEQ_STEP,
    TABLE,
    Action,
    Dialog,
    DialogRecord,
    Input,
    State,
    from_record,
)
from switch.sip.events import DialogId, Flow
from switch.sip.invite_server import IllegalInputError


def dialog(state: State = State.CONFIRMED, **changed: object) -> Dialog:
    made = Dialog(
        id=DialogId(1),
        state=state,
        call_id="c",
        local="<sip:us@192.0.2.9>;tag=l",
        local_tag="l",
        remote="<sip:them@192.0.2.1>;tag=r",
        remote_tag="r",
        target="sip:them@192.0.2.1:5062",
        flow=Flow("udp", ("192.0.2.9", 5060), ("192.0.2.1", 5060)),
        is_caller=True,
    )
    for name, value in changed.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(("state", "kind"), list(product(State, Input)))
def test_the_peer_may_send_anything_in_any_state(state: State, kind: Input) -> None:
    one = dialog(state)
    if kind is Input.SEND_2XX and (state, kind) not in TABLE:
        with pytest.raises(IllegalInputError):
            one.step(kind)
    else:
        one.step(kind)
    assert (one.state is state) or (state, kind) in TABLE


def test_every_state_but_the_last_can_be_left() -> None:
    for state in State:
        leaves = any(a is state and b is not state for (a, _), (b, _) in TABLE.items())
        assert leaves == (state is not State.ENDED)


def test_after_we_hang_up_nothing_is_reported() -> None:
    quiet = {State.BYE_WAITS, State.ENDING, State.ENDED}
    for (state, _), (_, actions) in TABLE.items():
        if state in quiet:
            assert not [action for action in actions if action.name.startswith("REPORT")]


def test_whatever_ends_a_dialog_says_so_exactly_once() -> None:
    """Each row into an ending reports, unless it was our own wish."""
    for (state, kind), (to, actions) in TABLE.items():
        enters = to in {State.ENDING, State.ENDED} and state not in {State.ENDING, State.BYE_WAITS}
        ours = kind in {Input.HANG_UP, Input.SEND_300_699}
        reports = [action for action in actions if action.name.startswith("REPORT")]
        if enters:
            assert len(reports) == (0 if ours else 1), (state, kind)


def test_no_bye_leaves_while_our_2xx_waits_for_its_ack() -> None:
    one = dialog(State.ANSWERED)
    assert one.step(Input.HANG_UP) == ()
    assert one.step(Input.RECV_ACK) == (Action.BYE,)


def test_a_request_of_the_peer_with_an_old_cseq_is_out_of_order() -> None:
    one = dialog()
    assert one.in_order(7)
    assert not one.in_order(7)
    assert not one.in_order(3)
    assert one.in_order(9)


def test_a_loose_route_keeps_the_target_as_request_uri() -> None:
    one = dialog(route_set=("<sip:p1;lr>", "<sip:p2;lr>"))
    request = one.request("BYE", 2, "SIP/2.0/UDP x")
    assert request.uri == "sip:them@192.0.2.1:5062"
    assert request.headers.every("route") == ["<sip:p1;lr>", "<sip:p2;lr>"]


def test_a_strict_route_becomes_the_request_uri() -> None:
    one = dialog(route_set=("<sip:p1>", "<sip:p2;lr>"))
    request = one.request("BYE", 2, "SIP/2.0/UDP x")
    assert request.uri == "sip:p1"
    assert request.headers.every("route") == ["<sip:p2;lr>", "<sip:them@192.0.2.1:5062>"]


def test_a_record_survives_json_and_comes_back_with_cseq_to_spare() -> None:
    one = dialog(local_cseq=4, remote_cseq=9, route_set=("<sip:p1;lr>",))
    data = msgspec.json.encode(one.record())
    heir = from_record(msgspec.json.decode(data, type=DialogRecord), DialogId(5))
    assert heir.local_cseq == 4 + ADOPTED_CSEQ_STEP
    assert (heir.remote, heir.route_set, heir.remote_cseq) == (one.remote, one.route_set, 9)
    assert heir.flow == one.flow
