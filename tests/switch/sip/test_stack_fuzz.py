"""A peer may send anything at all: the stack answers or drops, and never raises."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.errors import PeerError
from switch.sip.events import DialogId, Effect, Flow, RequestReceived, SendBytes
from switch.sip.parser import StreamParser
from tests.support.memory_wire import MemoryWire, Node
from tests.switch.sip.test_stack import OFFER, answers, call, dialog_at, pair
from tests.vectors import messages, torture

METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "OPTIONS", "REFER", "NOTIFY", "X"]
GOOD = [messages.request(), messages.response(), *torture.messages().values()]


def live_call() -> tuple[MemoryWire, Node, Node]:
    wire = MemoryWire()
    a, b = pair(wire)
    call(a, b)
    wire.run(1.0)
    return wire, a, b


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    wire, _, b = live_call()
    b.stack.receive(data, Flow("udp", b.address, ("192.0.2.7", 5060)), now=wire.now)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_mutation_of_a_message_in_a_live_call(data: st.DataObject) -> None:
    """Cut, doubled, swapped and overwritten pieces of what really went over the wire."""
    wire, a, b = live_call()
    seen = [*(sent for _, sent in a.sent), *(sent for _, sent in b.sent), *GOOD]
    message = bytearray(data.draw(st.sampled_from(seen)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(message) - 1)))
        size = data.draw(st.integers(0, 12))
        piece = data.draw(st.binary(max_size=12))
        message[at : at + size] = piece
    for node, other in ((a, b), (b, a)):
        node.perform(node.stack.receive(bytes(message), node.flow_to(other), now=wire.now))
        node.perform(node.stack.receive(bytes(message), node.flow_to(other), now=wire.now))
    wire.run(120.0)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(METHODS), st.integers(0, 9), st.booleans(), st.booleans()),
        max_size=12,
    )
)
def test_any_sequence_of_requests_in_a_dialog(steps: list[tuple[str, int, bool, bool]]) -> None:
    wire, a, b = live_call()
    invite = a.sent[0][1]
    to = next(d for _, d in b.sent if d.startswith(b"SIP/2.0 200")).split(b"\r\nTo: ")[1]
    tagged = to.split(b"\r\n")[0]
    plain = tagged.split(b";tag")[0]
    for number, (method, cseq, in_dialog, with_body) in enumerate(steps):
        name = method.encode()
        data = invite.replace(b"INVITE sip", name + b" sip", 1)
        data = data.replace(b"CSeq: 1 INVITE", b"CSeq: %d %s" % (cseq, name))
        data = data.replace(b"To: " + plain, b"To: " + (tagged if in_dialog else plain), 1)
        data = data.replace(b";branch=z9hG4bK", b";branch=z9hG4bKx%d" % (number % 5), 1)
        if not with_body:
            data = data.replace(b"Content-Length: %d" % len(OFFER), b"Content-Length: 0")
        b.perform(b.stack.receive(data, b.flow_to(a), now=wire.now))
        wire.run(wire.now + 0.3)
    b.perform(b.stack.bye(dialog_at(b), now=wire.now))
    wire.run(wire.now + 200)
    left = b.stack.counts()
    others = {key for key in left.dialogs if key != "EARLY"}
    assert not left.successes
    assert not left.unanswered
    assert not others


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    loss=st.sampled_from([0.0, 0.2, 0.5]),
    ours=st.lists(
        st.tuples(
            st.sampled_from(["cancel", "bye", "answer", "refuse", "info", "reinvite", "theirs"]),
            st.floats(0, 8),
        ),
        max_size=6,
    ),
)
def test_whatever_crosses_no_dialog_remains(
    seed: int, loss: float, ours: list[tuple[str, float]]
) -> None:
    """Two stacks back to back over a bad wire; both hang up in the end, and nothing is left."""
    wire = MemoryWire(seed, loss=loss, duplicates=0.2, jitter_s=0.4)
    a = wire.node("192.0.2.1", react=obliging)
    b = wire.node("192.0.2.2", react=obliging)
    dialog = call(a, b)
    for what, when in sorted(ours, key=lambda step: step[1]):
        wire.at(when, lambda what=what: act(what, a, b, dialog))  # type: ignore[misc]
    wire.run(10.0)
    act("bye", a, b, dialog)
    act("theirs", a, b, dialog)
    wire.run(300.0)
    assert a.stack.counts().held == 0
    assert b.stack.counts().held == 0


def obliging(node: Node, event: object) -> list[Effect]:
    if isinstance(event, RequestReceived):
        return answers(node, event)
    return []


def act(what: str, a: Node, b: Node, dialog: DialogId) -> None:
    now = a.wire.now
    theirs = dialog_at(b) if any(type(e).__name__ == "InviteReceived" for e in b.events) else None
    match what:
        case "cancel" | "bye":
            a.perform(a.stack.bye(dialog, now=now))
        case "info":
            a.perform(a.stack.info(dialog, now=now)[1])
        case "reinvite":
            a.perform(a.stack.reinvite(dialog, body=OFFER, now=now)[1])
            if theirs is not None:
                b.perform(b.stack.reinvite(theirs, body=OFFER, now=now)[1])
        case _ if theirs is None:
            pass
        case "answer":
            b.perform(b.stack.respond(theirs, 200, body=OFFER, now=now))
        case "refuse":
            b.perform(b.stack.respond(theirs, 486, now=now))
        case _:
            b.perform(b.stack.bye(theirs, now=now))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_stream(pieces: list[bytes]) -> None:
    wire, _, b = live_call()
    flow = Flow("tcp", b.address, ("192.0.2.7", 40000), 1)
    parser = StreamParser()
    for piece in [*pieces, messages.request()]:
        for found in parser.feed(piece):
            if isinstance(found, PeerError):
                b.stack.receive_error(found, flow, now=wire.now)
            else:
                b.stack.receive(found, flow, now=wire.now)
    b.stack.connection_lost(flow, now=wire.now)


def test_the_mutations_begin_with_what_is_good() -> None:
    assert Random(1).choice(GOOD)
    wire, a, b = live_call()
    done = b.stack.receive(messages.request(), b.flow_to(a), now=wire.now)
    assert any(isinstance(effect, SendBytes) for effect in done)
