import pytest

from switch.web.live import call_row, dollars, duration, in_order
from tests.switch.web.scene import call


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0:00"), (9.9, "0:09"), (61, "1:01"), (3_725, "1:02:05"), (-3, "0:00")],
)
def test_seconds_are_written_as_people_read_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (None, ""),
        (0, "$0.00"),
        (19_999, "$0.01"),
        (12_345_678_901, "$12,345.67"),
        (-1, "-$0.01"),
        (-10_000, "-$0.01"),
    ],
)
def test_nobody_is_shown_more_money_than_there_is(micros: int | None, text: str) -> None:
    assert dollars(micros) == text


def test_a_privileged_call_is_a_bare_row_for_everybody() -> None:
    heard = [{"kind": "three_way", "tier": "warn"}]
    row = call_row(call(1, privileged=True, detections=heard), may_cut=True)
    assert not row.may_cut
    assert row.detections == ()
    assert row.worst_tier == ""


def test_detections_of_a_kind_are_counted_under_their_gravest_tier() -> None:
    heard = [
        {"kind": "hookflash", "tier": "log"},
        {"kind": "three_way", "tier": "warn"},
        {"kind": "three_way", "tier": "cut_eligible"},
        {"kind": "three_way", "tier": "warn"},
    ]
    row = call_row(call(1, detections=heard), may_cut=True)
    shown = [(d.kind, d.tier, d.count) for d in row.detections]
    assert shown == [("three_way", "cut_eligible", 3), ("hookflash", "log", 1)]
    assert row.worst_tier == "cut_eligible"


def test_trouble_stands_on_top_then_low_money_then_age() -> None:
    rows = [
        call(1),
        call(2, seconds_left=20),
        call(3, detections=[{"kind": "three_way", "tier": "warn"}]),
        call(4, detections=[{"kind": "hookflash", "tier": "log"}]),
        call(5, detections=[{"kind": "three_way", "tier": "cut_eligible"}]),
    ]
    ordered = in_order(call_row(row, may_cut=False) for row in reversed(rows))
    assert [row.call for row in ordered] == [5, 3, 2, 1, 4]
