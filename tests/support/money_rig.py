"""A ledger on a real database file, a meter book over it, and a clock that is only a number."""

import itertools
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from switch.billing.beat import BeatOutcome, BeatResult
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, ReserveResult, Settled, Transfer, TransferResult
from switch.billing.meter import MeterBook
from switch.billing.meter_news import MeterNews
from switch.billing.payer import Payer
from switch.billing.quote import FACILITY_PART, REVENUE, Quote, QuoteLine, make_quote
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import (
    engine_schema,
    ledger_statements,
    ledger_verify,
    meter_settlement,
    meter_statements,
)
from switch.store.account_limits import Scope
from switch.store.meter_decision import StaleError

T = TypeVar("T")
NODE = "n1"
WALL = 1_790_000_000.0


def quote_of(rate: int, *, free_s: int = 0) -> Quote:
    """A price of `rate` micros a minute, with a facility part and two taxes in it."""
    part, tax, other = rate // 6, rate // 10, rate // 33
    return make_quote(
        payer=Payer.CALLED_PREPAID,
        call_class="interstate",
        tariff="test",
        free_s=free_s,
        lines=(
            QuoteLine(book=REVENUE, label="", micros_per_minute=rate - part - tax - other),
            QuoteLine(book=FACILITY_PART, label="", micros_per_minute=part),
            QuoteLine(book="tax:usf", label="", micros_per_minute=tax),
            QuoteLine(book="tax:state", label="", micros_per_minute=other),
        ),
    )


ELEVEN_CENTS = quote_of(110_000)


@cache
def fresh_database() -> bytes:
    """A database of the newest schema with nothing in it; the migrations run once."""
    raw = sqlite3.connect(":memory:", isolation_level=None)
    engine_schema.migrate(raw)
    return raw.serialize()


class KilledError(Exception):
    """The process died here."""


class MoneyRig:
    """What the switchboard does with money, without waiting."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        if path == ":memory:":
            self.raw.deserialize(fresh_database())
        else:
            engine_schema.migrate(self.raw)
        self.raw.execute("PRAGMA foreign_keys = ON")
        self.later_s = 0.0
        """How far the wall clock has gone on beyond the beats."""
        self.quotes: dict[CallId, Quote] = {}
        self.kill_after: int | None = None
        """Steps of the database's machine until the process dies; None lets it live."""
        self._ids = itertools.count(1)
        self.restart()

    @property
    def wall(self) -> float:
        """The wall clock."""
        return WALL + self.later_s

    def restart(self) -> None:
        """Control comes back: a new epoch and an empty book."""
        self.epoch = self.deed(
            lambda: meter_statements.begin_epoch(self.raw, NODE, "boot", at=self.wall)
        )
        self.book = MeterBook(node=NODE, epoch=self.epoch)

    def deed(self, deed: Callable[[], T]) -> T:
        """One transaction, as the store does it. With `kill_after` it dies on the way."""
        self.raw.execute("BEGIN IMMEDIATE")
        if self.kill_after is not None:
            steps = itertools.count(1)
            last = self.kill_after
            self.raw.set_progress_handler(lambda: next(steps) >= last, 1)
        try:
            result = deed()
            self.raw.set_progress_handler(None, 0)
        except BaseException as error:
            self.raw.set_progress_handler(None, 0)
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "interrupted" in str(error):
                raise KilledError from error
            raise
        self.raw.execute("COMMIT")
        return result

    def account(self, amount: int, *, floor: int = 0) -> AccountId:
        """A purse with so much in it."""
        account = self.deed(
            lambda: ledger_statements.open_account(
                self.raw, "called_prepaid", "", "", "USD", floor=floor, approves="all", at=self.wall
            )
        )
        if amount:
            self.fund(account, amount)
        return account

    def fund(self, account: AccountId, amount: int) -> TransferResult:
        """Pay in."""
        name = f"fund:{next(self._ids)}"

        def deed() -> TransferResult:
            offline = ledger_statements.book(self.raw, "offline", currency="USD", at=self.wall)
            row = Transfer(
                id=name, debit=offline, credit=account, amount=Micros(amount), code="fund", ref=""
            )
            return ledger_statements.transfer(self.raw, row, at=self.wall)

        return self.deed(deed)

    def reserve(
        self,
        call: int,
        account: AccountId,
        quote: Quote = ELEVEN_CENTS,
        *,
        now: float = 0.0,
        scopes: tuple[Scope, ...] = (),
    ) -> Reserved | ReserveResult:
        """Reserve in the store, then open in the book."""
        opening = meter_statements.Opening(
            call=CallId(call),
            account=account,
            quote=quote,
            node=NODE,
            epoch=self.epoch,
            boot_id="boot",
            facility="F1",
            scopes=scopes,
        )
        result = self.deed(lambda: meter_statements.reserve(self.raw, opening, at=self.wall))
        if isinstance(result, Reserved):
            self.quotes[CallId(call)] = quote
            self.book.opened(
                CallId(call),
                account,
                quote,
                result.paid_s,
                now=now,
                purse=result.purse,
                refused=result.refused,
            )
        return result

    def beat(self, *, now: float) -> list[MeterNews]:
        """One beat, carried out and taken in."""
        beat = self.book.beat(now=now)
        limited = set(self.quotes)

        def deed() -> BeatResult:
            return meter_statements.write_beat(self.raw, beat, limited=limited, at=self.wall + now)

        try:
            result = self.deed(deed)
        except StaleError:
            rows = meter_statements.unsettled(self.raw, NODE)
            result = BeatResult(outcome=BeatOutcome.STALE, rows=rows)
        return list(self.book.applied(beat, result, now=now))

    def end(
        self,
        call: int,
        *,
        ended_at: float,
        credit: Credit = Credit.NONE,
        heard_until: float | None = None,
    ) -> Settled:
        """End a call in the book and settle it in the store."""
        seconds = self.book.ended(CallId(call), ended_at=ended_at, heard_until=heard_until)
        return self.settle(call, seconds=seconds, credit=credit)

    def settle(self, call: int, *, seconds: int, credit: Credit = Credit.NONE) -> Settled:
        """Settle in the store alone."""
        quote = self.quotes[CallId(call)]
        return self.deed(
            lambda: meter_settlement.settle(
                self.raw,
                CallId(call),
                quote,
                seconds=seconds,
                credit=credit,
                heard_until=None,
                at=self.wall,
            )
        )

    def faults(self) -> list[ledger_verify.Fault]:
        """What the ledger cannot prove."""
        return ledger_verify.verify(self.raw)

    def standing(self, account: AccountId) -> tuple[int, int]:
        """Posted and held."""
        found = ledger_statements.find(self.raw, account)
        assert found is not None
        return found.purse.posted, found.purse.held
