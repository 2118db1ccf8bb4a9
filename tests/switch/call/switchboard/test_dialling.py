"""The b-leg's wire against a stack, trunks and a keeper that only note what they are told."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from switch.call import effects as fx
from switch.call.leg import Leg, SendInvite, State
from switch.call.signals import Answer, Fail, Release, Ring, Side, Signal
from switch.call.switchboard.dialling import TRY_S, Dialling, around
from switch.ids import CallId, TrunkId
from switch.media.ports import RtpPort
from switch.routing.plan import Route
from switch.screening.permit import Permit
from switch.sdp.crypto import Srtp, fresh_keys
from switch.sdp.offer_answer import LocalMedia, RemoteAudio
from switch.sdp.offer_answer import answer as sdp_answer
from switch.sdp.parser import parse
from switch.sip.events import (
    Answered,
    ByeReceived,
    DialogId,
    Event,
    Flow,
    InviteTimedOut,
    ProgressReceived,
    Refused,
    RequestReceived,
    TransactionId,
)
from switch.sip.forwarding import ForwardingSeen
from switch.sip.message import Headers, Request, Response
from switch.sip.plans import InvitePlan
from tests.switch.call.script_rig import PERMIT, PRIVILEGED

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class Notes:
    """Takes every call and says nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Stack(Notes):
    """Hands out dialogs and notes which of them were ended."""

    def __init__(self) -> None:
        self.invited = 0
        self.bodies: list[bytes] = []
        self.ended: list[int] = []
        self.replies: list[tuple[int, bytes]] = []

    def invite(self, plan: InvitePlan, *, now: float) -> tuple[DialogId, list[object]]:
        self.invited += 1
        self.bodies.append(plan.body)
        return DialogId(self.invited), []

    def respond_to(self, _transaction: int, status: int, **given: Any) -> list[object]:
        self.replies.append((status, given["body"]))
        return []

    def bye(self, dialog: int, *, now: float) -> list[object]:
        self.ended.append(dialog)
        return []


class Plane(Notes):
    def __init__(self) -> None:
        self.far_ends: list[RemoteAudio] = []

    def set_remote(self, _leg: int, remote: RemoteAudio, **_: object) -> None:
        self.far_ends.append(remote)

    def open_leg(self, *_: object, **__: object) -> RtpPort:
        return RtpPort(ip="192.0.2.1", port=20_000)


class Trunks(Notes):
    """So many trunks, of one channel each."""

    transport = "udp"
    setting = Srtp.ALLOWED

    def __init__(self, count: int) -> None:
        self.free = {TrunkId(f"trunk-{n}") for n in range(count)}
        self.all = sorted(self.free)
        self.dialogs = Notes()
        self.failovers = 0

    def routes(self, *_: object, **__: object) -> list[Route]:
        return [Route(trunk=t, uri="sip:a@b", from_uri="sip:c@d", headers=()) for t in self.all]

    has_room_for_all = True

    def has_room(self, _number: str, *, is_spared: bool, now: float) -> bool:
        return self.has_room_for_all or is_spared

    def take(self, trunk: TrunkId) -> bool:
        if trunk not in self.free:
            return False
        self.free.remove(trunk)
        return True

    def give_back(self, trunk: TrunkId, **_: object) -> None:
        assert trunk not in self.free, "given back twice"
        self.free.add(trunk)

    def family(self, _trunk: TrunkId) -> str:
        return "ip4"

    def flow(self, _trunk: TrunkId) -> Flow:
        return Flow(self.transport, ("192.0.2.1", 5061), ("192.0.2.9", 5061))

    def srtp(self, _trunk: TrunkId) -> Srtp:
        return self.setting

    def media_networks(self, _trunk: TrunkId) -> tuple[str, ...]:
        return ()

    def credential(self, _trunk: TrunkId) -> None:
        return None


@dataclass
class Told:
    """A script that notes the signals it gets."""

    signals: list[Signal] = field(default_factory=list)

    def signal(self, side: Side, signal: Signal, *, now: float) -> list[fx.Effect]:
        assert side is Side.B
        self.signals.append(signal)
        return []


class Rooms(Notes):
    random = Random(1)

    def __init__(self) -> None:
        self.stack, self.plane, self.pump, self.clock = Stack(), Plane(), Notes(), Notes()


class Keeper(Notes):
    """Notes what is evidence."""

    def __init__(self) -> None:
        self.evidence: list[tuple[str, str]] = []

    def forwarding(self, seen: ForwardingSeen, _now: float) -> None:
        self.evidence.append((seen.form, seen.target))

    def far_end_hold(self, what: str, form: str, _now: float) -> None:
        self.evidence.append((what, form))


class Rig:
    """One b-leg."""

    def __init__(
        self,
        trunks: int | Trunks = 2,
        *,
        transport: str = "udp",
        srtp: str = "allowed",
        permit: Permit = PERMIT,
    ) -> None:
        self.rooms, self.told, self.keeper = Rooms(), Told(), Keeper()
        self.trunks = Trunks(trunks) if isinstance(trunks, int) else trunks
        self.trunks.transport, self.trunks.setting = transport, Srtp(srtp)
        self.leg = Leg.outgoing()
        made: Any = Dialling
        caller = Notes()
        caller.media = None  # type: ignore[attr-defined]  # the law of nobody: PCMU
        self.dialling: Dialling = made(
            self.rooms,
            CallId(1),
            leg=self.leg,
            caller=caller,
            script=self.told,
            keeper=self.keeper,
            trunks=self.trunks,
        )
        self.effects: list[fx.Effect] = []
        self.dialling.post = lambda step: self.effects.extend(step(1.0))
        assert self.leg.dial() == [SendInvite()]
        self.dialling.perform(SendInvite(), permit, now=0.0)

    def hear(self, event: Event) -> None:
        self.dialling.on_sip(event)

    def give_up(self) -> None:
        for effect in self.leg.release():
            self.dialling.perform(effect, None, now=2.0)


def response(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Response:
    return Response(status, "", Headers(headers), body)


def answered(dialog: int, body: bytes = SDP) -> Event:
    return Answered(DialogId(dialog), response(200, body))


def refused(dialog: int, status: int) -> Event:
    return Refused(DialogId(dialog), response(status))


def test_ringing_then_an_answer_are_told_once() -> None:
    rig = Rig()
    for status in (180, 183, 180):
        rig.hear(ProgressReceived(DialogId(1), response(status)))
    rig.hear(answered(1))
    assert rig.told.signals == [Ring(), Answer()]
    assert rig.leg.state is State.ANSWERED


def test_an_answer_that_crosses_our_cancel_is_released_and_nobody_is_told() -> None:
    rig = Rig()
    rig.give_up()
    rig.hear(answered(1))
    assert rig.rooms.stack.ended == [1, 1]
    assert rig.told.signals == []
    assert rig.leg.state is State.OVER
    assert len(rig.trunks.free) == 2


@pytest.mark.parametrize("status", [487, 503, 486])
def test_a_refusal_after_our_cancel_tries_no_other_trunk(status: int) -> None:
    rig = Rig()
    rig.give_up()
    rig.hear(refused(1, status))
    assert (rig.rooms.stack.invited, rig.told.signals) == (1, [])
    assert rig.leg.state is State.OVER


def test_a_silent_trunk_is_left_for_the_next_and_its_late_answer_is_not_ours() -> None:
    rig = Rig()
    rig.dialling.handle_timers(now=TRY_S)
    assert (rig.rooms.stack.ended, rig.rooms.stack.invited) == ([1], 2)
    rig.hear(answered(1))
    assert rig.told.signals == []
    rig.hear(answered(2))
    assert rig.told.signals == [Answer()]


def test_a_trunk_that_fails_is_followed_by_the_next_and_the_last_failure_counts() -> None:
    rig = Rig()
    rig.hear(refused(1, 503))
    rig.hear(InviteTimedOut(DialogId(2), any_response=False))
    assert rig.rooms.stack.invited == 2
    assert rig.told.signals == [Fail(0)]
    assert len(rig.trunks.free) == 2


def test_the_channels_of_the_reserve_are_taken_by_hotlines_and_attorneys_only() -> None:
    full: Any = type("Full", (Trunks,), {"has_room_for_all": False})
    for permit, tried in ((PERMIT, 0), (PRIVILEGED, 1)):
        rig = Rig(trunks=full(2), permit=permit)
        assert (rig.rooms.stack.invited, len(rig.told.signals)) == (tried, 1 - tried)


def test_a_called_party_who_is_busy_is_not_called_by_another_trunk() -> None:
    rig = Rig()
    rig.hear(refused(1, 486))
    assert (rig.rooms.stack.invited, rig.told.signals) == (1, [Fail(486)])


def test_an_answer_without_usable_sound_is_released_as_a_failure() -> None:
    rig = Rig()
    rig.hear(answered(1, b"nonsense"))
    assert rig.rooms.stack.ended == [1]
    assert rig.told.signals == [Fail(488, 88)]
    assert len(rig.trunks.free) == 2


@pytest.mark.parametrize(
    ("transport", "srtp", "secret"),
    [
        ("tls", "allowed", True),
        ("tls", "required", True),
        ("tls", "off", False),
        ("udp", "allowed", False),
    ],
)
def test_srtp_is_offered_over_tls_only(transport: str, srtp: str, secret: bool) -> None:
    rig = Rig(transport=transport, srtp=srtp)
    (body,) = rig.rooms.stack.bodies
    assert (b"RTP/SAVP" in body) is (b"a=crypto:" in body) is secret


@pytest.mark.parametrize("status", [415, 488, 606])
def test_a_trunk_that_refuses_srtp_is_asked_again_in_the_clear(status: int) -> None:
    rig = Rig(transport="tls")
    rig.hear(refused(1, status))
    assert [b"a=crypto:" in body for body in rig.rooms.stack.bodies] == [True, False]
    rig.hear(answered(2))
    assert rig.told.signals == [Answer()]


def test_a_trunk_that_refuses_the_clear_too_has_refused() -> None:
    rig = Rig(transport="tls")
    rig.hear(refused(1, 488))
    rig.hear(refused(2, 488))
    assert (rig.rooms.stack.invited, rig.told.signals) == (2, [Fail(488)])
    assert len(rig.trunks.free) == 2


def test_where_srtp_is_required_nobody_is_asked_in_the_clear() -> None:
    rig = Rig(transport="tls", srtp="required")
    rig.hear(refused(1, 488))
    assert (rig.rooms.stack.invited, rig.told.signals) == (1, [Fail(488)])


def test_an_answer_in_the_clear_to_an_offer_of_srtp_is_no_answer() -> None:
    rig = Rig(transport="tls")
    rig.hear(answered(1))
    assert rig.told.signals == [Fail(488, 88)]


def test_each_trunk_is_offered_keys_of_its_own() -> None:
    rig = Rig(transport="tls")
    rig.hear(refused(1, 503))
    first, second = (
        {line for line in body.split(b"\r\n") if line.startswith(b"a=crypto:")}
        for body in rig.rooms.stack.bodies
    )
    assert first
    assert not first & second
    far = LocalMedia("192.0.2.9", 4000, srtp=Srtp.ALLOWED, keys=fresh_keys(Random(2)))
    rig.hear(answered(2, sdp_answer(parse(rig.rooms.stack.bodies[1]), far, session_id=1).body))
    assert rig.told.signals == [Answer()]


def test_a_bye_and_our_own_that_cross_are_one() -> None:
    rig = Rig()
    rig.hear(answered(1))
    rig.hear(ByeReceived(DialogId(1), ""))
    rig.give_up()
    assert rig.told.signals == [Answer(), Release(16)]
    assert rig.rooms.stack.ended == []


def test_with_no_trunk_at_all_the_call_fails_unsent() -> None:
    rig = Rig(trunks=0)
    assert (rig.rooms.stack.invited, rig.told.signals) == (0, [Fail(0)])


HISTORY = (
    "History-Info",
    "<sip:15552345678@192.0.2.9>;index=1, <sip:15552340099@192.0.2.9;cause=302>;index=1.1;mp=1",
)
DIVERSION = ("Diversion", "<sip:15552345678@192.0.2.9>;reason=unconditional;counter=1")


def noted(rig: Rig) -> list[tuple[str, str]]:
    return [(e.note, e.form) for e in rig.effects if isinstance(e, fx.NoteDetector)]


def test_what_a_carrier_says_of_forwarding_is_written_down_and_told_to_the_detectors() -> None:
    rig = Rig()
    rig.hear(ProgressReceived(DialogId(1), response(181)))
    rig.hear(ProgressReceived(DialogId(1), response(180, b"", HISTORY)))
    rig.hear(ProgressReceived(DialogId(1), response(180, b"", HISTORY)))
    rig.hear(Answered(DialogId(1), response(200, SDP, DIVERSION)))
    forms = ["181", "history_info", "diversion"]
    assert noted(rig) == [("forwarding", form) for form in forms]
    assert [form for form, _ in rig.keeper.evidence] == forms
    assert rig.keeper.evidence[1][1] == "15552340099"
    assert rig.told.signals == [Ring(), Answer()]
    assert [e for e in rig.effects if isinstance(e, fx.ScreenTarget)] == [
        fx.ScreenTarget("15552340099")
    ]


def test_what_asks_the_store_comes_after_what_must_be_done() -> None:
    note, slow = fx.NoteDetector(Side.B, "forwarding", "181"), fx.ScreenTarget("1")
    deed = fx.Bridge(900)
    assert around([deed], [note, slow]) == [note, deed, slow]


def test_a_redirection_is_written_down_and_not_followed() -> None:
    rig = Rig()
    moved = response(302, b"", ("Contact", "<sip:15552340099@192.0.2.9>"))
    rig.hear(Refused(DialogId(1), moved))
    assert rig.keeper.evidence == [("3xx", "15552340099")]
    assert (rig.rooms.stack.invited, rig.told.signals) == (1, [Fail(302)])


def test_nothing_of_a_privileged_call_is_read() -> None:
    rig = Rig(permit=PRIVILEGED)
    rig.hear(ProgressReceived(DialogId(1), response(181)))
    rig.hear(ProgressReceived(DialogId(1), response(180, b"", HISTORY, DIVERSION)))
    rig.hear(answered(1))
    rig.hear(reinvite(SDP.replace(b"\r\nm=", b"\r\na=sendonly\r\nm=")))
    assert (noted(rig), rig.keeper.evidence) == ([], [])
    assert [status for status, _ in rig.rooms.stack.replies] == [200]


def reinvite(body: bytes, *headers: tuple[str, str], method: str = "INVITE") -> Event:
    request = Request(method, "sip:kinline@192.0.2.1", Headers(headers), body)
    return RequestReceived(DialogId(1), TransactionId(5), request)


def test_the_far_end_may_hold_and_resume_and_both_are_evidence() -> None:
    rig = Rig()
    rig.hear(answered(1))
    held = SDP.replace(b"\r\nm=", b"\r\na=sendonly\r\nm=")
    for body in (held, held, SDP):
        rig.hear(reinvite(body))
    assert noted(rig) == [("hold", "sendonly"), ("resume", "sendonly")]
    answers = [parse(body) for _, body in rig.rooms.stack.replies]
    directions = [a.direction_of(a.media[0]).value for a in answers]
    assert directions == ["recvonly", "recvonly", "sendrecv"]
    assert [a.origin.version for a in answers] == [2, 2, 3]
    assert len(rig.rooms.plane.far_ends) == 4


def test_a_refresh_says_what_was_said_and_a_bad_offer_leaves_the_media() -> None:
    rig = Rig()
    rig.hear(answered(1))
    rig.hear(reinvite(b""))
    assert rig.rooms.stack.replies == [(200, rig.rooms.stack.bodies[0])]
    rig.hear(reinvite(SDP.replace(b"AVP 0", b"AVP 8 18").replace(b"0 PCMU", b"18 G729")))
    rig.hear(reinvite(b"v=0\r\nrubbish"))
    rig.hear(reinvite(b"", ("Content-Type", "application/media_control+xml"), method="INFO"))
    assert [status for status, _ in rig.rooms.stack.replies][1:] == [200, 488, 469]


def test_another_identity_inside_the_call_is_forwarding() -> None:
    rig = Rig()
    rig.hear(answered(1))
    other = ("From", "<sip:15552340077@192.0.2.9>;tag=x")
    rig.hear(reinvite(b"", other))
    rig.hear(reinvite(b"", other))
    assert rig.keeper.evidence == [("connected", "15552340077")]
