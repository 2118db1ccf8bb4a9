"""RTP ports: which even port a leg gets, and the sockets that control makes for it."""

import socket
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from switch.errors import KinlineError

Family = Literal["ip4", "ip6"]

RECEIVE_BUFFER_BYTES: Final = 64 * 1024
"""Chosen: about 80 packets of 20 ms with what the kernel adds to each; 1.6 s of one leg."""


class PortsExhaustedError(KinlineError):
    """No RTP port, no place at a worker, or no address of that family is left."""


PortsExhausted = PortsExhaustedError
"""The name that callers use."""


@dataclass(frozen=True, slots=True)
class RtpPort:
    """Where a leg receives RTP; RTCP is on the next port."""

    ip: str
    port: int


class PortBook:
    """Hands out even ports at random and lets a port rest after use.

    Args:
        port_min: the lowest port.
        port_max: the highest port; RTCP of the last leg must fit too.
        rest_s: how long a returned port is not handed out.
        random: decides the order.
    """

    def __init__(self, *, port_min: int, port_max: int, rest_s: float, random: Random) -> None:
        first = port_min + (port_min & 1)
        self._rest_s = rest_s
        self._free = list(range(first, port_max, 2))
        random.shuffle(self._free)
        self._resting: deque[tuple[float, int]] = deque()
        self._random = random
        self._used: set[int] = set()

    @property
    def used_count(self) -> int:
        """How many ports are in use now."""
        return len(self._used)

    def free_count(self, *, now: float) -> int:
        """How many ports `take` could hand out now."""
        self._wake(now=now)
        return len(self._free)

    def take(self, *, now: float) -> int:
        """Return an even port.

        Raises:
            PortsExhausted: none is free.
        """
        self._wake(now=now)
        if not self._free:
            raise PortsExhausted(f"no RTP port is free; {len(self._used)} in use")
        port = self._free.pop()
        self._used.add(port)
        return port

    def claim(self, port: int) -> None:
        """Note that a leg which outlived a former control has this port."""
        if port in self._free:
            self._free.remove(port)
        self._used.add(port)

    def put(self, port: int, *, now: float) -> None:
        """Give a port back; it rests first."""
        self._used.discard(port)
        self._resting.append((now + self._rest_s, port))

    def _wake(self, *, now: float) -> None:
        """Put the ports that have rested among the free ones, each at a random place."""
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
            place = self._random.randrange(len(self._free))
            self._free[place], self._free[-1] = self._free[-1], self._free[place]


def open_pair(family: Family, ip: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Bind the RTP and the RTCP socket of one leg.

    Raises:
        OSError: one of the two is in use.
    """
    kind = socket.AF_INET if family == "ip4" else socket.AF_INET6
    pair: list[socket.socket] = []
    try:
        for number in (port, port + 1):
            one = socket.socket(kind, socket.SOCK_DGRAM)
            pair.append(one)
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            one.bind((ip, number))
    except OSError:
        for one in pair:
            one.close()
        raise
    return pair[0], pair[1]
