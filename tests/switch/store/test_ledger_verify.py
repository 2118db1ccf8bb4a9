import sqlite3

import pytest

from switch.billing.credit import Credit
from switch.ids import CallId
from switch.store import ledger_seal
from tests.support.money_rig import WALL, MoneyRig

DAY_S = 86_400


@pytest.fixture
def rig() -> MoneyRig:
    """A settled call with a credit, and a live one."""
    rig = MoneyRig()
    account = rig.account(900_000)
    for call in (1, 2):
        rig.reserve(call, account)
        rig.book.bridged(rig_call(call), at=0.0)
    for n in range(1, 12):
        rig.beat(now=n + 0.5)
    rig.end(1, ended_at=11.9, credit=Credit.LAST_60)
    assert rig.faults() == []
    return rig


def rig_call(call: int) -> CallId:
    return CallId(call)


def break_it(rig: MoneyRig, *statements: str) -> set[str]:
    rig.raw.execute("PRAGMA ignore_check_constraints = ON")
    rig.raw.execute("PRAGMA foreign_keys = OFF")
    for statement in statements:
        assert rig.raw.execute(statement).rowcount != 0
    faults = rig.faults()
    assert all(fault.says for fault in faults)
    return {fault.rule for fault in faults}


UNGUARD = ("DROP TRIGGER transfer_is_never_changed", "DROP TRIGGER transfer_is_never_removed")
UNGUARD_QUOTES = ("DROP TRIGGER quote_is_never_changed", "DROP TRIGGER quote_is_never_removed")
TAKE_MORE = "UPDATE transfer SET amount = amount + 1 WHERE code = 'settle'"
GIVE_MORE = "UPDATE transfer SET amount = 9000000 WHERE code = 'credit'"
TALKED_LESS = "INSERT INTO call_record VALUES (1, '', '', '', '', '', '', 0, 0, 10.9, 0, '{}')"
BACK_TWICE = """
INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash)
SELECT 'x', credit, debit, amount + 1, 'refund', id, at, ''
  FROM transfer WHERE code = 'fund' LIMIT 1
"""
HELD_BY_NOBODY = """
INSERT INTO budget VALUES (1, 'account', '1', 'payer', 'micros', 'day', 'UTC', 0, 9, 0, 5)
"""


@pytest.mark.parametrize(
    ("rules", "statements"),
    [
        ({"M1", "M2"}, ("UPDATE account SET posted = posted + 1 WHERE kind = 'revenue'",)),
        ({"M3"}, ("UPDATE account SET held = held + 1 WHERE floor IS NOT NULL",)),
        ({"M4"}, ("UPDATE account SET floor = posted WHERE floor IS NOT NULL",)),
        ({"M5"}, ("UPDATE meter SET seq = paid_s + 1 WHERE call_id = 2",)),
        ({"M5"}, ("UPDATE meter SET hold = 1 WHERE call_id = 1",)),
        ({"M5", "M8"}, ("UPDATE meter SET charged = charged + 1 WHERE call_id = 1",)),
        ({"M7"}, (TALKED_LESS,)),
        ({"M10"}, UNGUARD),
        ({"M2", "M8", "M9"}, (*UNGUARD, TAKE_MORE)),
        ({"M2", "M9", "M11"}, (*UNGUARD, GIVE_MORE)),
        ({"M11"}, (BACK_TWICE,)),
        ({"M13"}, (HELD_BY_NOBODY,)),
        ({"M14"}, ("UPDATE meter SET micros_per_minute = 109999 WHERE call_id = 1",)),
        ({"M14"}, UNGUARD_QUOTES),
        ({"M14"}, (*UNGUARD_QUOTES, "UPDATE quote SET version_hash = 'x'")),
    ],
)
def test_each_broken_rule_is_named(
    rig: MoneyRig, rules: set[str], statements: tuple[str, ...]
) -> None:
    assert rules <= break_it(rig, *statements)


@pytest.mark.parametrize(
    "statement", ["UPDATE quote SET body = '{}'", "DELETE FROM quote", "UPDATE quote SET id = 'x'"]
)
def test_a_quote_is_never_changed(rig: MoneyRig, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="a quote is never"):
        rig.raw.execute(statement)


def test_a_record_that_talked_as_long_as_was_charged_is_sound(rig: MoneyRig) -> None:
    row = "INSERT INTO call_record VALUES (1, '', '', '', '', '', '', 0, 0, 11.0, 0, '{}')"
    assert break_it(rig, row) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET at = at - 1 WHERE seq = 2",
        "DELETE FROM transfer WHERE seq = 2",
        "INSERT INTO transfer VALUES (0, 'x', 1, 2, 5, 'c', 'r', 0, 'h')",
        "UPDATE day_hash SET hash = 'x'",
    ],
)
def test_a_sealed_day_shows_every_change(rig: MoneyRig, statement: str) -> None:
    assert ledger_seal.seal_days(rig.raw, at=WALL) == []
    (day,) = ledger_seal.seal_days(rig.raw, at=WALL + DAY_S)
    assert ledger_seal.seal_days(rig.raw, at=WALL + DAY_S) == []
    assert rig.faults() == []
    rig.fund(rig.account(0), 5)
    assert rig.faults() == []
    assert "M15" in break_it(rig, *UNGUARD, statement)
    assert ledger_seal.broken_days(rig.raw) == [day]


def test_the_seals_are_a_chain(rig: MoneyRig) -> None:
    ledger_seal.seal_days(rig.raw, at=WALL + DAY_S)
    offline = "(900, 'y', 1, 2, 5, 'c', 'r', 1790090000, 'h')"
    rig.raw.execute(f"INSERT INTO transfer VALUES {offline}")
    (second,) = ledger_seal.seal_days(rig.raw, at=WALL + 3 * DAY_S)
    assert ledger_seal.broken_days(rig.raw) == []
    rig.raw.execute("UPDATE day_hash SET hash = 'x' WHERE day < ?", (second,))
    assert len(ledger_seal.broken_days(rig.raw)) == 2
