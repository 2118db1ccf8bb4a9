"""Spending limits: what a payer, a facility or an agency allows for a day, a week, a month.

A limit is asked like an account, in the same transaction: what a live call holds counts against
it (M13). A lowered cap acts on the next second.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from switch.billing.horizon import affordable_s, price_of
from switch.billing.rating import SECONDS_MAX, Rate, charge, seconds_for
from switch.ids import CallId
from switch.money import Micros
from switch.store.vault import Raw

Period = Literal["day", "week", "month", "ever"]
"""Of how long a limit is, in the time of its zone."""

NEVER: Final = 1e12
"""When a limit without a period starts again: in the year 33658."""

Standing = tuple[int, int, str]
"""How many limits there are, the newest, and what it is about."""

_COLUMNS: Final = "b.id, b.unit, b.period, b.zone, b.resets_at, b.cap, b.used, b.held"
_OF_SCOPE: Final = f"SELECT {_COLUMNS} FROM budget b WHERE scope = ? AND scope_id = ? ORDER BY id"  # noqa: S608 - columns only
_OF_CALL: Final = f"""
SELECT {_COLUMNS} FROM meter_budget m JOIN budget b ON b.id = m.budget_id
 WHERE m.call_id = ? ORDER BY b.id
"""  # noqa: S608 - columns only
_ROLL: Final = "UPDATE budget SET used = 0, resets_at = ? WHERE id = ?"
_HOLD: Final = "UPDATE budget SET held = held + ? WHERE id = ?"
_TIE: Final = "INSERT OR IGNORE INTO meter_budget (call_id, budget_id, held) VALUES (?, ?, 0)"
_HOLD_OF: Final = "UPDATE meter_budget SET held = held + ? WHERE call_id = ? AND budget_id = ?"
_STANDING: Final = """
SELECT count(*), coalesce(max(id), 0),
       (SELECT scope || ' ' || scope_id || ' ' || set_by || ' ' || unit || ' ' || period
          FROM budget ORDER BY id DESC LIMIT 1)
  FROM budget
"""
_UNTIED: Final = """
SELECT m.call_id, b.id, b.unit, m.micros_per_minute, m.free_s, m.paid_s
  FROM json_each(?) j
  JOIN budget b ON b.scope = json_extract(j.value, '$[1]')
               AND b.scope_id = json_extract(j.value, '$[2]')
  JOIN meter m ON m.call_id = json_extract(j.value, '$[0]') AND m.state IN ('RESERVED', 'LIVE')
 WHERE NOT EXISTS (SELECT 1 FROM meter_budget t
                    WHERE t.call_id = m.call_id AND t.budget_id = b.id)
"""
_SETTLE: Final = """
UPDATE budget SET used = used + :spent, held = held -
  (SELECT held FROM meter_budget WHERE call_id = :call AND budget_id = :budget)
 WHERE id = :budget
"""
_UNTIE: Final = "UPDATE meter_budget SET held = 0 WHERE call_id = ? AND budget_id = ?"
_SET: Final = """
INSERT INTO budget (scope, scope_id, set_by, unit, period, zone, resets_at, cap)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (scope, scope_id, set_by, unit, period)
DO UPDATE SET cap = excluded.cap, zone = excluded.zone
"""


_ROWS: Final = f"SELECT {_COLUMNS}, b.scope, b.scope_id, b.set_by FROM budget b"  # noqa: S608 - columns only
_LISTED: Final = f"""
{_ROWS} WHERE (:scope = '' OR scope = :scope) AND (:id = '' OR scope_id = :id)
 ORDER BY scope, scope_id, id LIMIT :rows_max
"""
_BY_ID: Final = f"{_ROWS} WHERE id = ?"
_FIND: Final = f"""
{_ROWS} WHERE scope = ? AND scope_id = ? AND set_by = ? AND unit = ? AND period = ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a limit is about."""

    scope: str
    """`account`, `contact` (a number), `person` or `agency`."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit as it stands."""

    id: int
    unit: str
    """`micros` or `seconds`."""
    room: int
    """What may still be used or held; negative after a cap was lowered."""

    def fits_s(self, rate: Rate, *, paid_s: int, wanted_s: int) -> int:
        """How many of the wanted seconds it allows."""
        if self.unit == "seconds":
            return max(0, min(wanted_s, self.room))
        return affordable_s(rate, paid_s=paid_s, available=Micros(self.room), wanted_s=wanted_s)

    def excess_s(self, rate: Rate, *, paid_s: int) -> int:
        """How many of the paid seconds are more than it allows since it was lowered."""
        if self.room >= 0:
            return 0
        if self.unit == "seconds":
            return -self.room
        allowed = charge(rate, paid_s) + self.room
        return paid_s if allowed < 0 else max(0, paid_s - seconds_for(rate, Micros(allowed)))

    def takes(self, rate: Rate, *, paid_s: int, more_s: int) -> int:
        """What holding so many seconds takes of it."""
        return more_s if self.unit == "seconds" else price_of(rate, paid_s=paid_s, more_s=more_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit, with everything that staff see of it."""

    id: int
    scope: Scope
    set_by: str
    unit: str
    period: str
    zone: str
    resets_at: float
    cap: int
    used: int
    held: int


def listed(
    raw: Raw, *, scope: str = "", id_: str = "", at: float, rows_max: int = 200
) -> list[LimitRow]:
    """Return limits, a past period counted as empty."""
    key = {"scope": scope, "id": id_, "rows_max": rows_max}
    return [_row(row, at) for row in raw.execute(_LISTED, key)]


def by_id(raw: Raw, limit: int, *, at: float) -> LimitRow | None:
    """Return a limit by its number."""
    row = raw.execute(_BY_ID, (limit,)).fetchone()
    return None if row is None else _row(row, at)


def find(
    raw: Raw, scope: Scope, *, set_by: str, unit: str, period: str, at: float
) -> LimitRow | None:
    """Return a limit by what it is about."""
    row = raw.execute(_FIND, (scope.scope, scope.id, set_by, unit, period)).fetchone()
    return None if row is None else _row(row, at)


def remove(raw: Raw, limit: int) -> None:
    """End a limit; calls that were tied to it go on without it."""
    raw.execute("DELETE FROM meter_budget WHERE budget_id = ?", (limit,))
    raw.execute("DELETE FROM budget WHERE id = ?", (limit,))


def set_limit(
    raw: Raw,
    scope: Scope,
    *,
    set_by: str,
    unit: str,
    period: str,
    cap: int,
    zone: str,
    at: float,
) -> None:
    """Set or change a limit. Valid from the next second.

    Args:
        raw: the writer's connection.
        scope: what it is about.
        set_by: who sets it (`payer`, `facility`, …); each has their own.
        unit: `micros` or `seconds`.
        period: `day`, `week`, `month` or `ever`, in the time of `zone`.
        cap: the most of a period.
        zone: name of a time zone.
        at: wall time.
    """
    resets_at = next_period(period, zone, at)
    raw.execute(_SET, (scope.scope, scope.id, set_by, unit, period, zone, resets_at, cap))


def limits_of_scopes(raw: Raw, scopes: Sequence[Scope], *, at: float) -> list[Limit]:
    """Return every limit of these scopes, a past period counted as empty. Only looks."""
    rows = [row for s in scopes for row in raw.execute(_OF_SCOPE, (s.scope, s.id))]
    return [_limit(row, at) for row in rows]


def limits_of_call(raw: Raw, call: CallId, *, at: float) -> list[Limit]:
    """Return every limit that a live call is tied to."""
    return [_limit(row, at) for row in raw.execute(_OF_CALL, (call,))]


def standing(raw: Raw) -> Standing:
    """Return what changes when a limit is set for the first time, or ended. Cheap to ask."""
    count, last, key = raw.execute(_STANDING).fetchone()
    return count, last, key or ""


def tie_live(raw: Raw, scopes: Mapping[CallId, Sequence[Scope]], *, at: float) -> set[CallId]:
    """Tie live calls to limits that were set after they began; return which.

    What such a call has paid so far counts against the limit, as if it had stood from the start.
    """
    asked = json.dumps([(call, s.scope, s.id) for call, found in scopes.items() for s in found])
    rows = raw.execute(_UNTIED, (asked,)).fetchall()
    hold_more(raw, [first_hold(row) for row in rows], at=at)
    return {CallId(row[0]) for row in rows}


def first_hold(row: Sequence[Any]) -> tuple[CallId, int, int]:
    """Return what a call holds of a limit to which it is tied late: call, limit, how much.

    Args:
        row: call, limit, its unit; micros a minute, free seconds and paid seconds of the call.
    """
    call, limit, unit, micros_per_minute, free_s, paid_s = row
    rate = Rate(micros_per_minute=Micros(micros_per_minute), free_s=free_s)
    taken = Limit(id=limit, unit=unit, room=0).takes(rate, paid_s=0, more_s=paid_s)
    return CallId(call), limit, taken


def least_s(limits: Sequence[Limit], rate: Rate, *, paid_s: int, wanted_s: int) -> int:
    """How many of the wanted seconds all limits allow: the smallest answer wins."""
    fits = (limit.fits_s(rate, paid_s=paid_s, wanted_s=wanted_s) for limit in limits)
    return min(fits, default=min(wanted_s, SECONDS_MAX))


def hold(
    raw: Raw,
    call: CallId,
    limits: Sequence[Limit],
    rate: Rate,
    *,
    paid_s: int,
    more_s: int,
    at: float,
) -> None:
    """Hold so many seconds of a call against its limits."""
    taken = [(call, limit.id, limit.takes(rate, paid_s=paid_s, more_s=more_s)) for limit in limits]
    hold_more(raw, taken, at=at)


def hold_more(raw: Raw, holds: Sequence[tuple[CallId, int, int]], *, at: float) -> None:
    """Hold more for some calls against their limits: call, limit, and how much of it."""
    for call, limit, taken in holds:
        _roll_over(raw, limit, at=at)
        raw.execute(_HOLD, (taken, limit))
        raw.execute(_TIE, (call, limit))
        raw.execute(_HOLD_OF, (taken, call, limit))


def settle(raw: Raw, call: CallId, *, seconds: int, spent: Micros, at: float) -> None:
    """Turn what a call held against its limits into what it used."""
    for limit in limits_of_call(raw, call, at=at):
        _roll_over(raw, limit.id, at=at)
        used = seconds if limit.unit == "seconds" else spent
        raw.execute(_SETTLE, {"spent": used, "call": call, "budget": limit.id})
        raw.execute(_UNTIE, (call, limit.id))


def next_period(period: str, zone: str, at: float) -> float:
    """When the period that `at` lies in ends, in wall time."""
    midnight = (
        datetime.fromtimestamp(at, UTC)
        .astimezone(ZoneInfo(zone))
        .replace(hour=0, minute=0, second=0, microsecond=0)
    )
    match period:
        case "day":
            end = midnight + timedelta(days=1)
        case "week":
            end = midnight + timedelta(days=7 - midnight.weekday())
        case "month":
            end = (midnight.replace(day=28) + timedelta(days=4)).replace(day=1)
        case _:
            return NEVER
    return end.timestamp()


def _limit(row: tuple[int, str, str, str, float, int, int, int], at: float) -> Limit:
    id_, unit, _period, _zone, resets_at, cap, used, held = row
    return Limit(id=id_, unit=unit, room=cap - held - (used if at < resets_at else 0))


def _row(
    row: tuple[int, str, str, str, float, int, int, int, str, str, str], at: float
) -> LimitRow:
    id_, unit, period, zone, resets_at, cap, used, held, scope, scope_id, set_by = row
    is_over = at >= resets_at
    return LimitRow(
        id=id_,
        scope=Scope(scope=scope, id=scope_id),
        set_by=set_by,
        unit=unit,
        period=period,
        zone=zone,
        resets_at=next_period(period, zone, at) if is_over else resets_at,
        cap=cap,
        used=0 if is_over else used,
        held=held,
    )


def _roll_over(raw: Raw, budget: int, *, at: float) -> None:
    period, zone, resets_at = raw.execute(
        "SELECT period, zone, resets_at FROM budget WHERE id = ?", (budget,)
    ).fetchone()
    if at >= resets_at:
        raw.execute(_ROLL, (next_period(period, zone, at), budget))
