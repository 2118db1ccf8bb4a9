"""When a worker that is too slow leaves out the look."""

from switch.media.shedding import FULL_S, RUN_MAX, SHED_TICKS, Shedding


def ticks(shedding: Shedding, count: int, *, late_s: float) -> list[bool]:
    """Let ticks pass; say for each whether its look was left out."""
    out = []
    for _ in range(count):
        out.append(shedding.is_on)
        shedding.ended(late_s)
    return out


def test_a_hiccup_leaves_nothing_out() -> None:
    shedding = Shedding()
    for _ in range(20):
        assert not any(ticks(shedding, RUN_MAX - 1, late_s=3 * FULL_S))
        assert not any(ticks(shedding, 1, late_s=FULL_S / 2))
    assert shedding.shed_ticks == 0


def test_a_worker_that_is_full_leaves_out_a_second_and_looks_again() -> None:
    shedding = Shedding()
    assert not any(ticks(shedding, RUN_MAX, late_s=FULL_S))
    assert all(ticks(shedding, SHED_TICKS, late_s=FULL_S / 2))
    assert not any(ticks(shedding, 100, late_s=FULL_S / 2))
    assert shedding.shed_ticks == SHED_TICKS


def test_one_that_stays_full_looks_at_most_a_tenth_of_the_time() -> None:
    shedding = Shedding()
    left_out = ticks(shedding, 11 * SHED_TICKS, late_s=FULL_S)
    assert 0.88 <= sum(left_out) / len(left_out) < 1.0
    assert shedding.shed_ticks == sum(left_out)
