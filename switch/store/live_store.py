"""The calls that talk right now, as another process must know them to end them rightly."""

from typing import Any, Final

import msgspec

from switch.ids import CallId
from switch.sip.dialog import DialogRecord
from switch.store.engine import Store, driver

_PUT: Final = """
INSERT INTO live_call (call_id, node, body) VALUES (?, ?, ?)
ON CONFLICT (call_id) DO UPDATE SET body = excluded.body
"""


class LiveCall(msgspec.Struct, frozen=True, kw_only=True):
    """One bridged call."""

    call: CallId
    dialogs: dict[str, DialogRecord]
    """Of side `a` and `b`."""
    record: dict[str, Any]
    """What the record has so far, by field."""


class LiveStore:
    """Live calls of one node.

    Args:
        store: the open database.
        node: which switch they are on.
    """

    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node

    async def put(self, live: LiveCall) -> None:
        """Write a call down; written before, it is replaced."""
        row = (live.call, self._node, msgspec.json.encode(live).decode())
        await self._store.write(lambda c: driver(c).execute(_PUT, row))

    async def drop(self, call: CallId) -> None:
        """Forget a call that is over and has its record."""
        await self._store.write(
            lambda c: driver(c).execute("DELETE FROM live_call WHERE call_id = ?", (call,))
        )

    async def every(self) -> list[LiveCall]:
        """Return those that a former process left."""
        query = "SELECT body FROM live_call WHERE node = ? ORDER BY call_id"
        rows = await self._store.read(lambda c: driver(c).execute(query, (self._node,)).fetchall())
        return [msgspec.json.decode(body, type=LiveCall) for (body,) in rows]
