"""The ledger's statements on PostgreSQL: accounts, books, transfers, holds on limits.

Each runs inside a deed. Everybody locks accounts in ascending id order, in a statement of its own
(`lock`), and reads what it decides on under that lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from switch.billing.beat import Purses
from switch.billing.ledger import Account, Transfer
from switch.billing.rating_columns import Int64s
from switch.ids import AccountId, CallId
from switch.store.account_limits import Limit, Scope, Standing, first_hold, next_period
from switch.store.ledger_statements import account_of
from switch.store.postgres_link import Link

_COLUMNS: Final = "id, kind, owner, facility, currency, posted, held, floor, funded, state"
_LOCK: Final = f"""
SELECT {_COLUMNS} FROM account WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - columns only
_LOCK_PURSES: Final = """
SELECT array_agg(id), array_agg(posted), array_agg(available), array_agg(funded)
  FROM (SELECT id, posted, posted - held - coalesce(floor, 0) AS available, funded FROM account
         WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE) a
"""
_BOOK: Final = """
SELECT id FROM account
 WHERE kind = $1 AND owner = $2 AND facility = $3 AND currency = $4 AND floor IS NULL
"""
_OPEN_BOOK: Final = """
INSERT INTO account (kind, owner, facility, currency, floor, approves, opened_at)
VALUES ($1, $2, $3, $4, NULL, 'all', $5)
ON CONFLICT (kind, owner, facility, currency) WHERE floor IS NULL DO NOTHING
"""
_POST: Final = """
UPDATE account a SET posted = a.posted + t.amount, funded = a.funded + t.funded
  FROM (SELECT id, sum(amount)::bigint AS amount, sum(funded)::bigint AS funded
          FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(id, amount, funded)
         GROUP BY id) t
 WHERE a.id = t.id
"""
_LIMIT: Final = "b.id, b.unit, b.period, b.zone, b.resets_at, b.cap, b.used, b.held"
_OF_SCOPES: Final = f"""
SELECT {_LIMIT} FROM budget b
  JOIN unnest($1::text[], $2::text[]) AS s(scope, scope_id) USING (scope, scope_id)
 ORDER BY b.id
"""  # noqa: S608 - columns only
_OF_CALLS: Final = f"""
SELECT m.call_id, {_LIMIT} FROM meter_budget m JOIN budget b ON b.id = m.budget_id
 WHERE m.call_id = ANY($1::bigint[]) ORDER BY b.id
"""  # noqa: S608 - columns only
_ROLL: Final = "UPDATE budget SET used = 0, resets_at = $1 WHERE id = $2"
_HOLD: Final = "UPDATE budget SET held = held + $1 WHERE id = $2"
_TIE: Final = """
INSERT INTO meter_budget (call_id, budget_id, held) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING
"""
_HOLD_OF: Final = """
UPDATE meter_budget SET held = held + $1 WHERE call_id = $2 AND budget_id = $3
"""
_STANDING: Final = """
SELECT count(*), coalesce(max(id), 0),
       (SELECT concat_ws(' ', scope, scope_id, set_by, unit, period)
          FROM budget ORDER BY id DESC LIMIT 1)
  FROM budget
"""
_UNTIED: Final = """
SELECT m.call_id, b.id, b.unit, m.micros_per_minute, m.free_s, m.paid_s
  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS s(call_id, scope, scope_id)
  JOIN budget b USING (scope, scope_id)
  JOIN meter m ON m.call_id = s.call_id AND m.state IN ('RESERVED', 'LIVE')
 WHERE NOT EXISTS (SELECT 1 FROM meter_budget t
                    WHERE t.call_id = m.call_id AND t.budget_id = b.id)
 ORDER BY b.id, m.call_id FOR UPDATE OF m, b
"""
_SETTLE: Final = """
UPDATE budget b SET used = b.used + $1, held = b.held - m.held FROM meter_budget m
 WHERE b.id = $3 AND m.budget_id = b.id AND m.call_id = $2
"""
_UNTIE: Final = "UPDATE meter_budget SET held = 0 WHERE call_id = $1 AND budget_id = $2"


async def lock(link: Link, accounts: Collection[AccountId]) -> dict[AccountId, Account]:
    """Lock accounts in id order and return them as they stand under the lock."""
    rows = await link.fetch(_LOCK, sorted(accounts))
    return {AccountId(row[0]): account_of(tuple(row)) for row in rows}


async def lock_purses(link: Link, accounts: Int64s, book: AccountId) -> Purses:
    """Lock accounts and a book together, in id order; return the accounts as they stand.

    The answer is one row of arrays: a row for each of twenty thousand would cost as much again.
    """
    columns = await link.fetchrow(_LOCK_PURSES, np.union1d(accounts, [book]).tolist())
    every = Purses(*(np.array(column or (), np.int64) for column in columns))
    return every.only(np.isin(every.account, accounts))


async def book(
    link: Link, kind: str, *, currency: str, at: float, owner: str = "", facility: str = ""
) -> AccountId:
    """Return the one book of this kind and owner, opened if it is new. Not locked."""
    found = await link.fetchval(_BOOK, kind, owner, facility, currency)
    if found is None:
        await link.execute(_OPEN_BOOK, kind, owner, facility, currency, at)
        found = await link.fetchval(_BOOK, kind, owner, facility, currency)
    return AccountId(found)


def columns_of(rows: Sequence[Transfer], *, at: float) -> tuple[list[Any], ...]:
    """Return the columns of transfers, in the order of their table."""
    told = [(r.id, r.debit, r.credit, r.amount, r.code, r.ref, at, r.body_hash) for r in rows]
    return tuple(map(list, zip(*told, strict=True))) if told else ([],) * 8


async def post(link: Link, changes: Sequence[tuple[AccountId, int, int]]) -> None:
    """Change what stands on locked accounts: account, amount, and how much of it was paid in."""
    await link.execute(_POST, *(list(column) for column in zip(*changes, strict=True)))


# ---- limits


async def limits_of_scopes(
    link: Link, scopes: Iterable[Scope], *, at: float, locked: bool
) -> list[Limit]:
    """Return every limit of these scopes, a past period counted as empty."""
    pairs = [(scope.scope, scope.id) for scope in scopes]
    query = _OF_SCOPES + (" FOR UPDATE OF b" if locked else "")
    rows = await link.fetch(query, [p[0] for p in pairs], [p[1] for p in pairs])
    return [_limit(row, at) for row in rows]


async def limits_of_calls(
    link: Link, calls: Collection[CallId], *, at: float
) -> dict[CallId, list[Limit]]:
    """Lock and return every limit that these live calls are tied to."""
    found: dict[CallId, list[Limit]] = {}
    if calls:
        for call, *row in await link.fetch(_OF_CALLS + " FOR UPDATE OF b", sorted(calls)):
            found.setdefault(CallId(call), []).append(_limit(row, at))
    return found


async def hold_more(link: Link, holds: Sequence[tuple[CallId, int, int]], *, at: float) -> None:
    """Hold more for some calls against their limits: call, limit, and how much of it."""
    for call, limit, taken in holds:
        await _roll_over(link, limit, at=at)
        await link.execute(_HOLD, taken, limit)
        await link.execute(_TIE, call, limit)
        await link.execute(_HOLD_OF, taken, call, limit)


async def standing(link: Link) -> Standing:
    """Return what changes when a limit is set for the first time, or ended. Cheap to ask."""
    count, last, key = await link.fetchrow(_STANDING)
    return count, last, key or ""


async def tie_live(
    link: Link, scopes: Mapping[CallId, Sequence[Scope]], *, at: float
) -> set[CallId]:
    """Tie live calls to limits that were set after they began; return which."""
    asked = [(call, s.scope, s.id) for call, found in scopes.items() for s in found]
    if not asked:
        return set()
    rows = await link.fetch(_UNTIED, *map(list, zip(*asked, strict=True)))
    await hold_more(link, [first_hold(row) for row in rows], at=at)
    return {CallId(row[0]) for row in rows}


async def settle_limits(link: Link, call: CallId, *, seconds: int, spent: int, at: float) -> None:
    """Turn what a call held against its limits into what it used."""
    for limit in (await limits_of_calls(link, [call], at=at)).get(call, []):
        await _roll_over(link, limit.id, at=at)
        used = seconds if limit.unit == "seconds" else spent
        await link.execute(_SETTLE, used, call, limit.id)
        await link.execute(_UNTIE, call, limit.id)


def _limit(row: Any, at: float) -> Limit:  # noqa: ANN401 - a record
    id_, unit, _period, _zone, resets_at, cap, used, held = row
    return Limit(id=id_, unit=unit, room=cap - held - (used if at < resets_at else 0))


async def _roll_over(link: Link, budget: int, *, at: float) -> None:
    period, zone, resets_at = await link.fetchrow(
        "SELECT period, zone, resets_at FROM budget WHERE id = $1", budget
    )
    if at >= resets_at:
        await link.execute(_ROLL, next_period(period, zone, at), budget)
