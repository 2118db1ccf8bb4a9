"""The measuring itself: bounds, speeds, and what counts as taken."""

import numpy as np
import pytest

from dsp.event import Event, Kind
from tests.detection.digits import Cell, count, play, reached
from tests.detection.talk_off import TalkOff, poisson_upper
from tests.detection.tape import respeed, speeds


@pytest.mark.parametrize(("seen", "bound"), [(0, 3.0), (1, 4.74), (9, 15.71)])
def test_the_bound_is_poissons(seen: int, bound: float) -> None:
    assert poisson_upper(seen) == pytest.approx(bound, abs=0.01)


def test_nothing_heard_in_150_hours_is_two_per_100_at_most() -> None:
    assert TalkOff(hours=150.0).bound_per_100_h() == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.4])
def test_a_faster_tape_is_higher_and_shorter(speed: float) -> None:
    sine = np.sin(2 * np.pi * 500 * np.arange(16000) / 8000) * 8000
    played = respeed(sine.astype(np.int16), speed)
    spectrum = np.abs(np.fft.rfft(played[:8000]))
    assert np.argmax(spectrum) == pytest.approx(500 * speed, abs=1)
    assert len(played) == pytest.approx(16000 / speed, abs=40)


def test_speeds_cover_the_range_and_differ_when_shifted() -> None:
    assert speeds(36)[0] > 0.70
    assert speeds(36)[-1] < 1.40
    assert not set(speeds(36, 0.25)) & set(speeds(36, -0.25))


def test_a_key_told_twice_counts_once_and_once_too_much() -> None:
    cell = Cell("a cell")
    played = play(cell, np.random.default_rng(1), np.zeros(8000, np.int16))
    begin_s = played.begins[0][0] / 8000
    told = [Event(begin_s + 0.04, 0, Kind.DTMF, value=played.keys[0][0])] * 2
    counted = count(played, [told, *([] for _ in played.legs[1:])])
    assert (counted.taken, counted.extra) == (1, 1)


def test_a_cell_is_reached_only_within_its_target() -> None:
    cell = Cell("all", target_min=0.5)
    played = play(cell, np.random.default_rng(1), np.zeros(8000, np.int16))
    assert not reached(cell, count(played, [[] for _ in played.legs]))
