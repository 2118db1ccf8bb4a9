"""The switchboard as the live page sees it."""

from typing import Any

from switch.call.switchboard.board import Switchboard


class BoardView:
    """A LiveView of the running switchboard.

    Args:
        board: the switchboard of this process.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def live_calls(self) -> list[dict[str, Any]]:
        """See LiveView."""
        return self._board.live_calls()

    def trunks(self) -> list[dict[str, Any]]:
        """See LiveView."""
        return self._board.trunk_rows()

    def workers(self) -> list[dict[str, Any]]:
        """See LiveView."""
        return self._board.worker_rows()

    def is_draining(self) -> bool:
        """See LiveView."""
        return self._board.draining

    def register_fault(self) -> str:
        """See LiveView."""
        return self._board.register_fault()

    async def cut(
        self, call: int, *, by: str, why: str, disable_terminal_s: int = 0, block: bool = False
    ) -> None:
        """See LiveView."""
        await self._board.cut(
            call, by=by, why=why, disable_terminal_s=disable_terminal_s, block=block
        )
