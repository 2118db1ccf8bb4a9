"""This node's lease, and the calls of nodes that lost theirs. Only with the ledger on PostgreSQL.

A node renews its lease every few seconds. One whose lease is over is gone, or cut off: a survivor
raises its epoch, so that it can write nothing late, and settles its meters at the second that was
written, with the credit of a failure that was ours. Nobody reaps until it has itself renewed for
one whole lease: after an outage of the database everybody's lease is over.
"""

import asyncio
import logging
from typing import Final

from switch.billing.beat import MeterRow
from switch.billing.credit import CREDIT_OF_REASON
from switch.billing.meter import MeterBook
from switch.call.cause import EndReason
from switch.clock import Clock
from switch.errors import StoreError
from switch.store import node_lease
from switch.store.meter_statements import LEASE_S
from switch.store.meter_store import MeterStore
from switch.store.node_lease import Lease, NodeEpoch
from switch.store.vault import Vault

RENEW_S: Final = 3.0
"""Chosen: three tries in one lease."""

log = logging.getLogger(__name__)


class Leases:
    """Keeps the lease of one node, and ends what dead ones left.

    Args:
        vault: the ledger on PostgreSQL.
        meters: its meters.
        book: this node's live meters.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        vault: Vault,
        meters: MeterStore,
        book: MeterBook,
        *,
        clock: Clock,
    ) -> None:
        self.reaped = 0
        """Calls of other nodes that were settled here."""
        self.lease = Lease.HELD
        self._vault = vault
        self._meters = meters
        self._book = book
        self._clock = clock
        self._renewing_since: float | None = None

    async def run(self) -> None:
        """Renew and reap until cancelled."""
        while True:
            try:
                await self.turn()
            except StoreError as error:
                self._renewing_since = None
                log.warning("the lease of this node cannot be renewed: %s", error)
            await asyncio.sleep(RENEW_S)

    async def turn(self) -> None:
        """Renew once; reap if it is time.

        Raises:
            StoreError: the database is away.
        """
        own = self._own()
        self._note(await self._vault.write(lambda raw: node_lease.renew(raw, own)))
        if self.lease is Lease.REAPED and len(self._book) == 0:
            await self._begin_again()
        now = self._clock.monotonic()
        if self.lease is not Lease.HELD:
            self._renewing_since = None
            return
        if self._renewing_since is None:
            self._renewing_since = now
        if now - self._renewing_since >= LEASE_S:
            await self._reap()

    def _own(self) -> NodeEpoch:
        return NodeEpoch(self._meters.node, self._meters.epoch)

    def _note(self, lease: Lease) -> None:
        if lease is not self.lease and lease is not Lease.HELD:
            log.error(
                "%s: this node takes no paid calls; live ones end at their paid second",
                "a survivor took its meters"
                if lease is Lease.REAPED
                else "another process has its name",
            )
        self.lease = lease

    async def _begin_again(self) -> None:
        epoch = await self._meters.begin_epoch(self._meters.node, self._meters.boot_id)
        self._book.begin_epoch(epoch)
        self.lease = Lease.HELD
        log.warning("this node meters again, in epoch %d", epoch)

    async def _reap(self) -> None:
        own = self._own()
        for node in await self._vault.write(lambda raw: node_lease.take_over(raw, own)):
            rows = await self._meters.unsettled(node)
            for row in rows:
                await self._settle(row)
            self.reaped += len(rows)
            log.error("node %s is gone: %d calls were settled as it wrote them", node, len(rows))

    async def _settle(self, row: MeterRow) -> None:
        credit = CREDIT_OF_REASON[EndReason.SWITCH_FAILURE.value]
        await self._meters.settle(row.call, seconds=row.seq, credit=credit)
