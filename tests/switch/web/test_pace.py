"""How fast strangers may ask."""

from switch.web.pace import ALL_MAX_PER_S, PLACE_MAX, PLACES_MAX, WINDOW_S, Pace


def test_a_place_waits_after_its_share_and_no_longer_than_the_window() -> None:
    pace = Pace()
    for n in range(PLACE_MAX):
        assert pace.wait_s("192.0.2.1", now=float(n)) == 0
    assert pace.wait_s("192.0.2.1", now=100.0) == WINDOW_S - 100.0
    assert pace.wait_s("192.0.2.2", now=100.0) == 0
    assert pace.wait_s("192.0.2.1", now=WINDOW_S) == 0


def test_all_together_wait_a_moment() -> None:
    pace = Pace()
    waits = [pace.wait_s(f"192.0.2.{n}", now=5.0) for n in range(ALL_MAX_PER_S + 5)]
    assert waits == [0.0] * ALL_MAX_PER_S + [1.0] * 5
    assert pace.wait_s("192.0.2.99", now=6.0) == 0


def test_what_is_remembered_has_an_end() -> None:
    pace = Pace()
    for n in range(PLACES_MAX + 10):
        pace.wait_s(str(n), now=n / 10)
    assert len(pace._places) == PLACES_MAX
