"""What the consoles show of a call while it lives. No number, no name."""

from typing import Any

from switch.call.switchboard.driver import CallDriver
from switch.routing.call_class import Privileged


def live_row(driver: CallDriver, *, now: float) -> dict[str, Any]:
    """Return the row of one live call."""
    permit, keeper = driver.permit, driver.keeper
    bridged_at = keeper.bridged_at
    return {
        "call": driver.call,
        "state": driver.script.state.value,
        "facility": keeper.facility,
        "terminal": driver.people.terminal.id,
        "class": permit.call_class.value if permit else "",
        "privileged": permit is not None and isinstance(permit.audibility, Privileged),
        "payer": permit.payer.value if permit else "",
        "trunk": keeper.trunk or "",
        "elapsed_s": round(now - keeper.began_at, 1),
        "talked_s": int(now - bridged_at) if bridged_at is not None else None,
        "seconds_left": driver.seconds_left,
        "balance_micros": driver.balance_micros,
        "recorded": bool(keeper.fields.get("recorded")),
        "detections": keeper.detections_shown(),
    }
