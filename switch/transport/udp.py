"""One UDP socket: datagrams in, datagrams out in the order in which they were given.

Uses the loop's readiness callbacks, not its datagram protocol: one wake drains many datagrams, and
the kernel's ICMP errors can be asked whom they concern (`IP_RECVERR`, ip(7)).
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from switch.sip.events import Flow

DATAGRAM_BYTES_MAX: Final = 65_535
"""The largest there is; what is too large for SIP is judged by the stack."""

DRAIN_MAX: Final = 64
"""Datagrams read per wake, so that timers get their turn. Chosen."""

QUEUE_MAX: Final = 4_096
"""Datagrams that wait for the socket; beyond it the oldest goes. Chosen: some 3 MB."""

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
"""Asked of the kernel: a second of a burst at 4,000 messages/s. Chosen."""

_RECVERR: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
"""IP_RECVERR and IPV6_RECVERR: the socket module does not name them. ip(7), ipv6(7)."""


class UdpSocket:
    """One bound socket.

    Args:
        host: IP literal to bind.
        port: 0 takes a free one.
        on_datagram: gets each datagram and the flow it came on.
        on_error: gets the flow whose far end an ICMP error named.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        on_datagram: Callable[[bytes, Flow], None],
        on_error: Callable[[Flow], None],
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._on_datagram = on_datagram
        self._on_error = on_error
        self._queue: deque[tuple[bytes, tuple[str, int]]] = deque()
        self.dropped = 0
        """Datagrams that never left, because the queue was full."""
        try:
            self._configure(family)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        name = self._socket.getsockname()
        self.local: tuple[str, int] = (name[0], name[1])

    def open(self) -> None:
        """Begin to read."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Stop and give the port back."""
        if self._socket.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        loop.remove_writer(self._socket.fileno())
        self._socket.close()

    def send(self, data: bytes, peer: tuple[str, int]) -> None:
        """Send, or queue behind what already waits."""
        if self._queue:
            self._enqueue(data, peer)
        elif not self._try(data, peer):
            self._enqueue(data, peer)
            loop = asyncio.get_running_loop()
            loop.add_writer(self._socket.fileno(), self._writable)

    def _configure(self, family: socket.AddressFamily) -> None:
        self._socket.setblocking(False)
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(*_RECVERR[family], 1)

    def _readable(self) -> None:
        for _ in range(DRAIN_MAX):
            if self._socket.fileno() < 0:
                return
            try:
                data, peer = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                break
            except OSError:
                self._take_errors()
                continue
            self._on_datagram(data, Flow("udp", self.local, (peer[0], peer[1])))
        self._take_errors()

    def _take_errors(self) -> None:
        """Empty the socket's error queue: each entry names the peer that was not reached."""
        for _ in range(DRAIN_MAX):
            if self._socket.fileno() < 0:
                return
            try:
                _, _, _, peer = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if peer:
                self._on_error(Flow("udp", self.local, (peer[0], peer[1])))

    def _writable(self) -> None:
        while self._queue:
            if not self._try(*self._queue[0]):
                return
            self._queue.popleft()
        asyncio.get_running_loop().remove_writer(self._socket.fileno())

    def _try(self, data: bytes, peer: tuple[str, int]) -> bool:
        """Send now; False if the socket is full. What cannot be sent at all is lost, as on a wire.

        The first error may be a pending one of an earlier datagram, hence the second try.
        """
        for _ in range(2):
            try:
                self._socket.sendto(data, peer)
            except BlockingIOError:
                return False
            except OSError:
                continue
            return True
        return True

    def _enqueue(self, data: bytes, peer: tuple[str, int]) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append((data, peer))
