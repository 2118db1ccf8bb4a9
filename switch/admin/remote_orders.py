"""What a command by MQTT may do: the same deeds as at the desk, for one facility's own rows."""

import msgspec

from switch.admin.command import Board
from switch.errors import UserError
from switch.ids import CallId, FacilityId, TerminalId
from switch.store import house_rows
from switch.store.engine import Store, driver
from switch.store.house_store import HouseStore, known_terminal


class RemoteOrders:
    """Carries orders out; refuses what belongs to another facility.

    Args:
        houses: the directory of this process.
    """

    def __init__(self, board: Board, store: Store, houses: HouseStore) -> None:
        self._board = board
        self._store = store
        self._houses = houses

    async def hang_up(self, call: CallId, *, site: FacilityId, by: str, why: str) -> None:
        """End a call of that facility at once."""
        rows = [row for row in self._board.live_calls() if row["call"] == call]
        if not rows or rows[0]["facility"] != site:
            raise UserError(f"No call {call} is live at {site}.")
        await self._board.cut(call, by=by, why=why, disable_terminal_s=0, block=False)

    async def lock(
        self, terminal: TerminalId, *, site: FacilityId, locked: bool, by: str, why: str
    ) -> None:
        """Turn a terminal of that facility off or on; who and why go to the audit trail."""
        found = known_terminal(self._houses.house, terminal)
        if found.facility != site:
            raise UserError(f"There is no terminal {terminal} at {site} (asked by {by}: {why}).")
        changed = msgspec.structs.replace(found, enabled=not locked)
        await self._store.write(lambda c: house_rows.put(driver(c), changed))
        await self._board.house_changed()
