import numpy as np
import pytest

from switch.billing.beat import BeatOutcome, BeatResult, Purses
from switch.billing.ledger import Refusal, Reserved, ReserveResult
from switch.billing.meter import MeterBook
from switch.billing.meter_columns import ROWS
from switch.billing.meter_news import (
    CutCause,
    Final,
    MeteringFenced,
    MoneyAdded,
    PaidUntil,
    ReservedTooLong,
    SecondsLeft,
)
from switch.billing.meter_state import MeterState
from switch.billing.rating import charge
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import account_limits, meter_statements
from switch.store.account_limits import Scope
from tests.support.money_rig import ELEVEN_CENTS, NODE, WALL, MoneyRig, quote_of

CALL = CallId(77)
OTHER = CallId(78)
A_MINUTE = 110_000


def paid(seconds: int) -> int:
    return charge(ELEVEN_CENTS.rate, seconds)


def granted(seconds: int, *, of: AccountId) -> BeatResult:
    """What a store answers that grants one ask so much, and leaves nothing on the account."""
    column = np.array([of, 0])
    return BeatResult(
        outcome=BeatOutcome.DONE,
        granted_s=np.array([seconds]),
        refused=np.array([0]),
        purses=Purses(*([column[:1]] + [column[1:]] * 3)),
    )


def reserved(rig: MoneyRig, call: CallId, account: AccountId, *, now: float = 0.0) -> Reserved:
    result = rig.reserve(call, account, now=now)
    assert isinstance(result, Reserved)
    return result


def talk(rig: MoneyRig, until: float, *, phase: float, beats: int = 60) -> float:
    """Beat once a second until the worker would cut; return when it does."""
    start = until - 0.0
    for n in range(beats):
        now = phase + n
        if now >= until:
            return until
        for item in rig.beat(now=now):
            if isinstance(item, PaidUntil) and item.call == CALL:
                until = item.at
    assert until >= start
    return until


@pytest.mark.parametrize("bridged_at", [0.0, 1.1, 86_400.123_456_7, 11_111_111.1, 3e9 + 0.7])
@pytest.mark.parametrize("phase", [0.001, 0.3, 0.5, 0.6, 0.999, 1.0])
def test_money_for_exactly_seven_seconds(bridged_at: float, phase: float) -> None:
    rig = MoneyRig()
    account = rig.account(12_833)
    reserved(rig, CALL, account, now=bridged_at - 20)
    until = talk(rig, rig.book.bridged(CALL, at=bridged_at), phase=bridged_at + phase)
    assert until == bridged_at + 7
    assert rig.book.cut_cause(CALL) is CutCause.FUNDS
    settled = rig.end(CALL, ended_at=until)
    assert (settled.seconds, settled.charged) == (7, 12_833)
    assert rig.standing(account) == (0, 0)
    assert rig.faults() == []


@pytest.mark.parametrize("seconds", range(1, 12))
@pytest.mark.parametrize("phase", [0.01, 0.5, 0.99])
def test_every_second_that_fits_is_talked(seconds: int, phase: float) -> None:
    rig = MoneyRig()
    account = rig.account(paid(seconds))
    reserved(rig, CALL, account)
    until = talk(rig, rig.book.bridged(CALL, at=50.0), phase=50.0 + phase)
    assert until == 50.0 + seconds
    assert rig.book.cut_cause(CALL) is CutCause.FUNDS
    assert rig.end(CALL, ended_at=until + 0.05).seconds == seconds


def test_one_micro_too_little_is_one_second_less() -> None:
    rig = MoneyRig()
    reserved(rig, CALL, rig.account(12_832))
    assert talk(rig, rig.book.bridged(CALL, at=0.0), phase=0.4) == 6.0


def test_no_money_for_a_second_is_refused() -> None:
    rig = MoneyRig()
    account = rig.account(paid(1) - 1)
    assert rig.reserve(CALL, account) is ReserveResult.NO_FUNDS
    assert rig.standing(account) == (paid(1) - 1, 0)


def test_a_rich_account_holds_thirty_seconds_and_moves_in_turn() -> None:
    rig = MoneyRig()
    account = rig.account(5_000_000)
    assert reserved(rig, CALL, account).paid_s == 30
    rig.book.bridged(CALL, at=0.0)
    grants = [
        item.at
        for n in range(1, 61)
        for item in rig.beat(now=n + 0.2)
        if isinstance(item, PaidUntil)
    ]
    assert grants == [38.0, 48.0, 58.0, 68.0, 78.0, 88.0]
    assert rig.book.balance(account) == 5_000_000 - paid(60)
    assert rig.faults() == []


def test_a_rich_account_that_is_emptied_by_others_becomes_a_poor_one() -> None:
    rig = MoneyRig()
    account = rig.account(240_000)
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    for n in range(1, 40):
        rig.beat(now=n + 0.5)
        assert rig.faults() == []
    _, held = rig.standing(account)
    assert held <= paid(4)


def test_two_calls_never_take_more_than_the_account_holds() -> None:
    rig = MoneyRig()
    account = rig.account(paid(10))
    until = {}
    for call in (CALL, OTHER):
        reserved(rig, call, account)
        until[call] = rig.book.bridged(call, at=0.0)
    for n in range(20):
        for item in rig.beat(now=n + 0.3):
            if isinstance(item, PaidUntil):
                until[item.call] = item.at
    total = sum(rig.end(call, ended_at=until[call]).charged for call in (CALL, OTHER))
    assert paid(9) <= total <= paid(10)
    assert rig.faults() == []


def test_what_is_left_is_shared_by_the_calls_of_an_account() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    assert rig.book.seconds_left(CALL) == 60
    reserved(rig, OTHER, account)
    rig.book.bridged(OTHER, at=0.0)
    assert rig.book.seconds_left(CALL) == 30


def test_each_beat_says_what_is_left_and_what_the_balance_shows() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    assert [i for i in rig.beat(now=1.5) if isinstance(i, SecondsLeft)] == [
        SecondsLeft(CALL, 59, Micros(A_MINUTE - paid(1)))
    ]


def test_money_that_comes_in_the_last_seconds_lets_the_call_go_on() -> None:
    rig = MoneyRig()
    account = rig.account(paid(4))
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    rig.beat(now=1.5)
    assert Final(CALL, Refusal.FUNDS) in rig.beat(now=2.6)
    assert rig.book.state(CALL) is MeterState.FINAL
    rig.fund(account, A_MINUTE * 2)
    news = rig.beat(now=3.6)
    assert rig.book.state(CALL) is MeterState.LIVE
    assert any(isinstance(item, PaidUntil) for item in news)
    assert MoneyAdded(CALL, 2) in news


def test_a_late_beat_charges_the_missed_seconds_but_none_that_was_not_paid() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    rig.beat(now=60.0)
    assert rig.book.balance(account) == A_MINUTE - paid(3)
    assert rig.end(CALL, ended_at=60.0).seconds == 3
    assert rig.faults() == []


def test_a_cut_that_nobody_could_ask_about_is_ours() -> None:
    rig = MoneyRig()
    reserved(rig, CALL, rig.account(A_MINUTE))
    rig.book.bridged(CALL, at=0.0)
    assert rig.book.cut_cause(CALL) is CutCause.METERING_LOST


def test_a_beat_after_the_cut_neither_asks_nor_forgets_why() -> None:
    rig = MoneyRig()
    account = rig.account(paid(2))
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    rig.beat(now=0.7)
    rig.fund(account, A_MINUTE)
    rig.beat(now=2.1)
    assert rig.book.cut_cause(CALL) is CutCause.FUNDS
    assert rig.end(CALL, ended_at=2.02).seconds == 2


def test_a_limit_of_the_payer_cuts_and_says_so() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE * 9)
    scope = Scope(scope="account", id=str(account))
    rig.deed(
        lambda: account_limits.set_limit(
            rig.raw,
            scope,
            set_by="payer",
            unit="seconds",
            period="day",
            cap=10,
            zone="UTC",
            at=WALL,
        )
    )
    assert isinstance(rig.reserve(CALL, account, scopes=(scope,)), Reserved)
    until = talk(rig, rig.book.bridged(CALL, at=0.0), phase=0.5)
    assert until == 10.0
    assert rig.book.cut_cause(CALL) is CutCause.PAYER_LIMIT
    assert rig.reserve(OTHER, account, scopes=(scope,)) is ReserveResult.PAYER_LIMIT
    rig.end(CALL, ended_at=4.2)
    assert isinstance(rig.reserve(OTHER, account, scopes=(scope,)), Reserved)
    assert rig.faults() == []


def test_a_call_that_never_bridges_pays_nothing_and_is_named_after_five_minutes() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    reserved(rig, CALL, account)
    assert rig.beat(now=300.0) == []
    assert rig.beat(now=300.1) == [ReservedTooLong(CALL)]
    settled = rig.end(CALL, ended_at=300.2)
    assert (settled.charged, settled.postings) == (0, ())
    assert rig.standing(account) == (A_MINUTE, 0)
    assert rig.faults() == []


def test_lost_sound_is_not_charged() -> None:
    rig = MoneyRig()
    reserved(rig, CALL, rig.account(A_MINUTE * 5))
    rig.book.bridged(CALL, at=0.0)
    rig.beat(now=20.0)
    assert rig.book.ended(CALL, ended_at=25.0, heard_until=14.9) == 14


def test_a_node_that_was_taken_over_writes_nothing_more() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    reserved(rig, CALL, account)
    rig.book.bridged(CALL, at=0.0)
    rig.deed(lambda: meter_statements.begin_epoch(rig.raw, NODE, "boot", at=WALL))
    assert rig.beat(now=2.0) == [MeteringFenced()]
    assert rig.standing(account)[0] == A_MINUTE


def test_a_meter_that_stands_elsewhere_is_read_again() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE)
    for call in (CALL, OTHER):
        reserved(rig, call, account)
        rig.book.bridged(call, at=0.0)
    rig.settle(OTHER, seconds=1)
    rig.raw.execute("UPDATE meter SET seq = 1, charged = 1833 WHERE call_id = ?", (CALL,))
    assert rig.beat(now=2.0) == [PaidUntil(CALL, 3.0)]
    assert OTHER not in rig.book
    assert rig.book.ended(OTHER, ended_at=3.0) == 0
    rig.beat(now=2.5)
    assert rig.end(CALL, ended_at=2.6).seconds == 2
    assert rig.faults() == []


def test_a_new_control_counts_on_by_the_seconds_of_the_media() -> None:
    rig = MoneyRig()
    account = rig.account(A_MINUTE * 9)
    paid_s = reserved(rig, CALL, account).paid_s
    rig.book.bridged(CALL, at=100.0)
    rig.beat(now=101.5)
    rig.restart()
    (row,) = meter_statements.unsettled(rig.raw, NODE)
    rig.book.adopt(row, ELEVEN_CENTS, bridged_at=100.0, now=112.0)
    rig.beat(now=112.5)
    assert paid_s == 30
    assert rig.end(CALL, ended_at=115.9).charged == paid(15)
    assert rig.faults() == []


def test_a_free_call_has_a_meter_and_costs_nothing() -> None:
    rig = MoneyRig()
    account = rig.account(0)
    result = rig.reserve(CALL, account, quote_of(0))
    assert isinstance(result, Reserved)
    assert result.paid_s == 30
    until = talk(rig, rig.book.bridged(CALL, at=0.0), phase=0.5)
    assert until > 60
    assert rig.end(CALL, ended_at=60.0).charged == 0
    assert rig.faults() == []


def test_our_own_mistakes_are_told() -> None:
    book = MeterBook(node="n", epoch=1)
    book.opened(CALL, AccountId(1), ELEVEN_CENTS, 3, now=0.0)
    with pytest.raises(LocalError, match="has a meter already"):
        book.opened(CALL, AccountId(1), ELEVEN_CENTS, 3, now=0.0)
    book.bridged(CALL, at=1.0)
    with pytest.raises(LocalError, match="bridged already"):
        book.bridged(CALL, at=1.0)
    with pytest.raises(LocalError, match="no meter"):
        book.bridged(OTHER, at=1.0)


def test_a_call_that_ended_between_beat_and_answer_is_passed_over() -> None:
    book = MeterBook(node="n", epoch=1)
    book.opened(CALL, AccountId(1), ELEVEN_CENTS, 3, now=0.0)
    book.bridged(CALL, at=0.0)
    beat = book.beat(now=1.2)
    book.ended(CALL, ended_at=1.3)
    done = granted(1, of=AccountId(1))
    assert list(book.applied(beat, done, now=1.3)) == []
    assert len(book) == 0


def test_a_row_that_another_call_has_taken_meanwhile_is_passed_over() -> None:
    book = MeterBook(node="n", epoch=1)
    book.opened(CALL, AccountId(1), ELEVEN_CENTS, 3, now=0.0)
    book.bridged(CALL, at=0.0)
    beat = book.beat(now=1.2)
    book.ended(CALL, ended_at=1.3)
    book.opened(OTHER, AccountId(2), ELEVEN_CENTS, 3, now=1.3)
    book.bridged(OTHER, at=1.3)
    news = list(book.applied(beat, granted(1, of=AccountId(1)), now=1.4))
    assert news == [SecondsLeft(OTHER, 3, Micros(0))]
    assert book.balance(AccountId(2)) == 0


def test_the_book_grows_and_a_row_that_is_free_again_is_clean() -> None:
    book = MeterBook(node="n", epoch=1)
    calls = [CallId(1_000 + n) for n in range(2 * ROWS + 3)]
    for call in calls:
        book.opened(call, AccountId(call), ELEVEN_CENTS, 30, now=0.0)
        book.bridged(call, at=0.0)
    assert len(book.beat(now=1.5).asks) == len(calls)
    for call in calls:
        assert book.ended(call, ended_at=4.7) == 4
    assert len(book) == 0
    assert book.beat(now=2.5).is_empty
    book.opened(CALL, AccountId(1), ELEVEN_CENTS, 30, now=2.5)
    assert book.state(CALL) is MeterState.RESERVED
    assert book.ended(CALL, ended_at=9.0) == 0
