"""The joined calls of a worker: since when, paid until when, how they ended.

The pump parts a call at `until_ns` by itself; here it is only written down. A call that ended is
kept until control has taken it.
"""

from dataclasses import dataclass

from switch.errors import LocalError
from switch.ids import CallId, LegId
from switch.media import wire
from switch.media.legs import Legs
from switch.media.messages import CallEnded
from switch.media.seats import NS, Seats


@dataclass(slots=True)
class Bridge:
    """One call that was joined."""

    call: CallId
    a_index: int
    b_index: int
    bridged_at: float
    paid_until: float
    ended: CallEnded | None = None


class Bridges:
    """All joined calls, and the ended ones that control has not taken.

    Args:
        legs: the shared arrays.
        seats: which leg sits where.
    """

    def __init__(self, legs: Legs, seats: Seats) -> None:
        self._legs = legs
        self._seats = seats
        self.by_call: dict[CallId, Bridge] = {}

    @property
    def live_count(self) -> int:
        """Calls that are joined now."""
        return sum(bridge.ended is None for bridge in self.by_call.values())

    def join(self, order: wire.Join) -> None:
        """Bridge two open legs.

        Raises:
            LocalError: a leg is not open, or the call is joined already.
        """
        a = self._seats.by_leg.get(LegId(2 * order.call))
        b = self._seats.by_leg.get(LegId(2 * order.call + 1))
        if a is None or b is None or order.call in self.by_call:
            raise LocalError(f"call {order.call} cannot be joined")
        legs = self._legs
        for one, other in ((a.index, b.index), (b.index, a.index)):
            legs.until_ns[one] = round(order.paid_until * NS)
            legs.in_step[one] = 0
            legs.talk_fill[one] = legs.talk_kept[one] = 0
            legs.keys_told[one] = legs.row[one] >= 0
            legs.peer[one] = other
        legs.keys_muted[a.index] = order.mute_digits
        legs.both_heard_ns[a.index] = max(int(legs.both_heard_ns[a.index]), round(order.now * NS))
        self.by_call[order.call] = Bridge(order.call, a.index, b.index, order.now, order.paid_until)

    def set_paid_until(self, order: wire.PaidUntil) -> None:
        """Move the end of paid time; a call that has ended stays ended."""
        bridge = self.by_call.get(order.call)
        if bridge is None or bridge.ended is not None:
            return
        bridge.paid_until = order.at
        self._legs.until_ns[bridge.a_index] = round(order.at * NS)
        self._legs.until_ns[bridge.b_index] = round(order.at * NS)

    def part(self, call: CallId, *, now: float) -> CallEnded | None:
        """End a bridge because control said so; None: there is none."""
        bridge = self.by_call.get(call)
        if bridge is None or bridge.ended is not None:
            return None
        self._legs.peer[bridge.a_index] = -1
        self._legs.peer[bridge.b_index] = -1
        return self._end(bridge, at=min(now, bridge.paid_until), by_paid_until=False)

    def unpaid(self, a_index: int) -> CallEnded | None:
        """Write down that the pump parted a call, at the moment until which it was paid."""
        for bridge in self.by_call.values():
            if bridge.a_index == a_index and bridge.ended is None:
                return self._end(bridge, at=bridge.paid_until, by_paid_until=True)
        return None

    def take(self, call: CallId) -> None:
        """Forget an ended call: control has it."""
        bridge = self.by_call.get(call)
        if bridge is not None and bridge.ended is not None:
            del self.by_call[call]

    def untold(self) -> list[CallEnded]:
        """Return the ends that control has not taken."""
        return [bridge.ended for bridge in self.by_call.values() if bridge.ended is not None]

    def surviving(self) -> list[wire.SurvivingCall]:
        """Return every call with an open leg or an untold end, for a control that came back."""
        calls = {seat.leg // 2 for seat in self._seats.by_leg.values()} | set(self.by_call)
        return [self._survivor(CallId(call)) for call in sorted(calls)]

    def _survivor(self, call: CallId) -> wire.SurvivingCall:
        bridge = self.by_call.get(call)
        if bridge is None:
            return wire.SurvivingCall(call, None, 0.0, None, False, 0.0)
        ended = bridge.ended
        heard = self._heard(bridge) if ended is None else ended.last_both_heard_at
        return wire.SurvivingCall(
            call=call,
            bridged_at=bridge.bridged_at,
            paid_until=bridge.paid_until,
            ended_at=None if ended is None else ended.ended_at,
            by_paid_until=ended is not None and ended.by_paid_until,
            last_both_heard_at=heard,
        )

    def _end(self, bridge: Bridge, *, at: float, by_paid_until: bool) -> CallEnded:
        for index in (bridge.a_index, bridge.b_index):
            self._legs.talk_fill[index] = self._legs.talk_kept[index] = 0
            self._legs.talk[index] = 0
            self._legs.keys_told[index] = self._legs.row[index] >= 0
        bridge.ended = CallEnded(
            call=bridge.call,
            ended_at=at,
            by_paid_until=by_paid_until,
            last_both_heard_at=min(self._heard(bridge), at),
        )
        return bridge.ended

    def _heard(self, bridge: Bridge) -> float:
        return float(self._legs.both_heard_ns[bridge.a_index]) / NS
