import select
import socket
from collections.abc import Iterator

import pytest

from switch.ids import LegId
from switch.media import legs as legs_module
from switch.media import wire
from switch.media.reporter import Reporter
from switch.media.seats import NS, Seat, Seats
from switch.rtp import rtcp, source

pytestmark = pytest.mark.live


class Rig:
    """One leg and the RTCP socket of its far end."""

    def __init__(self) -> None:
        self.legs = legs_module.build(legs_max=2, rows_max=1)
        self.epoll = select.epoll()
        self.seats = Seats(self.legs, self.epoll)
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind(("127.0.0.1", 0))
        self.far.setblocking(False)
        pair = []
        for _ in range(2):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
            pair.append(one)
        self.rtcp_address = pair[1].getsockname()
        port = self.far.getsockname()[1] - 1
        order = wire.OpenLeg(LegId(2), "PCMU", "127.0.0.1", 4000, 77, 1, 8000)
        self.seat: Seat = self.seats.open(order, [one.detach() for one in pair])
        self.seats.set_remote(
            self.seat,
            wire.SetRemote(LegId(2), "127.0.0.1", port, "PCMU", 0, 0, 8, 101, 101, True, "", []),
            now=1.0,
        )
        self.reporter = Reporter(self.legs)

    def heard(self) -> list[rtcp.Report | rtcp.Bye]:
        found: list[rtcp.Report | rtcp.Bye] = []
        while select.select([self.far], [], [], 0)[0]:
            found += rtcp.parse(self.far.recv(1500))
        return found

    def close(self) -> None:
        self.seats.close(self.seat)
        self.far.close()
        self.epoll.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def test_a_leg_that_neither_sent_nor_heard_says_nothing(rig: Rig) -> None:
    rig.reporter.report(rig.seat, now=10.0, wall=1e9)
    rig.reporter.goodbye(rig.seat)
    assert rig.heard() == []


def test_a_leg_that_sent_reports_as_a_sender(rig: Rig) -> None:
    rig.legs.sent[0], rig.legs.sent_octets[0], rig.legs.sent_ns[0] = 3, 480, 10 * NS
    rig.reporter.report(rig.seat, now=10.0, wall=1e9)
    (report,) = rig.heard()
    assert report == rtcp.Report(77, rtcp.SenderInfo(1e9, 8000, 3, 480), ())


def test_what_came_is_reported_with_the_far_ends_time(rig: Rig) -> None:
    state = rig.legs.source[0]
    for seq in (1, 2, 5):
        source.receive(state, seq, 160 * seq, 9, 160 * seq)
    rig.legs.received_ns[0] = NS
    theirs = rtcp.Report(9, rtcp.SenderInfo(1e9, 0, 0, 0), ())
    rig.far.sendto(rtcp.build_report(theirs, cname="far"), rig.rtcp_address)
    rig.reporter.hear(rig.seat, now=10.0)
    rig.reporter.report(rig.seat, now=11.0, wall=1e9)
    (report,) = rig.heard()
    assert isinstance(report, rtcp.Report)
    (block,) = report.blocks
    assert (block.ssrc, block.lost, block.fraction_lost) == (9, 2, 2 * 256 // 5)
    assert block.last_sr == rtcp.middle_ntp(1e9)
    assert block.delay_since_sr == 65536


def hear(rig: Rig, *blocks: rtcp.ReportBlock, now: float) -> None:
    theirs = rtcp.Report(9, None, blocks)
    rig.far.sendto(rtcp.build_report(theirs, cname="far"), rig.rtcp_address)
    rig.reporter.hear(rig.seat, now=now)


def test_the_round_trip_is_what_is_left_when_the_far_ends_time_is_taken_off(rig: Rig) -> None:
    rig.legs.sent[0], rig.legs.sent_ns[0] = 100, 10 * NS
    rig.reporter.report(rig.seat, now=10.0, wall=1e9)
    ours = rtcp.ReportBlock(77, 0, 7, 50, 80, rtcp.middle_ntp(1e9), 65536 // 2)
    hear(rig, ours, now=10.7)
    assert rig.seat.round_trip_ms == pytest.approx(200, abs=0.1)
    assert (rig.seat.far_lost, rig.seat.far_jitter_ms) == (7, 10.0)
    assert rig.seat.heard_report_at == 10.7


def test_what_a_far_end_makes_up_is_no_measurement(rig: Rig) -> None:
    rig.legs.sent[0], rig.legs.sent_ns[0] = 100, 10 * NS
    rig.reporter.report(rig.seat, now=10.0, wall=1e9)
    hear(rig, rtcp.ReportBlock(77, 255, 1 << 22, 0, 0xFFFF_FFFF, 12345, 9), now=10.7)
    assert rig.seat.round_trip_ms is None
    assert (rig.seat.far_lost, rig.seat.far_jitter_ms) == (100, 10_000.0)
    hear(rig, rtcp.ReportBlock(78, 0, 1, 0, 0, 0, 0), rtcp.ReportBlock(77, 0, -5, 0, 0), now=11.0)
    assert rig.seat.far_lost == 0


def test_the_end_of_a_leg_is_a_goodbye(rig: Rig) -> None:
    rig.legs.sent[0] = 1
    rig.reporter.goodbye(rig.seat)
    assert rig.heard()[-1] == rtcp.Bye((77,))
