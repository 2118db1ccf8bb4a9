"""The second hand, over a book with one call and a ledger that only notes what it is asked."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from switch.billing.beat import Beat, BeatOutcome, BeatResult, Purses
from switch.billing.meter import MeterBook
from switch.call.switchboard.metering import Metering
from switch.errors import StoreError
from switch.ids import AccountId, CallId
from tests.support.money_rig import ELEVEN_CENTS

CALL = CallId(7)


class Ledger:
    """Grants nothing and refuses nothing."""

    limited = frozenset({CALL})

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.asked: list[str] = []
        self.beats: list[Beat] = []

    async def follow_limits(self) -> None:
        self.asked.append("limits")
        if self.fault:
            raise StoreError(self.fault)

    async def beat(self, beat: Beat) -> BeatResult:
        self.asked.append("beat")
        self.beats.append(beat)
        nothing = np.zeros(len(beat.asks), np.int64)
        accounts = beat.asks.account[beat.asks.firsts]
        return BeatResult(
            outcome=BeatOutcome.DONE,
            granted_s=nothing,
            refused=nothing,
            purses=Purses(accounts, *([np.zeros_like(accounts)] * 3)),
        )


async def one_beat(ledger: Ledger, *, calls: int = 1) -> None:
    book = MeterBook(node="n1", epoch=1)
    for n in range(calls):
        call = CallId(CALL + n)
        book.opened(call, AccountId(1), ELEVEN_CENTS, 30, now=0.0)
        book.bridged(call, at=0.0)
    rooms: Any = SimpleNamespace(
        book=book, meters=ledger, clock=SimpleNamespace(monotonic=lambda: 1.25)
    )
    await Metering(rooms, lambda _news: None).beat()


async def test_new_limits_are_looked_for_before_each_beat_and_who_has_one_asks() -> None:
    ledger = Ledger()
    await one_beat(ledger)
    assert ledger.asked == ["limits", "beat"]
    assert ledger.beats[0].asks.call.tolist() == [CALL]


async def test_limits_that_cannot_be_read_stop_no_beat() -> None:
    ledger = Ledger("the disk is full")
    await one_beat(ledger)
    assert len(ledger.beats) == 1


async def test_without_a_call_nobody_is_asked() -> None:
    ledger = Ledger()
    await one_beat(ledger, calls=0)
    assert ledger.asked == []
