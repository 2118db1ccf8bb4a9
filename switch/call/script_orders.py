"""Orders from above and failures of our parts: what each does to a call. calls.md section 4.1.

Before the call went out an order is a refusal of what it stands for; afterwards it is an ending.
"""

from switch.call.cause import EndReason, Reason
from switch.call.effects import Mark
from switch.call.orders import (
    JoinedCalls,
    LockdownKind,
    LockdownOrder,
    LockdownWay,
    MediaLost,
    MeteringLost,
    NetworkFailed,
    Order,
    PersonChanged,
    RecorderFailed,
    StaffCut,
    SwitchFails,
    TerminalFailed,
    TerminalOff,
)
from switch.call.script_closing import close
from switch.call.script_memory import BridgeAt, Effects, LegAt, Memory
from switch.call.signals import Side
from switch.screening.reasons import DenyReason


def obey(memory: Memory, order: Order, *, now: float) -> Effects:
    """Do what an order means for this call."""
    match order:
        case StaffCut():
            return _staff_cut(memory, order, now=now)
        case LockdownOrder():
            return _lockdown(memory, order, now=now)
        case TerminalOff():
            if _is_placed(memory):
                return [_mark("terminal_off", order.by)]
            return close(memory, DenyReason.TERMINAL_OFF, by="staff", now=now)
        case PersonChanged():
            reason = _by_progress(memory, DenyReason.PERSON_INACTIVE, EndReason.PERSON_CHANGED)
            return [
                _mark("person_changed", order.what),
                *close(memory, reason, by="staff", now=now),
            ]
        case JoinedCalls():
            if memory.bridge is not BridgeAt.ON or memory.facts.privileged:
                return []
            marked = Mark("order", "log", "joined calls", (("by", order.by), ("why", order.why)))
            return [marked, *close(memory, EndReason.JOINED_CALLS, by="staff", now=now)]
        case _:
            return _failure(memory, order, now=now)


def _failure(memory: Memory, order: Order, *, now: float) -> Effects:
    match order:
        case MediaLost(side=side):
            mute = side is None
            return close(memory, EndReason.MEDIA_LOST, by="network", now=now, mute=mute)
        case TerminalFailed():
            memory.legs[Side.A] = LegAt.GONE
            return close(memory, EndReason.TERMINAL_FAILURE, by="caller", now=now)
        case NetworkFailed():
            memory.legs[Side.B] = LegAt.GONE
            return close(memory, EndReason.NETWORK_FAILURE, by="network", now=now)
        case MeteringLost():
            reason = _by_progress(memory, DenyReason.MAINTENANCE, EndReason.METERING_LOST)
            return close(memory, reason, by="switch", now=now)
        case RecorderFailed():
            reason = _by_progress(memory, DenyReason.MAINTENANCE, EndReason.RECORDER_FAILURE)
            return close(memory, reason, by="switch", now=now)
        case SwitchFails():
            return close(memory, EndReason.SWITCH_FAILURE, by="switch", now=now, mute=True)
        case _:
            return []


def _staff_cut(memory: Memory, order: StaffCut, *, now: float) -> Effects:
    detail = (("by", order.by), ("why", order.why))
    marked = Mark("order", "log", "staff cut", detail)
    return [marked, *close(memory, EndReason.STAFF_CUT, by="staff", now=now)]


def _lockdown(memory: Memory, order: LockdownOrder, *, now: float) -> Effects:
    permit = memory.facts.permit
    detail = (("order", order.order), ("by", order.by), ("way", order.way.value))
    marked = Mark("order", "log", order.kind.value, detail)
    is_spared = (order.spares_hotlines and permit is not None and permit.hotline) or (
        order.spares_privileged and memory.facts.privileged
    )
    is_left_alone = order.way is LockdownWay.FINISH and _is_placed(memory)
    if is_spared or is_left_alone:
        return [marked]
    if order.kind is LockdownKind.MAINTENANCE:
        reason = _by_progress(memory, DenyReason.MAINTENANCE, EndReason.MAINTENANCE)
    else:
        reason = _by_progress(memory, DenyReason.LOCKDOWN, EndReason.LOCKDOWN)
    return [marked, *close(memory, reason, by="staff", now=now)]


def _is_placed(memory: Memory) -> bool:
    return memory.legs[Side.B] is not LegAt.NONE


def _by_progress(memory: Memory, before: DenyReason, after: EndReason) -> Reason:
    return after if _is_placed(memory) else before


def _mark(code: str, text: str) -> Mark:
    return Mark("order", "log", code, (("text", text),) if text else ())
