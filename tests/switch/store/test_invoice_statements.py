"""A month of calls as an invoice: it adds up, equals the ledger, and is issued once."""

import csv
import io
import sqlite3
from random import Random

import pytest

from switch.billing.credit import Credit
from switch.billing.invoice import Invoice, invoice_csv, invoice_text, month_bounds
from switch.billing.ledger import Reserved
from switch.errors import UserError
from switch.ids import AccountId, CallId
from switch.store import invoice_statements, ledger_statements, meter_settlement
from tests.support.money_rig import WALL, MoneyRig, quote_of

PERIOD = "2026-09"
START, AFTER = month_bounds(PERIOD)


def direct(rig: MoneyRig, *, floor: int = -100_000_000) -> AccountId:
    """An account with a credit limit, opened as a body opens it."""
    return rig.deed(
        lambda: ledger_statements.open_account(
            rig.raw, "called_direct", "Legal Aid", "", "USD", floor=floor, approves="all", at=WALL
        )
    )


def month(rig: MoneyRig, account: AccountId, calls: int, *, seed: int = 1) -> None:
    """So many calls of a month, at several prices, some credited."""
    random = Random(seed)
    prices = [quote_of(rate) for rate in (110_000, 60_000, 70_001)]
    for call in range(1, calls + 1):
        rig.later_s = START - WALL + (AFTER - START) * call / (calls + 1)
        assert isinstance(rig.reserve(call, account, random.choice(prices)), Reserved)
        credit = random.choice((Credit.NONE, Credit.NONE, Credit.LAST_60, Credit.FREE))
        rig.settle(call, seconds=random.randrange(31), credit=credit)
        rig.book.ended(CallId(call), ended_at=0.0)
    rig.later_s = AFTER - WALL + 60


def issue(rig: MoneyRig, account: AccountId) -> Invoice:
    return rig.deed(lambda: invoice_statements.issue(rig.raw, account, PERIOD, at=rig.wall))


@pytest.mark.slow
def test_an_invoice_of_five_hundred_calls_adds_up_and_equals_the_ledger() -> None:
    rig = MoneyRig()
    account = direct(rig)
    month(rig, account, 500)
    stood = rig.standing(account)[0]
    invoice = issue(rig, account)
    assert invoice.number == 1
    assert invoice.total == -stood
    assert invoice.total_cents * 10_000 + invoice.rest == invoice.total
    assert rig.standing(account)[0] == -invoice.total_cents * 10_000
    rows = list(csv.reader(io.StringIO(invoice_csv(invoice))))
    calls = [row for row in rows[1:] if row[0].isdecimal()]
    assert len(calls) == len(invoice.lines)
    assert sum(micros(row[8]) for row in calls) == invoice.total == micros(rows[-2][8])
    for row in calls:
        assert micros(row[5]) + micros(row[6]) - micros(row[7]) == micros(row[8])
    assert rows[-1] == ["to pay", *[""] * 7, f"{invoice.total_cents / 100:.2f}"]
    assert all(len(line) <= 100 for line in invoice_text(invoice))
    assert invoice_statements.broken_invoices(rig.raw) == []
    assert rig.faults() == []


def micros(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * int(text.lstrip("-").replace(".", ""))


def test_told_again_it_is_the_same_invoice_and_the_next_has_the_next_number() -> None:
    rig = MoneyRig()
    one, other = direct(rig), direct(rig)
    month(rig, one, 5)
    assert issue(rig, one) == issue(rig, one)
    with pytest.raises(UserError, match="no calls"):
        issue(rig, other)
    rig.later_s = START - WALL + 60
    rig.reserve(90, other)
    rig.settle(90, seconds=3)
    rig.later_s = AFTER - WALL + 60
    assert issue(rig, other).number == 2


def test_what_cannot_be_invoiced_says_why() -> None:
    rig = MoneyRig()
    account = direct(rig)
    month(rig, account, 2)
    with pytest.raises(UserError, match="pays beforehand"):
        issue(rig, rig.account(5))
    with pytest.raises(UserError, match="no account 99"):
        issue(rig, AccountId(99))
    rig.later_s = START - WALL + 60
    with pytest.raises(UserError, match="is not over"):
        issue(rig, account)
    draft = invoice_statements.draft(rig.raw, account, PERIOD, at=rig.wall)
    assert (draft.number, draft.opening) == (0, 0)
    assert invoice_text(draft)[0].startswith("DRAFT")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoice SET total_cents = 0",
        "DELETE FROM invoice",
        "INSERT INTO invoice SELECT 7, account_id, 'x', 0, 0, 0, '', '' FROM invoice",
    ],
)
def test_an_invoice_is_never_changed_and_no_number_is_left_out(statement: str) -> None:
    rig = MoneyRig()
    account = direct(rig)
    month(rig, account, 2)
    issue(rig, account)
    with pytest.raises(sqlite3.IntegrityError, match=r"never|without gaps"):
        rig.raw.execute(statement)


def test_a_call_that_is_credited_after_the_invoice_stands_on_the_next() -> None:
    rig = MoneyRig()
    account = direct(rig)
    rig.later_s = AFTER - WALL - 60
    rig.reserve(1, account)
    rig.settle(1, seconds=20)
    rig.later_s = AFTER - WALL + 60
    invoice = issue(rig, account)
    back = rig.deed(lambda: meter_settlement.credit_rest(rig.raw, CallId(1), at=rig.wall))
    assert back == invoice.total
    assert invoice_statements.broken_invoices(rig.raw) == []
    later = invoice_statements.draft(rig.raw, account, "2026-10", at=rig.wall)
    assert [(line.call, line.seconds, line.credited) for line in later.lines] == [(1, 0, back)]
    assert [movement.code for movement in later.movements] == ["rounding"]
    assert later.total == -back


def test_a_changed_ledger_breaks_the_invoice() -> None:
    rig = MoneyRig()
    account = direct(rig)
    month(rig, account, 3)
    issue(rig, account)
    rig.raw.execute("DROP TRIGGER transfer_is_never_changed")
    rig.raw.execute("UPDATE transfer SET at = at + 9000000 WHERE code = 'settle'")
    assert invoice_statements.broken_invoices(rig.raw) == [1]


@pytest.mark.parametrize(
    ("period", "days"), [("2026-02", 28), ("2028-02", 29), ("2026-12", 31), ("2026-09", 30)]
)
def test_a_month_has_its_days(period: str, days: int) -> None:
    start, after = month_bounds(period)
    assert after - start == days * 86_400
