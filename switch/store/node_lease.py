"""Leases of nodes that meter on one PostgreSQL: renewed, run out, taken over. Inside a deed.

Every time here is the database's: the clocks of two machines are never compared.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from switch.store.meter_statements import LEASE_S
from switch.store.vault import Raw

NOW: Final = "extract(epoch FROM clock_timestamp())"
REAPED: Final = "reaped"
"""The boot id of a node whose meters a survivor settled. No machine has it."""

_RENEW: Final = f"""
UPDATE node SET lease_until = {NOW} + ?::double precision
 WHERE id = ? AND epoch = ? AND boot_id <> '{REAPED}'
"""  # noqa: S608 - constants only
_BOOT: Final = "SELECT boot_id FROM node WHERE id = ?"
_OVER: Final = f"""
SELECT id FROM node n WHERE id <> ? AND lease_until < {NOW}
   AND EXISTS (SELECT 1 FROM meter m WHERE m.node = n.id AND m.state IN ('RESERVED', 'LIVE'))
 ORDER BY id FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants only
_TAKE: Final = f"UPDATE node SET epoch = epoch + 1, boot_id = '{REAPED}' WHERE id = ?"  # noqa: S608
_ADOPT: Final = """
UPDATE meter SET epoch = (SELECT epoch FROM node WHERE id = :node)
 WHERE node = :node AND state IN ('RESERVED', 'LIVE')
"""


class Lease(Enum):
    """What became of a renewal."""

    HELD = "held"
    REAPED = "reaped"
    """A survivor thought us dead and settled our meters. We may begin again."""
    TAKEN = "taken"
    """Another process begins under our name. It has the node; we do not."""


@dataclass(frozen=True, slots=True)
class NodeEpoch:
    """Who we are to the database."""

    node: str
    epoch: int


def renew(raw: Raw, own: NodeEpoch) -> Lease:
    """Keep a node's lease for `LEASE_S` more."""
    if raw.execute(_RENEW, (LEASE_S, own.node, own.epoch)).rowcount == 1:
        return Lease.HELD
    row = raw.execute(_BOOT, (own.node,)).fetchone()
    return Lease.REAPED if row is not None and row[0] == REAPED else Lease.TAKEN


def take_over(raw: Raw, own: NodeEpoch) -> list[str]:
    """Fence off every node whose lease is over; return those whose meters are now ours to settle.

    A node that another survivor is just taking is left to it.
    """
    dead = [str(row[0]) for row in raw.execute(_OVER, (own.node,)).fetchall()]
    for node in dead:
        raw.execute(_TAKE, (node,))
        raw.execute(_ADOPT, {"node": node})
    return dead
