"""Lockdowns and maintenance: given, in force, lifted; all of them stay written. Inside a deed."""

import sqlite3
from typing import Any, Final

import msgspec

from switch.errors import UserError
from switch.screening.facts import HouseOrder
from switch.store import house_rows

_COLUMNS: Final = "id, kind, level, target, way, spares, by, why, at"
_LIVE: Final = f"SELECT {_COLUMNS} FROM house_order WHERE lifted_at IS NULL ORDER BY id"  # noqa: S608 - columns only
_ALL: Final = f"""
SELECT {_COLUMNS}, lifted_at, lifted_by, lifted_why FROM house_order ORDER BY id DESC LIMIT ?
"""  # noqa: S608 - columns only
_GIVE: Final = """
INSERT INTO house_order (kind, level, target, way, spares, by, why, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_LIFT: Final = """
UPDATE house_order SET lifted_at = ?, lifted_by = ?, lifted_why = ?
 WHERE id = ? AND lifted_at IS NULL
"""


def in_force(raw: sqlite3.Connection) -> list[HouseOrder]:
    """Return the orders in force, the oldest first."""
    return [_order(row) for row in raw.execute(_LIVE)]


def logged(raw: sqlite3.Connection, *, rows_max: int = 100) -> list[dict[str, Any]]:
    """Return orders with who lifted them and why, the youngest first."""
    return [
        {
            **msgspec.to_builtins(_order(row[:9])),
            "lifted_at": row[9],
            "lifted_by": row[10],
            "lifted_why": row[11],
        }
        for row in raw.execute(_ALL, (rows_max,))
    ]


def give(raw: sqlite3.Connection, order: HouseOrder) -> HouseOrder:
    """Give an order; its id comes back in it.

    Raises:
        UserError: nobody says why.
    """
    if not order.why.strip():
        raise UserError("Say why: an order needs a reason.")
    spares = ",".join(order.spares)
    row = (order.kind, order.level, order.target, order.way, spares)
    (id_,) = raw.execute(_GIVE, (*row, order.by, order.why, order.at)).fetchone()
    house_rows.touch(raw)
    return msgspec.structs.replace(order, id=id_)


def lift(raw: sqlite3.Connection, order: int, *, by: str, why: str, at: float) -> None:
    """Lift an order.

    Raises:
        UserError: it is not in force.
    """
    if raw.execute(_LIFT, (at, by, why, order)).rowcount == 0:
        raise UserError(f"Order {order} is not in force. `kinline lockdown list` shows all.")
    house_rows.touch(raw)


def _order(row: tuple[Any, ...]) -> HouseOrder:
    id_, kind, level, target, way, spares, by, why, at = row
    fields = {
        "id": id_,
        "kind": kind,
        "level": level,
        "target": target,
        "way": way,
        "spares": [spared for spared in spares.split(",") if spared],
        "by": by,
        "why": why,
        "at": at,
    }
    return msgspec.convert(fields, HouseOrder)
