"""One call's life: feeds its script, performs what the script wants, in one task of its own.

Inputs come through one queue, in order; between looking at the script and acting on it nothing
waits. What does wait (screening, money) is performed after the synchronous part and its answer is
fed to the script like any other input.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from switch.billing.meter_news import CutCause
from switch.call import effects as fx
from switch.call.call import Call
from switch.call.cause import EndReason, cause_of
from switch.call.orders import MeteringLost, RecorderFailed, SwitchFails
from switch.call.script import Script
from switch.call.signals import Side
from switch.call.switchboard.call_recording import CallRecording
from switch.call.switchboard.caller import CallerLeg
from switch.call.switchboard.dialling import Dialling
from switch.call.switchboard.inbox import Inbox, InboxFullError, Moment
from switch.call.switchboard.leg_records import cdrs_of
from switch.call.switchboard.money import CallMoney
from switch.call.switchboard.people import People
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.rooms import Rooms
from switch.errors import UserError
from switch.ids import CallId, LegId, leg_id
from switch.media.messages import (
    CallEnded,
    Detected,
    DigitHeard,
    FlashHeard,
    LegReport,
    LegResumed,
    MediaEvent,
    PlayEnded,
    Recorded,
    RecordingEnded,
    RecordingFailed,
)
from switch.routing.call_class import Inspectable, Privileged
from switch.screening.permit import Permit
from switch.store.live_store import LiveCall, LiveStore

INPUTS_MAX: Final = 512
"""Inputs that may wait for one call; more is refused and counted. Chosen."""

SILENT_S_MIN: Final = 2.0
"""The script is not asked about shorter silence. Chosen: below any `media_lost_s`."""

PART_WAIT_S: Final = 1.0
"""How long a worker may take to say that it parted two legs. Chosen: fifty ticks."""

JOINED_ALARM: Final = "inmate_to_inmate"
"""The detection that two calls are joined. detection.md section 6.2."""

log = logging.getLogger(__name__)

Step = Callable[[float], list[fx.Effect]]


class CallDriver:
    """Drives one call from its first prompt to its record.

    Args:
        rooms: the neighbours.
        call: the id.
        legs: where both legs stand.
        caller: the wire of the a-leg, its port open and its answer ready.
        script: who hears what.
        people: who is calling, whom, and whether they may.
        dialling: the b-leg and the trunks.
        money: the meter of this call.
        keeper: what will stand in the record.
    """

    def __init__(
        self,
        rooms: Rooms,
        call: CallId,
        *,
        legs: Call,
        caller: CallerLeg,
        script: Script,
        people: People,
        dialling: Dialling,
        money: CallMoney,
        keeper: RecordKeeper,
    ) -> None:
        self.call = call
        self.legs = legs
        self.caller = caller
        self.dialling = dialling
        self.keeper = keeper
        self.people = people
        self.recording = CallRecording(rooms, call, keeper)
        self.money = money
        self.script = script
        self.inputs_refused = 0
        self._rooms = rooms
        self.seconds_left: int | None = None
        self.balance_micros: int | None = None
        self.orders_told: set[int | str] = set()
        self._inbox: Inbox[Step] = Inbox(INPUTS_MAX)
        self._ended = Moment()
        self._live = LiveStore(rooms.store, rooms.node)
        self._finished = False

    @property
    def permit(self) -> Permit | None:
        """What screening allowed, once it has."""
        return self.people.permit

    def post(self, step: Step) -> None:
        """Hand an input to the call; it is taken in order."""
        try:
            self._inbox.put(step)
        except InboxFullError:
            self.inputs_refused += 1

    async def run(self, first: Step) -> None:
        """Live. Returns when the record is written."""
        self.post(first)
        while not self._finished:
            step = await self._next_step()
            now = self._rooms.clock.monotonic()
            await self._perform_all(step(now), now)

    async def abandon(self) -> None:
        """End a call whose driver failed: release both sides, settle, write the record."""
        now = self._rooms.clock.monotonic()
        self._part(fx.Part(), now)
        await self._finish(fx.Finish(EndReason.SWITCH_FAILURE, "switch"), now)

    # ---- in

    async def _next_step(self) -> Step:
        deadlines = (self.script.next_deadline(), self.dialling.next_deadline())
        due = min((d for d in deadlines if d is not None), default=None)
        if due is None:
            return await self._inbox.get()
        try:
            async with asyncio.timeout(max(0.0, due - self._rooms.clock.monotonic())):
                return await self._inbox.get()
        except TimeoutError:
            return self._on_time

    def _on_time(self, now: float) -> list[fx.Effect]:
        effects = self.dialling.handle_timers(now=now)
        due = self.script.next_deadline()
        if due is not None and due <= now:
            effects += self.script.handle_timers(now=now)
        return effects

    def on_media(self, event: MediaEvent) -> None:
        """Take what a worker said about this call."""
        match event:
            case DigitHeard(leg=leg, key=key, in_band=in_band):
                self.post(lambda now: self.key(_side(leg), key, now, in_band=in_band))
            case FlashHeard(leg=leg):
                self.post(lambda now: self.script.flash(_side(leg), "1", now=now))
            case PlayEnded(play=play, completed=completed):
                self.keeper.prompt_ended(event)
                self.post(lambda now: self.script.prompt_ended(play, completed=completed, now=now))
            case Recorded():
                self.post(lambda now: self._name_taken(event, now))
            case Detected(leg=leg):
                self.post(lambda now: self._detected(event, now))
            case CallEnded():
                self._parted(event)
            case RecordingEnded() | RecordingFailed():
                self.recording.said(event, self._unrecorded)
            case LegReport():
                self.keeper.leg_report(_side(event.leg), event)
                self._listen_for_life(event)
            case LegResumed():
                self.keeper.resumed(_side(event.leg), event)
            case _:
                pass

    def _unrecorded(self) -> None:
        """The recorder failed, and this site refuses to talk without."""
        self.post(lambda now: self.script.order(RecorderFailed(), now=now))

    def key(self, side: Side, key: str, now: float, *, in_band: bool = False) -> list[fx.Effect]:
        """Take a key of one side. On a privileged call nothing of it is written down."""
        if self.keeper.bridged_at is not None and isinstance(self._audibility(), Inspectable):
            self.keeper.digit(side, key, now)
        return self.script.digit(side, key, in_band=in_band, now=now)

    def media_died(self) -> None:
        """The worker of this call is gone, and with it all sound."""
        now = self._rooms.clock.monotonic()
        if self.keeper.bridged_at is not None and not self._ended.is_set():
            self._parted(self.keeper.lost_media(self.call, now))
        else:
            self.post(lambda at: self.script.order(SwitchFails(), now=at))

    def _listen_for_life(self, report: LegReport) -> None:
        """A side of which nothing comes while they talk: the script decides when it is too long."""
        if self.keeper.bridged_at is None or self._ended.is_set():
            return
        silent_s = min(report.silent_s, report.at - self.keeper.bridged_at)
        if silent_s >= SILENT_S_MIN:
            side = _side(report.leg)
            self.post(lambda now: self.script.silent(side, silent_s, now=now))

    def _detected(self, event: Detected, now: float) -> list[fx.Effect]:
        if self._is_privileged():
            return []  # it was under way when the register changed
        self.keeper.detection(event)
        return self.script.detected(event.event, _side(event.leg), now=now)

    def _name_taken(self, event: Recorded, now: float) -> list[fx.Effect]:
        self.people.name_taken(event.path)
        return self.script.name_taken(bool(event.path), now=now)

    def _parted(self, event: CallEnded) -> None:
        """The legs are parted: count at once, let the script go on in its turn."""
        if self._ended.is_set():
            return
        self.keeper.parted(event)
        self.money.parted(event)
        self._ended.set()
        self.post(lambda now: self._parted_step(event, now))

    def _parted_step(self, event: CallEnded, now: float) -> list[fx.Effect]:
        effects: list[fx.Effect] = []
        if event.by_paid_until and self.money.cut_cause is CutCause.PAYER_LIMIT:
            return self.script.payer_limit_reached(now=now)
        if event.by_paid_until and self.money.cut_cause is CutCause.METERING_LOST:
            effects = self.script.order(MeteringLost(), now=now)
        return effects + self.script.parted(by_paid_until=event.by_paid_until, now=now)

    def check_joined(self, alarm: str) -> None:
        """See whether staff may end this call as `joined_calls`. calls.md section 5.2.

        Raises:
            UserError: it is privileged, nobody talks on it, or there is no such alarm and staff
                did not name it.
        """
        if not self.script.is_bridged:
            raise UserError(f"Nobody talks on call {self.call}, so it is not joined to another.")
        if self._is_privileged():
            raise UserError(f"Call {self.call} is privileged: nothing may be believed about it.")
        raised = any(d["kind"] == JOINED_ALARM for d in self.keeper.detections)
        if not raised and alarm != JOINED_ALARM:
            raise UserError(
                f"Call {self.call} has no alarm {JOINED_ALARM}. If you know it by other means, "
                f"say so: --alarm {JOINED_ALARM}"
            )

    # ---- out

    async def _perform_all(self, effects: Sequence[fx.Effect], now: float) -> None:
        todo = deque(effects)
        while todo:
            effect = todo.popleft()
            deed = DEEDS.get(type(effect))
            if deed is not None:
                todo.extend(deed(self, effect, now) or ())
                continue
            more = await WAITS[type(effect)](self, effect, now)
            now = self._rooms.clock.monotonic()
            todo.extend(more or ())

    def _leg(self, side: Side) -> LegId:
        return leg_id(self.call, is_b=side is Side.B)

    def _audibility(self) -> Inspectable | Privileged | None:
        return self.permit.audibility if self.permit is not None else None

    def _play(self, effect: fx.Effect, now: float) -> None:
        assert isinstance(effect, fx.Play)
        versions = self._rooms.plane.versions(effect.phrases, effect.language)
        self.keeper.prompt_started(effect, versions, now)
        missing = self._rooms.plane.play(
            self._leg(effect.side), effect.phrases, language=effect.language, play=effect.play
        )
        if missing:
            log.warning("call %d: no prompt files for %s", self.call, ", ".join(missing))

    def _tone(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.PlayTone)
        self._rooms.plane.tone(self._leg(effect.side), effect.tone)

    def _stop(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.StopPlaying)
        self._rooms.plane.stop(self._leg(effect.side))

    def _hear(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.HearDigits)
        audibility = self._audibility()
        if isinstance(audibility, Privileged):
            return
        if effect.side is Side.A or isinstance(audibility, Inspectable):
            self._rooms.plane.hear_digits(self._leg(effect.side), audibility)

    def _deafen(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.Deafen)
        self._rooms.plane.deafen(self._leg(effect.side))

    def _record_name(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.RecordName)
        path = self.people.name_path()
        self._rooms.plane.record_name(self._leg(Side.A), path=path, max_s=effect.seconds_max)

    def _dial(self, effect: fx.Effect, now: float) -> list[fx.Effect]:
        assert isinstance(effect, fx.Dial)
        if isinstance(self._audibility(), Privileged):
            self._rooms.plane.deafen(self._leg(Side.A))
        return self._of_legs(effect, now)

    def _of_legs(self, effect: fx.Effect, now: float) -> list[fx.Effect]:
        """Let the tables of the legs say what this means, and say it on the wire."""
        more: list[fx.Effect] = []
        for of in self.legs.perform(effect):
            if of.side is Side.A:
                self.caller.perform(of.effect, now=now)
            else:
                more += self.dialling.perform(of.effect, self.permit, now=now)
        return more

    async def _bridge(self, effect: fx.Effect, _now: float) -> list[fx.Effect]:
        """Join the legs first; what a successor of this process needs is written right after."""
        assert isinstance(effect, fx.Bridge)
        permit = self.permit
        assert permit is not None
        plane = self._rooms.plane
        plane.deafen(self._leg(Side.A))
        plane.deafen(self._leg(Side.B))
        now = self._rooms.clock.monotonic()
        paid_until = self.money.bridged(effect.limit_s, now)
        hears = permit.audibility if permit.inspected else None
        if isinstance(hears, Inspectable):
            kinds = self.people.kinds(permit)
            plane.inspect(hears, (self._leg(Side.A), self._leg(Side.B)), kinds)
        goes_on = self.recording.begin(permit, self.people.terminal, now=now)
        plane.join(
            self.call,
            paid_until=paid_until,
            mute_digits=self.people.mutes_digits and not self._is_privileged(),
            now=now,
        )
        self.keeper.bridged(now, self._rooms.clock.wall())
        if isinstance(hears, Inspectable):
            plane.note(self._leg(Side.A), "talking")
            plane.note(self._leg(Side.B), "talking")
            for form in self.keeper.forwarding_forms:  # what was said before anybody listened
                plane.note(self._leg(Side.B), "forwarding", form=form)
        await self.recording.register()
        await self._live.put(self._live_call())
        effects = self.script.bridged(now=self._rooms.clock.monotonic())
        if not goes_on:
            effects += self.script.order(RecorderFailed(), now=self._rooms.clock.monotonic())
        return effects

    def _live_call(self) -> LiveCall:
        stack = self._rooms.stack
        found = {
            "a": stack.dialog_record(self.caller.dialog),
            "b": None
            if self.dialling.dialog is None
            else stack.dialog_record(self.dialling.dialog),
        }
        return LiveCall(
            call=self.call,
            dialogs={side: record for side, record in found.items() if record is not None},
            record=self.keeper.so_far(),
        )

    def _is_privileged(self) -> bool:
        return not isinstance(self._audibility(), Inspectable)

    def _part(self, _effect: fx.Effect, _now: float) -> None:
        if self.keeper.bridged_at is not None and not self._ended.is_set():
            self._rooms.plane.part(self.call)

    def _hold_back(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.HoldBack)
        self._rooms.plane.hold_back(self._leg(Side.A), effect.on)

    def _prolong(self, effect: fx.Effect, _now: float) -> None:
        """Where nobody pays the worker knows only the limit; else the meter asks on by itself."""
        assert isinstance(effect, fx.Prolong)
        self.keeper.fields["limit_s"] = effect.limit_s
        if self.keeper.bridged_at is not None and not self.money.is_metered:
            self._rooms.plane.paid_until(self.call, self.keeper.bridged_at + effect.limit_s)

    def _note(self, effect: fx.Effect, _now: float) -> None:
        assert isinstance(effect, fx.NoteDetector)
        permit = self.permit
        if permit is not None and permit.inspected and not self._is_privileged():
            self._rooms.plane.note(self._leg(effect.side), effect.note, form=effect.form)

    def _mark(self, effect: fx.Effect, now: float) -> None:
        assert isinstance(effect, fx.Mark)
        self.keeper.mark(effect, now)

    def _accepted(self, effect: fx.Effect, now: float) -> None:
        assert isinstance(effect, fx.Accepted)
        self.keeper.accepted(effect.how, now)

    def _state(self, effect: fx.Effect, now: float) -> None:
        assert isinstance(effect, fx.StateChanged)
        self.keeper.state_changed(effect.state, now)

    async def _finish(self, effect: fx.Effect, now: float) -> None:
        """Release what is left, settle, and write. Nothing after this."""
        assert isinstance(effect, fx.Finish)
        if self._finished:
            return
        self._finished = True
        reason = effect.reason
        for side in Side:
            self._of_legs(fx.HangUp(side, cause_of(reason), reason.value), now)
        await self._wait_for_end()
        for side in Side:
            self._rooms.plane.close_leg(self._leg(side))
        settled = await self.money.settle(reason, self.keeper.ended)
        await self.recording.wait_closed()
        await self.people.attempt_over(reason)
        await self.keeper.close(
            effect, settled, cdrs_of(self), languages=self._languages(), now=now
        )
        await self.recording.write_events()
        if self.keeper.bridged_at is not None:
            await self._live.drop(self.call)

    async def _wait_for_end(self) -> None:
        """The worker's word decides when talking ended; without it the last sound does."""
        if self.keeper.bridged_at is None:
            return
        try:
            async with asyncio.timeout(PART_WAIT_S):
                await self._ended.wait()
        except TimeoutError:
            lost = self.keeper.lost_media(self.call, self._rooms.clock.monotonic())
            self.keeper.parted(lost)
            self.money.parted(lost)

    def _languages(self) -> dict[str, str]:
        return {side.value: self.script.language(side) for side in Side}


def _side(leg: LegId) -> Side:
    return Side.B if leg % 2 else Side.A


# ruff: noqa: SLF001 - the tables of this class's own deeds, kept outside to stay readable

DEEDS: Final[dict[type, Callable[[CallDriver, Any, float], list[fx.Effect] | None]]] = {
    fx.AnswerCaller: CallDriver._of_legs,
    fx.Play: CallDriver._play,
    fx.PlayTone: CallDriver._tone,
    fx.StopPlaying: CallDriver._stop,
    fx.HearDigits: CallDriver._hear,
    fx.Deafen: CallDriver._deafen,
    fx.RecordName: CallDriver._record_name,
    fx.Dial: CallDriver._dial,
    fx.CancelDial: CallDriver._of_legs,
    fx.Part: CallDriver._part,
    fx.HangUp: CallDriver._of_legs,
    fx.RefuseCaller: CallDriver._of_legs,
    fx.HoldBack: CallDriver._hold_back,
    fx.Prolong: CallDriver._prolong,
    fx.NoteDetector: CallDriver._note,
    fx.Mark: CallDriver._mark,
    fx.Accepted: CallDriver._accepted,
    fx.StateChanged: CallDriver._state,
}
"""What is done at once, by kind of effect."""

WAITS: Final[dict[type, Callable[[CallDriver, Any, float], Awaitable[list[fx.Effect] | None]]]] = {
    fx.CheckPin: lambda d, effect, now: d.people.check_pin(d.script)(effect, now),
    fx.ReadBalance: lambda d, effect, now: d.people.read_balance(d.script)(effect, now),
    fx.RequestNumber: lambda d, effect, now: d.people.request_number(d.script)(effect, now),
    fx.Screen: lambda d, effect, now: d.people.screen(d.script)(effect, now),
    fx.BlockByKeypad: lambda d, effect, now: d.people.block(effect, now),
    fx.UndoKeypadBlock: lambda d, effect, now: d.people.unblock(effect, now),
    fx.ScreenTarget: lambda d, effect, now: d.people.screen_target(effect, now),
    fx.Bridge: CallDriver._bridge,
    fx.ReserveMoney: lambda d, effect, now: d.money.reserve(d.script)(effect, now),
    fx.Finish: CallDriver._finish,
}
"""What waits for the store, by kind of effect."""
