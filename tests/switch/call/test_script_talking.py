from dataclasses import replace
from typing import Any

import pytest

from switch.billing.payer import Payer
from switch.call.cause import EndReason
from switch.call.effects import CallState, Finish, HangUp, Mark, Part, Play, Prolong
from switch.call.orders import LockdownOrder, LockdownWay
from switch.call.signals import Release, Side
from switch.media.phrase import Count
from switch.money import Micros
from switch.screening.permit import LimitCause, Permit
from tests.switch.call.script_rig import DIRECT, PERMIT, PRIVILEGED, Rig

PASSIVE = replace(PERMIT, passive=True)


def talking(permit: Permit = PASSIVE, **choices: Any) -> Rig:
    rig = Rig(DIRECT, **choices)
    rig.talking(permit)
    rig.last = []
    return rig


def spoken(rig: Rig) -> list[tuple[str, object]]:
    """The keys and numbers that the caller heard since the bridge."""
    bridged = next(i for i, e in enumerate(rig.all) if getattr(e, "state", 0) is CallState.TALKING)
    return [
        (phrase.key, dict(phrase.values).get("n"))
        for effect in rig.all[bridged:]
        if isinstance(effect, Play) and effect.side is Side.A
        for phrase in effect.phrases
    ]


def test_the_time_is_warned_of_at_sixty_and_thirty_seconds_and_then_over() -> None:
    rig = talking()
    rig.wait(839)
    assert spoken(rig) == []
    rig.wait(2)
    assert spoken(rig) == [("warning_time_minutes", Count(1))]
    rig.wait(30)
    assert spoken(rig)[1:] == [("warning_time_seconds", Count(30))]
    rig.wait(28)
    assert rig.at(CallState.TALKING)
    rig.wait(1.5)
    assert rig.script.reason is EndReason.TIME_LIMIT
    assert rig.only(Part)
    assert spoken(rig)[2:] == [("end_time_limit", None)]


def test_a_short_call_is_not_warned_of_what_was_just_said() -> None:
    rig = talking(replace(PASSIVE, limit_s=45))
    rig.wait(14)
    assert spoken(rig) == []
    rig.wait(2)
    assert spoken(rig) == [("warning_time_seconds", Count(30))]


def test_both_sides_hear_a_warning() -> None:
    rig = talking()
    rig.wait(841)
    assert rig.said(Side.A) == rig.said(Side.B) == ["warning_time_minutes"]


def test_the_end_of_phone_hours_is_named() -> None:
    rig = talking(replace(PASSIVE, limit_s=70, limit_cause=LimitCause.SCHEDULE))
    rig.wait(11)
    assert spoken(rig) == [("warning_hours_minutes", Count(1))]
    rig.wait(60)
    assert rig.script.reason is EndReason.SCHEDULE


def test_the_person_s_own_minutes_end_as_time() -> None:
    rig = talking(replace(PASSIVE, limit_s=70, limit_cause=LimitCause.MINUTES))
    rig.wait(71)
    assert rig.script.reason is EndReason.TIME_LIMIT


def count_down(rig: Rig, first: int, last: int) -> None:
    for left in range(first, last - 1, -1):
        rig.do(rig.script.money(left, Micros(left * 1833), now=rig.now))
        rig.wait(1)


def test_low_money_is_warned_of_by_its_name() -> None:
    rig = talking()
    count_down(rig, 65, 20)
    assert spoken(rig) == [
        ("warning_money_minutes", Count(1)),
        ("warning_money_seconds", Count(30)),
    ]


def test_a_warning_that_comes_late_says_what_is_really_left() -> None:
    rig = talking()
    rig.do(rig.script.money(17, Micros(1), now=rig.now))
    assert spoken(rig) == [("warning_money_seconds", Count(17))]


def test_money_for_a_few_seconds_is_not_talked_away_by_a_warning() -> None:
    rig = talking()
    rig.do(rig.script.money(4, Micros(1), now=rig.now))
    assert spoken(rig) == []


def test_a_top_up_cancels_the_warning_and_warns_again_later() -> None:
    rig = talking()
    count_down(rig, 31, 29)
    rig.do(rig.script.money_added(9, now=rig.now))
    assert rig.said(Side.A) == ["money_added"]
    rig.do(rig.script.money(540, Micros(1), now=rig.now))
    count_down(rig, 61, 60)
    assert spoken(rig)[-1] == ("warning_money_minutes", Count(1))


@pytest.mark.parametrize(
    ("payer", "side"), [(Payer.CALLER_DEBIT, Side.A), (Payer.CALLED_PREPAID, Side.B)]
)
def test_a_site_may_warn_only_the_one_who_pays(payer: Payer, side: Side) -> None:
    rig = Rig(DIRECT, money_warnings_to="payer")
    rig.begin()
    rig.placed(replace(PASSIVE, payer=payer))
    if payer is Payer.CALLER_DEBIT:
        rig.heard(Side.A)
    rig.answered()
    rig.do(rig.script.bridged(now=rig.now))
    rig.do(rig.script.money(60, Micros(1), now=rig.now))
    assert [effect.side for effect in rig.last if isinstance(effect, Play)] == [side]


def test_zero_ends_as_funds_without_parting_twice() -> None:
    rig = talking()
    rig.wait(7)
    rig.do(rig.script.parted(by_paid_until=True, now=rig.now))
    assert not rig.only(Part)
    assert rig.said(Side.A) == rig.said(Side.B) == ["end_funds"]
    rig.heard(Side.A)
    rig.heard(Side.B)
    assert rig.finish == Finish(EndReason.FUNDS, "switch")
    assert rig.only(HangUp) == [HangUp(Side.A, 16, "funds"), HangUp(Side.B, 16, "")]


def test_a_worker_s_cut_at_the_limit_is_the_limit_s() -> None:
    rig = talking(replace(PASSIVE, limit_s=70))
    rig.wait(69.9)
    rig.do(rig.script.parted(by_paid_until=True, now=rig.now))
    assert rig.script.reason is EndReason.TIME_LIMIT


def test_metering_that_stays_lost_is_the_reason_when_the_paid_seconds_end() -> None:
    rig = talking()
    rig.do(rig.script.metering_lost(now=rig.now))
    assert rig.script.reason is EndReason.METERING_LOST
    assert not rig.only(Part)


def test_a_worker_that_parts_by_itself_has_lost_the_media() -> None:
    rig = talking()
    rig.do(rig.script.parted(by_paid_until=False, now=rig.now))
    assert rig.script.reason is EndReason.MEDIA_LOST


def test_the_payer_s_own_limit_ends_the_call() -> None:
    rig = talking()
    rig.do(rig.script.payer_limit_reached(now=rig.now))
    assert isinstance(rig.last[0], Part)
    assert rig.script.reason is EndReason.PAYER_LIMIT


@pytest.mark.parametrize(
    ("side", "q850", "reason"),
    [
        (Side.A, 16, EndReason.CALLER_HANGUP),
        (Side.B, 16, EndReason.CALLED_HANGUP),
        (Side.A, 27, EndReason.TERMINAL_FAILURE),
        (Side.B, 38, EndReason.NETWORK_FAILURE),
    ],
)
def test_a_release_parts_first_and_tells_the_other(
    side: Side, q850: int, reason: EndReason
) -> None:
    rig = talking()
    done = rig.do(rig.script.signal(side, Release(q850), now=rig.now))
    assert isinstance(done[0], Part)
    other = Side.B if side is Side.A else Side.A
    assert rig.said(other) == [f"end_{reason.value}"]
    assert rig.said(side) == []
    assert not [hang_up for hang_up in rig.only(HangUp) if hang_up.side is side]


def test_the_closing_is_bounded_whatever_plays() -> None:
    rig = talking()
    rig.do(rig.script.signal(Side.A, Release(), now=rig.now))
    rig.wait(7.9)
    assert not rig.only(Finish)
    rig.wait(0.2)
    assert rig.finish.reason is EndReason.CALLER_HANGUP


def test_a_side_that_leaves_the_closing_does_not_change_the_reason() -> None:
    rig = talking()
    rig.wait(900.5)
    rig.do(rig.script.signal(Side.B, Release(), now=rig.now))
    rig.do(rig.script.signal(Side.A, Release(), now=rig.now))
    assert rig.finish.reason is EndReason.TIME_LIMIT


def test_a_privileged_call_has_its_limit_and_warnings_and_nothing_else() -> None:
    rig = talking(replace(PRIVILEGED, passive=True))
    assert rig.keys("5550100009", Side.A) == []
    assert rig.keys("12", Side.B) == []
    assert rig.do(rig.script.flash(Side.A, "2", now=rig.now)) == []
    event = {"kind": "three_way", "tier": "cut_eligible", "cues": []}
    assert rig.do(rig.script.detected(event, Side.B, now=rig.now)) == []
    assert rig.do(rig.script.detected({"kind": "dial_tone"}, Side.B, now=rig.now)) == []
    rig.wait(841)
    assert rig.said(Side.A) == ["warning_time_minutes"]
    assert {mark.kind for mark in rig.only(Mark)} == {"warning"}


TTY = {"kind": "tty", "tier": "log", "value": ""}
MAY_BE_TTY = replace(PASSIVE, tty_limit_s=2_700)


def heard_tty(rig: Rig) -> list[Any]:
    return rig.do(rig.script.detected(TTY, Side.B, now=rig.now))


def test_tones_of_a_text_telephone_make_the_call_longer_once() -> None:
    rig = talking(MAY_BE_TTY)
    rig.wait(880)
    assert Prolong(2_700) in heard_tty(rig)
    assert Prolong(2_700) not in heard_tty(rig)
    rig.wait(1_755)
    assert rig.at(CallState.TALKING)
    assert [said for said, _ in spoken(rig)] == ["warning_time_minutes", "warning_time_seconds"]
    rig.wait(10)
    assert spoken(rig)[2:] == [("warning_time_minutes", Count(1))]
    rig.wait(60)
    assert rig.script.reason is EndReason.TIME_LIMIT


@pytest.mark.parametrize(
    "permit",
    [
        replace(MAY_BE_TTY, tty_limit_s=900),
        replace(MAY_BE_TTY, inspected=False),
        replace(PRIVILEGED, passive=True, tty_limit_s=2_700),
    ],
    ids=["no longer", "not inspected", "privileged"],
)
def test_others_keep_their_time(permit: Permit) -> None:
    rig = talking(permit)
    assert not [e for e in heard_tty(rig) if isinstance(e, Prolong)]
    rig.wait(901)
    assert rig.script.reason is EndReason.TIME_LIMIT


def test_an_order_of_staff_is_not_prolonged() -> None:
    rig = talking(MAY_BE_TTY)
    order = LockdownOrder(order="1", by="officer", way=LockdownWay.ANNOUNCE)
    rig.do(rig.script.order(order, now=rig.now))
    assert not [e for e in heard_tty(rig) if isinstance(e, Prolong)]
    rig.wait(61)
    assert rig.script.reason is EndReason.LOCKDOWN
