import socket
from random import Random

import pytest

from switch.media.ports import PortBook, PortsExhausted, open_pair


def book(rest_s: float = 30.0) -> PortBook:
    return PortBook(port_min=20_000, port_max=20_007, rest_s=rest_s, random=Random(1))


def test_every_even_port_is_handed_out_once() -> None:
    ports = book()
    assert sorted(ports.take(now=0.0) for _ in range(4)) == [20_000, 20_002, 20_004, 20_006]
    assert ports.used_count == 4
    with pytest.raises(PortsExhausted, match="4 in use"):
        ports.take(now=0.0)


def test_a_port_rests_before_it_is_used_again() -> None:
    ports = book()
    taken = [ports.take(now=0.0) for _ in range(4)]
    ports.put(taken[2], now=10.0)
    with pytest.raises(PortsExhausted):
        ports.take(now=39.9)
    assert ports.take(now=40.0) == taken[2]


def test_those_that_have_rested_are_counted_free() -> None:
    ports = book()
    taken = [ports.take(now=0.0) for _ in range(4)]
    for at, port in enumerate(taken):
        ports.put(port, now=float(at))
    assert [ports.free_count(now=at) for at in (29.9, 30.0, 31.5, 40.0)] == [0, 1, 2, 4]
    assert sorted(ports.take(now=40.0) for _ in range(4)) == sorted(taken)


def test_a_claimed_port_is_not_handed_out() -> None:
    ports = book()
    ports.claim(20_004)
    assert 20_004 not in [ports.take(now=0.0) for _ in range(3)]
    assert ports.used_count == 4


def test_an_odd_first_port_is_passed_over() -> None:
    ports = PortBook(port_min=20_001, port_max=20_003, rest_s=0.0, random=Random(1))
    assert ports.take(now=0.0) == 20_002


@pytest.mark.live
def test_a_pair_whose_second_port_is_in_use_is_not_opened() -> None:
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    with pytest.raises(OSError, match="in use"):
        open_pair("ip4", "127.0.0.1", port - 1)
    probe.close()
