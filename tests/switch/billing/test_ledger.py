from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.billing.credit import Credit
from switch.billing.ledger import (
    Account,
    Purse,
    Transfer,
    TransferResult,
    divide,
    judge,
    settlement,
)
from switch.ids import AccountId, CallId
from switch.money import Micros
from tests.support.money_rig import quote_of

PURSE = Account(
    id=AccountId(1),
    kind="called_prepaid",
    owner="",
    facility="",
    currency="USD",
    purse=Purse(posted=Micros(100), held=Micros(40), floor=Micros(0)),
    is_open=True,
)
BOOK = replace(PURSE, id=AccountId(2), purse=Purse(posted=Micros(0), held=Micros(0), floor=None))
TRANSFER = Transfer(
    id="t1", debit=AccountId(1), credit=AccountId(2), amount=Micros(60), code="c", ref="r"
)
R = TransferResult


@pytest.mark.parametrize(
    ("transfer", "known", "debit", "credit", "result"),
    [
        (replace(TRANSFER, amount=Micros(0)), "other", None, None, R.AMOUNT_NOT_POSITIVE),
        (replace(TRANSFER, credit=AccountId(1)), "other", None, None, R.SAME_ACCOUNT),
        (TRANSFER, "other", None, None, R.EXISTS_WITH_ANOTHER_BODY),
        (TRANSFER, TRANSFER.body_hash, None, None, R.EXISTS),
        (TRANSFER, None, None, None, R.DEBIT_UNKNOWN),
        (TRANSFER, None, PURSE, None, R.CREDIT_UNKNOWN),
        (TRANSFER, None, PURSE, replace(BOOK, currency="CAD", is_open=False), R.CURRENCY_DIFFERS),
        (TRANSFER, None, replace(PURSE, is_open=False), BOOK, R.DEBIT_CLOSED),
        (TRANSFER, None, PURSE, replace(BOOK, is_open=False), R.CREDIT_CLOSED),
        (replace(TRANSFER, amount=Micros(61)), None, PURSE, BOOK, R.EXCEEDS_FUNDS),
        (TRANSFER, None, PURSE, BOOK, R.OK),
        (replace(TRANSFER, amount=Micros(10**12)), None, BOOK, PURSE, R.OK),
    ],
)
def test_the_first_rung_that_breaks_names_the_result(
    transfer: Transfer,
    known: str | None,
    debit: Account | None,
    credit: Account | None,
    result: TransferResult,
) -> None:
    assert judge(transfer, known_body_hash=known, debit=debit, credit=credit) is result


def test_only_a_movement_that_stands_is_done() -> None:
    assert [result for result in R if result.is_done] == [R.EXISTS, R.OK]


@given(
    amount=st.integers(0, 10**9),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any),
)
def test_the_parts_add_up_and_none_is_a_micro_off(amount: int, weights: list[int]) -> None:
    parts = divide(Micros(amount), weights)
    assert sum(parts) == amount
    assert all(
        abs(part * sum(weights) - amount * weight) < sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )


@given(
    rate=st.integers(0, 10**6),
    seconds=st.integers(0, 6_000),
    credit=st.sampled_from(Credit),
)
def test_a_settlement_adds_up_and_never_gives_more_than_it_took(
    rate: int, seconds: int, credit: Credit
) -> None:
    ending = settlement(CallId(5), quote_of(rate), seconds=seconds, credit=credit)
    settled = {e.line: e.amount for e in ending.entries if e.code == "settle"}
    returned = {e.line: e.amount for e in ending.entries if e.code == "credit"}
    assert sum(settled.values()) == ending.charged
    assert sum(returned.values()) == ending.credited <= ending.charged
    assert all(returned[line] <= settled[line] for line in returned)
    assert len({entry.id for entry in ending.entries}) == len(ending.entries)
    assert ending.taxes == sum(v for line, v in settled.items() if line.startswith("tax:"))


def test_seven_seconds_divided() -> None:
    ending = settlement(CallId(5), quote_of(110_000), seconds=7, credit=Credit.NONE)
    assert [(e.id, e.book, e.amount) for e in ending.entries] == [
        ("call:5:settle:0", "revenue", 9_022),
        ("call:5:settle:1", "facility_part", 2_139),
        ("call:5:settle:2", "tax:usf", 1_283),
        ("call:5:settle:3", "tax:state", 389),
    ]
