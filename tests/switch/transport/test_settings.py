import msgspec
import pytest

from switch.transport.settings import Listener, TransportSettings, parse_listener


def test_an_address_is_read_and_written_the_same_way() -> None:
    for text in ("udp:127.0.0.1:5060", "tcp:[2001:db8::1]:5060"):
        assert str(parse_listener(text)) == text
    assert parse_listener("tcp:[::1]:0") == Listener("tcp", "::1", 0)


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        (["tls:127.0.0.1:5061"], "needs .transport.tls. with certificate and key"),
        (["ws:127.0.0.1:5061"], "must begin with udp:, tcp: or tls:"),
        (["udp:127.0.0.1"], "must end with a port"),
        (["udp:127.0.0.1:99999"], "must end with a port"),
        (["udp:kinline.example:5060"], "does not appear to be an IPv4 or IPv6 address"),
        (["udp:0.0.0.0:5060"], "an address must be advertised"),
        ([], "at least one socket"),
    ],
)
def test_a_wrong_address_is_named_when_the_settings_are_read(listen: list[str], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert({"listen": listen}, TransportSettings)
    if listen == ["udp:0.0.0.0:5060"]:
        msgspec.convert({"listen": listen, "advertise_ip4": "192.0.2.9"}, TransportSettings)
