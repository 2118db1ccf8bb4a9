"""The money of one call: reserved before it rings, metered while it talks, settled once."""

from collections.abc import Awaitable, Callable
from typing import Final

from switch.billing.credit import CREDIT_OF_REASON, Credit
from switch.billing.ledger import Reserved, ReserveResult, Settled
from switch.billing.meter_news import CutCause
from switch.call import effects as fx
from switch.call.cause import EndReason
from switch.call.script import Script
from switch.call.switchboard.people import People
from switch.call.switchboard.rooms import Rooms
from switch.ids import CallId
from switch.media.messages import CallEnded
from switch.money import Micros
from switch.screening.reasons import DenyReason

ZERO: Final = Micros(0)

NOT_HELD: Final = {
    ReserveResult.PAYER_LIMIT: DenyReason.PAYER_LIMIT,
    ReserveResult.NO_FUNDS: DenyReason.NO_FUNDS,
    ReserveResult.ACCOUNT_UNKNOWN: DenyReason.NO_PAYER,
    ReserveResult.ACCOUNT_CLOSED: DenyReason.NO_PAYER,
    ReserveResult.CURRENCY_DIFFERS: DenyReason.NO_RATE,
    ReserveResult.CALL_ENDED: DenyReason.MAINTENANCE,
}
"""Why nothing is held for a call that screening let through: something came between."""


class CallMoney:
    """One call's meter, from its first reserve to its settlement.

    Args:
        people: knows the permit, once screening gave it.
    """

    def __init__(self, rooms: Rooms, call: CallId, people: People) -> None:
        self.cut_cause = CutCause.FUNDS
        self._rooms = rooms
        self._call = call
        self._people = people
        self._is_metered = False
        self._seconds = 0

    def reserve(
        self, script: Script
    ) -> Callable[[fx.Effect, float], Awaitable[list[fx.Effect] | None]]:
        """Return the deed that reserves the first money."""

        async def deed(_effect: fx.Effect, _now: float) -> list[fx.Effect]:
            permit = self._people.permit
            assert permit is not None
            clock = self._rooms.clock
            if permit.account is None or permit.quote is None:
                return script.reserved(ok=True, seconds=permit.limit_s, now=clock.monotonic())
            answer = await self._rooms.meters.reserve(
                self._call,
                permit.account,
                permit.quote,
                facility=self._people.terminal.facility,
                scopes=self._people.scopes,
            )
            now = clock.monotonic()
            if not isinstance(answer, Reserved):
                return script.reserved(ok=False, seconds=0, reason=NOT_HELD[answer], now=now)
            self._is_metered = True
            self._rooms.book.opened(
                self._call,
                permit.account,
                permit.quote,
                answer.paid_s,
                now=now,
                purse=answer.purse,
                refused=answer.refused,
            )
            book = self._rooms.book
            return script.reserved(
                ok=True,
                seconds=book.seconds_left(self._call),
                balance=book.balance(permit.account),
                now=now,
            )

        return deed

    def bridged(self, limit_s: int, now: float) -> float:
        """Start the seconds; return the first `paid_until`."""
        if self._is_metered:
            return self._rooms.book.bridged(self._call, at=now)
        return now + limit_s

    def parted(self, ended: CallEnded) -> None:
        """The legs were parted: count the seconds, and know why if the money ended it."""
        if not self._is_metered or self._call not in self._rooms.book:
            return
        self.cut_cause = self._rooms.book.cut_cause(self._call)
        self._seconds = self._rooms.book.ended(self._call, ended_at=ended.ended_at)

    async def settle(self, reason: EndReason | DenyReason, ended: CallEnded | None) -> Settled:
        """Take what was talked, give the rest and the credit back. Idempotent."""
        if not self._is_metered:
            return Settled(
                call=self._call,
                seconds=0,
                charged=ZERO,
                taxes=ZERO,
                credited=ZERO,
                credits=(),
                postings=(),
            )
        if ended is None:
            if self._call in self._rooms.book:
                self._rooms.book.ended(self._call, ended_at=self._rooms.clock.monotonic())
            return await self._rooms.meters.void(self._call)
        credit = CREDIT_OF_REASON.get(reason.value, Credit.FREE)
        return await self._rooms.meters.settle(
            self._call, seconds=self._seconds, credit=credit, ended=ended
        )
