"""Calls that are refused before they have a driver: above the limit, or while the switch drains.

Each is answered at once with 503 and leaves a record, but keeps nothing else. The records wait in
a queue of fixed length and are written at a fixed pace; what a flood brings beyond that is
answered all the same, and counted.
"""

import asyncio
import logging
from collections import Counter, deque
from typing import Any, Final

from switch.billing.cdr import CallRecord, Cdr
from switch.call.effects import CallState
from switch.call.news import CallEndedNews, PolicyNews
from switch.call.switchboard.retry_after import retry_after_header
from switch.call.switchboard.rooms import Rooms
from switch.errors import StoreError
from switch.ids import leg_id
from switch.routing.terminal import Terminal
from switch.screening.permit import Denied
from switch.screening.reasons import DENY_STATUS
from switch.sip.events import InviteReceived
from switch.sip.headers import build_reason
from switch.store.record_store import RecordStore

WAITING_MAX: Final = 256
"""Records that may wait to be written. Chosen: a busy hour's worth of callers at one site."""

BATCH_MAX: Final = 64
PACE_S: Final = 1.0
"""At most so many records in each such time. Chosen: the calls in progress need the writer."""

log = logging.getLogger(__name__)


class TurnedAway:
    """Answers, and remembers what it may.

    Args:
        group: where the task lives that writes, as long as there is something to write.
    """

    def __init__(self, rooms: Rooms, group: asyncio.TaskGroup) -> None:
        self.counts: Counter[str] = Counter()
        """How many were refused, by reason."""
        self.unwritten = 0
        """Refused without a record: the queue was full, or the store did not take it."""
        self._rooms = rooms
        self._group = group
        self._waiting: deque[tuple[CallRecord, Cdr]] = deque()
        self._writer: asyncio.Task[None] | None = None

    def refuse(self, event: InviteReceived, terminal: Terminal, denied: Denied) -> None:
        """Answer an INVITE with the status of the reason and note it down."""
        rooms, reason = self._rooms, denied.reason
        status = DENY_STATUS[reason]
        headers = (
            ("Reason", build_reason(status.q850, reason.value)),
            retry_after_header(rooms.random),
        )
        effects = rooms.stack.respond(
            event.dialog, status.sip, headers=headers, now=rooms.clock.monotonic()
        )
        rooms.pump.apply(effects)
        self.counts[reason.value] += 1
        if len(self._waiting) >= WAITING_MAX:
            self.unwritten += 1
            return
        self._waiting.append(self._record(event, terminal, denied))
        if self._writer is None or self._writer.done():
            self._writer = self._group.create_task(self._write(), name="turned away")

    def _record(
        self, event: InviteReceived, terminal: Terminal, denied: Denied
    ) -> tuple[CallRecord, Cdr]:
        rooms, request = self._rooms, event.request
        reason = denied.reason
        at, status = rooms.clock.wall(), DENY_STATUS[reason]
        call = rooms.ids.take(wall=at)
        record = CallRecord(
            call_id=call,
            facility=terminal.facility,
            unit=terminal.unit,
            terminal=terminal.id,
            off_hook_at=at,
            closing_done_at=at,
            reason=reason.value,
            refusal_detail=denied.detail,
            phase=CallState.OFF_HOOK.value,
            released_by="switch",
            node=rooms.node,
            switch_version=rooms.version,
        )
        cdr = Cdr(
            leg_id=leg_id(call, is_b=False),
            call_id=call,
            side="a",
            trunk_or_terminal=terminal.id,
            from_uri=request.headers.get("from") or "",
            to_uri=request.uri,
            sip_call_id=request.headers.get("call-id") or "",
            status=status.sip,
            cause=status.q850,
            started_at=at,
            released_at=at,
        )
        return record, cdr

    async def _write(self) -> None:
        """Write what waits, at most a batch each second."""
        while self._waiting:
            for _ in range(min(BATCH_MAX, len(self._waiting))):
                record, cdr = self._waiting.popleft()
                try:
                    await RecordStore(self._rooms.store).save(record, [cdr])
                except StoreError as error:
                    self.unwritten += 1
                    log.error("a refused call has no record: %s", error)  # noqa: TRY400
                    continue
                self._tell(record)
            if self._waiting:
                await asyncio.sleep(PACE_S)

    def _tell(self, record: CallRecord) -> None:
        common: dict[str, Any] = {
            "call": record.call_id,
            "facility": record.facility,
            "at_wall": record.off_hook_at,
        }
        publish = self._rooms.publisher.publish_nowait
        publish(
            PolicyNews(
                kind="refusal",
                code=record.reason,
                tier="",
                detail={"released_by": record.released_by},
                **common,
            )
        )
        publish(
            CallEndedNews(
                reason=record.reason, talked_s=0, charge_micros=0, setup_s=None, trunk="", **common
            )
        )
