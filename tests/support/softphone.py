"""A telephone of bare RTP for tests of the media plane: sends and keeps packets."""

import select
import socket
from dataclasses import replace
from typing import Any

from switch.rtp import packet
from switch.rtp.packet import RtpPacket
from switch.sdp.offer_answer import RemoteAudio


def far_end(port: int, **changes: Any) -> RemoteAudio:
    """Return what an offer/answer says about a telephone on loopback."""
    plain = RemoteAudio(
        ip="127.0.0.1",
        port=port,
        law="PCMU",
        payload_type_send=0,
        payload_type_receive=0,
        event_type_send=101,
        event_type_receive=101,
        laws_receive=((0, "PCMU"), (8, "PCMA")),
    )
    return replace(plain, **changes)


class Softphone:
    """One UDP socket on loopback.

    Args:
        ssrc: of what it sends.
    """

    def __init__(self, *, ssrc: int = 7) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.ssrc = ssrc
        self.sequence = 1000
        self.timestamp = 50_000
        self.received: list[RtpPacket] = []

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def far_end(self, **changes: Any) -> RemoteAudio:
        return far_end(self.port, **changes)

    def say(self, payload: bytes, port: int, *, payload_type: int = 0) -> None:
        """Send one packet of 20 ms."""
        head = RtpPacket(payload_type, self.sequence & 0xFFFF, self.timestamp, self.ssrc, payload)
        self.socket.sendto(packet.build(head), ("127.0.0.1", port))
        self.sequence += 1
        self.timestamp += 160

    def press(self, payload: bytes, port: int) -> None:
        """Send one packet of an event; the timestamp stands still."""
        head = RtpPacket(101, self.sequence & 0xFFFF, self.timestamp, self.ssrc, payload)
        self.socket.sendto(packet.build(head), ("127.0.0.1", port))
        self.sequence += 1

    def listen(self, wait_s: float = 0.0) -> list[RtpPacket]:
        """Return what has come since the last time, waiting for the first."""
        fresh: list[RtpPacket] = []
        while select.select([self.socket], [], [], 0.0 if fresh else wait_s)[0]:
            found = packet.parse(self.socket.recv(2048))
            assert found is not None
            fresh.append(found)
        self.received += fresh
        return fresh

    def close(self) -> None:
        self.socket.close()
