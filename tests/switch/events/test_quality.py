import pytest

from switch.events.quality import mos


def test_nothing_lost_is_as_good_as_g711_gets() -> None:
    # ITU-T G.107 Annex B: R = 93.2 is MOS 4.41.
    assert mos(0, 1000) == pytest.approx(4.41, abs=0.01)


def test_more_loss_never_sounds_better() -> None:
    scores = [mos(lost, 1000 - lost) for lost in range(0, 1001, 10)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 1.2


def test_a_leg_that_heard_nothing_has_the_lowest_score() -> None:
    assert mos(0, 0) == 1.0
