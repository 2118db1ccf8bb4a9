"""What the long runs make of what they saw: pure parts, no run."""

from typing import Any

from tests.soak import hour, memory


def row(minute: int, memory_mb: float, descriptors: int = 100) -> dict[str, Any]:
    return dict.fromkeys(hour.COLUMNS, 0) | {
        "minute": minute,
        "memory_mb": memory_mb,
        "descriptors": descriptors,
        "ledger": "sound",
    }


def test_drift_is_the_last_third_against_the_second() -> None:
    rows = [row(n, 500.0 if n < 3 else 100.0 + 10 * (n >= 6)) for n in range(9)]
    assert hour.drift(rows) == {"memory_mb": 110.0 / 100.0 - 1, "descriptors": 0.0}


def test_few_rows_show_no_drift() -> None:
    assert hour.drift([row(n, 100.0) for n in range(hour.ROWS_MIN - 1)]) == {}


def test_the_table_names_the_machine_and_has_a_line_for_each_row() -> None:
    found = {
        "machine": "two invented processors",
        "calls": 30,
        "seconds": 120.0,
        "placed": 40,
        "completed": 40,
        "delivered": 1.0,
        "drift_percent": {},
        "empty_before": {"control_kb": 1},
        "empty_after": {"control_kb": 2},
        "faults": [],
        "rows": [row(1, 100.0), row(2, 101.0)],
    }
    text = hour.table(found)
    assert "two invented processors" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {len(hour.COLUMNS) + 1}


def test_a_call_holds_what_is_above_the_idle_switch() -> None:
    idle = {"control_kb": 1000, "workers_kb": 500}
    few = {"calls": 10, "settled": {"control_kb": 1400, "workers_kb": 700}}
    many = {"calls": 110, "settled": {"control_kb": 3400, "workers_kb": 1700}}
    found = memory.per_call(idle, few, many, "settled")
    assert found == {
        "kb_few": 60.0,
        "kb_many": 32.7,
        "kb_slope": 30.0,
        "control_kb_slope": 20.0,
        "workers_kb_slope": 10.0,
    }
