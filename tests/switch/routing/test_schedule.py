import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert

from switch.routing.schedule import (
    ALWAYS_OPEN,
    WEEKDAYS,
    Hours,
    LocalTime,
    Schedule,
    Window,
    is_open,
    next_hours,
    seconds_left,
)

QUARTERS = st.integers(0, 95)
HOURS = [f"{q // 4:02d}:{q % 4 * 15:02d}" for q in range(96)]
windows = st.builds(
    lambda days, start, end: Window(days=tuple(days), start=HOURS[start], end=HOURS[end]),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    QUARTERS,
    QUARTERS,
)
schedules = st.builds(
    lambda opened, gaps: Schedule(open=tuple(opened), gaps=tuple(gaps)),
    st.lists(windows, max_size=3),
    st.lists(windows, max_size=2),
)
moments = st.builds(
    lambda weekday, minute, second: LocalTime(2026, 11, 23 + weekday, weekday, minute, second),
    st.integers(0, 6),
    st.integers(0, 1_439),
    st.integers(0, 59),
)


def covers(window: Window, at: LocalTime) -> bool:
    """Say it again, slowly: is this minute of the week in this window?"""
    start, end = HOURS.index(window.start) * 15, HOURS.index(window.end) * 15
    length = end - start if end > start else end - start + 1_440
    now = at.weekday * 1_440 + at.minute_of_day
    return any((now - WEEKDAYS.index(day) * 1_440 - start) % 10_080 < length for day in window.days)


@given(schedules, moments)
def test_a_compiled_schedule_says_what_its_windows_say(schedule: Schedule, at: LocalTime) -> None:
    opened = not schedule.open or any(covers(window, at) for window in schedule.open)
    assert is_open(schedule, at) is (opened and not any(covers(w, at) for w in schedule.gaps))


def later(at: LocalTime, seconds: int) -> LocalTime:
    total = at.weekday * 86_400 + at.minute_of_day * 60 + at.second + seconds
    total %= 7 * 86_400
    day, rest = divmod(total, 86_400)
    return LocalTime(2026, 11, 23 + day, day, rest // 60, rest % 60)


@given(schedules, moments)
def test_the_hours_end_when_they_say_and_not_a_second_before(
    schedule: Schedule, at: LocalTime
) -> None:
    left = seconds_left(schedule, at)
    if left is None:
        assert is_open(schedule, at)
        return
    assert (left > 0) is is_open(schedule, at)
    if left > 0:
        assert is_open(schedule, later(at, left - 1))
        assert not is_open(schedule, later(at, left))


@given(schedules, moments)
def test_the_hours_that_are_spoken_are_open(schedule: Schedule, at: LocalTime) -> None:
    hours = next_hours(schedule, at)
    if hours is None:
        assert not is_open(schedule, at)
        return
    assert hours.from_minute % 15 == 0
    assert hours.to_minute % 15 == 0


def test_no_window_is_always_open_and_never_ends() -> None:
    at = LocalTime(2026, 11, 24, 1, 0)
    assert is_open(ALWAYS_OPEN, at)
    assert seconds_left(ALWAYS_OPEN, at) is None


def test_gaps_for_meals_close_an_open_day() -> None:
    schedule = Schedule(
        open=(Window(start="08:00", end="22:00"),), gaps=(Window(start="12:00", end="12:45"),)
    )
    morning = LocalTime(2026, 11, 24, 1, 700, 15)
    assert seconds_left(schedule, morning) == 19 * 60 + 45
    assert next_hours(schedule, morning) == Hours(480, 720)
    assert next_hours(schedule, LocalTime(2026, 11, 24, 1, 725)) == Hours(765, 1_320)


def test_a_window_may_run_past_midnight_into_the_next_day() -> None:
    night = Schedule(open=(Window(days=("sun",), start="23:00", end="01:00"),))
    assert is_open(night, LocalTime(2026, 11, 29, 6, 1_439))
    assert is_open(night, LocalTime(2026, 11, 23, 0, 59))
    assert not is_open(night, LocalTime(2026, 11, 23, 0, 60))


@pytest.mark.parametrize("hour", ["08:10", "24:15", "8:00", "25:00", ""])
def test_an_hour_off_the_grid_is_refused(hour: str) -> None:
    with pytest.raises(ValidationError):
        convert({"open": [{"start": hour}]}, Schedule)
