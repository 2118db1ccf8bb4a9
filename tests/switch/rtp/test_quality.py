import pytest

from switch.rtp.quality import BPL_CONCEALED, BPL_PLAIN, Counts, mos, one_way_ms, rating, score


@pytest.mark.parametrize(
    ("delay_ms", "loss_percent", "bpl", "r", "value"),
    [
        (0, 0, BPL_CONCEALED, 93.2, 4.41),
        (100, 1, BPL_CONCEALED, 87.2, 4.26),
        (150, 3, BPL_CONCEALED, 79.5, 4.00),
        (100, 1, BPL_PLAIN, 72.9, 3.73),
    ],
)
def test_the_values_of_the_signalling_rules(
    delay_ms: float, loss_percent: float, bpl: float, r: float, value: float
) -> None:
    found = rating(delay_ms=delay_ms, loss_percent=loss_percent, bpl=bpl)
    assert found == pytest.approx(r, abs=0.05)
    assert mos(found) == pytest.approx(value, abs=0.005)


def test_delay_weighs_more_beyond_the_knee() -> None:
    before = rating(delay_ms=100, loss_percent=0) - rating(delay_ms=150, loss_percent=0)
    beyond = rating(delay_ms=200, loss_percent=0) - rating(delay_ms=250, loss_percent=0)
    assert before == pytest.approx(1.2)
    assert beyond == pytest.approx(6.7)


def test_the_score_stays_within_its_scale() -> None:
    assert mos(120) == 4.5
    assert mos(-40) == mos(0) == 1.0
    scores = [mos(r / 10) for r in range(-100, 1100)]
    assert min(scores) == 1.0
    assert max(scores) == 4.5


def test_more_loss_never_sounds_better() -> None:
    scores = [score(Counts(1000 - lost, lost), None) for lost in range(0, 1001, 10)]
    assert scores == sorted(scores, key=lambda one: -(one or 0))
    assert scores[-1] is not None
    assert scores[-1] < 1.2


def test_a_late_packet_is_as_good_as_lost() -> None:
    assert Counts(990, 0, late=10).loss_percent == pytest.approx(1.0, abs=0.02)
    assert Counts(10, 0, late=50).loss_percent == 100.0


def test_losses_that_come_together_weigh_more_than_the_same_alone() -> None:
    alone = Counts(900, 100, loss_runs=100)
    together = Counts(900, 100, loss_runs=10)
    assert alone.burst_ratio == 1.0
    assert together.burst_ratio == pytest.approx(9.0)
    assert (score(together, None) or 0) < (score(alone, None) or 0)


def test_a_stretch_is_what_came_between_two_counts() -> None:
    before, after = Counts(100, 5, 1, 2), Counts(150, 4, 3, 2)
    assert after.since(before) == Counts(50, 0, 2, 0)


def test_nothing_sent_has_no_score() -> None:
    assert score(Counts(), 100.0) is None


def test_the_delay_is_half_the_round_trip_a_packet_and_a_buffer() -> None:
    assert one_way_ms(100.0) == 130.0
    assert one_way_ms(None) == 80.0
