import gc
import re
import tracemalloc
from collections import Counter
from itertools import pairwise

import pytest

from switch.sip.events import (
    AckMissing,
    AckReceived,
    Answered,
    ByeReceived,
    CancelReceived,
    DialogId,
    DialogLost,
    Effect,
    Event,
    InviteReceived,
    InviteTimedOut,
    ProgressReceived,
    Refused,
    RequestAnswered,
    RequestReceived,
)
from switch.sip.plans import InvitePlan
from tests.support.memory_wire import MemoryWire, Node

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def plan(caller: Node, callee: Node, **more: object) -> InvitePlan:
    host = callee.address[0]
    return InvitePlan(
        uri=f"sip:15550100@{host}:5060",
        from_uri=f"sip:15550199@{caller.address[0]}",
        to_uri=f"sip:15550100@{host}",
        flow=caller.flow_to(callee),
        body=OFFER,
        **more,  # type: ignore[arg-type]
    )


def call(caller: Node, callee: Node) -> DialogId:
    dialog, effects = caller.stack.invite(plan(caller, callee), now=caller.wire.now)
    caller.perform(effects)
    return dialog


def answers(node: Node, event: Event) -> list[Effect]:
    """Ring and answer whatever comes; say yes to requests in a dialog."""
    stack, now = node.stack, node.wire.now
    if isinstance(event, InviteReceived):
        ringing = stack.respond(event.dialog, 180, now=now)
        return ringing + stack.respond(event.dialog, 200, body=OFFER, now=now)
    if isinstance(event, RequestReceived):
        return stack.respond_to(event.transaction, 200, body=OFFER, now=now)
    return []


def rings(node: Node, event: Event) -> list[Effect]:
    if isinstance(event, InviteReceived):
        return node.stack.respond(event.dialog, 180, now=node.wire.now)
    return []


def pair(wire: MemoryWire, transport: str = "udp") -> tuple[Node, Node]:
    a = wire.node("192.0.2.1", transport=transport)
    b = wire.node("192.0.2.2", react=answers, transport=transport)
    return a, b


def assert_nothing_is_left(*nodes: Node) -> None:
    for node in nodes:
        counts = node.stack.counts()
        assert counts.held == 0, counts
        assert node.stack.next_deadline() is None


def dialog_at(node: Node) -> DialogId:
    event = node.of(InviteReceived)[0]
    assert isinstance(event, InviteReceived)
    return event.dialog


def methods(node: Node) -> list[str]:
    return [
        re.sub(rb"SIP/2.0 (\d+).*|(\w+) .*", rb"\1\2", d.split(b"\r\n")[0]).decode()
        for _, d in node.sent
    ]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_is_set_up_and_torn_down(transport: str) -> None:
    wire = MemoryWire()
    a, b = pair(wire, transport)
    dialog = call(a, b)
    wire.run(1.0)
    assert [type(e) for e in a.events] == [ProgressReceived, Answered]
    assert [type(e) for e in b.events] == [InviteReceived, AckReceived]
    a.perform(a.stack.bye(dialog, reason="Q.850;cause=16", now=wire.now))
    wire.run(2.0)
    assert b.of(ByeReceived) == [ByeReceived(dialog_at(b), "Q.850;cause=16")]
    wire.run(40.0)
    assert methods(a) == ["INVITE", "ACK", "BYE"]
    assert methods(b) == ["100", "180", "200", "200"]
    assert_nothing_is_left(a, b)


@pytest.mark.parametrize("seed", range(3))
def test_two_hundred_calls_survive_a_loss_of_twenty_percent(seed: int) -> None:
    wire = MemoryWire(seed, loss=0.2, duplicates=0.1, jitter_s=0.3)
    a, b = pair(wire)
    for number in range(200):
        wire.at(number * 0.05, lambda: call(a, b))
    a.react = lambda node, event: hang_up_after(node, event, 20.0)
    wire.run(60.0)
    assert len(a.of(Answered)) == len(b.of(InviteReceived)) == 200
    assert len({e.dialog for e in b.of(InviteReceived)}) == 200  # type: ignore[union-attr]
    assert len(b.of(ByeReceived)) == 200
    wire.run(150.0)
    assert not a.of(InviteTimedOut) + b.of(AckMissing) + a.of(DialogLost)
    assert_nothing_is_left(a, b)


def hang_up_after(node: Node, event: Event, wait_s: float) -> list[Effect]:
    if isinstance(event, Answered):
        later = node.wire.now + wait_s
        node.wire.at(later, lambda: node.perform(node.stack.bye(event.dialog, now=later)))
    return []


def test_nothing_answers_and_the_invite_times_out_after_32_s() -> None:
    wire = MemoryWire()
    a = wire.node("192.0.2.1")
    b = wire.node("192.0.2.2")
    wire.lose = lambda data: True
    dialog = call(a, b)
    wire.run(31.9)
    assert [at for at, _ in a.sent] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    wire.run(32.1)
    assert a.events == [InviteTimedOut(dialog, any_response=False)]
    assert_nothing_is_left(a)


def test_a_refusal_is_acknowledged_and_the_dialog_is_over() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    b.react = lambda n, e: (
        n.stack.respond(e.dialog, 486, now=wire.now) if isinstance(e, InviteReceived) else []
    )
    call(a, b)
    wire.run(1.0)
    (refused,) = a.of(Refused)
    assert isinstance(refused, Refused)
    assert refused.response.status == 486
    assert methods(a) == ["INVITE", "ACK"]
    wire.run(60.0)
    assert methods(b) == ["100", "486"]
    assert_nothing_is_left(a, b)


def test_a_cancel_meets_a_ringing_call() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    b.react = rings
    dialog = call(a, b)
    wire.run(1.0)
    a.perform(a.stack.cancel(dialog, reason="SIP;cause=487", now=wire.now))
    wire.run(2.0)
    assert b.of(CancelReceived) == [CancelReceived(dialog_at(b), "SIP;cause=487")]
    (refused,) = a.of(Refused)
    assert isinstance(refused, Refused)
    assert refused.response.status == 487
    assert b.stack.respond(dialog_at(b), 200, now=wire.now) == []
    wire.run(70.0)
    assert_nothing_is_left(a, b)


def test_a_cancel_waits_for_the_first_provisional_answer() -> None:
    wire = MemoryWire()
    a = wire.node("192.0.2.1")
    b = wire.node("192.0.2.2", react=rings)
    dialog = call(a, b)
    a.perform(a.stack.cancel(dialog, now=0.0))
    assert methods(a) == ["INVITE"]
    wire.run(1.0)
    assert methods(a) == ["INVITE", "CANCEL", "ACK"]
    assert len(b.of(CancelReceived)) == 1
    wire.run(70.0)
    assert_nothing_is_left(a, b)


def test_a_cancel_that_crosses_the_200_hangs_up_by_itself() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    b.react = rings
    dialog = call(a, b)
    wire.run(1.0)
    b.perform(b.stack.respond(dialog_at(b), 200, body=OFFER, now=wire.now))
    a.perform(a.stack.cancel(dialog, now=wire.now))
    wire.run(3.0)
    assert not a.of(Answered)
    (refused,) = a.of(Refused)
    assert isinstance(refused, Refused)
    assert refused.response.status == 487
    assert len(b.of(ByeReceived)) == 1
    wire.run(70.0)
    assert_nothing_is_left(a, b)


def test_a_200_without_any_1xx_makes_a_call() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    wire.lose = lambda data: data.startswith(b"SIP/2.0 1")
    call(a, b)
    wire.run(1.0)
    assert [type(e) for e in a.events] == [Answered]
    assert len(b.of(AckReceived)) == 1


def test_two_byes_cross() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    a.perform(a.stack.bye(dialog, now=wire.now))
    b.perform(b.stack.bye(dialog_at(b), now=wire.now))
    wire.run(2.0)
    assert not a.of(ByeReceived) + b.of(ByeReceived)
    assert methods(a)[-2:] == methods(b)[-2:] == ["BYE", "200"]
    wire.run(70.0)
    assert_nothing_is_left(a, b)


def test_the_callee_does_not_hang_up_before_its_2xx_is_acknowledged() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    wire.lose = lambda data: data.startswith(b"ACK") and wire.now < 2.0
    call(a, b)
    wire.run(0.1)
    b.perform(b.stack.bye(dialog_at(b), now=wire.now))
    wire.run(1.9)
    assert "BYE" not in methods(b)
    wire.run(6.0)
    assert methods(b)[-1] == "BYE"
    assert len(a.of(ByeReceived)) == 1
    assert not b.of(AckReceived)
    wire.run(70.0)
    assert_nothing_is_left(a, b)


def test_an_ack_that_never_comes_ends_the_call_after_32_s() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    wire.lose = lambda data: data.startswith(b"ACK")
    call(a, b)
    wire.run(31.0)
    finals = [at for at, data in b.sent if data.startswith(b"SIP/2.0 200")]
    gaps = [round(y - x, 3) for x, y in pairwise(finals)]
    assert gaps == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    wire.run(40.0)
    assert b.of(AckMissing) == [AckMissing(dialog_at(b))]
    assert len(a.of(ByeReceived)) == 1
    wire.run(110.0)
    assert_nothing_is_left(a, b)


def test_an_invite_repeated_after_the_2xx_makes_no_second_call() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    call(a, b)
    invite = a.sent[0][1]
    wire.run(5.0)
    for when in (5.0, 20.0, 31.9):
        wire.run(when)
        assert b.stack.receive(invite, b.flow_to(a), now=wire.now) == []
    assert len(b.of(InviteReceived)) == 1


def test_a_second_2xx_with_another_tag_is_acknowledged_and_hung_up() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    ok = next(data for _, data in b.sent if data.startswith(b"SIP/2.0 200"))
    fork = re.sub(rb"(\r\nTo: [^\r]*;tag=)\w+", rb"\1other", ok)
    before = len(a.sent)
    a.perform(a.stack.receive(fork, a.flow_to(b), now=wire.now))
    assert methods(a)[before:] == ["ACK", "BYE"]
    assert all(b";tag=other" in data for _, data in a.sent[before:])
    assert len(a.of(Answered)) == 1
    a.perform(a.stack.receive(fork, a.flow_to(b), now=wire.now))
    assert methods(a)[-1] == "ACK"
    a.perform(a.stack.bye(dialog, now=wire.now))
    wire.run(80.0)
    assert_nothing_is_left(a, b)


def test_a_reinvite_is_passed_up_answered_and_acknowledged() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    transaction, effects = a.stack.reinvite(dialog, body=OFFER, now=wire.now)
    a.perform(effects)
    wire.run(2.0)
    (answered,) = a.of(RequestAnswered)
    assert isinstance(answered, RequestAnswered)
    assert (answered.transaction, answered.response.status) == (transaction, 200)
    assert len(b.of(RequestReceived)) == 1
    assert len(b.of(AckReceived)) == 1
    assert b.stack.counts().successes == 0


def test_two_reinvites_cross_and_both_are_tried_again() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    a.react = answers
    dialog = call(a, b)
    wire.run(1.0)
    a.perform(a.stack.reinvite(dialog, body=OFFER, now=wire.now)[1])
    b.perform(b.stack.reinvite(dialog_at(b), body=OFFER, now=wire.now)[1])
    wire.run(1.5)
    assert "491" in methods(a)
    assert "491" in methods(b)
    wire.run(10.0)
    assert len(a.of(RequestAnswered)) == len(b.of(RequestAnswered)) == 1
    resent = [at for at, data in a.sent if data.startswith(b"INVITE")][2]
    assert 2.1 <= resent - 1.04 <= 4.1


@pytest.mark.parametrize(("status", "lost"), [(481, True), (408, True), (500, False), (405, False)])
def test_only_481_and_408_end_a_dialog(status: int, lost: bool) -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    b.react = lambda n, e: (
        n.stack.respond_to(e.transaction, status, now=wire.now)
        if isinstance(e, RequestReceived)
        else []
    )
    a.perform(a.stack.info(dialog, content_type="application/dtmf-relay", now=wire.now)[1])
    wire.run(2.0)
    assert a.of(DialogLost) == ([DialogLost(dialog, status)] if lost else [])
    assert bool(a.of(RequestAnswered)) is not lost


def test_a_dialog_on_paper_is_enough_for_another_process_to_hang_up() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    record = a.stack.dialog_record(dialog)
    assert record is not None
    heir = wire.node("192.0.2.1")
    adopted = heir.stack.adopt(record, now=wire.now)
    heir.perform(heir.stack.bye(adopted, now=wire.now))
    wire.run(2.0)
    assert len(b.of(ByeReceived)) == 1
    wire.run(60.0)
    assert_nothing_is_left(heir, b)


def test_a_lost_bye_ends_after_32_s_all_the_same() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    wire.lose = lambda data: True
    a.perform(a.stack.bye(dialog, now=wire.now))
    wire.run(50.0)
    byes = [round(at - 1.0, 1) for at, data in a.sent if data.startswith(b"BYE")]
    assert byes == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert_nothing_is_left(a)


def test_a_finished_call_leaves_only_light_transactions() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    a.perform(a.stack.bye(dialog, now=wire.now))
    wire.run(1.5)
    assert Counter(a.stack.counts().transactions) == {"lingering:client": 2}
    assert Counter(b.stack.counts().transactions) == {"lingering:server": 2}
    wire.run(40.0)
    assert_nothing_is_left(a, b)


@pytest.mark.slow
def test_signalling_remembers_a_call_in_a_fifth_of_a_megabyte_per_call_and_second() -> None:
    """The target of signalling.md section 1, both legs of a B2BUA together; then all comes back."""
    wire = MemoryWire()
    a, b = pair(wire)
    a.react = lambda node, event: hang_up_after(node, event, 2.0)
    rate = 20

    def pass_time(seconds: int) -> None:
        for _ in range(seconds):
            wire.run(wire.now + 1)
            for node in (a, b):
                node.events.clear()
                node.sent.clear()

    def load(seconds: int) -> None:
        base = wire.now
        for number in range(rate * seconds):
            wire.at(base + number / rate, lambda: call(a, b))
        pass_time(seconds)

    load(40)
    pass_time(45)
    tracemalloc.start()
    try:
        load(40)
        held_bytes = tracemalloc.get_traced_memory()[0]
        pass_time(45)
        gc.collect()
        left_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes / rate <= 200_000
    assert left_bytes <= held_bytes / 10
    assert_nothing_is_left(a, b)
