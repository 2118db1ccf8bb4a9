"""No path ends without a member: random inputs, in any order, in any state."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.billing.payer import Payer
from switch.call.cause import EndReason
from switch.call.effects import (
    Accepted,
    AnswerCaller,
    Bridge,
    CallState,
    Deafen,
    Dial,
    Finish,
    HangUp,
    HearDigits,
    Mark,
    NoteDetector,
    Part,
    Play,
    RefuseCaller,
    StateChanged,
)
from switch.call.orders import (
    JoinedCalls,
    LockdownKind,
    LockdownOrder,
    LockdownWay,
    MediaLost,
    MeteringLost,
    NetworkFailed,
    PersonChanged,
    RecorderFailed,
    StaffCut,
    SwitchFails,
    TerminalFailed,
    TerminalOff,
)
from switch.call.signals import Answer, Fail, Release, Ring, Side
from switch.money import Micros
from switch.screening.permit import Denied, DetectionAction
from switch.screening.reasons import DenyReason
from tests.switch.call.script_rig import DIRECT, LINE, PERMIT, PRIVILEGED, Person, Rig

Step = Callable[[Rig], list[Any]]

SIDES = st.sampled_from(Side)
DENIED = st.sampled_from(DenyReason).map(lambda reason: Denied(reason=reason))
PERMITS = st.sampled_from(
    (
        PERMIT,
        PRIVILEGED,
        replace(PERMIT, passive=True),
        replace(PERMIT, payer=Payer.CALLER_DEBIT, limit_s=45),
        replace(PERMIT, account=None, quote=None, hotline=True, monitored_notice=True),
        replace(PERMIT, detection_action=DetectionAction.PROMPT_RANDOM),
        replace(PERMIT, greeting=False, undo_offered=True),
    )
)
ORDERS = st.one_of(
    st.just(StaffCut(by="staff", why="test")),
    st.builds(
        LockdownOrder,
        order=st.just("L1"),
        by=st.just("staff"),
        way=st.sampled_from(LockdownWay),
        kind=st.sampled_from(LockdownKind),
        spares_hotlines=st.booleans(),
    ),
    st.sampled_from(
        (TerminalOff(), PersonChanged(), SwitchFails(), MeteringLost(), TerminalFailed(),
         NetworkFailed(), RecorderFailed(), JoinedCalls("staff"), MediaLost(), MediaLost(Side.A))
    ),
)  # fmt: skip
SIGNALS = st.one_of(
    st.sampled_from((Ring(), Answer(), Release(), Release(41))),
    st.builds(Fail, st.sampled_from((0, 302, 404, 408, 480, 486, 500, 503, 603))),
)
EVENTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("three_way", "dial_tone", "sit", "machine", "tty", "dtmf")),
        "tier": st.sampled_from(("log", "warn", "cut_eligible")),
        "value": st.one_of(st.floats(0, 20), st.just("busy")),
    }
)
SECONDS = st.integers(0, 1000)


def call(name: str, *arguments: Any, **named: Any) -> Step:
    return lambda rig: rig.do(getattr(rig.script, name)(*arguments, **named, now=rig.now))


def prompt_ended(side: Side) -> Step:
    def step(rig: Rig) -> list[Any]:
        plays = [play.play for play in rig.only(Play) if play.side is side]
        if not plays:
            return []
        return rig.do(rig.script.prompt_ended(plays[-1], now=rig.now))

    return step


STEP: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda side, key: call("digit", side, key), SIDES, st.sampled_from("0123456789*#")),
    st.builds(lambda digits: lambda rig: rig.keys(digits), st.sampled_from(("1234567890", "*77"))),
    st.builds(prompt_ended, SIDES),
    st.builds(lambda side, signal: call("signal", side, signal), SIDES, SIGNALS),
    st.builds(lambda permit: call("screened", permit), PERMITS),
    st.builds(lambda denied: call("screened", denied), DENIED),
    st.builds(lambda denied: call("person_denied", denied), DENIED),
    st.builds(lambda new: call("person_checked", Person(needs_name=new)), st.booleans()),
    st.builds(lambda ok: call("name_taken", ok), st.booleans()),
    st.builds(lambda ok: call("number_requested", ok), st.booleans()),
    st.just(call("balance_read", Micros(5), 3)),
    st.builds(lambda ok, s: call("reserved", ok=ok, seconds=s), st.booleans(), SECONDS),
    st.just(call("bridged")),
    st.builds(lambda paid: call("parted", by_paid_until=paid), st.booleans()),
    st.builds(lambda s: call("money", s, Micros(s)), SECONDS),
    st.just(call("money_added", 5)),
    st.just(call("payer_limit_reached")),
    st.just(call("metering_lost")),
    st.builds(lambda event, side: call("detected", event, side), EVENTS, SIDES),
    st.builds(lambda side: call("flash", side, "2"), SIDES),
    st.builds(lambda order: call("order", order), ORDERS),
    st.builds(lambda seconds: lambda rig: rig.wait(seconds), st.floats(0, 40)),
)


def likely() -> st.SearchStrategy[list[Step]]:
    """Begin as most calls do, so that the far states are reached too."""
    way = [
        call("screened", PERMIT),
        call("reserved", ok=True, seconds=600),
        call("signal", Side.B, Ring()),
        call("signal", Side.B, Answer()),
        call("digit", Side.B, "1"),
        prompt_ended(Side.A),
        prompt_ended(Side.B),
        call("bridged"),
    ]
    return st.integers(0, len(way)).map(lambda far: way[:far])


@given(
    st.sampled_from((LINE, DIRECT, replace(LINE, dialled="5550100001", pin_digits="1234567890"))),
    st.sampled_from(("all", "none")),
    st.one_of(st.none(), DENIED),
    likely(),
    st.lists(STEP, max_size=25),
    STEP,
)
@settings(max_examples=300, deadline=None)
def test_every_path_ends_in_one_finish_with_a_member(  # noqa: PLR0917 (one per strategy)
    line: Any,
    announcements: str,
    denied: Denied | None,
    way: list[Step],
    steps: list[Step],
    afterwards: Step,
) -> None:
    rig = Rig(line, announcements=announcements, inactivity_s_max=120)
    if denied is not None:
        rig.do(rig.script.refused(denied, now=rig.now))
    else:
        rig.begin()
    for step in [*way, *steps]:
        step(rig)
    rig.wait(2 * 3600)
    assert isinstance(rig.finish.reason, EndReason | DenyReason)
    assert rig.finish.reason == rig.script.reason
    assert rig.script.next_deadline() is None
    assert afterwards(rig) == []
    holds(rig)


def holds(rig: Rig) -> None:
    """The rules that never bend."""
    kinds = [type(effect) for effect in rig.all]
    for once in (AnswerCaller, Dial, Accepted, Bridge, Part, Finish):
        assert kinds.count(once) <= 1, once
    assert kinds.count(AnswerCaller) + kinds.count(RefuseCaller) <= 1
    closing = rig.all.index(StateChanged(CallState.CLOSING))
    if Bridge in kinds:
        assert Accepted in kinds[: kinds.index(Bridge)], "no bridge without a yes"
    if Part in kinds:
        assert kinds.index(Part) < closing, "charging stops before the reason is spoken"
    if Dial not in kinds:
        assert all(play.side is Side.A for play in rig.only(Play))
    hung_up = [effect.side for effect in rig.only(HangUp)]
    assert len(hung_up) == len(set(hung_up))
    permit = rig.script.permit
    if permit is not None and rig.script.facts.privileged:
        heard = [e for e in rig.all if isinstance(e, HearDigits | Deafen)]
        assert not heard or isinstance(heard[-1], Deafen) or rig.script.reason == "pan_missing"
        assert not rig.only(NoteDetector)
        assert not [mark for mark in rig.only(Mark) if mark.kind in {"digits", "hookflash"}]
