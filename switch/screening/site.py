"""Row 1: the site serves."""

from switch.routing.call_class import CallClass
from switch.screening.facts import Facts, HouseOrder
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason


def lockdown(facts: Facts) -> Denied | None:
    """Refuse while an order of lockdown covers this terminal and does not spare this call."""
    return _refused(facts, "lockdown", DenyReason.LOCKDOWN)


def maintenance(facts: Facts) -> Denied | None:
    """Refuse while the site is being serviced."""
    return _refused(facts, "maintenance", DenyReason.MAINTENANCE)


def _refused(facts: Facts, kind: str, reason: DenyReason) -> Denied | None:
    orders = facts.site.orders if facts.site is not None else ()
    for order in orders:
        if order.kind == kind and not _spares(order, facts.call_class):
            return Denied(reason=reason, detail=f"order {order.id} by {order.by}")
    return None


def _spares(order: HouseOrder, call_class: CallClass | None) -> bool:
    """Say whether an order leaves this call; before a number is known, whether it leaves any."""
    if call_class is None:
        return bool(order.spares)
    return call_class.value in order.spares
