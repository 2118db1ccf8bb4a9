"""Where a worker carries out what control ordered, and turns what happened into reports.

Ordinary Python, per order and per event; what is per packet or per leg and tick is the pump's.
"""

import select
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsp.event import Event, Kind
from switch.errors import LocalError
from switch.ids import CallId, LegId, leg_id
from switch.media import wire
from switch.media.announce import Announcer
from switch.media.bridges import Bridges
from switch.media.heir import Heir
from switch.media.inspection import Inspection
from switch.media.legs import Legs, Mail
from switch.media.messages import (
    CallEnded,
    Detected,
    DigitHeard,
    FlashHeard,
    Hearing,
    PlayEnded,
    Recorded,
)
from switch.media.name_recorder import NameRecorder
from switch.media.recorder import Recorders
from switch.media.reporter import Reporter
from switch.media.seats import NS, Seat, Seats
from switch.rtp import rtcp, telephone_event

if TYPE_CHECKING:
    from collections.abc import Callable

SAME_KEY_S: Final = 0.5
"""A key heard in the sound so soon after its event is the same press. Chosen: the two ways differ
by up to a packet time and the detector's 60 ms; nobody presses twice in a quarter of a second."""

REPORT_TICKS: Final = 10
"""Every so many ticks a share of the legs is reported, so that each is told once a second."""

REPORTS_PER_S: Final = 50 // REPORT_TICKS

RTCP_INTERVAL_S: Final = round(rtcp.INTERVAL_S)
"""Each leg reports by RTCP in one second of so many."""


class Desk:
    """All that a worker holds.

    Args:
        legs: the shared arrays.
        epoll: where the pump waits.
        rows_max: how many legs may be looked at.
    """

    def __init__(self, legs: Legs, epoll: select.epoll, *, rows_max: int) -> None:
        self._legs = legs
        self.seats = Seats(legs, epoll)
        self.bridges = Bridges(legs, self.seats)
        self.inspection = Inspection(legs, rows_max=rows_max)
        self.recorders = Recorders(legs, tapes_max=rows_max)
        self._announcer = Announcer(legs)
        self._reporter = Reporter(legs)
        self._heir = Heir(legs)
        self._names: dict[int, NameRecorder] = {}
        self._opened_for_name: set[int] = set()
        self._last_key: dict[int, tuple[str, float]] = {}
        self._reports: list[wire.Report] = []
        self._rooms = wire.Rooms(legs=0, rings=0, rows=0)
        self._rooms_changed = False
        self._handlers: dict[type, Callable[..., None]] = {
            wire.SetRemote: self._set_remote,
            wire.Play: self._play,
            wire.PlayTone: self._tone,
            wire.Stop: self._stop,
            wire.Hear: self._hear,
            wire.Deafen: self._deafen,
            wire.Inspect: self._inspect,
            wire.Note: self._note,
            wire.RecordName: self._record_name,
            wire.Record: self._start_recording,
            wire.StopRecording: self._stop_recording,
            wire.LookAt: self._look_at,
            wire.HoldBack: self._hold_back,
        }

    # -- orders --------------------------------------------------------------------------------

    def apply(self, order: wire.Order, rights: list[int], *, now: float) -> None:
        """Carry out one order.

        Raises:
            LocalError: it cannot be carried out; nothing else is affected.
        """
        self._rooms_changed = True
        match order:
            case wire.OpenLeg():
                self._open(order, rights, now=now)
            case wire.Inherit():
                self._heir.inherit(rights)
            case wire.CloseLeg():
                self._close(order.leg, now=now)
            case wire.Join():
                self.bridges.join(order)
            case wire.PaidUntil():
                self.bridges.set_paid_until(order)
            case wire.Part():
                self._told(self.bridges.part(order.call, now=min(order.at, now)))
            case wire.Taken():
                self.bridges.take(order.call)
            case _:
                self._handlers[type(order)](order, now)

    def _seat(self, leg: LegId) -> Seat:
        seat = self.seats.by_leg.get(leg)
        if seat is None:
            raise LocalError(f"leg {leg} is not open")
        return seat

    def _open(self, order: wire.OpenLeg, rights: list[int], *, now: float) -> None:
        seat = self.seats.open(order, rights)
        if order.resumed:
            resumed, letters = self._heir.resume(seat, now=now)
            self._reports.append(resumed)
            for one in letters:
                self._open_letter(one.kind, seat, one.value, one.at_ns / NS)

    def _set_remote(self, order: wire.SetRemote, now: float) -> None:
        self.seats.set_remote(self._seat(order.leg), order, now=now)

    def _play(self, order: wire.Play, now: float) -> None:
        index = self._seat(order.leg).index
        self._quiet(order.leg, index, now)
        heard = None
        if order.resumed:
            heard = partial(self._heir.played, order.leg, order.play)
        self._announcer.play(index, order.paths, order.play, heard=heard)

    def _tone(self, order: wire.PlayTone, now: float) -> None:
        index = self._seat(order.leg).index
        self._quiet(order.leg, index, now)
        self._announcer.tone(index, order.tone)

    def _stop(self, order: wire.Stop, now: float) -> None:
        self._quiet(order.leg, self._seat(order.leg).index, now)

    def _quiet(self, leg: LegId, index: int, now: float) -> None:
        cut = self._announcer.stop(index)
        if cut is not None:
            play, played_s = cut
            self._reports.append(
                PlayEnded(leg=leg, play=play, completed=False, at=now, played_s=played_s)
            )

    def _hear(self, order: wire.Hear, _now: float) -> None:
        seat = self._seat(order.leg)
        if self._legs.row[seat.index] < 0:
            self.inspection.open(seat.index, is_b=bool(seat.leg % 2), kinds=[Kind.DTMF])
        self._opened_for_name.discard(seat.index)

    def _deafen(self, order: wire.Deafen, _now: float) -> None:
        index = self._seat(order.leg).index
        self._names.pop(index, None)
        self.inspection.close(index)
        if self._legs.peer[index] >= 0:  # in mid-call: its keys are passed on and not told either
            self._legs.keys_told[index] = self._legs.keys_muted[index] = 0

    def _inspect(self, order: wire.Inspect, _now: float) -> None:
        a, b = self._seat(order.a_leg).index, self._seat(order.b_leg).index
        self.inspection.open(a, is_b=False, kinds=order.kinds)
        self.inspection.open(b, is_b=True, kinds=order.kinds)
        self.inspection.join(a, b)
        self._legs.keys_told[a] = 1
        self._legs.keys_told[b] = 1

    def _note(self, order: wire.Note, now: float) -> None:
        index = self._seat(order.leg).index
        for found in self.inspection.note(index, order.note, order.fields):
            self._detected(*found, now=now)

    def _record_name(self, order: wire.RecordName, _now: float) -> None:
        seat = self._seat(order.leg)
        if self._legs.row[seat.index] < 0:
            self.inspection.open(seat.index, is_b=bool(seat.leg % 2), kinds=[Kind.DTMF])
            self._opened_for_name.add(seat.index)
        self._names[seat.index] = NameRecorder(
            seat.leg,
            path=Path(order.path),
            max_s=order.max_s,
            is_alaw=bool(self._legs.law[seat.index]),
        )

    def _start_recording(self, order: wire.Record, now: float) -> None:
        a, b = (self._seat(leg_id(order.permit.call, is_b=is_b)).index for is_b in (False, True))
        self.recorders.start(order, a, b, now=now)

    def _stop_recording(self, order: wire.StopRecording, _now: float) -> None:
        self.recorders.stop(order.call, because=order.because)

    def _look_at(self, order: wire.LookAt, _now: float) -> None:
        legs = (leg_id(order.call, is_b=False), leg_id(order.call, is_b=True))
        indexes = [seat.index for leg in legs if (seat := self.seats.by_leg.get(leg)) is not None]
        self._reports.append(
            Hearing(
                call=order.call,
                legs=len(indexes),
                rings=sum(int(self._legs.row[index]) >= 0 for index in indexes),
                recorders=int(self.recorders.has(order.call)),
                tapes=sum(int(self._legs.tape[index]) >= 0 for index in indexes),
                names=sum(index in self._names for index in indexes),
            )
        )

    def _hold_back(self, order: wire.HoldBack, _now: float) -> None:
        self._legs.held[self._seat(order.leg).index] = order.on

    def _close(self, leg: LegId, *, now: float) -> None:
        seat = self._seat(leg)
        self._told(self.bridges.part(CallId(leg // 2), now=now))
        self.recorders.end(CallId(leg // 2), at=now)
        self._quiet(leg, seat.index, now)
        self._names.pop(seat.index, None)
        self._last_key.pop(seat.index, None)
        self._opened_for_name.discard(seat.index)
        self.inspection.close(seat.index)
        self._reports += self.seats.report([seat], now=now, closed=True)
        self._reporter.goodbye(seat)
        self.seats.close(seat)

    # -- the tick ------------------------------------------------------------------------------

    def tick(self, lagging: int, tick: int, *, blind: bool, now: float, wall: float) -> None:
        """Read the pump's mail, look at the sound, see which legs are to be reported.

        Args:
            lagging: rings in which more waits.
            tick: its number.
            blind: without the look: only keys for a menu are heard.
            now: monotonic time.
            wall: wall time.
        """
        self._legs.alive_ns[0] = round(now * NS)
        if self._legs.mail_count[0]:
            self._read_mail()
        if blind:
            self.inspection.look_away()
        for index, event in self.inspection.push(lagging):
            self._detected(index, event, now=now)
        if self._names:
            self._record()
        self.recorders.tick(tick, now=now)
        self.inspection.keep_hushed(round(now * NS))
        if tick % REPORT_TICKS == 0:
            self._report_share(tick // REPORT_TICKS % REPORTS_PER_S, now, wall)

    def take_reports(self) -> list[wire.Report]:
        """Return what is to be told, and forget it."""
        closed = self.recorders.outcomes()
        self._reports += closed
        if self._rooms_changed or closed:
            self._count_rooms()
        reports, self._reports = self._reports, []
        return reports

    def tell_rooms(self) -> None:
        """Tell the counts again: a new control does not know them."""
        self._rooms = wire.Rooms(legs=-1, rings=-1, rows=-1)
        self._rooms_changed = True

    def _count_rooms(self) -> None:
        self._rooms_changed = False
        rooms = wire.Rooms(
            legs=len(self.seats.by_leg),
            rings=self.inspection.rings_count,
            rows=self.inspection.rows_count,
            recorders=self.recorders.count,
            tapes=self.recorders.tapes_count,
            files=self.recorders.files_count,
        )
        if rooms != self._rooms:
            self._rooms = rooms
            self._reports.append(rooms)

    def _told(self, ended: CallEnded | None) -> None:
        if ended is not None:
            self.recorders.end(ended.call, at=ended.ended_at)
            self._rooms_changed = True
            self._reports.append(ended)

    def _read_mail(self) -> None:
        legs = self._legs
        for kind, index, value, at_ns in legs.mail[: legs.mail_count[0]].tolist():
            seat = self.seats.by_index.get(index)
            if seat is not None:
                self._open_letter(Mail(kind), seat, value, at_ns / NS)
        legs.mail_count[0] = 0

    def _open_letter(self, kind: Mail, seat: Seat, value: int, at: float) -> None:
        match kind:
            case Mail.KEY:
                self._key(seat, telephone_event.KEYS[value], at=at)
            case Mail.FLASH:
                self._reports.append(FlashHeard(leg=seat.leg, at=at))
                for found in self.inspection.note(seat.index, "flash", {"form": "rtp_event"}):
                    self._detected(*found, now=at)
            case Mail.PLAY_ENDED:
                play = self._announcer.ended(seat.index)
                if play is not None:
                    played_s = value / 8000
                    self._reports.append(
                        PlayEnded(leg=seat.leg, play=play, completed=True, at=at, played_s=played_s)
                    )
            case Mail.RTCP:
                self._reporter.hear(seat, now=at)
            case Mail.UNPAID:
                self._told(self.bridges.unpaid(seat.index))

    def _key(self, seat: Seat, key: str, *, at: float) -> None:
        self._last_key[seat.index] = (key, at)
        self._reports.append(DigitHeard(leg=seat.leg, key=key, at=at, in_band=False))
        for found in self.inspection.note(seat.index, "digit", {"value": key}):
            self._detected(*found, now=at)

    def _detected(self, index: int, event: Event, *, now: float) -> None:
        seat = self.seats.by_index.get(index)
        if seat is None:
            return
        if event.kind is not Kind.DTMF:
            fields: dict[str, Any] = event.to_json_dict() | {"leg": "b" if seat.leg % 2 else "a"}
            self._reports.append(Detected(leg=seat.leg, at=now, event=fields))
            return
        key, at = self._last_key.get(index, ("", 0.0))
        if key == event.value and now - at < SAME_KEY_S:
            return
        self._reports.append(DigitHeard(leg=seat.leg, key=event.value, at=now, in_band=True))
        if self._legs.keys_muted[index] and self._legs.peer[index] >= 0:
            self.inspection.hush(index, event.value, round(now * NS))

    def _record(self) -> None:
        for index, recorder in list(self._names.items()):
            frame = self.inspection.frame(index)
            if frame is None or not recorder.put(frame):
                continue
            del self._names[index]
            path, speech_s = recorder.finish()
            self._reports.append(Recorded(leg=recorder.leg, path=path, speech_s=speech_s))
            if index in self._opened_for_name:
                self._opened_for_name.discard(index)
                self.inspection.close(index)
                self._rooms_changed = True

    def _report_share(self, share: int, now: float, wall: float) -> None:
        seats = [s for i, s in self.seats.by_index.items() if i % REPORTS_PER_S == share]
        self._reports += self.seats.report(seats, now=now, closed=False)
        for seat in seats:
            if seat.index // REPORTS_PER_S % RTCP_INTERVAL_S == round(now) % RTCP_INTERVAL_S:
                self._reporter.report(seat, now=now, wall=wall)
