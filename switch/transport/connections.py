"""All TCP and TLS connections of the switch: found by number or by peer, limited by address.

A stranger's connection is held without a byte and without being read, then closed: it learns
nothing, and cannot fill our memory (`signalling.md` section 8).
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable

from switch.sip.events import Flow
from switch.sip.limits import SipLimits
from switch.transport.settings import TransportSettings
from switch.transport.tcp import Ears, TcpConnection, connect
from switch.transport.tls import Certificates, Names, TlsConnection


class Connections:
    """The connections of one pump.

    Args:
        settings: how many, how long.
        limits: of messages.
        ears: whom they tell.
        is_known: whether the far end of a flow is anybody.
        certificates: for TLS.
        names: of which a certificate there must hold one, if we call over TLS.
    """

    def __init__(
        self,
        *,
        settings: TransportSettings,
        limits: SipLimits,
        ears: Ears,
        is_known: Callable[[Flow], bool],
        certificates: Certificates | None = None,
        names: Names = lambda _peer: frozenset(),
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._ears = Ears(ears.on_message, ears.on_garbage, self._closed)
        self._on_closed = ears.on_closed
        self._is_known = is_known
        self._certificates = certificates
        self._names = names
        self._by_number: dict[int, TcpConnection] = {}
        self._by_peer: dict[tuple[str, tuple[str, int]], TcpConnection] = {}
        self._strangers: OrderedDict[int, socket.socket] = OrderedDict()
        self._numbered = 0

    def __len__(self) -> int:
        """Return how many connections of known peers there are."""
        return len(self._by_number)

    def accepted(
        self,
        connected: socket.socket,
        local: tuple[str, int],
        peer: tuple[str, int],
        transport: str = "tcp",
    ) -> None:
        """Take a connection that came in."""
        self._numbered += 1
        flow = Flow(transport, local, peer, self._numbered)
        if not self._is_known(flow):
            self._hold(connected)
            return
        same = sum(c.flow.peer[0] == peer[0] for c in self._by_number.values())
        if same >= self._settings.connections_max:
            connected.close()
            return
        made = self._add(connected, flow, is_open=True)
        asyncio.get_running_loop().call_later(
            self._settings.first_request_s_max, self._close_if_silent, made
        )

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send on this connection, or on one to the same peer, or on a new one; False if none."""
        found = self._by_number.get(flow.connection)
        found = found or self._by_peer.get((flow.transport, flow.peer)) or self._connect(flow)
        if found is None:
            return False
        found.send(data)
        return True

    def close(self) -> None:
        """Close all."""
        for found in list(self._by_number.values()):
            found.close()
        for stranger in self._strangers.values():
            stranger.close()
        self._by_number.clear()
        self._by_peer.clear()
        self._strangers.clear()

    def _connect(self, flow: Flow) -> TcpConnection | None:
        if flow.transport == "tls" and not (self._certificates and self._names(flow.peer)):
            return None  # nobody whose certificate we could judge
        try:
            made = connect(flow.peer)
        except OSError:
            return None
        self._numbered += 1
        fresh = Flow(flow.transport, flow.local, flow.peer, self._numbered)
        return self._add(made, fresh, is_open=False)

    def _add(self, connected: socket.socket, flow: Flow, *, is_open: bool) -> TcpConnection:
        kind = TlsConnection if flow.transport == "tls" else TcpConnection
        made = kind(connected, flow, self._ears, self._limits, is_open=is_open)
        if isinstance(made, TlsConnection):
            assert self._certificates is not None
            made.begin(self._certificates.contexts(), None if is_open else self._names(flow.peer))
        self._by_number[flow.connection] = made
        self._by_peer[flow.transport, flow.peer] = made
        made.open()
        return made

    def _closed(self, flow: Flow) -> None:
        gone = self._by_number.pop(flow.connection, None)
        if gone is not None and self._by_peer.get((flow.transport, flow.peer)) is gone:
            del self._by_peer[flow.transport, flow.peer]
        self._on_closed(flow)

    def _close_if_silent(self, made: TcpConnection) -> None:
        if not made.has_spoken and made.flow.connection in self._by_number:
            made.close()
            self._closed(made.flow)

    def _hold(self, stranger: socket.socket) -> None:
        number = stranger.fileno()
        self._strangers[number] = stranger
        if len(self._strangers) > self._settings.strangers_max:
            self._strangers.popitem(last=False)[1].close()
        asyncio.get_running_loop().call_later(
            self._settings.first_request_s_max, self._let_go, number, stranger
        )

    def _let_go(self, number: int, stranger: socket.socket) -> None:
        if self._strangers.get(number) is stranger:
            del self._strangers[number]
            stranger.close()
