"""Two legs of one call in the arrays, without a socket."""

import ipaddress

import numpy as np
import pytest

from switch.media import legs as legs_module
from switch.media import pump
from switch.media.address import sockaddr, words
from switch.media.beat import PACKETS_BURST
from switch.media.legs import Drop, Legs
from switch.rtp import packet
from switch.rtp.packet import RtpPacket
from tests.support.plain_libc import PlainLibc

A, B = 0, 1
FD = (10, 11)
PORT = (4000, 4002)
HOME = ipaddress.ip_address("192.0.2.1")
NS = 1_000_000_000
HOUR_NS = 3600 * NS


class LegPair:
    """Legs A and B, pointed at 192.0.2.1:4000 and :4002, open and not joined."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.libc = PlainLibc()
        self.libc.install(monkeypatch)
        self.legs: Legs = legs_module.build(legs_max=4, rows_max=4)
        legs = self.legs
        for index in (A, B):
            legs.fd[index] = FD[index]
            legs.leg_of_fd[FD[index]] = index
            address = sockaddr(HOME, PORT[index])
            legs.target[index, : address.size] = address
            legs.target_bytes[index] = address.size
            legs.may_send[index] = 1
            legs.from_ip[index] = words(HOME)
            legs.from_port[index] = PORT[index]
            legs.type_in[index] = legs.type_out[index] = 0
            legs.event_in[index] = legs.event_out[index] = 101
            legs.ssrc[index] = 1000 + index
            legs.sequence[index] = 500
            legs.timestamp[index] = 8000
            legs.tokens[index] = PACKETS_BURST
            legs.keys_told[index] = 1
        legs.is_a[A] = 1
        legs.top[0] = 2

    def join(self, *, until_ns: int = HOUR_NS) -> None:
        self.legs.peer[A], self.legs.peer[B] = B, A
        self.legs.until_ns[:2] = until_ns

    def say(
        self,
        index: int,
        sequence: int,
        payload: bytes = b"\x11" * 160,
        *,
        payload_type: int = 0,
        timestamp: int | None = None,
        ssrc: int = 7,
        port: int | None = None,
        ip: str = "192.0.2.1",
    ) -> None:
        """Let one packet arrive and be served."""
        self.put(
            index, self.packet(sequence, payload, payload_type, timestamp, ssrc), port=port, ip=ip
        )

    def packet(
        self,
        sequence: int,
        payload: bytes = b"\x11" * 160,
        payload_type: int = 0,
        timestamp: int | None = None,
        ssrc: int = 7,
    ) -> bytes:
        """Return one packet; its timestamp goes with its number."""
        stamp = 160 * sequence if timestamp is None else timestamp
        return packet.build(RtpPacket(payload_type, sequence & 0xFFFF, stamp, ssrc, payload))

    def put(
        self, index: int, data: bytes, *, port: int | None = None, ip: str = "192.0.2.1"
    ) -> None:
        """Let one datagram arrive and be served."""
        self.post(index, data, port=port, ip=ip)
        pump.drain(self.legs, 0, 0)

    def post(
        self, index: int, data: bytes, *, port: int | None = None, ip: str = "192.0.2.1"
    ) -> None:
        """Let one datagram arrive; it waits."""
        source = sockaddr(ipaddress.ip_address(ip), PORT[index] if port is None else port)
        self.libc.inbox[FD[index]].append((data, source.tobytes()))

    def heard(self, index: int) -> list[RtpPacket]:
        """Return what has been sent to this leg's far end."""
        found = [packet.parse(one.data) for one in self.libc.outbox if one.fd == FD[index]]
        assert all(one is not None for one in found)
        return [one for one in found if one is not None]

    def dropped(self, index: int) -> dict[Drop, int]:
        counts = self.legs.drops[index]
        return {Drop(i): int(counts[i]) for i in np.flatnonzero(counts).tolist()}

    def mail(self) -> list[list[int]]:
        found: list[list[int]] = self.legs.mail[: self.legs.mail_count[0]].tolist()
        return found
