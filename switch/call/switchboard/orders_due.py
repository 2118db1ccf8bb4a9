"""What a change of the house means for one live call. Pure, but for what was told before.

    lockdown or maintenance over its line --> LockdownOrder, once
    its terminal turned off               --> TerminalOff, once for each time
    its person released or suspended      --> PersonChanged

What an order spares (hotlines, privileged calls) is asked here; what is left of it the script
knows. calls.md section 4.1.
"""

from switch.call.orders import (
    LockdownKind,
    LockdownOrder,
    LockdownWay,
    Order,
    PersonChanged,
    TerminalOff,
)
from switch.ids import PersonId
from switch.routing.call_class import CallClass
from switch.routing.terminal import Terminal
from switch.screening.facts import HouseOrder
from switch.store.house_snapshot import House

TERMINAL_OFF = "terminal off"


def orders_due(
    house: House,
    *,
    terminal: Terminal,
    person: PersonId | None,
    call_class: CallClass | None,
    order: HouseOrder | None,
    told: set[int | str],
    at_wall: float,
) -> list[Order]:
    """Say what a call has to be told after a change.

    Args:
        house: as it is now.
        terminal: the line of the call, as it was when the call began.
        person: who calls; None while nobody said.
        call_class: of the call; None while nothing was dialled.
        order: the lockdown or maintenance that the call has to obey, if there is one.
        told: what this call was told before; what it is told now is added.
        at_wall: wall seconds.
    """
    due: list[Order] = []
    if order is not None and order.id not in told:
        told.add(order.id)
        due.append(_lockdown(order))
    if not _is_off(house.terminals.get(terminal.id, terminal), at_wall):
        told.discard(TERMINAL_OFF)
    elif TERMINAL_OFF not in told:
        told.add(TERMINAL_OFF)
        due.append(TerminalOff())
    if person is not None and not house.may_talk(person, terminal.facility, call_class):
        due.append(PersonChanged())
    return due


def _is_off(terminal: Terminal, at_wall: float) -> bool:
    return not terminal.enabled or at_wall < terminal.disabled_until


def _lockdown(order: HouseOrder) -> LockdownOrder:
    return LockdownOrder(
        order=str(order.id),
        by=order.by,
        way=LockdownWay(order.way),
        kind=LockdownKind(order.kind),
        spares_hotlines="hotline" in order.spares,
        spares_privileged="privileged" in order.spares,
    )
