"""Which leg sits at which index of the arrays, with its sockets: open, point, close, report.

What a leg's far end is, is decided here from its SDP; what comes from there, in the pump.
"""

import heapq
import ipaddress
import os
import select
import socket
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from switch.errors import LocalError
from switch.ids import LegId
from switch.media import address, wire
from switch.media import legs as legs_module
from switch.media.beat import PACKETS_BURST
from switch.media.legs import (
    LATCH_LEARNING,
    NETWORKS_MAX,
    RTCP_INDEX,
    Drop,
    Latch,
    Legs,
)
from switch.media.messages import LegReport
from switch.media.seat_keys import SeatKeys
from switch.rtp import source

NS: Final = 1_000_000_000
SAMPLES_PER_MS: Final = 8

COMFORT_S: Final = 50.0
"""A far end whose last packet was comfort noise may be silent so much longer than another one,
without a word by RTCP. Chosen: RFC 3389 lets it send no more until somebody speaks, and a pause of
a minute in a talk is long."""
DROP_NAMES: Final = [drop.name.lower() for drop in Drop]


@dataclass(slots=True)
class Seat:
    """One open leg."""

    leg: LegId
    index: int
    ip: str
    port: int
    rtp: socket.socket
    rtcp: socket.socket
    signalled: tuple[str, int, str] | None = None
    """Address, port and NAT address of the last SDP."""
    last_report: int = 0
    """NTP time of the far end's last sender report, middle 32 bits; 0: none came."""
    last_report_at: float = 0.0
    heard_report_at: float = 0.0
    """When its last report of any kind came."""
    awaited_since: float | None = None
    """Since when the far end should send; None: it need not."""
    round_trip_ms: float | None = None
    far_lost: int = 0
    far_jitter_ms: float = 0.0
    """What the far end says of the stream that we send."""
    keys: SeatKeys = field(kw_only=True, repr=False)


class Seats:
    """All open legs of a worker.

    Args:
        legs: the shared arrays.
        epoll: where the pump waits.
    """

    def __init__(self, legs: Legs, epoll: select.epoll) -> None:
        self._legs = legs
        self._epoll = epoll
        self._free = list(range(len(legs.fd)))
        self._own: set[tuple[str, int]] = set()
        self.by_leg: dict[LegId, Seat] = {}
        self.by_index: dict[int, Seat] = {}

    def open(self, order: wire.OpenLeg, rights: list[int]) -> Seat:
        """Give a leg an index and start to read its socket.

        Raises:
            LocalError: its sockets are missing, or the worker is full.
        """
        if len(rights) != 2 or order.leg in self.by_leg or not self._free:
            for fd in rights:
                os.close(fd)
            raise LocalError(f"leg {order.leg} cannot be opened")
        index = heapq.heappop(self._free)
        legs = self._legs
        legs_module.clear(legs, index)
        rtp, rtcp = (socket.socket(fileno=fd) for fd in rights)
        keys = SeatKeys(legs, index)
        seat = Seat(order.leg, index, order.ip, order.port, rtp, rtcp, keys=keys)
        legs.law[index] = order.law == "PCMA"
        legs.ssrc[index] = order.ssrc
        legs.sequence[index] = order.sequence
        legs.timestamp[index] = order.timestamp
        legs.tokens[index] = PACKETS_BURST
        legs.is_a[index] = order.leg % 2 == 0
        legs.keys_told[index] = 1
        legs.leg_id[index] = order.leg
        legs.fd[index] = rtp.fileno()
        legs.leg_of_fd[rtp.fileno()] = index
        legs.top[0] = max(int(legs.top[0]), index + 1)
        legs.leg_of_fd[rtcp.fileno()] = RTCP_INDEX - index
        for one in (rtp, rtcp):
            self._epoll.register(one.fileno(), select.EPOLLIN | select.EPOLLET)
        self.by_leg[order.leg] = seat
        self.by_index[index] = seat
        self._own.add((order.ip, order.port))
        return seat

    def close(self, seat: Seat) -> None:
        """Forget a leg; nothing of it stays in the arrays."""
        legs, index = self._legs, seat.index
        for one in (seat.rtp, seat.rtcp):
            self._epoll.unregister(one.fileno())
            legs.leg_of_fd[one.fileno()] = -1
            one.close()
        legs_module.clear(legs, index)
        while legs.top[0] and legs.fd[legs.top[0] - 1] < 0:
            legs.top[0] -= 1
        heapq.heappush(self._free, index)
        del self.by_leg[seat.leg]
        del self.by_index[index]
        self._own.discard((seat.ip, seat.port))

    def set_remote(self, seat: Seat, order: wire.SetRemote, *, now: float) -> None:
        """Point a leg at its far end. An address that may not be sent to is heard, not sent to."""
        legs, index = self._legs, seat.index
        ip = ipaddress.ip_address(order.ip)
        seat.keys.take(order.srtp)
        legs.law[index] = order.law == "PCMA"
        legs.type_in[index] = order.payload_type_receive
        legs.other_type_in[index] = order.other_type_receive
        legs.type_out[index] = order.payload_type_send
        legs.event_in[index] = order.event_type_receive
        legs.event_out[index] = order.event_type_send
        ours = (order.ip, order.port) in self._own
        allowed = address.may_be_sent_to(ip, order.port) and not ours
        legs.may_send[index] = order.sends_allowed and allowed
        if not order.sends:
            seat.awaited_since = None
        elif seat.awaited_since is None:
            seat.awaited_since = now
        seat.signalled = (order.ip, order.port, order.nat_ip)
        pointed = zlib.crc32(repr(seat.signalled).encode()) or 1
        if pointed != legs.pointed[index]:
            legs.pointed[index] = pointed
            self._point(index, ip, order)

    def _point(self, index: int, ip: address.Ip, order: wire.SetRemote) -> None:
        """A new address was signalled: only this opens a source that was locked."""
        legs = self._legs
        sockaddr = address.sockaddr(ip, order.port)
        legs.target[index, : sockaddr.size] = sockaddr
        legs.target_bytes[index] = sockaddr.size
        legs.from_ip[index] = address.words(ip)
        legs.from_port[index] = order.port
        legs.latch[index] = 0
        if order.nat_ip:
            words = address.words(ipaddress.ip_address(order.nat_ip))
            legs.latch[index, Latch.MODE] = LATCH_LEARNING
            legs.latch[index, Latch.IP : Latch.IP + 4] = words
        networks = [ipaddress.ip_network(text) for text in order.networks[:NETWORKS_MAX]]
        legs.network_count[index] = len(networks)
        for n, network in enumerate(networks):
            legs.networks[index, n, :4] = address.words(network.network_address)
            legs.networks[index, n, 4:] = address.mask_words(network)

    def report(self, seats: Sequence[Seat], *, now: float, closed: bool) -> list[LegReport]:
        """Return what these legs have seen so far."""
        if not seats:
            return []
        legs = self._legs
        index = np.array([seat.index for seat in seats])
        s = legs.source[index].T
        expected = s[source.STARTED] * (
            s[source.CYCLES] + s[source.MAX_SEQ] - s[source.BASE_SEQ] + 1
        )
        lost = s[source.LOST_BEFORE] + np.maximum(0, expected - s[source.RECEIVED])
        drops = legs.drops[index]
        why: list[dict[str, int]] = [{} for _ in seats]
        for place, drop in np.argwhere(drops).tolist():
            why[place][DROP_NAMES[drop]] = int(drops[place, drop])
        columns = (
            [seat.leg for seat in seats],
            [now] * len(seats),
            (s[source.RECEIVED_BEFORE] + s[source.RECEIVED]).tolist(),
            legs.sent[index].tolist(),
            lost.tolist(),
            s[source.LATE].tolist(),
            why,
            (legs.received_ns[index] / NS).tolist(),
            ((s[source.JITTER] >> 4) / SAMPLES_PER_MS).tolist(),
            legs.source_changes[index].tolist(),
            [closed] * len(seats),
            s[source.LOSS_RUNS].tolist(),
            [self._silent_s(seat, now) for seat in seats],
            [seat.round_trip_ms for seat in seats],
            [seat.far_lost for seat in seats],
            [seat.far_jitter_ms for seat in seats],
        )
        return [LegReport(*values) for values in zip(*columns, strict=True)]

    def _silent_s(self, seat: Seat, now: float) -> float:
        """Return how long nothing has come from a far end that should send."""
        if seat.awaited_since is None:
            return 0.0
        last = max(float(self._legs.received_ns[seat.index]) / NS, seat.awaited_since)
        if self._legs.comfort[seat.index]:
            last = max(last, seat.heard_report_at) + COMFORT_S
        return max(0.0, now - last)
