"""Who of a beat is granted how many seconds: the same for every database. Pure.

The purses and limits come in as they stand under the lock; what is to be written comes out. The
asks are decided column by column. Only calls with a limit, and several calls on an account that
cannot pay them all, are gone through one by one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np

from switch.billing import rating_columns
from switch.billing.beat import REFUSALS, Ask, Asks, Purses
from switch.billing.horizon import affordable_s, price_of
from switch.billing.ledger import Purse, Refusal
from switch.billing.rating import SECONDS_MAX, Rate
from switch.billing.rating_columns import Flags, Int64s
from switch.errors import StoreError
from switch.ids import CallId
from switch.money import Micros
from switch.store.account_limits import Limit, least_s

_FUNDS: Final = REFUSALS.index(Refusal.FUNDS)
_PAYER_LIMIT: Final = REFUSALS.index(Refusal.PAYER_LIMIT)


class StaleError(Exception):
    """A meter stands elsewhere than the book thought; undoes the deed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHold:
    """What one call holds more of one limit."""

    call: CallId
    limit: int
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who is granted what, and what stands on the accounts afterwards."""

    granted_s: Int64s
    """Ask by ask; fewer than none where a lowered limit took some back."""
    price: Int64s
    """Of what is granted, ask by ask."""
    refused: Int64s
    """Ask by ask, a place in `REFUSALS`."""
    posted: Int64s
    """Account by account."""
    held: Int64s
    """Held more before anything is posted, account by account."""
    purses: Purses
    """Afterwards."""
    limit_holds: list[LimitHold] = field(default_factory=list)


def decide(asks: Asks, *, purses: Purses, limits: Mapping[CallId, Sequence[Limit]]) -> Decided:
    """Grant what fits, to the asks of each account in their order.

    Args:
        asks: account by account in id order, the cheapest first.
        purses: every account that is asked, in id order.
        limits: of the calls that are tied to some.

    Raises:
        StoreError: an account that is asked is not there.
    """
    firsts = asks.firsts
    if not np.array_equal(asks.account[firsts], purses.account):
        raise StoreError("A live call's account is not in the ledger.")
    counts = np.diff(firsts, append=len(asks))
    granted_s, refused, fits = _decide_columns(asks, purses, firsts, counts)
    alone = _one_by_one(asks, fits, counts, limits)
    limit_holds: list[LimitHold] = []
    if alone.any():
        each = _Each(asks, np.repeat(purses.available, counts), limits)
        for row in np.flatnonzero(alone).tolist():
            granted_s[row], refused[row] = each.decide(row)
        limit_holds = each.limit_holds
    price = _price(asks, granted_s)
    posted, held = _sums(asks.post, firsts), _sums(price, firsts)
    after = (purses.posted - posted, purses.available - held)
    return Decided(
        granted_s=granted_s,
        price=price,
        refused=refused,
        posted=posted,
        held=held,
        purses=Purses(purses.account, *after, purses.funded),
        limit_holds=limit_holds,
    )


def _decide_columns(
    asks: Asks, purses: Purses, firsts: Int64s, counts: Int64s
) -> tuple[Int64s, Int64s, Flags]:
    """Decide as if nobody had a limit: right for an account that can pay all, or has one call."""
    allowed_s = np.minimum(asks.more_s, SECONDS_MAX)
    fits = _sums(_price(asks, allowed_s), firsts) <= purses.available
    least = rating_columns.affordable_s(
        asks.micros_per_minute,
        asks.free_s,
        paid_s=asks.paid_s,
        available=np.repeat(purses.available, counts),
        wanted_s=np.minimum(asks.least_s, allowed_s),
    )
    granted_s = np.where(np.repeat(fits, counts), allowed_s, least)
    cause = np.where(granted_s == allowed_s, _PAYER_LIMIT, _FUNDS)
    return granted_s, np.where(granted_s >= asks.least_s, 0, cause), fits


def _one_by_one(
    asks: Asks, fits: Flags, counts: Int64s, limits: Mapping[CallId, Sequence[Limit]]
) -> Flags:
    """Say which asks must be gone through in their order: all of an account, or none."""
    accounts = ~fits & (counts > 1)
    if limits:
        limited = np.isin(asks.call, np.fromiter(limits, np.int64, len(limits)))
        accounts |= np.isin(asks.account[asks.firsts], asks.account[limited])
    return np.repeat(accounts, counts)


class _Each:
    """Goes through asks one by one: what one takes, the next does not find."""

    def __init__(
        self, asks: Asks, available: Int64s, limits: Mapping[CallId, Sequence[Limit]]
    ) -> None:
        self._asks = asks
        self._available = available
        self._limits = limits
        self._held: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self.limit_holds: list[LimitHold] = []

    def decide(self, row: int) -> tuple[int, int]:
        """Return the seconds that one ask gets, and the place of its refusal."""
        ask = self._asks.one(row)
        held = self._held.get(ask.account, 0)
        tied = [
            replace(limit, room=limit.room - self._taken.get(limit.id, 0))
            for limit in self._limits.get(ask.call, ())
        ]
        granted_s, refusal = grant(ask, Micros(int(self._available[row]) - held), tied)
        rate = _rate(ask)
        price = price_of(rate, paid_s=ask.paid_s, more_s=granted_s)
        self._held[ask.account] = held + price
        if granted_s:  # negative: given back to a limit that was lowered
            for limit in tied:
                takes = limit.takes(rate, paid_s=ask.paid_s, more_s=granted_s)
                self._taken[limit.id] = self._taken.get(limit.id, 0) + takes
                self.limit_holds.append(LimitHold(call=ask.call, limit=limit.id, taken=takes))
        return granted_s, REFUSALS.index(refusal)


def tied_of(asks: Asks, limited: Collection[CallId]) -> list[CallId]:
    """Return those of the asking calls that are tied to limits, in the order of their asks."""
    if not limited:
        return []
    tied = np.isin(asks.call, np.fromiter(limited, np.int64, len(limited)))
    return [CallId(call) for call in asks.call[tied].tolist()]


def grant(ask: Ask, available: Micros, limits: Sequence[Limit]) -> tuple[int, Refusal | None]:
    """Say how many seconds an ask gets: the whole, else the least, else what fits of it.

    Fewer than none where a limit was lowered below what is held: those seconds are given back.
    """
    rate = _rate(ask)
    allowed_s = min(ask.more_s, SECONDS_MAX)
    if limits:
        excess_s = max(limit.excess_s(rate, paid_s=ask.paid_s) for limit in limits)
        if excess_s:
            return -min(excess_s, max(0, ask.paid_s - ask.keep_s)), Refusal.PAYER_LIMIT
        allowed_s = least_s(limits, rate, paid_s=ask.paid_s, wanted_s=ask.more_s)
    if price_of(rate, paid_s=ask.paid_s, more_s=allowed_s) <= available:
        granted_s = allowed_s
    else:
        granted_s = affordable_s(
            rate,
            paid_s=ask.paid_s,
            available=available,
            wanted_s=min(ask.least_s, allowed_s),
        )
    if granted_s >= ask.least_s:
        return granted_s, None
    return granted_s, Refusal.PAYER_LIMIT if granted_s == allowed_s else Refusal.FUNDS


def moved(purse: Purse, posted: int, held: int) -> Purse:
    """Return a purse after so much was posted and so much more held."""
    return Purse(
        posted=Micros(purse.posted - posted),
        held=Micros(purse.held - posted + held),
        floor=purse.floor,
        funded=purse.funded,
    )


def _price(asks: Asks, more_s: Int64s) -> Int64s:
    """What so many seconds more cost, ask by ask."""
    rate, free_s = asks.micros_per_minute, asks.free_s
    whole = rating_columns.charge(rate, free_s, asks.paid_s + more_s)
    return whole - rating_columns.charge(rate, free_s, asks.paid_s)


def _sums(column: Int64s, firsts: Int64s) -> Int64s:
    """Add a column of asks up, account by account."""
    return np.add.reduceat(column, firsts) if len(firsts) else column[:0]


def _rate(ask: Ask) -> Rate:
    return _rate_of(ask.micros_per_minute, ask.free_s)


@lru_cache(maxsize=4_096)
def _rate_of(micros_per_minute: Micros, free_s: int) -> Rate:
    """One rate for each price: there are few, and twenty thousand asks a second."""
    return Rate(micros_per_minute=micros_per_minute, free_s=free_s)
