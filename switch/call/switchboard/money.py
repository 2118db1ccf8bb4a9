"""The money of one call: reserved before it rings, metered while it talks, settled once."""

import asyncio
import logging
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
from switch.errors import ConnectionLostError, LocalError, StoreError
from switch.ids import CallId
from switch.media.messages import CallEnded
from switch.money import Micros
from switch.screening.reasons import DenyReason

ZERO: Final = Micros(0)

SETTLE_AGAIN_S: Final = 1.0
SETTLE_TRIES_MAX: Final = 600
"""How often a ledger that is away is asked to settle. Chosen: ten minutes and more; what is not
settled then, the next start settles."""

log = logging.getLogger(__name__)

NOT_HELD: Final = {
    ReserveResult.PAYER_LIMIT: DenyReason.PAYER_LIMIT,
    ReserveResult.NO_FUNDS: DenyReason.NO_FUNDS,
    ReserveResult.NODE_FENCED: DenyReason.MAINTENANCE,
    ReserveResult.ACCOUNT_UNKNOWN: DenyReason.NO_PAYER,
    ReserveResult.ACCOUNT_CLOSED: DenyReason.NO_PAYER,
    ReserveResult.CURRENCY_DIFFERS: DenyReason.NO_RATE,
    ReserveResult.CALL_ENDED: DenyReason.MAINTENANCE,
    ReserveResult.NODE_FENCED: DenyReason.MAINTENANCE,
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
        self._may_be_metered = False
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
            try:
                answer = await self._rooms.meters.reserve(
                    self._call,
                    permit.account,
                    permit.quote,
                    facility=self._people.terminal.facility,
                    scopes=self._people.scopes,
                )
            except StoreError as error:
                log.warning("call %d: nothing can be held: %s", self._call, error)
                self._may_be_metered = True  # the line may have broken after the commit
                reason, now = DenyReason.MAINTENANCE, clock.monotonic()
                return script.reserved(ok=False, seconds=0, reason=reason, now=now)
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

    @property
    def is_metered(self) -> bool:
        """Whether somebody pays by the second."""
        return self._is_metered

    def parted(self, ended: CallEnded) -> None:
        """The legs were parted: count the seconds, and know why if the money ended it."""
        if not self._is_metered or self._call not in self._rooms.book:
            return
        self.cut_cause = self._rooms.book.cut_cause(self._call)
        self._seconds = self._rooms.book.ended(self._call, ended_at=ended.ended_at)

    async def settle(self, reason: EndReason | DenyReason, ended: CallEnded | None) -> Settled:
        """Take what was talked, give the rest and the credit back. Idempotent.

        While the ledger is away it is asked again and again; the legs are parted long since.
        """
        for _ in range(SETTLE_TRIES_MAX):
            try:
                return await self._settle(reason, ended)
            except ConnectionLostError as error:
                log.warning("call %d waits to be settled: %s", self._call, error)
                await asyncio.sleep(SETTLE_AGAIN_S)
        return await self._settle(reason, ended)

    async def _settle(self, reason: EndReason | DenyReason, ended: CallEnded | None) -> Settled:
        nothing = Settled(
            call=self._call,
            seconds=0,
            charged=ZERO,
            taxes=ZERO,
            credited=ZERO,
            credits=(),
            postings=(),
        )
        if not self._is_metered:
            return await self._void_what_may_be() or nothing
        if ended is None:
            if self._call in self._rooms.book:
                self._rooms.book.ended(self._call, ended_at=self._rooms.clock.monotonic())
            return await self._rooms.meters.void(self._call)
        credit = CREDIT_OF_REASON.get(reason.value, Credit.FREE)
        return await self._rooms.meters.settle(
            self._call, seconds=self._seconds, credit=credit, ended=ended
        )

    async def _void_what_may_be(self) -> Settled | None:
        """Give back what a reserve may have held, whose answer never came."""
        if not self._may_be_metered:
            return None
        try:
            return await self._rooms.meters.void(self._call)
        except LocalError:
            return None  # it was not held
