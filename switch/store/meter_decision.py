"""Who of a beat is granted how many seconds: the same for every database. Pure.

The purses and limits come in as they stand under the lock; what is to be written comes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import msgspec

from switch.billing.beat import Ask
from switch.billing.horizon import affordable_s, price_of
from switch.billing.ledger import Purse, Refusal
from switch.billing.rating import SECONDS_MAX, Rate
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store.account_limits import Limit, least_s


class Grant(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one ask got."""

    ask: Ask
    seconds: int
    price: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHold:
    """What one call holds more of one limit."""

    call: CallId
    limit: int
    taken: int


@dataclass(slots=True)
class Decided:
    """Who is granted what, and what stands on the accounts afterwards."""

    grants: list[Grant] = field(default_factory=list)
    refused: dict[CallId, Refusal] = field(default_factory=dict)
    purses: dict[AccountId, Purse] = field(default_factory=dict)
    by_account: dict[AccountId, tuple[int, int]] = field(default_factory=dict)
    """What is posted and what is held more."""
    limit_holds: list[LimitHold] = field(default_factory=list)

    @property
    def posted(self) -> int:
        """What flies in all."""
        return sum(posted for posted, _ in self.by_account.values())


def decide(
    asks: Iterable[Ask],
    *,
    purses: Mapping[AccountId, Purse],
    limits: Mapping[CallId, Sequence[Limit]],
) -> Decided:
    """Go through the asks in their order and grant what fits.

    Args:
        asks: account by account, the cheapest first.
        purses: every account that is asked.
        limits: of the calls that are tied to some.
    """
    decided = Decided()
    taken: dict[int, int] = {}
    for ask in asks:
        posted, held = decided.by_account.get(ask.account, (0, 0))
        available = Micros(purses[ask.account].available - held)
        tied = [
            replace(limit, room=limit.room - taken.get(limit.id, 0))
            for limit in (limits.get(ask.call, ()) if limits else ())
        ]
        granted_s, refusal = grant(ask, available, tied)
        rate = _rate(ask)
        price = price_of(rate, paid_s=ask.paid_s, more_s=granted_s)
        if granted_s:  # negative: given back to a limit that was lowered
            for limit in tied:
                takes = limit.takes(rate, paid_s=ask.paid_s, more_s=granted_s)
                taken[limit.id] = taken.get(limit.id, 0) + takes
                decided.limit_holds.append(LimitHold(call=ask.call, limit=limit.id, taken=takes))
        if refusal is not None:
            decided.refused[ask.call] = refusal
        decided.grants.append(Grant(ask=ask, seconds=granted_s, price=price))
        decided.by_account[ask.account] = (posted + ask.post, held + price)
    decided.purses = {
        account: moved(purses[account], posted, held)
        for account, (posted, held) in decided.by_account.items()
    }
    return decided


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


def _rate(ask: Ask) -> Rate:
    return _rate_of(ask.micros_per_minute, ask.free_s)


@lru_cache(maxsize=4_096)
def _rate_of(micros_per_minute: Micros, free_s: int) -> Rate:
    """One rate for each price: there are few, and twenty thousand asks a second."""
    return Rate(micros_per_minute=micros_per_minute, free_s=free_s)
