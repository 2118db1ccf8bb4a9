"""RFC 3550 A.1, A.3, A.8, with literal numbers."""

import pytest

from switch.rtp import source
from switch.rtp.source import BAD, GOOD, SAW_JUMP, SAW_LATE, SAW_LOSS, SAW_NEW_SSRC

SSRC = 77


class Sender:
    """Sends packets of 20 ms to one row of state."""

    def __init__(self, first: int = 100) -> None:
        self.s = [0] * source.FIELDS
        self.first = first

    def send(self, seq: int, *, ssrc: int = SSRC, late_samples: int = 0, jump: int = 0) -> int:
        media = 160 * (seq - self.first)
        return source.receive(
            self.s, seq & 0xFFFF, (media + jump) & 0xFFFF_FFFF, ssrc, media + late_samples
        )


def test_packets_in_order_are_good_and_none_is_lost() -> None:
    sender = Sender()
    assert [sender.send(seq) for seq in range(100, 110)] == [GOOD] * 10
    assert source.lost(sender.s) == 0
    assert sender.s[source.RECEIVED] == 10


def test_a_hole_is_seen_at_once_and_counted() -> None:
    sender = Sender()
    assert [sender.send(seq) for seq in (100, 101, 105)] == [GOOD, GOOD, SAW_LOSS]
    assert source.lost(sender.s) == 3


def test_a_packet_that_comes_late_fills_its_hole() -> None:
    sender = Sender()
    assert [sender.send(seq) for seq in (100, 102, 101)] == [GOOD, SAW_LOSS, SAW_LATE]
    assert source.lost(sender.s) == 0
    assert sender.s[source.LATE] == 1


def test_a_packet_that_comes_twice_hides_no_loss() -> None:
    sender = Sender()
    for seq in (100, 102, 102, 102):
        sender.send(seq)
    assert source.lost(sender.s) == 1
    assert sender.s[source.LATE] == 2


def test_the_sequence_wraps_into_a_new_cycle() -> None:
    sender = Sender(65534)
    assert [sender.send(seq) for seq in range(65534, 65540)] == [GOOD] * 6
    assert sender.s[source.CYCLES] == 65536
    assert source.expected(sender.s) == 6
    assert source.lost(sender.s) == 0


def test_one_wild_sequence_number_is_thrown_away() -> None:
    sender = Sender()
    assert [sender.send(seq) for seq in (100, 40_000, 101)] == [GOOD, BAD, GOOD]
    assert source.lost(sender.s) == 0


def test_two_in_a_row_after_a_jump_are_a_restart() -> None:
    sender = Sender()
    seen = [sender.send(seq) for seq in (100, 101, 40_000, 40_001, 40_002)]
    assert seen == [GOOD, GOOD, BAD, SAW_JUMP, GOOD]
    assert source.expected(sender.s) == 2


def test_a_new_ssrc_begins_anew_and_keeps_what_was_lost() -> None:
    sender = Sender()
    for seq in (100, 103):
        sender.send(seq)
    assert sender.send(9000, ssrc=78) == SAW_NEW_SSRC
    sender.send(9002, ssrc=78)
    assert source.lost(sender.s) == 2 + 1
    assert sender.s[source.RECEIVED_BEFORE] + sender.s[source.RECEIVED] == 4


def test_even_packets_have_no_jitter() -> None:
    sender = Sender()
    for seq in range(100, 200):
        sender.send(seq)
    assert source.jitter_samples(sender.s) == 0


def test_jitter_goes_to_the_mean_difference() -> None:
    sender = Sender()
    for seq in range(100, 400):
        sender.send(seq, late_samples=80 * (seq % 2))
    assert source.jitter_samples(sender.s) == pytest.approx(80, abs=1)


def test_a_timestamp_that_leaves_the_clock_has_jumped_and_is_no_jitter() -> None:
    sender = Sender()
    sender.send(100)
    assert sender.send(101, jump=8000) == SAW_JUMP
    assert sender.send(102, jump=8000) == GOOD
    assert source.jitter_samples(sender.s) == 0


def test_the_share_lost_is_of_the_interval_only() -> None:
    sender = Sender()
    for seq in (100, 101, 102, 107):
        sender.send(seq)
    assert source.fraction_lost(sender.s) == 128
    for seq in range(108, 118):
        sender.send(seq)
    assert source.fraction_lost(sender.s) == 0


def test_a_run_of_losses_is_counted_once() -> None:
    s = [0] * source.FIELDS
    for seq in (1, 2, 6, 7, 9):
        source.receive(s, seq, 160 * seq, 9, 160 * seq)
    assert (source.lost(s), s[source.LOSS_RUNS]) == (4, 2)


def test_a_pause_of_the_speaker_is_no_loss() -> None:
    s = [0] * source.FIELDS
    for seq, at in ((1, 0), (2, 160), (3, 80_000), (4, 80_160)):
        source.receive(s, seq, at, 9, at)
    assert (source.lost(s), s[source.LOSS_RUNS], source.jitter_samples(s)) == (0, 0, 0)
