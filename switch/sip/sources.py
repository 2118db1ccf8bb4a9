"""Who may talk to us: trunks and gateways by address, terminals by network.

An address with a port is looked for first, then one without, then the networks; so a trunk and a
gateway may share a machine. A TCP connection comes from any port, hence only its IP counts there.

Source: `signalling.md` sections 5 (authentication) and 8 (unknown source); RFC 3261 section 26.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from switch.sip.events import Flow, Source

REMEMBERED_MAX: Final = 4096
"""How many addresses' answers are kept; the memory is emptied above. Chosen."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class KnownSource:
    """One row of the book."""

    source: Source
    network: str
    """An address such as `192.0.2.1`, or a network such as `10.0.0.0/8`."""
    port: int | None = None
    """Only this port of it, over UDP; None: any."""
    nat: bool = False
    """Answer to where it came from, whatever it says of itself."""
    calls_per_second_max: float | None = None
    """Limit for new calls of a trunk or gateway; None: the limit of a line."""
    certificate_name: str = ""
    """What its certificate must hold when we call it over TLS; '': we do not."""


class SourceBook:
    """Finds whom an address belongs to. Rows earlier in the list win.

    Args:
        rows: everybody who is known.
    """

    def __init__(self, rows: Iterable[KnownSource] = ()) -> None:
        self._rows: list[tuple[Network, KnownSource]] = [
            (ip_network(row.network, strict=False), row) for row in rows
        ]
        self._remembered: dict[tuple[str, int, bool], KnownSource | None] = {}

    def find(self, flow: Flow) -> KnownSource | None:
        """Return whom the far end of this flow belongs to, or None for a stranger."""
        ip, port = flow.peer
        key = (ip, port, flow.transport == "udp")
        if key in self._remembered:
            return self._remembered[key]
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        found = self._look_up(ip, port, is_udp=key[2])
        self._remembered[key] = found
        return found

    def certificate_names(self, peer: tuple[str, int]) -> frozenset[str]:
        """Return the names, one of which a certificate at this address must hold."""
        address = parse_address(peer[0])
        if address is None:
            return frozenset()
        return frozenset(
            row.certificate_name
            for network, row in self._rows
            if row.certificate_name and row.port == peer[1] and _holds(network, address)
        )

    def _look_up(self, ip: str, port: int, *, is_udp: bool) -> KnownSource | None:
        address = parse_address(ip)
        if address is None:
            return None
        rows = [row for network, row in self._rows if _holds(network, address)]
        exact = [row for row in rows if row.port == port]
        any_port = [row for row in rows if row.port is None]
        other_port = [] if is_udp else [row for row in rows if row.port is not None]
        return next(iter([*exact, *any_port, *other_port]), None)


def parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an IP literal, with or without brackets; None for a name."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _holds(network: Network, address: IPv4Address | IPv6Address) -> bool:
    return network.version == address.version and address in network
