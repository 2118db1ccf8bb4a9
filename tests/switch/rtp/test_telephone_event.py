"""RFC 4733 as a receiver sees it: one press, whichever of its packets arrive."""

from itertools import combinations

import pytest

from switch.rtp import telephone_event
from switch.rtp.telephone_event import KEYS, build_press, press


def presses(packets: list[tuple[int, int, int, bool]]) -> list[int]:
    """Return at which places a new press was told."""
    s = [0] * telephone_event.FIELDS
    return [place for place, one in enumerate(packets) if press(s, *one)]


FIVE = [(16000, 5, 160 * n, n == 4) for n in range(1, 5)] + [(16000, 5, 640, True)] * 2


def test_a_press_is_told_at_its_first_packet() -> None:
    assert presses(FIVE) == [0]


@pytest.mark.parametrize("kept", [one for n in range(1, 6) for one in combinations(range(6), n)])
def test_any_packets_of_a_press_are_one_press(kept: tuple[int, ...]) -> None:
    assert presses([FIVE[place] for place in kept]) == [0]


def test_packets_in_any_order_are_one_press() -> None:
    assert presses(list(reversed(FIVE))) == [0]


def test_the_same_key_twice_is_two_presses() -> None:
    again = [(17600, code, duration, ended) for _, code, duration, ended in FIVE]
    assert presses(FIVE + again) == [0, 6]


def test_a_repeat_of_an_earlier_press_is_not_a_new_one() -> None:
    assert presses([*FIVE, (17600, 6, 160, False), (16000, 5, 640, True)]) == [0, 6]


def test_a_key_held_for_ten_seconds_is_one_press() -> None:
    start, longest = 16000, 0xFFFF
    held = [(start, 5, d, False) for d in range(160, longest, 160)]
    held += [(start + longest, 5, d, False) for d in range(160, 14_000, 160)]
    held += [(start + longest, 5, 14_000, True)] * 3
    assert presses(held) == [0]


def test_a_segment_of_another_key_is_a_press_of_its_own() -> None:
    assert presses([(0, 5, 0xFFFF, False), (0xFFFF, 6, 160, False)]) == [0, 1]


def test_the_timestamp_may_wrap_between_presses() -> None:
    assert presses([(0xFFFF_FF00, 1, 160, True), (800, 1, 160, False)]) == [0, 1]


@pytest.mark.parametrize("key", list(KEYS))
def test_what_we_send_is_one_press_of_that_key(key: str) -> None:
    packets = build_press(key, duration_ms=80)
    told = [
        (3200, p.payload[0], (p.payload[2] << 8) | p.payload[3], bool(p.payload[1] & 0x80))
        for p in packets
    ]
    assert presses(told) == [0]
    assert KEYS[packets[0].payload[0]] == key


def test_a_press_begins_with_the_marker_and_ends_three_times() -> None:
    packets = build_press("5", duration_ms=80)
    assert [p.marker for p in packets] == [True, *[False] * 5]
    assert [p.duration for p in packets] == [160, 320, 480, 640, 640, 640]
    assert [bool(p.payload[1] & 0x80) for p in packets] == [False] * 3 + [True] * 3
