"""Settings of the SIP sockets."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

import msgspec

TRANSPORTS = ("udp", "tcp", "tls")


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket to open."""

    transport: str
    host: str
    """An IP literal without brackets."""
    port: int

    def __str__(self) -> str:
        """Return `udp:127.0.0.1:5060`, `tcp:[::1]:5060`."""
        return address_text(self.transport, self.host, self.port)


class TlsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Our certificate, and whom we believe.

    Paths start from the data folder; files that change are read again without a restart.
    """

    certificate: str
    """PEM, ours first, then the chain."""
    key: str
    """PEM, without a passphrase, for our eyes only."""
    authorities: str = ""
    """PEM of those whose word counts for a trunk's certificate; '': the system's."""


class TransportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where we listen, and how much we hold for others."""

    listen: tuple[str, ...] = ("udp:127.0.0.1:5060",)
    """`udp:ADDRESS:PORT`, `tcp:…` or `tls:…`; IPv6 in brackets; port 0 takes a free one."""

    advertise_ip4: str = ""
    """What others call us, if it is not the address we listen on."""

    advertise_ip6: str = ""
    """The same for IPv6."""

    connections_max: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 16
    """TCP connections of one address. `signalling.md` section 8."""

    strangers_max: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 256
    """TCP connections of unknown addresses, held in silence. `signalling.md` section 8."""

    first_request_s_max: Annotated[float, msgspec.Meta(gt=0, le=600)] = 10.0
    """A connection that has said nothing by then is closed. `signalling.md` section 8."""

    tls: TlsSettings | None = None
    """Needed by a `tls:` socket and by a trunk over TLS."""

    resolve_s_max: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    """How long a name may take. Chosen: below the 32 s of an INVITE, above two DNS tries."""

    def __post_init__(self) -> None:
        """Check every address now, so that the operator hears of it at the start."""
        if not self.listen:
            raise ValueError("listen must name at least one socket")
        for text in self.listen:
            listener = parse_listener(text)
            if listener.transport == "tls" and self.tls is None:
                raise ValueError(f"{text}: needs [transport.tls] with certificate and key")
            wide = ip_address(listener.host).is_unspecified
            advertised = self.advertise_ip6 if ":" in listener.host else self.advertise_ip4
            if wide and not advertised:
                raise ValueError(f"{text}: an address must be advertised (advertise_ip4, _ip6)")
        for text in (self.advertise_ip4, self.advertise_ip6):
            if text:
                ip_address(text)


def parse_listener(text: str) -> Listener:
    """Read `udp:127.0.0.1:5060` or `tcp:[::1]:5060`.

    Raises:
        ValueError: says what is wrong.
    """
    transport, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if transport not in TRANSPORTS:
        raise ValueError(f"{text}: must begin with udp:, tcp: or tls:")
    if not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text}: must end with a port, 0 to 65535")
    host = host.strip("[]")
    ip_address(host)
    return Listener(transport, host, int(port))


def address_text(transport: str, host: str, port: int) -> str:
    """Write a bound address as people read it."""
    return f"{transport}:[{host}]:{port}" if ":" in host else f"{transport}:{host}:{port}"
