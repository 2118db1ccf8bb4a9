"""What we call ourselves in Via and Contact, per transport and family.

Source: RFC 3261 sections 18.1.1 (Via), 8.1.1.8 (Contact); RFC 2732 (brackets of IPv6).
"""

from switch.sip.events import Flow
from switch.sip.sources import parse_address


def bracketed(host: str) -> str:
    """Write a host as a URI wants it: IPv6 literals in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def family_of(host: str) -> int:
    """Return 6 for an IPv6 literal, else 4."""
    address = parse_address(host)
    return address.version if address is not None else 4


class LocalAddresses:
    """The addresses under which others reach us; filled by whoever opens the sockets."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], tuple[tuple[str, int], tuple[str, int]]] = {}
        """By transport and family: how the first socket is bound, and how it is called."""
        self._called: dict[tuple[str, tuple[str, int]], tuple[str, int]] = {}

    def put(
        self, transport: str, host: str, port: int, *, bound: tuple[str, int] | None = None
    ) -> None:
        """Say that this transport is reached at this address.

        Args:
            transport: `udp`, `tcp` or `tls`.
            host: an IP literal as others see us.
            port: as others see it.
            bound: the socket's own address, if it differs (NAT, all interfaces).
        """
        called = (host.strip("[]"), port)
        bound = bound or called
        self._first.setdefault((transport, family_of(host)), (bound, called))
        self._called[transport, bound] = called

    def of(self, flow: Flow) -> tuple[str, int]:
        """Return our address as the far end of this flow knows it."""
        called = self._called.get((flow.transport, flow.local))
        if called is not None:
            return called
        first = self._first.get((flow.transport, family_of(flow.peer[0])))
        return flow.local if first is None else first[1]

    def flow_to(self, transport: str, ip: str, port: int) -> Flow:
        """Return the flow on which to send to this IP literal."""
        ip = ip.strip("[]")
        first = self._first.get((transport, family_of(ip)))
        return Flow(transport, ("", 0) if first is None else first[0], (ip, port))

    def sent_by(self, flow: Flow) -> str:
        """Return `host:port` for a Via on this flow."""
        host, port = self.of(flow)
        return f"{bracketed(host)}:{port}"

    def contact(self, flow: Flow, user: str) -> str:
        """Return the Contact header value for this flow."""
        suffix = "" if flow.transport == "udp" else f";transport={flow.transport}"
        return f"<sip:{user}@{self.sent_by(flow)}{suffix}>"
