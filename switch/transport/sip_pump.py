"""The rim of SIP: feed the stack, perform its effects, keep its one timer armed.

Effects are performed strictly in the order in which they were made, also when an event's receiver
asks for more of them: those go to the end of the line.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from switch.clock import Clock
from switch.errors import PeerError
from switch.sip.events import Effect, Event, Flow, SendBytes
from switch.sip.limits import DEFAULT, SipLimits
from switch.sip.stack import SipStack
from switch.transport.connections import Connections
from switch.transport.settings import TransportSettings, address_text, parse_listener
from switch.transport.tcp import Ears, TcpListener
from switch.transport.tls import Certificates
from switch.transport.udp import UdpSocket


class SipPump:
    """All SIP sockets of the switch.

    Args:
        stack: what is fed.
        clock: for `now`.
        on_event: gets every event, in order.
        settings: where to listen.
        limits: of messages on connections.
        folder: what the paths of certificates start from.

    Raises:
        SettingsError: a certificate cannot be read.
    """

    def __init__(
        self,
        *,
        stack: SipStack,
        clock: Clock,
        on_event: Callable[[Event], None],
        settings: TransportSettings,
        limits: SipLimits = DEFAULT,
        folder: Path = Path(),
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._on_event = on_event
        self._settings = settings
        self._udp: dict[tuple[str, int], UdpSocket] = {}
        self._tcp: list[TcpListener] = []
        self._connections = Connections(
            settings=settings,
            limits=limits,
            ears=Ears(self._feed, self._garbage, self._lost),
            is_known=lambda flow: stack.sources.find(flow) is not None,
            certificates=None if settings.tls is None else Certificates(settings.tls, folder),
            names=self._names_at,
        )
        self._effects: deque[Effect] = deque()
        self._is_performing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self.bound: list[str] = []
        """What is open, as `udp:127.0.0.1:5060`."""

    async def start(self) -> None:
        """Open every socket.

        Raises:
            OSError: an address cannot be bound; nothing stays open.
        """
        try:
            for text in self._settings.listen:
                self._open(text)
        except OSError:
            await self.close()
            raise
        self._rearm()

    async def close(self) -> None:
        """Close every socket and stop the timer. What the stack still wants to send is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connections.close()
        for listener in self._tcp:
            listener.close()
        for udp in self._udp.values():
            udp.close()
        self._tcp.clear()
        self._udp.clear()
        self.bound.clear()

    def apply(self, effects: list[Effect]) -> None:
        """Send bytes, hand out events, re-arm the timer."""
        self._effects.extend(effects)
        if self._is_performing:
            return
        self._is_performing = True
        try:
            while self._effects:
                self._perform(self._effects.popleft())
        finally:
            self._is_performing = False
        self._rearm()

    def _open(self, text: str) -> None:
        listener = parse_listener(text)
        if listener.transport == "udp":
            udp = UdpSocket(
                listener.host, listener.port, on_datagram=self._feed, on_error=self._unreachable
            )
            self._udp[udp.local] = udp
            local = udp.local
            udp.open()
        else:
            accepted = partial(self._accepted, listener.transport)
            tcp = TcpListener(listener.host, listener.port, on_accept=accepted)
            self._tcp.append(tcp)
            local = tcp.local
            tcp.open()
        settings = self._settings
        called = settings.advertise_ip6 if ":" in listener.host else settings.advertise_ip4
        self._stack.addresses.put(listener.transport, called or local[0], local[1], bound=local)
        self.bound.append(address_text(listener.transport, *local))

    def _perform(self, effect: Effect) -> None:
        if not isinstance(effect, SendBytes):
            self._on_event(effect)
            return
        flow = effect.flow
        if flow.transport == "udp":
            udp = self._socket_for(flow)
            if udp is not None:
                udp.send(effect.data, flow.peer)
                return
        elif self._connections.send(effect.data, flow):
            return
        self._effects.extend(self._stack.send_failed(flow, now=self._clock.monotonic()))

    def _socket_for(self, flow: Flow) -> UdpSocket | None:
        """The socket the flow names, else one of the same family."""
        found = self._udp.get(flow.local)
        if found is not None:
            return found
        is_six = ":" in flow.peer[0]
        return next((s for at, s in self._udp.items() if (":" in at[0]) == is_six), None)

    def _names_at(self, peer: tuple[str, int]) -> frozenset[str]:
        return self._stack.sources.certificate_names(peer)

    def _feed(self, data: bytes, flow: Flow) -> None:
        self.apply(self._stack.receive(data, flow, now=self._clock.monotonic()))

    def _garbage(self, error: PeerError, flow: Flow) -> None:
        self.apply(self._stack.receive_error(error, flow, now=self._clock.monotonic()))

    def _unreachable(self, flow: Flow) -> None:
        self.apply(self._stack.send_failed(flow, now=self._clock.monotonic()))

    def _lost(self, flow: Flow) -> None:
        self.apply(self._stack.connection_lost(flow, now=self._clock.monotonic()))

    def _accepted(self, transport: str, connected: socket.socket, peer: tuple[str, int]) -> None:
        name = connected.getsockname()
        self._connections.accepted(connected, (name[0], name[1]), peer, transport)

    def _rearm(self) -> None:
        """Arm for the next deadline; a timer that is early enough stays, and looks again."""
        deadline = self._stack.next_deadline()
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        wait_s = max(0.0, deadline - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.apply(self._stack.handle_timers(now=self._clock.monotonic()))
