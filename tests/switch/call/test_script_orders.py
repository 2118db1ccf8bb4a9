from dataclasses import replace

import pytest

from switch.call.cause import EndReason
from switch.call.effects import CancelDial, Finish, HangUp, Mark, Part, Play
from switch.call.orders import (
    JoinedCalls,
    LockdownKind,
    LockdownOrder,
    LockdownWay,
    MediaLost,
    MeteringLost,
    NetworkFailed,
    Order,
    PersonChanged,
    RecorderFailed,
    StaffCut,
    SwitchFails,
    TerminalFailed,
    TerminalOff,
)
from switch.call.signals import Side
from switch.media.phrase import Count
from switch.money import Micros
from switch.screening.permit import Permit
from switch.screening.reasons import DenyReason
from tests.switch.call.script_rig import DIRECT, LINE, PERMIT, PRIVILEGED, Rig

PASSIVE = replace(PERMIT, passive=True)


def lockdown(way: LockdownWay, kind: LockdownKind = LockdownKind.LOCKDOWN) -> LockdownOrder:
    return LockdownOrder(order="L1", by="Officer Example", way=way, kind=kind)


def talking(permit: Permit = PASSIVE) -> Rig:
    rig = Rig(DIRECT)
    rig.talking(permit)
    rig.last = []
    return rig


def keying() -> Rig:
    rig = Rig(LINE)
    rig.begin()
    return rig


def give(rig: Rig, order: Order) -> Rig:
    rig.do(rig.script.order(order, now=rig.now))
    return rig


@pytest.mark.parametrize(
    ("order", "reason", "by"),
    [
        (StaffCut(by="Officer", why="threats"), EndReason.STAFF_CUT, "staff"),
        (lockdown(LockdownWay.NOW), EndReason.LOCKDOWN, "staff"),
        (lockdown(LockdownWay.NOW, LockdownKind.MAINTENANCE), EndReason.MAINTENANCE, "staff"),
        (PersonChanged("released"), EndReason.PERSON_CHANGED, "staff"),
        (JoinedCalls("Analyst"), EndReason.JOINED_CALLS, "staff"),
        (RecorderFailed(), EndReason.RECORDER_FAILURE, "switch"),
    ],
)
def test_an_order_parts_first_and_both_hear_why(order: Order, reason: EndReason, by: str) -> None:
    rig = give(talking(), order)
    kinds = [type(effect) for effect in rig.last if not isinstance(effect, Mark)]
    assert kinds[0] is Part
    assert rig.said(Side.A) == rig.said(Side.B) == [f"end_{reason.value}"]
    rig.heard(Side.A)
    rig.heard(Side.B)
    assert rig.finish == Finish(reason, by)


def test_a_staff_cut_records_who_and_why() -> None:
    rig = give(talking(), StaffCut(by="Officer", why="threats"))
    (mark,) = rig.only(Mark)
    assert dict(mark.detail) == {"by": "Officer", "why": "threats"}


def test_a_call_joined_to_another_records_who_found_it_and_why() -> None:
    rig = give(talking(), JoinedCalls("Analyst", "both hear a count"))
    (mark,) = rig.only(Mark)
    assert dict(mark.detail) == {"by": "Analyst", "why": "both hear a count"}


def test_nothing_is_believed_of_a_privileged_call() -> None:
    rig = give(talking(replace(PRIVILEGED, passive=True)), JoinedCalls("Analyst", "hearsay"))
    assert rig.script.reason is None


def test_a_privileged_call_can_be_cut_without_being_heard() -> None:
    rig = give(talking(replace(PRIVILEGED, passive=True)), StaffCut(by="Officer", why="fire"))
    assert rig.script.reason is EndReason.STAFF_CUT


def test_a_lockdown_that_lets_calls_finish_changes_nothing() -> None:
    rig = give(talking(), lockdown(LockdownWay.FINISH))
    assert rig.script.reason is None
    assert [mark.text for mark in rig.only(Mark)] == ["lockdown"]


def test_an_announced_lockdown_gives_a_minute_and_warns_again() -> None:
    rig = give(talking(), lockdown(LockdownWay.ANNOUNCE))
    assert rig.said(Side.A) == rig.said(Side.B) == ["warning_lockdown_minutes"]
    rig.wait(31)
    (play,) = [play for play in rig.only(Play) if play.side is Side.A][-1:]
    assert play.phrases[0].key == "warning_lockdown_seconds"
    assert play.phrases[0].values == (("n", Count(30)),)
    rig.wait(30)
    assert rig.script.reason is EndReason.LOCKDOWN


def test_money_that_ends_before_the_lockdown_still_ends_the_call() -> None:
    rig = give(talking(), lockdown(LockdownWay.ANNOUNCE))
    rig.do(rig.script.money(10, Micros(1), now=rig.now))
    rig.wait(10)
    rig.do(rig.script.parted(by_paid_until=True, now=rig.now))
    assert rig.script.reason is EndReason.FUNDS


@pytest.mark.parametrize("way", list(LockdownWay))
def test_before_the_call_is_out_a_lockdown_is_a_refusal(way: LockdownWay) -> None:
    assert give(keying(), lockdown(way)).script.reason is DenyReason.LOCKDOWN


def test_hotlines_and_privileged_calls_may_be_spared() -> None:
    spares = replace(lockdown(LockdownWay.NOW), spares_hotlines=True, spares_privileged=True)
    assert give(talking(replace(PASSIVE, hotline=True)), spares).script.reason is None
    assert give(talking(replace(PRIVILEGED, passive=True)), spares).script.reason is None
    assert give(talking(), spares).script.reason is EndReason.LOCKDOWN


def test_a_terminal_that_is_turned_off_lets_its_call_finish() -> None:
    assert give(talking(), TerminalOff("Officer")).script.reason is None
    assert give(keying(), TerminalOff()).script.reason is DenyReason.TERMINAL_OFF


def test_a_person_who_changed_before_the_call_is_refused() -> None:
    assert give(keying(), PersonChanged()).script.reason is DenyReason.PERSON_INACTIVE


def test_lost_metering_lets_the_paid_seconds_be_talked() -> None:
    rig = give(talking(), MeteringLost())
    assert rig.script.reason is None
    rig.do(rig.script.parted(by_paid_until=True, now=rig.now))
    assert rig.script.reason is EndReason.METERING_LOST


def test_metering_that_comes_back_is_forgotten() -> None:
    rig = give(talking(), MeteringLost())
    rig.do(rig.script.money(40, Micros(1), now=rig.now))
    rig.do(rig.script.parted(by_paid_until=True, now=rig.now))
    assert rig.script.reason is EndReason.FUNDS


def test_lost_media_is_told_to_whoever_is_there() -> None:
    rig = give(talking(), MediaLost(Side.B))
    assert rig.said(Side.A) == ["end_media_lost"]
    nobody = give(talking(), MediaLost())
    assert nobody.said() == []
    assert nobody.finish == Finish(EndReason.MEDIA_LOST, "network")


def test_silence_ends_a_call_when_it_has_lasted() -> None:
    rig = talking()
    rig.do(rig.script.silent(Side.B, 9.9, now=rig.now))
    assert rig.said() == []
    rig.do(rig.script.silent(Side.B, 10.0, now=rig.now))
    assert rig.said(Side.A) == ["end_media_lost"]
    rig.do(rig.script.silent(Side.B, 11.0, now=rig.now))
    assert rig.said(Side.A) == []


def test_silence_before_the_talk_ends_nothing() -> None:
    rig = keying()
    rig.do(rig.script.silent(Side.A, 60.0, now=rig.now))
    assert rig.script.reason is None


def test_a_failed_leg_is_neither_spoken_to_nor_released() -> None:
    rig = give(talking(), TerminalFailed())
    assert rig.said(Side.A) == []
    assert rig.said(Side.B) == ["end_terminal_failure"]
    rig.heard(Side.B)
    assert [hang_up.side for hang_up in rig.only(HangUp)] == [Side.B]
    outside = give(talking(), NetworkFailed())
    assert outside.said(Side.A) == ["end_network_failure"]


def test_a_failing_switch_says_nothing_and_ends_at_once() -> None:
    rig = give(talking(), SwitchFails())
    assert rig.said() == []
    assert isinstance(rig.last[0], Part)
    assert rig.finish.reason is EndReason.SWITCH_FAILURE


def test_an_order_while_it_rings_cancels() -> None:
    rig = Rig(DIRECT)
    rig.begin()
    rig.placed(PERMIT)
    give(rig, StaffCut(by="Officer", why="test"))
    assert rig.only(CancelDial)
    assert rig.script.reason is EndReason.STAFF_CUT


def test_an_order_during_the_closing_changes_nothing() -> None:
    rig = give(talking(), StaffCut(by="Officer", why="test"))
    assert rig.do(rig.script.order(SwitchFails(), now=rig.now)) == []
