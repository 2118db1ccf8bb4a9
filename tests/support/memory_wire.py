"""A network in memory: stacks, a seeded wire that loses, repeats and reorders, a virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from switch.sip.digest import Credential
from switch.sip.events import (
    Effect,
    Event,
    Flow,
    SendBytes,
    Source,
    SourceKind,
)
from switch.sip.local_address import LocalAddresses
from switch.sip.settings import SipSettings
from switch.sip.sources import KnownSource, SourceBook
from switch.sip.stack import SipStack

React = Callable[["Node", Event], list[Effect]]

SETTINGS = SipSettings(rate_exempt_networks=("192.0.2.0/24", "2001:db8::/32"))
DELAY_S = 0.02


@dataclass
class Node:
    """One stack at one address, and what it does about events."""

    wire: "MemoryWire"
    address: tuple[str, int]
    stack: SipStack
    react: React | None = None
    events: list[Event] = field(default_factory=list)
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    transport: str = "udp"

    def flow_to(self, peer: "Node") -> Flow:
        return Flow(self.transport, self.address, peer.address)

    def perform(self, effects: list[Effect]) -> None:
        queue = list(effects)
        while queue:
            effect = queue.pop(0)
            if isinstance(effect, SendBytes):
                self.sent.append((self.wire.now, effect.data))
                self.wire.send(self, effect)
                continue
            self.events.append(effect)
            if self.react is not None:
                queue += self.react(self, effect)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


class MemoryWire:
    """Carries datagrams between nodes.

    Args:
        seed: of all luck.
        loss: probability that a datagram is lost, each way.
        duplicates: probability that it arrives twice.
        jitter_s: how much later than DELAY_S it may come; hence reordering.
    """

    def __init__(
        self, seed: int = 1, *, loss: float = 0.0, duplicates: float = 0.0, jitter_s: float = 0.0
    ) -> None:
        self.now = 0.0
        self.seed = seed
        self.random = Random(seed)
        self.loss = loss
        self.duplicates = duplicates
        self.jitter_s = jitter_s
        self.nodes: dict[tuple[str, int], Node] = {}
        self.lose: Callable[[bytes], bool] = lambda data: False
        """Loses exactly what it says, besides the luck."""
        self._flying: list[tuple[float, int, Node, bytes, Flow]] = []
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._counted = 0

    def node(
        self,
        ip: str,
        *,
        react: React | None = None,
        rows: tuple[KnownSource, ...] = (),
        credentials: dict[str, Credential] | None = None,
        settings: SipSettings = SETTINGS,
        transport: str = "udp",
    ) -> Node:
        """Add a stack at port 5060 of this address; by default it trusts everybody as a trunk."""
        addresses = LocalAddresses()
        addresses.put(transport, ip, 5060)
        everybody = (trunk("0.0.0.0/0"), trunk("::/0"))
        stack = SipStack(
            settings=settings,
            random=Random(f"{self.seed}{ip}"),
            contact=addresses,
            sources=SourceBook(rows or everybody),
            credentials=credentials or {},
            nonce_secret=ip.encode() * 4,
        )
        made = Node(self, (ip, 5060), stack, react, transport=transport)
        self.nodes[made.address] = made
        return made

    def send(self, sender: Node, effect: SendBytes) -> None:
        if self.random.random() < self.loss or self.lose(effect.data):
            return
        copies = 2 if self.random.random() < self.duplicates else 1
        receiver = self.nodes.get(effect.flow.peer)
        if receiver is None:
            return
        for _ in range(copies):
            at = self.now + DELAY_S + self.random.random() * self.jitter_s
            self._counted += 1
            flow = Flow(effect.flow.transport, receiver.address, sender.address)
            heappush(self._flying, (at, self._counted, receiver, effect.data, flow))

    def at(self, when: float, call: Callable[[], object]) -> None:
        """Do this at that time."""
        self._counted += 1
        heappush(self._calls, (when, self._counted, call))

    def run(self, until: float) -> None:
        """Let time pass."""
        while (when := self._next()) is not None and when <= until:
            self.now = max(self.now, when)
            if self._calls and self._calls[0][0] <= when:
                heappop(self._calls)[2]()
            elif self._flying and self._flying[0][0] <= when:
                _, _, node, data, flow = heappop(self._flying)
                node.perform(node.stack.receive(data, flow, now=self.now))
            else:
                for node in self.nodes.values():
                    node.perform(node.stack.handle_timers(now=self.now))
        self.now = until

    def _next(self) -> float | None:
        times = [node.stack.next_deadline() for node in self.nodes.values()]
        times += [self._flying[0][0] if self._flying else None]
        times += [self._calls[0][0] if self._calls else None]
        return min((at for at in times if at is not None), default=None)


def trunk(network: str) -> KnownSource:
    return KnownSource(Source(SourceKind.TRUNK, "t1"), network)


def terminals(network: str) -> KnownSource:
    return KnownSource(Source(SourceKind.TERMINAL, ""), network)


def gateway(network: str) -> KnownSource:
    return KnownSource(Source(SourceKind.GATEWAY, "g1"), network)
