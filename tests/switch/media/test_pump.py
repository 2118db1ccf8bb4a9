"""The packet path, run by the interpreter over a network of lists."""

import pytest

from dsp import g711
from switch.media import beat, pump, ring
from switch.media.legs import (
    COUNT_CONTROL,
    COUNT_TICK_PACKETS,
    COUNT_UNREAD,
    COUNT_WAKES,
    Drop,
    Latch,
    Mail,
)
from switch.rtp import source
from tests.support.leg_pair import FD, HOUR_NS, PORT, A, B, LegPair

SOUND = bytes(range(160))


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> LegPair:
    return LegPair(monkeypatch)


def test_before_the_bridge_no_sound_reaches_the_other_side(pair: LegPair) -> None:
    pair.say(A, 1)
    pair.say(B, 1)
    assert pair.libc.outbox == []
    assert pair.dropped(A) == pair.dropped(B) == {Drop.NOT_JOINED: 1}


def test_after_the_bridge_every_byte_passes_both_ways(pair: LegPair) -> None:
    pair.join()
    pair.say(A, 1, SOUND)
    pair.say(B, 1, SOUND[::-1])
    assert [one.payload for one in pair.heard(B)] == [SOUND]
    assert [one.payload for one in pair.heard(A)] == [SOUND[::-1]]


def test_what_leaves_has_our_own_numbers(pair: LegPair) -> None:
    pair.join()
    for sequence in (9, 10):
        pair.say(A, sequence, ssrc=7)
    first, second = pair.heard(B)
    assert (first.ssrc, first.sequence, first.timestamp, first.marker) == (1001, 501, 8000, True)
    assert (second.ssrc, second.sequence, second.timestamp) == (1001, 502, 8160)
    assert not second.marker


def test_a_loss_before_us_is_a_loss_behind_us(pair: LegPair) -> None:
    pair.join()
    for sequence in (1, 2, 5):
        pair.say(A, sequence)
    assert [one.sequence for one in pair.heard(B)] == [501, 502, 505]


def test_packets_out_of_order_stay_out_of_order(pair: LegPair) -> None:
    pair.join()
    for sequence in (1, 3, 2, 4):
        pair.say(A, sequence)
    assert [one.sequence for one in pair.heard(B)] == [501, 503, 502, 504]


def test_sequence_numbers_wrap_on_both_sides(pair: LegPair) -> None:
    pair.legs.sequence[B] = 0xFFFF
    pair.join()
    for sequence in (0xFFFE, 0xFFFF, 0x10000):
        pair.say(A, sequence, timestamp=160 * sequence)
    assert [one.sequence for one in pair.heard(B)] == [0, 1, 2]


def test_a_new_source_goes_on_with_our_numbers(pair: LegPair) -> None:
    pair.join()
    pair.say(A, 1)
    pair.libc.now_ns += 20_000_000
    pair.say(A, 40_000, ssrc=99, timestamp=1_000_000)
    assert [one.sequence for one in pair.heard(B)] == [501, 502]
    assert [one.timestamp for one in pair.heard(B)] == [8000, 8160]
    assert pair.legs.source_changes[A] == 1


@pytest.mark.parametrize("law", [0, 1])
def test_each_side_hears_its_own_law(pair: LegPair, law: int) -> None:
    pair.legs.law[A], pair.legs.law[B] = law, 1 - law
    pair.join()
    pair.say(A, 1, SOUND)
    table = (g711.ULAW_TO_ALAW, g711.ALAW_TO_ULAW)[law]
    assert pair.heard(B)[0].payload == bytes(table[list(SOUND)])


def test_the_law_that_we_do_not_send_is_taken_too(pair: LegPair) -> None:
    pair.legs.other_type_in[A] = 8
    pair.join()
    pair.say(A, 1, SOUND, payload_type=8)
    assert pair.heard(B)[0].payload == bytes(g711.ALAW_TO_ULAW[list(SOUND)])
    assert pair.heard(B)[0].payload_type == 0


def test_each_side_gets_its_own_payload_type(pair: LegPair) -> None:
    pair.legs.type_out[B], pair.legs.event_out[B] = 96, 97
    pair.join()
    pair.say(A, 1)
    pair.say(A, 2, b"\x05\x0a\0\xa0", payload_type=101)
    assert [one.payload_type for one in pair.heard(B)] == [96, 97]


@pytest.mark.parametrize("wrong", [{"port": 4001}, {"ip": "192.0.2.2"}])
def test_a_stranger_is_dropped_and_counted(pair: LegPair, wrong: dict[str, int]) -> None:
    pair.join()
    pair.say(A, 1, **wrong)  # type: ignore[arg-type]  # port or ip
    assert pair.libc.outbox == []
    assert pair.dropped(A) == {Drop.NOT_OUR_SOURCE: 1}
    assert pair.legs.received_ns[A] == 0


def test_a_flood_of_strangers_hides_no_packet(pair: LegPair) -> None:
    pair.join()
    for _ in range(100):
        pair.say(A, 9, port=4001)
    pair.say(A, 1)
    assert len(pair.heard(B)) == 1


def test_a_media_network_may_send_from_any_port(pair: LegPair) -> None:
    pair.legs.networks[A, 0] = (0, 0, 0, 0xC6336400, *[0xFFFFFFFF] * 3, 0xFFFFFF00)
    pair.legs.network_count[A] = 1
    pair.join()
    pair.say(A, 1, ip="198.51.100.9", port=7777)
    pair.say(A, 2, ip="198.51.101.9", port=7777)
    assert len(pair.heard(B)) == 1
    assert pair.dropped(A) == {Drop.NOT_OUR_SOURCE: 1}


def latching(pair: LegPair) -> None:
    pair.legs.latch[A, Latch.MODE] = 1
    pair.legs.latch[A, Latch.IP : Latch.IP + 4] = (0, 0, 0, 0xC6336401)


def test_five_packets_in_a_row_lock_a_source_behind_a_nat(pair: LegPair) -> None:
    latching(pair)
    pair.join()
    for sequence in range(1, 6):
        pair.say(A, sequence, ip="198.51.100.1", port=7777)
    pair.say(B, 1)
    assert len(pair.heard(B)) == 5
    assert pair.libc.outbox[-1].sockaddr[2:8] == bytes([7777 >> 8, 7777 & 255, 198, 51, 100, 1])
    pair.say(A, 6, ip="198.51.100.1", port=8888)
    assert pair.dropped(A) == {Drop.NOT_OUR_SOURCE: 1}


def test_until_it_is_locked_we_send_to_the_signalled_address(pair: LegPair) -> None:
    latching(pair)
    pair.join()
    for sequence in range(1, 5):
        pair.say(A, sequence, ip="198.51.100.1", port=7777)
    pair.say(B, 1)
    assert pair.libc.outbox[-1].sockaddr[4:8] == bytes([192, 0, 2, 1])


def test_the_signalled_source_locks_too_and_no_other_is_followed_then(pair: LegPair) -> None:
    latching(pair)
    pair.legs.latch[A, Latch.IP : Latch.IP + 4] = pair.legs.from_ip[A]
    for sequence in range(1, 6):
        pair.say(A, sequence)
    for sequence in range(1, 9):
        pair.say(A, sequence, port=7777, ssrc=8)
    assert pair.legs.from_port[A] == PORT[A]
    assert pair.dropped(A)[Drop.NOT_OUR_SOURCE] == 8


def test_a_change_of_source_begins_the_count_anew(pair: LegPair) -> None:
    latching(pair)
    for sequence in range(1, 9):
        pair.say(A, sequence, ip="198.51.100.1", port=7000 + sequence % 2)
    assert pair.legs.latch[A, Latch.MODE] == 1


def test_another_address_never_latches(pair: LegPair) -> None:
    latching(pair)
    for sequence in range(1, 9):
        pair.say(A, sequence, ip="203.0.113.1", port=7777)
    assert pair.legs.latch[A, Latch.MODE] == 1
    assert pair.dropped(A) == {Drop.NOT_OUR_SOURCE: 8}


def test_a_leg_that_sends_too_fast_is_cut_to_what_it_may(pair: LegPair) -> None:
    pair.join()
    for sequence in range(400):
        pair.say(A, sequence)
        if sequence % 20 == 19:
            beat.beat(pair.legs, pair.libc.now_ns)
    passed = len(pair.heard(B))
    assert passed == beat.PACKETS_BURST + 19 * beat.PACKETS_PER_TICK
    assert pair.dropped(A) == {Drop.TOO_FAST: 400 - passed}


def test_other_payload_types_are_counted(pair: LegPair) -> None:
    pair.join()
    pair.say(A, 1, payload_type=18)
    assert pair.dropped(A) == {Drop.NOT_OUR_PAYLOAD_TYPE: 1}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x80", Drop.TOO_SHORT),
        (b"\x00" * 20, Drop.BAD_VERSION),
        (b"\x80\xc8" + bytes(26), Drop.CONTROL),
        (b"\x8f\x00" + bytes(12), Drop.BAD_LENGTH),
    ],
)
def test_what_is_no_packet_is_counted_by_name(pair: LegPair, data: bytes, why: Drop) -> None:
    pair.put(A, data)
    assert pair.dropped(A) == {why: 1}


def test_nothing_passes_from_the_moment_that_is_not_paid(pair: LegPair) -> None:
    until = pair.libc.now_ns + 1_000
    pair.join(until_ns=until)
    pair.say(A, 1)
    pair.libc.now_ns = until
    pair.say(A, 2)
    pair.say(B, 1)
    assert len(pair.libc.outbox) == 1
    assert pair.dropped(A) == pair.dropped(B) == {Drop.UNPAID: 1}


def test_what_is_held_back_stays_and_makes_no_hole(pair: LegPair) -> None:
    pair.join()
    for sequence in range(1, 6):
        pair.legs.held[A] = 2 <= sequence <= 3
        pair.say(A, sequence)
    assert [one.sequence for one in pair.heard(B)] == [501, 502, 503]
    assert pair.dropped(A) == {Drop.HELD_BACK: 2}


def test_nothing_is_sent_to_a_far_end_on_hold(pair: LegPair) -> None:
    pair.join()
    pair.legs.may_send[B] = 0
    pair.say(A, 1)
    assert pair.libc.outbox == []
    assert pair.dropped(B) == {Drop.NOT_SENT: 1}


def key(
    pair: LegPair, index: int, sequence: int, code: int, *, duration: int, end: int = 0
) -> None:
    body = bytes([code, end << 7 | 10, duration >> 8, duration & 255])
    pair.say(index, sequence, body, payload_type=101, timestamp=16_000)


def test_a_key_is_told_once(pair: LegPair) -> None:
    for sequence, duration in enumerate((160, 320, 480, 480, 480)):
        key(pair, A, sequence, 5, duration=duration, end=duration == 480)
    assert pair.mail() == [[Mail.KEY, A, 5, pair.libc.now_ns]]


def test_keys_of_a_call_that_nobody_may_hear_are_passed_on_untold(pair: LegPair) -> None:
    pair.join()
    pair.legs.keys_told[:] = 0
    key(pair, A, 1, 5, duration=160)
    assert pair.mail() == []
    assert pair.heard(B)[0].payload_type == 101


def test_muted_keys_are_told_but_not_passed_on(pair: LegPair) -> None:
    pair.join()
    pair.legs.keys_muted[A] = 1
    pair.say(A, 1)
    key(pair, A, 2, 5, duration=160)
    key(pair, A, 3, 5, duration=320)
    pair.say(A, 4)
    assert [(one.payload_type, one.sequence) for one in pair.heard(B)] == [(0, 501), (0, 502)]
    assert [kind for kind, *_ in pair.mail()] == [Mail.KEY]


def test_a_flash_is_told_and_never_leaves(pair: LegPair) -> None:
    pair.join()
    key(pair, A, 1, 16, duration=160)
    assert pair.libc.outbox == []
    assert pair.mail()[0][:2] == [Mail.FLASH, A]


def test_keys_do_not_reach_a_far_end_that_takes_none(pair: LegPair) -> None:
    pair.join()
    pair.legs.event_out[B] = -1
    key(pair, A, 1, 5, duration=160)
    assert pair.dropped(A) == {Drop.NO_EVENTS: 1}


def test_a_hushed_leg_sends_silence_in_time(pair: LegPair) -> None:
    pair.join()
    pair.legs.hush_until_ns[A] = pair.libc.now_ns + 1
    pair.say(A, 1, SOUND)
    pair.libc.now_ns += 1
    pair.say(A, 2, SOUND)
    assert [one.payload for one in pair.heard(B)] == [b"\xff" * 160, SOUND]


def test_only_a_leg_with_a_ring_is_kept(pair: LegPair) -> None:
    pair.join()
    pair.legs.row[A], pair.legs.row_leg[0], pair.legs.row_top[0] = 0, A, 1
    pair.say(A, 1, SOUND)
    pair.say(B, 1, SOUND)
    assert pair.legs.ring_fill.tolist() == [160, 0, 0, 0]
    assert ring.look(pair.legs) == 0
    assert pair.legs.payload[0].tobytes() == SOUND


def test_packets_are_served_until_the_tick_and_not_longer(pair: LegPair) -> None:
    pair.join()
    begin = pair.libc.now_ns
    pump.serve_until(pair.legs, 0, begin + 20_000_000)
    assert pair.libc.now_ns == begin + 20_000_000


def test_a_busy_path_wakes_five_times_a_tick(pair: LegPair) -> None:
    pair.legs.counts[COUNT_TICK_PACKETS] = 100
    before = pair.legs.counts[COUNT_WAKES]
    pump.serve_until(pair.legs, 0, pair.libc.now_ns + 20_000_000)
    assert pair.legs.counts[COUNT_WAKES] - before == 1 + 20_000_000 // pump.QUANTUM_NS


def test_a_socket_to_control_is_only_noticed(pair: LegPair) -> None:
    pair.legs.leg_of_fd[FD[A]] = -2
    pair.libc.inbox[FD[A]].append((b"x", b""))
    pump.drain(pair.legs, 0, 0)
    assert pair.legs.counts[COUNT_CONTROL] == 1
    assert len(pair.libc.inbox[FD[A]]) == 1


def test_both_heard_is_the_last_moment_of_both(pair: LegPair) -> None:
    pair.join(until_ns=HOUR_NS)
    pair.say(A, 1)
    pair.say(B, 1)
    beat.beat(pair.legs, pair.libc.now_ns)
    heard = pair.libc.now_ns
    pair.libc.now_ns += 900_000_000
    pair.say(A, 2)
    pair.libc.now_ns += 200_000_000
    beat.beat(pair.legs, pair.libc.now_ns)
    assert pair.legs.both_heard_ns[A] == heard


def test_what_a_flood_leaves_unread_is_read_without_a_new_packet(pair: LegPair) -> None:
    pair.join()
    for sequence in range(40):
        pair.post(A, pair.packet(sequence))
    pump.serve(pair.legs, A, pair.libc.now_ns)
    assert len(pair.heard(B)) == pump.READS_MAX
    pump.serve_unread(pair.legs, pair.libc.now_ns)
    pump.serve_unread(pair.legs, pair.libc.now_ns)
    assert pair.legs.source[A, source.RECEIVED] == 40
    assert pair.legs.counts[COUNT_UNREAD] == 0
    assert pair.legs.unread[A] == 0
