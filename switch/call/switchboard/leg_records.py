"""The two CDRs of a call: one per leg, from what SIP, SDP and the worker said."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from switch.billing.cdr import Cdr
from switch.call.signals import Side
from switch.call.switchboard.record_keeper import counts_of
from switch.ids import leg_id
from switch.media.messages import LegReport
from switch.rtp.quality import Counts, score

if TYPE_CHECKING:
    from switch.call.switchboard.driver import CallDriver


def cdrs_of(driver: "CallDriver") -> list[Cdr]:
    """Build the record of each leg that existed."""
    legs = [_caller(driver)]
    if driver.keeper.tries:
        legs.append(_called(driver))
    return legs


def _caller(driver: "CallDriver") -> Cdr:
    caller, fields = driver.caller, driver.keeper.fields
    media = caller.media
    cdr = _leg(driver, Side.A)
    return replace(
        cdr,
        trunk_or_terminal=str(fields.get("terminal", "")),
        from_uri=caller.from_uri,
        to_uri=caller.to_uri,
        sip_call_id=caller.sip_call_id,
        status=caller.status or None,
        cause=caller.q850 or 16,
        codec=media.remote.law if media is not None and media.remote is not None else "",
        started_at=fields.get("off_hook_at"),
        answered_at=fields.get("off_hook_at") if caller.status == 200 else None,
    )


def _called(driver: "CallDriver") -> Cdr:
    fields, dialling = driver.keeper.fields, driver.dialling
    return replace(
        _leg(driver, Side.B),
        trunk_or_terminal=driver.keeper.trunk or "",
        from_uri=dialling.from_uri,
        to_uri=dialling.to_uri,
        sip_call_id=dialling.sip_call_id,
        status=dialling.status or None,
        cause=dialling.q850 or 16,
        forwarding=tuple(driver.keeper.forwarding_forms),
        codec=driver.keeper.b_law,
        started_at=fields.get("sent_at"),
        answered_at=fields.get("answered_at"),
    )


def _leg(driver: "CallDriver", side: Side) -> Cdr:
    """Build what every leg has, and what its worker counted."""
    leg = Cdr(
        leg_id=leg_id(driver.call, is_b=side is Side.B),
        call_id=driver.call,
        side=side.value,
        released_at=driver.keeper.wall_now(),
    )
    report = driver.keeper.reports.get(side)
    if report is None:
        return leg
    return replace(
        leg,
        packets=report.packets_received,
        lost=report.packets_lost,
        late=report.packets_late,
        jitter_ms=round(report.jitter_ms, 3),
        mos=score(counts_of(report), report.round_trip_ms),
        loss_runs=report.loss_runs,
        round_trip_ms=report.round_trip_ms,
        packets_sent=report.packets_sent,
        far_lost=report.far_lost,
        far_jitter_ms=report.far_jitter_ms,
        far_mos=_far_mos(report),
        source_changes=report.source_changes,
    )


def _far_mos(report: LegReport) -> float | None:
    """Score what the far end got; without its report of the round trip it reported nothing."""
    if report.round_trip_ms is None:
        return None
    got = Counts(max(0, report.packets_sent - report.far_lost), report.far_lost)
    return score(got, report.round_trip_ms)
