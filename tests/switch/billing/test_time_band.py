import msgspec
import pytest

from switch.billing.time_band import TimeBand

TUESDAY, WEDNESDAY, SATURDAY = "2026-11-24", "2026-11-25", "2026-11-28"
EVENING = TimeBand(id="evening", start="18:00", end="21:30", days=("mon", "tue"))
NIGHT = TimeBand(id="night", start="22:00", end="06:00", days=("tue",))


@pytest.mark.parametrize(
    ("band", "date", "minute", "holds"),
    [
        (EVENING, TUESDAY, 18 * 60 - 1, False),
        (EVENING, TUESDAY, 18 * 60, True),
        (EVENING, TUESDAY, 21 * 60 + 29, True),
        (EVENING, TUESDAY, 21 * 60 + 30, False),
        (EVENING, SATURDAY, 19 * 60, False),
        (NIGHT, TUESDAY, 23 * 60, True),
        (NIGHT, WEDNESDAY, 5 * 60 + 59, True),
        (NIGHT, WEDNESDAY, 6 * 60, False),
        (NIGHT, TUESDAY, 5 * 60, False),
        (NIGHT, WEDNESDAY, 23 * 60, False),
    ],
)
def test_a_band_holds_at(band: TimeBand, date: str, minute: int, holds: bool) -> None:
    assert band.holds_at(date, minute) is holds


def test_a_band_of_a_whole_day() -> None:
    band = TimeBand(id="all", start="00:00", end="00:00")
    assert all(band.holds_at(TUESDAY, minute) for minute in (0, 719, 1_439))


@pytest.mark.parametrize("hour", ["24:00", "7:00", "12:60", "noon"])
def test_what_is_no_hour_is_refused(hour: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "x", "from": hour, "to": "12:00"}, TimeBand)
