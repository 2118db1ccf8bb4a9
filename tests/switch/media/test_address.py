import ipaddress

import pytest

from switch.media.address import mask_words, may_be_sent_to, sockaddr, words


@pytest.mark.parametrize(
    ("ip", "port", "allowed"),
    [
        ("192.0.2.1", 4000, True),
        ("127.0.0.1", 1024, True),
        ("192.0.2.1", 1023, False),
        ("224.0.0.5", 4000, False),
        ("255.255.255.255", 4000, False),
        ("0.0.0.0", 4000, False),
        ("2001:db8::1", 4000, True),
        ("::1", 4000, True),
        ("ff02::1", 4000, False),
        ("::", 4000, False),
    ],
)
def test_sound_goes_to_one_host_and_no_well_known_port(ip: str, port: int, allowed: bool) -> None:
    assert may_be_sent_to(ipaddress.ip_address(ip), port) is allowed


def test_an_ip4_address_is_the_last_word() -> None:
    assert words(ipaddress.ip_address("192.0.2.1")).tolist() == [0, 0, 0, 0xC0000201]


def test_an_ip6_address_is_four_words() -> None:
    found = words(ipaddress.ip_address("2001:db8::5")).tolist()
    assert found == [0x20010DB8, 0, 0, 5]


def test_the_mask_of_an_ip4_network_excludes_ip6() -> None:
    found = mask_words(ipaddress.ip_network("192.0.2.0/24")).tolist()
    assert found == [0xFFFFFFFF] * 3 + [0xFFFFFF00]


def test_a_sockaddr_is_what_the_kernel_takes() -> None:
    assert sockaddr(ipaddress.ip_address("192.0.2.1"), 4000).tobytes()[2:8] == bytes(
        [15, 160, 192, 0, 2, 1]
    )
    assert sockaddr(ipaddress.ip_address("::1"), 4000).size == 28
