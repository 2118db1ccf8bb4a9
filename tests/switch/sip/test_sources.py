from ipaddress import ip_address

import pytest

from switch.sip.events import Flow, Source, SourceKind
from switch.sip.sources import KnownSource, SourceBook, parse_address

GATEWAY, TRUNK = Source(SourceKind.GATEWAY, "g"), Source(SourceKind.TRUNK, "t")
PHONES = Source(SourceKind.TERMINAL, "")
BOOK = SourceBook(
    [
        KnownSource(PHONES, "192.0.2.0/24"),
        KnownSource(GATEWAY, "127.0.0.1", port=15060),
        KnownSource(TRUNK, "127.0.0.1", port=15080),
        KnownSource(TRUNK, "2001:db8::7"),
    ]
)


@pytest.mark.parametrize(
    ("transport", "ip", "port", "source"),
    [
        ("udp", "127.0.0.1", 15060, GATEWAY),
        ("udp", "127.0.0.1", 15080, TRUNK),
        ("udp", "127.0.0.1", 15090, None),
        ("tcp", "127.0.0.1", 40123, GATEWAY),
        ("tcp", "127.0.0.1", 15080, TRUNK),
        ("udp", "192.0.2.200", 1024, PHONES),
        ("udp", "2001:db8::7", 5060, TRUNK),
        ("udp", "2001:db8::8", 5060, None),
        ("udp", "not an address", 5060, None),
    ],
)
def test_an_address_is_found_by_port_then_by_network(
    transport: str, ip: str, port: int, source: Source | None
) -> None:
    flow = Flow(transport, ("x", 1), (ip, port))
    for _ in range(2):
        found = BOOK.find(flow)
        assert (found.source if found else None) == source


def test_an_ip4_address_inside_ip6_is_that_address() -> None:
    assert parse_address("::ffff:192.0.2.1") == ip_address("192.0.2.1")
    assert parse_address("[2001:db8::1]") == ip_address("2001:db8::1")
    assert parse_address("kinline.example") is None
