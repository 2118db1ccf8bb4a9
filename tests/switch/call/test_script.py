from dataclasses import replace

from switch.call.cause import EndReason
from switch.call.effects import (
    Accepted,
    AnswerCaller,
    Bridge,
    CallState,
    Dial,
    HangUp,
    Part,
    Play,
    PlayTone,
    ReserveMoney,
    Screen,
    StateChanged,
)
from switch.call.signals import Release, Side
from tests.switch.call.script_rig import DIRECT, PERMIT, Rig

PASSIVE = replace(PERMIT, passive=True)


def test_a_passive_call_without_announcements_says_nothing_before_the_bridge() -> None:
    rig = Rig(DIRECT, announcements="none")
    rig.talking(PASSIVE)
    deeds = [type(e) for e in rig.all if not isinstance(e, StateChanged)]
    assert deeds[:6] == [AnswerCaller, Screen, ReserveMoney, Dial, Accepted, Bridge]
    assert not rig.only(Play)
    assert not rig.only(PlayTone)
    assert rig.at(CallState.TALKING)


def test_a_call_passes_through_every_state_in_order() -> None:
    rig = Rig(DIRECT, announcements="none")
    rig.talking(PASSIVE)
    rig.do(rig.script.signal(Side.B, Release(), now=rig.now))
    states = [effect.state for effect in rig.only(StateChanged)]
    assert states == list(CallState)


def test_the_called_party_hangs_up_and_the_caller_hears_why() -> None:
    rig = Rig(DIRECT)
    rig.talking(PASSIVE)
    done = rig.do(rig.script.signal(Side.B, Release(), now=rig.now))
    assert isinstance(done[0], Part)
    assert rig.said(Side.A) == ["end_called_hangup"]
    assert rig.heard(Side.A)[0] == HangUp(Side.A, 16, "called_hangup")
    assert rig.finish.reason is EndReason.CALLED_HANGUP
    assert rig.finish.released_by == "called"


def test_a_failure_of_the_trunk_is_the_networks_doing() -> None:
    rig = Rig(DIRECT)
    rig.talking(PASSIVE)
    rig.do(rig.script.signal(Side.B, Release(38), now=rig.now))
    assert rig.said(Side.A) == ["end_network_failure"]
    assert rig.heard(Side.A)[0] == HangUp(Side.A, 38, "network_failure")
    assert rig.finish.reason is EndReason.NETWORK_FAILURE
    assert rig.finish.released_by == "network"
