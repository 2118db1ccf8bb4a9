"""What each leg and call was ordered, so that another worker can be ordered the same. Pure.

Only what still holds is kept: a prompt until it has ended, the last far end, the paid time. A
worker that takes calls over gets, per leg, one packet that opens it, and then the rest in the order
in which a live call is built: what hears, the bridge, what plays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from switch.ids import CallId, LegId, call_of
from switch.media import wire
from switch.media.messages import CallEnded, PlayEnded, Recorded

NOTES_MAX: Final = 32
"""Notes to the detectors that are kept for a leg; the oldest goes. Chosen: a call has a dozen."""


@dataclass(slots=True)
class _LegPage:
    opened: wire.OpenLeg
    remote: wire.SetRemote | None = None
    held: wire.HoldBack | None = None
    hears: wire.Hear | None = None
    notes: list[wire.Note] = field(default_factory=list)
    plays: wire.Play | wire.PlayTone | None = None
    name: wire.RecordName | None = None


@dataclass(slots=True)
class _CallPage:
    inspected: wire.Inspect | None = None
    recorded: wire.Record | None = None
    joined: wire.Join | None = None
    parted: wire.Part | None = None


class OrderBook:
    """The orders that hold for the legs of all workers."""

    def __init__(self) -> None:
        self._legs: dict[LegId, _LegPage] = {}
        self._calls: dict[CallId, _CallPage] = {}

    def note(self, order: wire.Order) -> None:
        """Take note of an order that was given."""
        match order:
            case wire.OpenLeg(leg=leg):
                self._legs[leg] = _LegPage(order)
                self._calls.setdefault(call_of(leg), _CallPage())
            case wire.CloseLeg(leg=leg):
                self._close(leg)
            case wire.Inspect(a_leg=leg):
                self._note_call(call_of(leg), order)
            case wire.Join(call=call) | wire.PaidUntil(call=call) | wire.Part(call=call):
                self._note_call(call, order)
            case wire.Record(permit=permit):
                self._note_call(permit.call, order)
            case wire.StopRecording(call=call):
                self._note_call(call, order)
            case wire.Hello() | wire.Leave() | wire.Inherit() | wire.Taken() | wire.LookAt():
                pass
            case _:
                page = self._legs.get(order.leg)
                if page is not None:
                    self._note_leg(page, order)

    def _note_leg(self, page: _LegPage, order: wire.Order) -> None:
        match order:
            case wire.SetRemote():
                page.remote = order
            case wire.HoldBack():
                page.held = order
            case wire.Hear():
                page.hears = order
            case wire.Deafen(leg=leg):
                page.hears, page.name = None, None
                page.notes.clear()
                self._deafened(leg)
            case wire.Note():
                page.notes = [*page.notes[1 - NOTES_MAX :], order]
            case wire.Play() | wire.PlayTone():
                page.plays = order
            case wire.Stop():
                page.plays = None
            case wire.RecordName():
                page.name = order
            case _:
                pass

    def _note_call(self, call: CallId, order: wire.Order) -> None:
        page = self._calls.get(call)
        if page is None:
            return
        match order:
            case wire.Inspect():
                page.inspected = order
            case wire.Record():
                page.recorded = msgspec.structs.replace(order, resumes=True)
            case wire.StopRecording():
                page.recorded = None
            case wire.Join():
                page.joined = order
            case wire.PaidUntil(at=at) if page.joined is not None:
                page.joined = msgspec.structs.replace(page.joined, paid_until=at)
            case wire.Part():
                page.parted = page.parted or order
            case _:
                pass

    def _deafened(self, leg: LegId) -> None:
        """One leg of an inspected call is deaf: the other one's keys may still be heard."""
        page = self._calls[call_of(leg)]
        other = self._legs.get(LegId(leg ^ 1))
        if page.inspected is not None and other is not None:
            other.hears = wire.Hear(leg=LegId(leg ^ 1))
        page.inspected = None

    def _close(self, leg: LegId) -> None:
        self._legs.pop(leg, None)
        if LegId(leg ^ 1) not in self._legs:
            self._calls.pop(call_of(leg), None)

    def hear(self, report: wire.Report) -> None:
        """Take note of a report that ends what was ordered."""
        match report:
            case PlayEnded(leg=leg, play=play):
                page = self._legs.get(leg)
                if page is not None and getattr(page.plays, "play", None) == play:
                    page.plays = None
            case Recorded(leg=leg):
                page = self._legs.get(leg)
                if page is not None:
                    page.name = None
            case CallEnded(call=call):
                ended = self._calls.get(call)
                if ended is not None:
                    ended.joined = ended.parted = ended.recorded = None
            case _:
                pass

    def knows(self, leg: LegId) -> bool:
        """Tell whether this leg was opened here; one that outlived a former control was not."""
        return leg in self._legs

    def opening(self, leg: LegId) -> list[wire.Order]:
        """Return the orders that open a leg again; its sockets go beside them."""
        page = self._legs[leg]
        first = msgspec.structs.replace(page.opened, resumed=True)
        return [one for one in (first, page.remote, page.held) if one is not None]

    def rest(self, legs: Iterable[LegId]) -> list[wire.Order]:
        """Return what follows when these legs are open again, both of each call."""
        pages = [self._legs[leg] for leg in legs]
        calls = [self._calls[call] for call in sorted({call_of(leg) for leg in legs})]
        orders: list[wire.Order | None] = [page.hears for page in pages]
        orders += [call.inspected for call in calls]
        orders += [call.recorded for call in calls]
        orders += [call.joined for call in calls]
        orders += [call.parted for call in calls if call.joined is not None]
        for page in pages:
            orders += [*page.notes, page.name, _again(page.plays)]
        return [order for order in orders if order is not None]


def _again(order: wire.Play | wire.PlayTone | None) -> wire.Play | wire.PlayTone | None:
    if isinstance(order, wire.Play):
        return msgspec.structs.replace(order, resumed=True)
    return order
