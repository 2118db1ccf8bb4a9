"""The tape: each sample at its own time, whatever the network does to the packets."""

import copy
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsp import g711
from switch.media import legs as legs_module
from switch.media import tape
from switch.media.legs import TAPE_DONE, TAPE_OUTSIDE, TAPE_SAMPLES
from tests.support.leg_pair import A, B, LegPair

TICK_NS = 20_000_000
CHUNK = 8000


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> LegPair:
    return taped(LegPair(monkeypatch))


def taped(pair: LegPair) -> LegPair:
    """Join the pair and put both legs on tape, from now on."""
    for index in (A, B):
        legs_module.clear_tape(pair.legs, index, began_ns=pair.libc.now_ns)
        pair.legs.tape[index] = index
    pair.join()
    return pair


def take(pair: LegPair, count: int) -> tuple[bytes, bytes, list[list[int]], list[list[int]]]:
    """Take samples off; return left, right, gaps of the left, gaps of the right."""
    sound = np.zeros((2, CHUNK), np.uint8)
    gaps = np.zeros((2, CHUNK // 16 + 1, 2), np.int32)
    peaks = np.zeros((2, CHUNK // tape.PEAK_SAMPLES), np.uint8)
    found = tape.take_both(pair.legs, A, B, count, sound, gaps, peaks)
    left, right = found % 65_536, found // 65_536
    return (
        sound[0, :count].tobytes(),
        sound[1, :count].tobytes(),
        gaps[0, :left].tolist(),
        gaps[1, :right].tolist(),
    )


def frame(n: int) -> bytes:
    return bytes([n % 100 + 1]) * 160


def test_sound_lies_where_it_came_and_the_rest_is_a_gap(pair: LegPair) -> None:
    pair.libc.now_ns += 2 * TICK_NS
    pair.say(A, 1, frame(1))
    left, right, left_gaps, right_gaps = take(pair, 640)
    assert left == b"\xff" * 320 + frame(1) + b"\xff" * 160
    assert left_gaps == [[0, 320], [480, 160]]
    assert right == b"\xff" * 640
    assert right_gaps == [[0, 640]]


def test_a_lost_packet_is_a_gap_of_its_own_length(pair: LegPair) -> None:
    for sequence in (0, 1, 3):
        pair.say(B, sequence, frame(sequence))
    assert take(pair, 640)[3] == [[320, 160]]


def test_packets_out_of_order_are_put_in_order(pair: LegPair) -> None:
    for sequence in (0, 2, 1, 3):
        pair.say(A, sequence, frame(sequence))
    assert take(pair, 640)[0] == b"".join(frame(n) for n in range(4))


def test_a_burst_after_a_stall_lies_where_it_was_said(pair: LegPair) -> None:
    pair.say(A, 0, frame(0))
    pair.libc.now_ns += 25 * TICK_NS
    for sequence in range(1, 26):
        pair.say(A, sequence, frame(sequence))
    left, _, gaps, _ = take(pair, 26 * 160)
    assert left == b"".join(frame(n) for n in range(26))
    assert gaps == []


def test_what_is_said_before_the_bridge_or_after_its_end_is_not_there(pair: LegPair) -> None:
    pair.legs.peer[:2] = -1
    pair.say(A, 0, frame(0))
    pair.join(until_ns=pair.libc.now_ns)
    pair.say(A, 1, frame(1))
    assert take(pair, 640)[2] == [[0, 640]]


def test_a_new_source_is_placed_by_the_clock(pair: LegPair) -> None:
    pair.say(A, 0, frame(0))
    pair.libc.now_ns += 3 * TICK_NS
    pair.say(A, 40_000, frame(9), ssrc=99, timestamp=1_000_000)
    left, _, gaps, _ = take(pair, 640)
    assert left == frame(0) + b"\xff" * 320 + frame(9)
    assert gaps == [[160, 320]]


def test_a_clock_that_stood_still_does_not_pull_the_sound_back(pair: LegPair) -> None:
    pair.say(A, 0, frame(0), timestamp=0)
    pair.libc.now_ns += 100 * TICK_NS
    take(pair, CHUNK)
    take(pair, CHUNK)
    pair.say(A, 1, frame(1), timestamp=160)
    assert take(pair, 160)[0] == frame(1)


def test_a_clock_that_runs_fast_is_followed_within_twenty_milliseconds(pair: LegPair) -> None:
    """A sender 0.1 % fast is 60 ms ahead after a minute; its sound is not."""
    pair.legs.tokens[A] = 10_000
    taken, worst = 0, 0
    for sequence in range(3000):
        pair.say(A, sequence, frame(sequence), timestamp=160 * sequence)
        by_clock = (pair.libc.now_ns - 5_000_000_000) // tape.SAMPLE_NS
        place = int(pair.legs.tape_state[A, legs_module.TAPE_PLACE])
        worst = max(worst, abs(place - by_clock))
        pair.libc.now_ns += TICK_NS - TICK_NS // 1000
        if by_clock - taken > CHUNK + 1600:
            take(pair, CHUNK)
            taken += CHUNK
    assert worst <= tape.DRIFT_MAX + 160 + 256


def test_a_law_sound_is_kept_as_u_law(pair: LegPair) -> None:
    pair.legs.law[A] = 1
    pair.say(A, 0, bytes(range(160)))
    codes = np.arange(160, dtype=np.uint8)
    assert take(pair, 160)[0] == g711.ALAW_TO_ULAW[codes].tobytes()


def test_what_comes_too_late_is_counted_and_spoils_nothing(pair: LegPair) -> None:
    pair.say(A, 0, frame(0))
    pair.say(A, 10, frame(10))
    take(pair, 1600)
    pair.say(A, 5, frame(5))
    assert pair.legs.tape_state[A, TAPE_OUTSIDE] == 1
    assert take(pair, 160)[0] == frame(10)


def test_the_peaks_are_the_loudest_samples(pair: LegPair) -> None:
    pair.say(A, 0, b"\x80" * 160)
    sound = np.zeros((2, CHUNK), np.uint8)
    gaps = np.zeros((2, 501, 2), np.int32)
    peaks = np.zeros((2, CHUNK // tape.PEAK_SAMPLES), np.uint8)
    tape.take_both(pair.legs, A, B, CHUNK, sound, gaps, peaks)
    loudest = int(g711.ULAW_TO_LINEAR14[0x80] * 4) >> tape.PEAK_SHIFT
    assert peaks[0].tolist() == [loudest] + [0] * 19
    assert not peaks[1].any()


def test_the_compiled_path_does_what_the_plain_one_does(pair: LegPair) -> None:
    for sequence in (0, 1, 4, 5):
        pair.say(A, sequence, frame(sequence))
    twin = copy.deepcopy(pair.legs)
    found = []
    for function, legs in ((tape.take_both, pair.legs), (tape.take_off, twin)):
        sound = np.zeros((2, CHUNK), np.uint8)
        gaps = np.zeros((2, 501, 2), np.int32)
        peaks = np.zeros((2, CHUNK // tape.PEAK_SAMPLES), np.uint8)
        count = function(legs, A, B, CHUNK, sound, gaps, peaks)
        found.append((count, sound.tobytes(), gaps.tobytes(), peaks.tobytes()))
    assert found[0] == found[1]
    assert pair.legs.tape_state.tobytes() == twin.tape_state.tobytes()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32),
    packet_ms=st.sampled_from([10, 20, 30, 40, 60]),
    loss=st.floats(0, 0.5),
    jitter_ms=st.integers(0, 60),
)
def test_whatever_the_network_does_a_kept_sample_is_at_its_time(
    seed: int, packet_ms: int, loss: float, jitter_ms: int
) -> None:
    """Loss, jitter and disorder: what is there is right, and what is not there is a gap."""
    random = Random(seed)
    with pytest.MonkeyPatch.context() as monkeypatch:
        pair = taped(LegPair(monkeypatch))
        step = 8 * packet_ms
        packets = [(n, bytes([n % 200 + 1]) * step) for n in range(1600 // packet_ms)]
        began = pair.libc.now_ns
        kept = [
            (began + n * packet_ms * 1_000_000 + random.randint(0, jitter_ms) * 1_000_000, n, data)
            for n, data in packets
            if n == 0 or random.random() >= loss
        ]
        kept[0] = (began, *kept[0][1:])
        pair.legs.tokens[:2] = 10_000
        for at, n, data in sorted(kept):
            pair.libc.now_ns = at
            pair.say(A, n, data, timestamp=n * step)
        total = len(packets) * step
        left, gaps = take_long(pair, total)
        there = {n for _, n, _ in kept}
        expected = b"".join(data if n in there else b"\xff" * step for n, data in packets)
        assert left == expected
        assert sum(length for _, length in gaps) == step * (len(packets) - len(there))
        assert int(pair.legs.tape_state[A, TAPE_DONE]) == total


def take_long(pair: LegPair, count: int) -> tuple[bytes, list[list[int]]]:
    """Take the left off in parts of at most a chunk: sound and gaps."""
    assert count <= TAPE_SAMPLES
    parts = [take(pair, min(CHUNK, count - at)) for at in range(0, count, CHUNK)]
    return b"".join(part[0] for part in parts), [gap for part in parts for gap in part[2]]
