"""Running totals of other rooms, brought into the metrics once a second."""

import asyncio
from typing import Final

from switch.call.switchboard.board import Switchboard
from switch.call.switchboard.metering import Metering
from switch.call.switchboard.rooms import Rooms
from switch.events.outlets import Outlets

SAMPLE_S: Final = 1.0
"""How often. Chosen: finer than any scrape."""


async def sample(board: Switchboard, rooms: Rooms, outlets: Outlets, metering: Metering) -> None:
    """Bring the running totals of other rooms into the metrics, once a second."""
    metrics = outlets.metrics
    while True:
        plane = rooms.plane.counts()
        metrics.sample_gauge("rtp_ports_in_use", plane.ports)
        metrics.sample_gauge("registrations_active", len(board.bindings))
        metrics.sample_gauge("draining", float(board.draining))
        metrics.sample_gauge("register_whole", float(not board.register_fault()))
        for row in board.trunk_rows():
            metrics.sample_gauge("trunk_up", row["up"], row["trunk"])
            metrics.sample_gauge("trunk_channels", row["channels"], row["trunk"])
        metrics.sample_gauge("media_workers_alive", plane.workers)
        metrics.sample_total("trunk_failovers_total", board.trunks.failovers)
        metrics.sample_gauge("ledger_lag_seconds", metering.lag_s)
        failures = rooms.meters.reserve_failures + metering.failures
        metrics.sample_total("ledger_reserve_failures_total", failures)
        metrics.sample_gauge("leases_held", len(rooms.book))
        outlets.sample(rooms.stack.counts())
        due = rooms.clock.monotonic() + SAMPLE_S
        await asyncio.sleep(SAMPLE_S)
        metrics.sample_gauge("control_lag_seconds", max(0.0, rooms.clock.monotonic() - due))
