"""TCP: one listener, and connections that cut the stream into messages.

Both are driven by the loop's readiness callbacks, so a connection needs no task of its own, and
what is sent leaves in the order in which it was given.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from switch.errors import PeerError
from switch.sip.events import Flow
from switch.sip.limits import SipLimits
from switch.sip.parser import StreamParser

READ_BYTES: Final = 65_536
"""Read per wake. Chosen: one message of the largest size."""

UNSENT_BYTES_MAX: Final = 1_048_576
"""A peer that reads more slowly than this is cut off. Chosen: some 1,000 messages."""

BACKLOG: Final = 128
"""Connections that wait to be accepted. Chosen."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Whom a connection tells."""

    on_message: Callable[[bytes, Flow], None]
    on_garbage: Callable[[PeerError, Flow], None]
    """The framing is lost; the connection closes once the answer has left."""
    on_closed: Callable[[Flow], None]


class TcpConnection:
    """One connection, either way.

    Args:
        connected: a socket that is connected, or on its way.
        flow: its names and its number.
        ears: see there.
        limits: of the messages on it.
        is_open: False while it is on its way.
    """

    def __init__(
        self, connected: socket.socket, flow: Flow, ears: Ears, limits: SipLimits, *, is_open: bool
    ) -> None:
        self.flow = flow
        self.has_spoken = False
        """Whether a whole message ever came, or we sent one."""
        self._socket = connected
        self._ears = ears
        self._parser = StreamParser(limits)
        self._unsent = bytearray()
        self._is_open = is_open
        self._closing = False

    def open(self) -> None:
        """Begin to read, or to wait for the connection."""
        loop, number = asyncio.get_running_loop(), self._socket.fileno()
        if self._is_open:
            loop.add_reader(number, self._readable)
        else:
            loop.add_writer(number, self._writable)

    def send(self, data: bytes) -> None:
        """Send, behind what already waits."""
        if not self.is_alive:
            return
        self.has_spoken = True
        self._put(data)

    @property
    def is_alive(self) -> bool:
        """Whether anything may still be sent."""
        return self._socket.fileno() >= 0 and not self._closing

    def _put(self, data: bytes) -> None:
        waiting = bool(self._unsent) or not self._is_open
        self._unsent += data
        if len(self._unsent) > UNSENT_BYTES_MAX:
            self.close()
            self._ears.on_closed(self.flow)
        elif not waiting:
            self._flush()

    def close_when_sent(self) -> None:
        """Close as soon as all has left."""
        self._closing = True
        if not self._unsent:
            self.close()
            self._ears.on_closed(self.flow)

    def close(self) -> None:
        """Close now."""
        if self._socket.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        loop.remove_writer(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._fail()
            return
        self._came(data)

    def _opened(self) -> None:
        """Do what is first when a connection of ours stands."""

    def _came(self, data: bytes) -> None:
        """Take what came over the wire."""
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """Cut the stream into messages and hand them on."""
        for found in self._parser.feed(data):
            self.has_spoken = True
            if isinstance(found, PeerError):
                self._ears.on_garbage(found, self.flow)
                self.close_when_sent()
                return
            self._ears.on_message(found, self.flow)
            if self._socket.fileno() < 0:
                return

    def _writable(self) -> None:
        if not self._is_open:
            if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._fail()
                return
            self._is_open = True
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)
            self._opened()
            if self._socket.fileno() < 0:
                return
        self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            sent = self._socket.send(self._unsent) if self._unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._fail()
            return
        del self._unsent[:sent]
        if self._unsent:
            loop.add_writer(self._socket.fileno(), self._writable)
            return
        loop.remove_writer(self._socket.fileno())
        if self._closing:
            self._fail()

    def _fail(self) -> None:
        self.close()
        self._ears.on_closed(self.flow)


class TcpListener:
    """One listening socket.

    Args:
        host: IP literal to bind.
        port: 0 takes a free one.
        on_accept: gets each new connection's socket and peer.
    """

    def __init__(
        self, host: str, port: int, *, on_accept: Callable[[socket.socket, tuple[str, int]], None]
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._on_accept = on_accept
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.bind((host, port))
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        name = self._socket.getsockname()
        self.local: tuple[str, int] = (name[0], name[1])

    def open(self) -> None:
        """Begin to accept."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._acceptable)

    def close(self) -> None:
        """Stop and give the port back."""
        if self._socket.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _acceptable(self) -> None:
        for _ in range(BACKLOG):
            try:
                accepted, peer = self._socket.accept()
            except OSError:
                return
            prepare(accepted)
            self._on_accept(accepted, (peer[0], peer[1]))


def connect(peer: tuple[str, int]) -> socket.socket:
    """Begin to connect; the socket becomes writable when that is decided.

    Raises:
        OSError: it cannot even be tried.
    """
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    prepare(made)
    with contextlib.suppress(BlockingIOError):
        try:
            made.connect(peer)
        except BlockingIOError:
            raise
        except OSError:
            made.close()
            raise
    return made


def prepare(connected: socket.socket) -> None:
    """Set what every connection has: no blocking, no waiting for more (RFC 3261 18.3 frames)."""
    connected.setblocking(False)
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
