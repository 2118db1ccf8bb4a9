"""Calls as a worker keeps them: joined, paid until, ended, taken."""

import select
import socket
from collections.abc import Iterator

import pytest

from switch.errors import LocalError
from switch.ids import CallId, LegId
from switch.media import legs as legs_module
from switch.media import wire
from switch.media.bridges import Bridges
from switch.media.seats import NS, Seats
from tests.support.softphone import far_end

pytestmark = pytest.mark.live

CALL = CallId(5)
JOIN = wire.Join(call=CALL, paid_until=107.0, mute_digits=True, now=100.0)


class Rig:
    """Legs 10 and 11 with real sockets, at indexes 0 and 1."""

    def __init__(self) -> None:
        self.legs = legs_module.build(legs_max=4, rows_max=4)
        self.epoll = select.epoll()
        self.seats = Seats(self.legs, self.epoll)
        self.bridges = Bridges(self.legs, self.seats)

    def open(self, leg: int) -> None:
        pair = []
        for _ in range(2):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind(("127.0.0.1", 0))
            pair.append(one.detach())
        order = wire.OpenLeg(LegId(leg), "PCMU", "127.0.0.1", 4000 + leg, 1, 2, 3)
        self.seats.open(order, pair)

    def close(self) -> None:
        for seat in list(self.seats.by_leg.values()):
            self.seats.close(seat)
        self.epoll.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    made.open(10)
    made.open(11)
    yield made
    made.close()


def test_a_join_lets_both_legs_hear_each_other(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    assert rig.legs.peer[:2].tolist() == [1, 0]
    assert rig.legs.until_ns[:2].tolist() == [107 * NS] * 2
    assert rig.legs.keys_muted[:2].tolist() == [1, 0]
    assert rig.bridges.live_count == 1


def test_a_call_is_joined_once_and_with_both_legs(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    with pytest.raises(LocalError):
        rig.bridges.join(JOIN)
    with pytest.raises(LocalError):
        rig.bridges.join(wire.Join(call=CallId(6), paid_until=1.0, mute_digits=False, now=0.0))


def test_after_the_bridge_keys_are_told_only_of_a_leg_that_is_looked_at(rig: Rig) -> None:
    rig.legs.row[1] = 0
    rig.bridges.join(JOIN)
    assert rig.legs.keys_told[:2].tolist() == [0, 1]


def test_an_end_by_money_is_at_the_paid_moment(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    rig.legs.both_heard_ns[0] = round(106.99 * NS)
    ended = rig.bridges.unpaid(0)
    assert ended is not None
    assert (ended.ended_at, ended.by_paid_until) == (107.0, True)
    assert ended.last_both_heard_at == pytest.approx(106.99)
    assert rig.bridges.unpaid(0) is None


def test_an_end_by_order_is_never_later_than_what_was_paid(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    ended = rig.bridges.part(CALL, now=107.02)
    assert ended is not None
    assert (ended.ended_at, ended.by_paid_until) == (107.0, False)
    assert rig.legs.peer[:2].tolist() == [-1, -1]
    assert rig.bridges.part(CALL, now=108.0) is None


def test_an_end_is_kept_until_it_is_taken(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    rig.bridges.take(CALL)
    assert rig.bridges.live_count == 1
    ended = rig.bridges.part(CALL, now=101.0)
    assert rig.bridges.untold() == [ended]
    rig.bridges.take(CALL)
    assert rig.bridges.untold() == []
    assert rig.bridges.by_call == {}


def test_money_that_comes_after_the_end_does_not_wake_the_call(rig: Rig) -> None:
    rig.bridges.join(JOIN)
    rig.bridges.part(CALL, now=101.0)
    rig.bridges.set_paid_until(wire.PaidUntil(call=CALL, at=200.0))
    assert rig.legs.until_ns[0] == 107 * NS


def test_a_call_survives_with_what_is_known_of_it(rig: Rig) -> None:
    (before,) = rig.bridges.surviving()
    assert (before.call, before.bridged_at, before.ended_at) == (CALL, None, None)
    rig.bridges.join(JOIN)
    (live,) = rig.bridges.surviving()
    assert (live.bridged_at, live.paid_until, live.ended_at) == (100.0, 107.0, None)
    rig.bridges.unpaid(0)
    rig.close()
    (ended,) = rig.bridges.surviving()
    assert (ended.ended_at, ended.by_paid_until) == (107.0, True)


def test_a_closed_leg_leaves_nothing_in_the_arrays(rig: Rig) -> None:
    fresh = legs_module.build(legs_max=4, rows_max=4)
    remote = far_end(5000)
    rig.seats.set_remote(
        rig.seats.by_leg[LegId(10)],
        wire.SetRemote(
            LegId(10), remote.ip, remote.port, "PCMA", 8, 8, 0, 101, 101, True, "192.0.2.1", []
        ),
        now=1.0,
    )
    rig.bridges.join(JOIN)
    rig.close()
    for name, array in rig.legs._asdict().items():
        assert (array == getattr(fresh, name)).all(), name


def test_only_a_new_address_opens_a_locked_source(rig: Rig) -> None:
    seat = rig.seats.by_leg[LegId(10)]
    order = wire.SetRemote(
        LegId(10), "127.0.0.1", 5000, "PCMU", 0, 0, 8, 101, 101, True, "127.0.0.1", []
    )
    rig.seats.set_remote(seat, order, now=1.0)
    rig.legs.latch[0, 0] = 2
    rig.legs.from_port[0] = 6000
    rig.seats.set_remote(seat, order, now=1.0)
    assert (rig.legs.latch[0, 0], rig.legs.from_port[0]) == (2, 6000)


def test_sound_is_not_sent_to_ourselves(rig: Rig) -> None:
    seat = rig.seats.by_leg[LegId(10)]
    order = wire.SetRemote(LegId(10), "127.0.0.1", 4011, "PCMU", 0, 0, 8, 101, 101, True, "", [])
    rig.seats.set_remote(seat, order, now=1.0)
    assert rig.legs.may_send[0] == 0


def remote(*, sends: bool = True) -> wire.SetRemote:
    return wire.SetRemote(
        LegId(10), "127.0.0.1", 5000, "PCMU", 0, 0, 8, 101, 101, True, "", [], sends
    )


def silent_s(rig: Rig, now: float) -> float:
    return rig.seats.report([rig.seats.by_leg[LegId(10)]], now=now, closed=False)[0].silent_s


def test_silence_is_counted_from_the_last_packet_or_from_when_one_was_due(rig: Rig) -> None:
    assert silent_s(rig, 9.0) == 0.0
    rig.seats.set_remote(rig.seats.by_leg[LegId(10)], remote(), now=10.0)
    assert silent_s(rig, 13.0) == 3.0
    rig.legs.received_ns[0] = 12 * NS
    assert silent_s(rig, 13.0) == 1.0
    rig.seats.set_remote(rig.seats.by_leg[LegId(10)], remote(), now=15.0)
    assert silent_s(rig, 30.0) == 18.0


def test_a_far_end_that_holds_is_not_silent(rig: Rig) -> None:
    seat = rig.seats.by_leg[LegId(10)]
    rig.seats.set_remote(seat, remote(), now=10.0)
    rig.seats.set_remote(seat, remote(sends=False), now=20.0)
    assert silent_s(rig, 100.0) == 0.0
    rig.seats.set_remote(seat, remote(), now=100.0)
    assert silent_s(rig, 104.0) == 4.0


def test_comfort_noise_is_a_promise_to_be_silent_for_a_while(rig: Rig) -> None:
    seat = rig.seats.by_leg[LegId(10)]
    rig.seats.set_remote(seat, remote(), now=10.0)
    rig.legs.received_ns[0], rig.legs.comfort[0] = 20 * NS, 1
    assert silent_s(rig, 70.0) == 0.0
    assert silent_s(rig, 80.0) == 10.0
    seat.heard_report_at = 75.0
    assert silent_s(rig, 80.0) == 0.0
