"""What the stack turns away by itself, and how it lets terminals in."""

import re

import pytest

from switch.sip.digest import Algorithm, Credential, answer_challenge, ha1
from switch.sip.events import (
    Dropped,
    Effect,
    Flow,
    InviteReceived,
    InviteTimedOut,
    OutOfDialogAnswered,
    RefusedByUs,
    RegisterReceived,
    RequestReceived,
    SendBytes,
    Source,
    SourceKind,
)
from switch.sip.plans import ClientCredential, RequestPlan
from switch.sip.settings import SipSettings
from switch.sip.sources import KnownSource, SourceBook
from tests.support.memory_wire import MemoryWire, Node, gateway, terminals, trunk
from tests.switch.sip.test_stack import answers, assert_nothing_is_left, call, pair, plan
from tests.vectors import messages

PHONE = Flow("udp", ("192.0.2.9", 5060), ("192.0.2.1", 5060))
SECRET = "not 1234"


def credential(algorithm: Algorithm = Algorithm.MD5) -> dict[str, Credential]:
    return {
        "line1": Credential(
            "line1", "kinline", algorithm, ha1("line1", "kinline", SECRET, algorithm)
        )
    }


def house(**more: object) -> Node:
    rows = more.pop("rows", (gateway("192.0.2.0/24"),))
    return MemoryWire().node("192.0.2.9", rows=rows, **more)  # type: ignore[arg-type]


def statuses(effects: list[Effect]) -> list[int]:
    sent = [effect.data for effect in effects if isinstance(effect, SendBytes)]
    return [int(found[1]) for data in sent if (found := re.match(rb"SIP/2\.0 (\d{3}) ", data))]


def header(effects: list[Effect], name: str) -> str:
    data = b"".join(effect.data for effect in effects if isinstance(effect, SendBytes))
    found = re.search(rf"\r\n{name}: ([^\r]*)".encode(), data)
    return found[1].decode() if found else ""


def feed(node: Node, data: bytes, flow: Flow = PHONE, now: float = 1.0) -> list[Effect]:
    return node.stack.receive(data, flow, now=now)


def request(method: str, *extra: str, **changed: str | None) -> bytes:
    changed.setdefault("cseq", f"1 {method}")
    return messages.request(*extra, line=f"{method} sip:x@192.0.2.9 SIP/2.0", body=b"", **changed)


@pytest.mark.parametrize(
    ("data", "status", "what"),
    [
        (request("REFER", "Refer-To: <sip:y@192.0.2.3>"), 405, "refer"),
        (request("SUBSCRIBE"), 489, "subscribe"),
        (request("NOTIFY"), 489, "notify"),
        (request("MESSAGE"), 405, "message"),
        (request("PUBLISH"), 405, "publish"),
        (request("PRACK"), 405, "prack"),
        (request("FROBNICATE"), 501, "unknown_method"),
        (messages.request("Replaces: a;to-tag=b;from-tag=c"), 403, "replaces"),
        (messages.request("Join: a;to-tag=b;from-tag=c"), 403, "join"),
        (messages.request("Require: replaces"), 420, "require"),
        (messages.request(max_forwards="0"), 483, "max_forwards"),
        (messages.request(content_type="text/plain"), 415, "content_type"),
        (messages.request("Accept: text/plain"), 406, "accept"),
    ],
)
def test_what_is_not_served_is_refused_by_name(data: bytes, status: int, what: str) -> None:
    node = house()
    effects = feed(node, data)
    assert statuses(effects) == [status]
    assert [e.what for e in effects if isinstance(e, RefusedByUs)] == [what]
    assert node.stack.counts().held == 0
    assert node.stack.counts().refused == {what: 1}


def test_refer_is_not_in_allow() -> None:
    allow = header(feed(house(), request("REFER")), "Allow")
    assert "INVITE" in allow
    assert "REFER" not in allow


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "CANCEL"])
def test_what_belongs_to_no_call_gets_481(method: str) -> None:
    assert statuses(feed(house(), request(method))) == [481]
    tagged = request(method, to="<sip:x@192.0.2.9>;tag=gone")
    assert statuses(feed(house(), tagged)) == [481]


def test_a_stranger_gets_silence() -> None:
    node = house()
    stranger = Flow("udp", PHONE.local, ("198.51.100.7", 5060))
    for data in (messages.request(), request("OPTIONS"), b"GET / HTTP/1.0\r\n\r\n"):
        assert feed(node, data, stranger) == [Dropped("unknown_source", stranger)]
    assert node.stack.counts().dropped == {"unknown_source": 3}


def test_options_is_answered_without_a_transaction() -> None:
    node = house()
    effects = feed(node, request("OPTIONS"))
    assert statuses(effects) == [200]
    assert header(effects, "Accept") == "application/sdp"
    assert header(effects, "Server") == "Kinline"
    assert node.stack.counts().held == 0


def test_received_and_rport_say_where_it_came_from() -> None:
    nat = Flow("udp", PHONE.local, ("192.0.2.77", 40000))
    effects = feed(house(), request("OPTIONS"), nat)
    assert "rport=40000" in header(effects, "Via")
    assert "received=192.0.2.77" in header(effects, "Via")
    assert [e.flow for e in effects if isinstance(e, SendBytes)] == [nat]


def test_without_rport_the_answer_goes_to_the_port_of_the_via() -> None:
    data = request("OPTIONS", via="SIP/2.0/UDP 10.0.0.1:5071;branch=z9hG4bKx")
    source = Flow("udp", PHONE.local, ("192.0.2.77", 40000))
    (sent,) = [e for e in feed(house(), data, source) if isinstance(e, SendBytes)]
    assert sent.flow.peer == ("192.0.2.77", 5071)
    behind = KnownSource(Source(SourceKind.GATEWAY, "g"), "192.0.2.77", nat=True)
    (sent,) = [e for e in feed(house(rows=(behind,)), data, source) if isinstance(e, SendBytes)]
    assert sent.flow == source


def test_a_request_that_came_over_two_paths_is_merged() -> None:
    node = house()
    feed(node, messages.request())
    other = messages.request(via="SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKother")
    assert statuses(feed(node, other)) == [482]


def test_a_request_that_comes_back_to_us_is_a_loop() -> None:
    node = house(rows=(trunk("192.0.2.0/24"),))
    effects = node.stack.invite(plan(node, node), now=0.0)[1]
    (sent,) = [e for e in effects if isinstance(e, SendBytes)]
    assert statuses(feed(node, sent.data)) == [482]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_terminal_proves_itself_by_its_own_algorithm(algorithm: Algorithm) -> None:
    node = house(rows=(terminals("192.0.2.0/24"),), credentials=credential(algorithm))
    first = feed(node, messages.request())
    assert statuses(first) == [401]
    assert node.stack.counts().held == 0
    challenge = header(first, "WWW-Authenticate")
    assert f"algorithm={algorithm}" in challenge
    proof = answer_challenge(
        challenge, method="INVITE", uri="sip:15550100@192.0.2.9", user="line1",
        password=SECRET, cnonce="c",
    )  # fmt: skip
    again = messages.request(f"Authorization: {proof}", cseq="19772 INVITE")
    effects = feed(node, again, now=2.0)
    assert statuses(effects) == [100]
    (invite,) = [e for e in effects if isinstance(e, InviteReceived)]
    assert invite.source == Source(SourceKind.TERMINAL, "line1")
    assert statuses(feed(node, again, now=2.1)) == [100]


def wrong(node: Node, now: float) -> list[Effect]:
    challenge = header(feed(node, request("REGISTER"), now=now), "WWW-Authenticate")
    if not challenge:
        return []
    proof = answer_challenge(
        challenge, method="REGISTER", uri="sip:x@192.0.2.9", user="line1", password="?", cnonce="c"
    )
    return feed(node, request("REGISTER", f"Authorization: {proof}"), now=now)


def test_five_wrong_digests_bring_silence_that_doubles() -> None:
    node = house(rows=(terminals("192.0.2.0/24"),), credentials=credential())
    for number in range(5):
        assert statuses(wrong(node, 5.0 * number)) == [401]
    assert wrong(node, 70.0) == []
    for number in range(5):
        assert statuses(wrong(node, 90.0 + 5 * number)) == [401]
    assert wrong(node, 200.0) == []
    assert statuses(wrong(node, 240.0)) == [401]
    assert node.stack.counts().refused["digest_silence"] > 2
    assert node.stack.counts().digest_failures == 11  # what silence met was never looked at


def test_an_unknown_user_is_challenged_like_anybody() -> None:
    node = house(rows=(terminals("192.0.2.0/24"),), credentials={})
    challenge = header(feed(node, request("REGISTER")), "WWW-Authenticate")
    assert challenge.startswith('Digest realm="kinline", nonce="')


def test_a_register_is_passed_up_and_its_repeat_gets_the_same_answer() -> None:
    node = house()
    effects = feed(node, request("REGISTER"))
    (event,) = [e for e in effects if isinstance(e, RegisterReceived)]
    (sent,) = node.stack.respond_to(event.transaction, 200, headers=[("X", "1")], now=1.1)
    assert feed(node, request("REGISTER"), now=2.0) == [sent]
    node.stack.handle_timers(now=40.0)
    assert_nothing_is_left(node)


def test_a_line_above_its_rate_gets_one_503_and_then_silence() -> None:
    node = house(settings=SipSettings())
    seen = []
    for number in range(30):
        data = request("OPTIONS", via=f"SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK{number}")
        seen.append(statuses(feed(node, data)))
    assert seen == [[200]] * 20 + [[503]] + [[]] * 9
    assert statuses(feed(node, request("OPTIONS"), now=1.5)) == [200]


def test_a_trunk_is_held_to_its_calls_per_second() -> None:
    row = KnownSource(Source(SourceKind.TRUNK, "t"), "192.0.2.0/24", calls_per_second_max=2.0)
    node = house(rows=(row,), settings=SipSettings())
    seen = []
    for number in range(4):
        via = f"SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK{number}"
        seen.append(statuses(feed(node, messages.request(via=via, call_id=f"c{number}"))))
    assert seen == [[100], [100], [503], []]


def test_while_draining_new_calls_get_503_and_live_ones_go_on() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    dialog = call(a, b)
    wire.run(1.0)
    b.stack.draining = True
    call(a, b)
    effects = feed(b, request("OPTIONS"), b.flow_to(a))
    assert statuses(effects) == [503]
    assert 5 <= int(header(effects, "Retry-After")) <= 15
    a.perform(a.stack.info(dialog, now=wire.now)[1])
    wire.run(2.0)
    assert len(b.of(InviteReceived)) == 1
    assert len(b.of(RequestReceived)) == 1
    b.stack.draining = False
    assert statuses(feed(b, request("OPTIONS"), b.flow_to(a))) == [200]


def test_a_full_switch_refuses_new_calls() -> None:
    node = house(settings=SipSettings(dialogs_max=1))
    assert statuses(feed(node, messages.request())) == [100]
    other = messages.request(call_id="other", via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKo")
    assert statuses(feed(node, other)) == [503]
    assert node.stack.counts().shed == {"INVITE": 1}


def test_what_is_turned_away_under_load_is_counted_by_method_and_draining_is_not_load() -> None:
    node = house()
    node.stack.shedding = frozenset({"OPTIONS"})
    assert statuses(feed(node, request("OPTIONS"))) == [503]
    assert statuses(feed(node, messages.request())) == [100]
    node.stack.shedding, node.stack.draining = frozenset(), True
    again = request("OPTIONS", via="SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKagain")
    assert statuses(feed(node, again)) == [503]
    assert node.stack.counts().shed == {"OPTIONS": 1}


def test_an_oversized_datagram_gets_513() -> None:
    assert statuses(feed(house(), messages.request() + b"x" * 20_000)) == [513]


@pytest.mark.parametrize("method", ["REFER", "SUBSCRIBE"])
def test_refused_in_a_call_too_and_the_call_goes_on(method: str) -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    call(a, b)
    wire.run(1.0)
    invite, ok = a.sent[0][1], next(d for _, d in b.sent if d.startswith(b"SIP/2.0 200"))
    to = re.search(rb"\r\nTo: [^\r]*", ok)
    assert to is not None
    data = re.sub(rb"\r\nTo: [^\r]*", to[0], invite).replace(b"INVITE", method.encode())
    data = data.replace(b"CSeq: 1 ", b"CSeq: 5 ").replace(b"branch=z9hG4bK", b"branch=z9hG4bKr")
    effects = feed(b, data, b.flow_to(a))
    assert statuses(effects)[0] in {405, 489}
    (event,) = [e for e in effects if isinstance(e, RefusedByUs)]
    assert event.dialog is not None
    assert b.stack.counts().dialogs == {"CONFIRMED": 1}


def test_update_without_a_body_is_answered_by_the_stack() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    call(a, b)
    wire.run(1.0)
    found = a.stack._state
    (dialog,) = found.dialogs.values()
    a.perform(a.stack._request.in_dialog(dialog, "UPDATE", now=wire.now)[1])
    wire.run(2.0)
    assert not b.of(RequestReceived)
    assert found.tally.responses["in:200"] == 2


def test_our_register_answers_the_challenge_once() -> None:
    wire = MemoryWire()
    a = wire.node("192.0.2.1")
    rows = (terminals("192.0.2.0/24"),)
    b = wire.node("192.0.2.2", rows=rows, credentials=credential(Algorithm.SHA_256))

    def yes(node: Node, event: object) -> list[Effect]:
        if isinstance(event, RegisterReceived):
            return node.stack.respond_to(event.transaction, 200, now=wire.now)
        return []

    b.react = yes
    asked = RequestPlan(
        uri="sip:192.0.2.2", from_uri="sip:line1@192.0.2.2", to_uri="sip:line1@192.0.2.2",
        flow=a.flow_to(b), credential=ClientCredential("line1", SECRET),
    )  # fmt: skip
    transaction, effects = a.stack.out_of_dialog("REGISTER", asked, now=0.0)
    a.perform(effects)
    wire.run(1.0)
    (answered,) = a.of(OutOfDialogAnswered)
    assert isinstance(answered, OutOfDialogAnswered)
    assert answered.transaction == transaction
    assert answered.response is not None
    assert answered.response.status == 200
    b.stack.sources = SourceBook([terminals("192.0.2.0/24")])
    bad = RequestPlan(
        uri="sip:192.0.2.2", from_uri="sip:line1@192.0.2.2", to_uri="sip:line1@192.0.2.2",
        flow=a.flow_to(b), credential=ClientCredential("line1", "wrong"),
    )  # fmt: skip
    a.perform(a.stack.out_of_dialog("REGISTER", bad, now=wire.now)[1])
    wire.run(5.0)
    last = a.of(OutOfDialogAnswered)[-1]
    assert isinstance(last, OutOfDialogAnswered)
    assert last.response is not None
    assert last.response.status == 401
    wire.run(60.0)
    assert_nothing_is_left(a, b)


def test_our_invite_answers_a_challenge_and_the_call_ends_well() -> None:
    wire = MemoryWire()
    a = wire.node("192.0.2.1")
    rows = (terminals("192.0.2.0/24"),)
    b = wire.node("192.0.2.2", react=answers, rows=rows, credentials=credential())
    asked = plan(a, b, credential=ClientCredential("line1", SECRET))
    dialog, effects = a.stack.invite(asked, now=0.0)
    a.perform(effects)
    wire.run(1.0)
    assert len(b.of(InviteReceived)) == 1
    a.perform(a.stack.bye(dialog, now=wire.now))
    wire.run(60.0)
    assert_nothing_is_left(a, b)


def test_a_call_that_rings_for_minutes_says_so_each_minute() -> None:
    node = house()
    (event,) = [e for e in feed(node, messages.request(), now=0.0) if isinstance(e, InviteReceived)]
    (ringing,) = node.stack.respond(event.dialog, 180, now=0.0)
    assert node.stack.next_deadline() == 60.0
    assert node.stack.handle_timers(now=60.0) == [ringing]
    assert node.stack.next_deadline() == 120.0


def test_a_call_outlives_the_connection_that_it_came_on() -> None:
    """The BYE finds its way by the Contact, on a connection of its own."""
    node = house()
    flow = Flow("tcp", ("192.0.2.9", 5060), ("192.0.2.1", 40001), 7)
    data = messages.request(contact="<sip:line1@192.0.2.1:5070;transport=tcp>")
    (event,) = [e for e in feed(node, data, flow) if isinstance(e, InviteReceived)]
    node.stack.respond(event.dialog, 200, body=messages.SDP, now=1.0)
    to = node.stack.dialog_record(event.dialog)
    assert to is not None
    ack = messages.request(
        line="ACK sip:kinline@192.0.2.9 SIP/2.0", cseq="19771 ACK", to=to.local, body=b"",
        via="SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKack",
    )  # fmt: skip
    feed(node, ack, flow)
    assert node.stack.connection_lost(flow, now=2.0) == []
    (bye,) = node.stack.bye(event.dialog, now=3.0)
    assert isinstance(bye, SendBytes)
    assert (bye.flow.peer, bye.flow.connection) == (("192.0.2.1", 5070), 0)
    assert bye.data.startswith(b"BYE sip:line1@192.0.2.1:5070;transport=tcp SIP/2.0\r\n")


def test_an_icmp_error_ends_an_unanswered_call_at_once() -> None:
    wire = MemoryWire()
    a, b = pair(wire)
    wire.lose = lambda data: True
    dialog = call(a, b)
    a.perform(a.stack.send_failed(a.flow_to(b), now=0.1))
    assert a.events == [InviteTimedOut(dialog, any_response=False)]
    assert_nothing_is_left(a)
