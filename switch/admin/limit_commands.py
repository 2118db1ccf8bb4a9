"""`kinline limit …`: the most that a payer, a person, a number or an agency may use of a period."""

from collections.abc import Mapping
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import open_house, option, whole_number
from switch.admin.money_text import dollars_of, micros_of
from switch.errors import UserError
from switch.ids import AccountId, FacilityId
from switch.store import account_limits, house_people, ledger_statements
from switch.store.account_limits import LimitRow, Period, Scope
from switch.store.engine import driver
from switch.store.house_clock import utc_text
from switch.store.vault import Raw

Given = Mapping[str, Any]

SCOPES: Final = ("account", "contact", "person", "agency")
SETTERS: Final = ("payer", "facility", "agency")
"""Whose limit it is; each has their own, and the smallest counts."""

DOLLARS_MAX: Final = 100_000
"""Chosen: above any month of any account."""

MINUTES_MAX: Final = 44_640
"""The minutes of a month of 31 days."""


async def _set(desk: Desk, given: Given) -> dict[str, Any]:
    scope = await _scope(desk, given)
    unit, cap = _cap(given["most"])
    zone = given["zone"] or await _zone(desk, scope)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"--zone: {zone!r} is no time zone (allowed: like America/Denver)"
        ) from None
    key = {"set_by": given["by"], "unit": unit, "period": given["period"]}
    at = desk.clock.wall()

    def deed(raw: Raw) -> tuple[LimitRow | None, LimitRow | None]:
        old = account_limits.find(raw, scope, **key, at=at)
        account_limits.set_limit(raw, scope, **key, cap=cap, zone=zone, at=at)
        return old, account_limits.find(raw, scope, **key, at=at)

    old, fresh = await desk.vault.write(deed)
    assert fresh is not None
    return {
        "scope": scope.scope,
        "id": scope.id,
        "before": _view(old) if old is not None else {},
        "after": _view(fresh),
    }


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    at = desk.clock.wall()
    rows = await desk.vault.read(
        lambda raw: account_limits.listed(
            raw, scope=given["scope"], id_=given["id"], at=at, rows_max=given["rows"]
        )
    )
    return [_view(row) for row in rows]


async def _remove(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()

    def deed(raw: Raw) -> LimitRow | None:
        old = account_limits.by_id(raw, given["limit"], at=at)
        account_limits.remove(raw, given["limit"])
        return old

    old = await desk.vault.write(deed)
    if old is None:
        raise UserError(f"There is no limit {given['limit']}. `kinline limit list` shows all.")
    return {"limit": given["limit"], "before": _view(old), "after": {}}


async def _scope(desk: Desk, given: Given) -> Scope:
    """Find what a limit is about; it must be there."""
    kind, id_ = given["scope"], given["id"]
    if kind == "contact":
        return Scope(scope=kind, id=whole_number(id_))
    if kind == "agency":
        house = await open_house(desk)
        if id_ not in house.house.agencies:
            known = ", ".join(sorted(house.house.agencies)) or "none yet"
            raise UserError(f"There is no agency {id_} (allowed: {known}).")
        return Scope(scope=kind, id=id_)
    if kind == "person":
        await desk.store.read(lambda c: house_people.known(driver(c), id_))
        return Scope(scope=kind, id=id_)
    account = None
    if id_.isdecimal():
        account = await desk.vault.read(
            lambda raw: ledger_statements.find(raw, AccountId(int(id_)))
        )
    if account is None:
        raise UserError(f"There is no account {id_}. `kinline account list` shows all.")
    return Scope(scope=kind, id=str(account.id))


def _cap(text: str) -> tuple[str, int]:
    """Read the most of a period: `20.00` dollars, or `60min`."""
    if text.endswith("min"):
        digits = text.removesuffix("min").strip()
        if not digits.isdecimal() or int(digits) > MINUTES_MAX:
            raise UserError(f"{text!r} is no limit (allowed: 0min to {MINUTES_MAX}min)")
        return "seconds", int(digits) * 60
    micros = micros_of(text)
    if not 0 <= micros <= DOLLARS_MAX * 1_000_000:
        raise UserError(f"{text!r} is no limit (allowed: 0 to {DOLLARS_MAX} dollars)")
    return "micros", micros


async def _zone(desk: Desk, scope: Scope) -> str:
    """Return the time zone of the facility that it belongs to; UTC if it belongs to none."""
    house = await open_house(desk)
    facility = ""
    if scope.scope == "person":
        person = await desk.store.read(lambda c: house_people.known(driver(c), scope.id))
        facility = person.facility
    if scope.scope == "account":
        account = await desk.vault.read(
            lambda raw: ledger_statements.find(raw, AccountId(int(scope.id)))
        )
        facility = account.facility if account is not None else ""
    return house.house.facility(FacilityId(facility)).zone


def _view(row: LimitRow) -> dict[str, Any]:
    shown = _minutes if row.unit == "seconds" else dollars_of
    return {
        "limit": row.id,
        "scope": row.scope.scope,
        "id": row.scope.id,
        "by": row.set_by,
        "most": shown(row.cap),
        "period": row.period,
        "used": shown(row.used),
        "held": shown(row.held),
        "left": shown(row.cap - row.used - row.held),
        "starts_again": utc_text(row.resets_at) if row.resets_at < account_limits.NEVER else "",
        "zone": row.zone,
    }


def _minutes(seconds: int) -> str:
    whole, rest = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{whole}min" + (f" {rest}s" if rest else "")


_SCOPE: Final = Argument(name="scope", help="what it is about", choices=SCOPES)
_WHY: Final = Argument(name="--why", help="the reason; kept for good")

LIMIT_COMMANDS: Final = (
    Command(
        noun="limit",
        verb="set",
        help="set or change a spending limit; a lowered one acts on calls in progress, too",
        arguments=(
            _SCOPE,
            Argument(name="id", help="the account's or person's id, the number, the agency"),
            Argument(name="--most", help="in dollars, like 20.00, or in minutes, like 60min"),
            option("--period", "of how long", default="month", choices=get_args(Period)),
            option("--by", "whose limit; each has their own", default="payer", choices=SETTERS),
            option("--zone", "in whose time it starts again; the facility's if not given"),
            _WHY,
        ),
        run=_set,
        examples=(
            'limit set account 3 --most 20.00 --period week --why "the payer asked"',
            'limit set person 123456 --most 60min --period day --by facility --why "sanction"',
        ),
    ),
    Command(
        noun="limit",
        verb="list",
        help="limits, with what is used, held and left of them",
        arguments=(
            option("--scope", "only these", choices=("", *SCOPES)),
            option("--id", "only of this one"),
            option("--rows", "at most so many", kind=int, default=200),
        ),
        run=_list,
    ),
    Command(
        noun="limit",
        verb="remove",
        help="end a limit, for calls in progress, too",
        arguments=(Argument(name="limit", help="its number, from `limit list`", kind=int), _WHY),
        run=_remove,
    ),
)
"""`kinline limit …`."""
