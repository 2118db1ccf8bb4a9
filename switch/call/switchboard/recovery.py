"""After a crash of control: what the former process left is ended rightly, before new calls come.

The workers outlived it: they kept the sound going up to `paid_until`, and know when each call
ended. Both sides of every call are released, its meter is settled for the seconds that were
talked, the record is written. Where no worker knows the call, the meter as written decides, so
that at most one second is lost, always ours.
"""

import logging
from collections.abc import Iterable, Mapping

from switch.billing.beat import MeterRow
from switch.billing.cdr import CallRecord
from switch.billing.credit import CREDIT_OF_REASON
from switch.billing.ledger import Settled
from switch.billing.rating import to_ns, whole_seconds
from switch.call.cause import EndReason, cause_of
from switch.call.switchboard.rooms import Rooms
from switch.ids import CallId
from switch.media.messages import CallEnded
from switch.media.plane_counts import Surviving
from switch.sip.headers import build_reason
from switch.store.live_store import LiveCall, LiveStore
from switch.store.record_store import RecordStore

log = logging.getLogger(__name__)


class Recovery:
    """Ends what a former control process left.

    Args:
        surviving: the calls that the workers still know.
    """

    def __init__(self, rooms: Rooms, surviving: Iterable[Surviving]) -> None:
        self._rooms = rooms
        self._live = LiveStore(rooms.store, rooms.node)
        self._surviving: Mapping[CallId, Surviving] = {s.call: s for s in surviving}

    async def run(self) -> int:
        """End every call of the former process; return how many there were."""
        rows = {row.call: row for row in await self._rooms.meters.unsettled(self._rooms.node)}
        lives = {live.call: live for live in await self._live.every()}
        calls = sorted({*rows, *lives, *self._surviving})
        for call in calls:
            await self._end(call, rows.get(call), lives.get(call))
        if calls:
            log.warning("%d calls of a former process were ended and settled", len(calls))
        return len(calls)

    async def _end(self, call: CallId, row: MeterRow | None, live: LiveCall | None) -> None:
        surviving = self._surviving.get(call)
        now = self._rooms.clock.monotonic()
        if surviving is not None:
            self._rooms.plane.part(call)
            for leg in surviving.legs:
                self._rooms.plane.close_leg(leg)
        reason = await self._reason(row, surviving)
        if live is not None:
            self._release(live, reason, now)
        settled: Settled | None
        if row is not None:
            settled = await self._settle(row, surviving, reason, now)
        else:  # a survivor has done it, or we had, just before the end
            settled = await self._rooms.meters.told(call)
        if live is not None:
            talked_s = _talked_s(row, surviving, now)
            ended_at = surviving.ended_at if surviving is not None else None
            ago_s = now - ended_at if ended_at is not None else 0.0
            await self._write(live, settled, reason, talked_s=talked_s, ago_s=ago_s)
            await self._live.drop(call)

    async def _reason(self, row: MeterRow | None, surviving: Surviving | None) -> EndReason:
        """The worker cut it, and the account has nothing left: money. Else it was our failure."""
        if row is None or surviving is None or not surviving.by_paid_until:
            return EndReason.SWITCH_FAILURE
        quote = await self._rooms.meters.quote(row.quote_id)
        purse = await self._rooms.meters.balance(row.account)
        is_spent = purse.available * 60 < quote.micros_per_minute
        return EndReason.FUNDS if is_spent else EndReason.METERING_LOST

    def _release(self, live: LiveCall, reason: EndReason, now: float) -> None:
        stack, pump = self._rooms.stack, self._rooms.pump
        for side, record in live.dialogs.items():
            text = build_reason(cause_of(reason), reason.value) if side == "a" else ""
            dialog = stack.adopt(record, now=now)
            pump.apply(stack.bye(dialog, reason=text, now=now))

    async def _settle(
        self, row: MeterRow, surviving: Surviving | None, reason: EndReason, now: float
    ) -> Settled:
        if row.bridged_ns is None and (surviving is None or surviving.bridged_at is None):
            return await self._rooms.meters.void(row.call)
        seconds = row.seq
        ended = None
        if surviving is not None and surviving.bridged_at is not None:
            ended_at = surviving.ended_at if surviving.ended_at is not None else now
            seconds = whole_seconds(to_ns(ended_at) - to_ns(surviving.bridged_at))
            ended = CallEnded(
                row.call,
                ended_at,
                by_paid_until=surviving.by_paid_until,
                last_both_heard_at=surviving.last_both_heard_at,
            )
        credit = CREDIT_OF_REASON[reason.value]
        return await self._rooms.meters.settle(
            row.call, seconds=min(seconds, row.paid_s), credit=credit, ended=ended
        )

    async def _write(
        self,
        live: LiveCall,
        settled: Settled | None,
        reason: EndReason,
        *,
        talked_s: float,
        ago_s: float,
    ) -> None:
        fields = dict(live.record)
        fields.setdefault("ended_at", self._rooms.clock.wall() - ago_s)
        fields |= {
            "call_id": live.call,
            "reason": reason.value,
            "phase": "talking",
            "released_by": "switch",
            "talked_s": round(talked_s, 6),
            "node": self._rooms.node,
            "switch_version": self._rooms.version,
        }
        if settled is not None:
            fields |= {
                "charge": settled.charged,
                "taxes": settled.taxes,
                "credits": settled.credits,
                "postings": settled.postings,
            }
        await RecordStore(self._rooms.store).save(CallRecord(**fields), [])


def _talked_s(row: MeterRow | None, surviving: Surviving | None, now: float) -> float:
    if surviving is not None and surviving.bridged_at is not None:
        ended_at = surviving.ended_at if surviving.ended_at is not None else now
        return max(0.0, ended_at - surviving.bridged_at)
    return float(row.seq) if row is not None else 0.0
