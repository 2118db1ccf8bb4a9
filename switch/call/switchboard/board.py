"""All live calls: what comes in is admitted or refused here, and handed to its driver.

SIP event  -> on_sip   -> a new call, or the dialog's listener
worker     -> on_media -> the call of that leg
the meter  -> on_meter -> the call
staff      -> cut, lockdown, house_changed -> the calls concerned
"""

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from switch.billing.meter_news import MeterNews, MoneyAdded, SecondsLeft
from switch.call.news import AlarmNews, BalanceNews, RegistrationNews
from switch.call.orders import (
    JoinedCalls,
    Order,
    StaffCut,
    SwitchFails,
)
from switch.call.signals import Side
from switch.call.switchboard.admission import Admission
from switch.call.switchboard.capacity import Capacity
from switch.call.switchboard.code_caller import CodeCaller
from switch.call.switchboard.dialogs import DialogBook
from switch.call.switchboard.driver import CallDriver, Step
from switch.call.switchboard.live_row import live_row
from switch.call.switchboard.orders_due import orders_due
from switch.call.switchboard.overload import OverloadWatch
from switch.call.switchboard.people import LiveHouse
from switch.call.switchboard.rooms import Rooms
from switch.call.switchboard.trunks import TrunkDesk
from switch.call.switchboard.turned_away import TurnedAway
from switch.call.switchboard.unheard import REGISTER, stop_hearing
from switch.call.switchboard.worker_watch import WorkerWatch
from switch.errors import UserError
from switch.ids import CallId, FacilityId, call_of
from switch.media.messages import (
    CallEnded,
    CallsLost,
    Detected,
    DigitHeard,
    FlashHeard,
    Hearing,
    LegReport,
    LegResumed,
    MediaEvent,
    PlayEnded,
    Recorded,
    RecordingEnded,
    RecordingFailed,
    WorkerDied,
    WorkerReport,
)
from switch.money import Micros
from switch.routing.call_class import CallClass
from switch.routing.number import E164
from switch.routing.terminal import Terminal
from switch.screening.facts import RoomFacts
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason
from switch.sip.binding import BindingBook
from switch.sip.events import (
    Answered,
    Dropped,
    Event,
    InviteReceived,
    OutOfDialogAnswered,
    RefusedByUs,
    RegisterReceived,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class Switchboard:
    """Every live call of this node.

    Args:
        rooms: the neighbours.
        group: where each call's task lives.
    """

    def __init__(
        self,
        rooms: Rooms,
        *,
        group: asyncio.TaskGroup,
        dialogs: DialogBook,
        trunks: TrunkDesk,
        bindings: BindingBook,
    ) -> None:
        self.calls: dict[CallId, CallDriver] = {}
        self.live = LiveHouse()
        self.trunks = trunks
        self.bindings = bindings
        self.draining = False
        self.idle = asyncio.Event()
        """Set while no call is live."""
        self.idle.set()
        self.self_test: Callable[[str], Awaitable[dict[str, Any]]] | None = None
        self.hearing: dict[CallId, Hearing] = {}
        """What the worker last said that could hear a call, where it was asked."""
        self.admitted = 0
        self.finished: Counter[str] = Counter()
        self.overload = OverloadWatch(rooms, ticks_late_at=lambda: self._watch.late_at)
        self._watch = WorkerWatch(rooms.publisher, rooms.clock)
        self.turned_away = TurnedAway(rooms, group)
        self._fault_told = ""
        self._rooms = rooms
        self._group = group
        self._dialogs = dialogs
        self.code_calls = CodeCaller(rooms, trunks, is_open=lambda: not self.draining)
        self._capacity = Capacity(rooms, trunks=trunks, calls_live=lambda: len(self.calls))
        self._admission = Admission(
            rooms,
            live=self.live,
            dialogs=dialogs,
            trunks=trunks,
            capacity=self._capacity,
            second_line=self._second_line,
        )

    # ---- from the SIP stack

    def on_sip(self, event: Event) -> None:
        """Take an event of the stack."""
        match event:
            case InviteReceived():
                self._invited(event)
            case RegisterReceived():
                self._registered(event)
            case OutOfDialogAnswered():
                self.trunks.on_answer(event, now=self._rooms.clock.monotonic())
            case Dropped():
                pass
            case RefusedByUs(dialog=dialog):
                if dialog is not None:
                    self._dialogs.tell(dialog, event)
            case _:
                if not self._dialogs.tell(event.dialog, event):
                    self._unclaimed(event)

    def _second_line(self, first: CallId) -> None:
        """A line that has a call calls again: a hookflash of form 6."""
        driver = self.calls.get(first)
        if driver is not None:
            script = driver.script
            driver.post(lambda now: script.flash(Side.A, "6", now=now))

    def _unclaimed(self, event: Event) -> None:
        """A dialog that nobody drives any more: an answer to it is released at once."""
        if isinstance(event, Answered):
            now = self._rooms.clock.monotonic()
            self._rooms.pump.apply(self._rooms.stack.bye(event.dialog, now=now))

    def _invited(self, event: InviteReceived) -> None:
        away = self._turned_away(event)
        if away is not None:
            self.turned_away.refuse(event, *away)
            return
        now = self._rooms.clock.monotonic()
        driver, first = self._admission.admit(event, now=now)
        if driver is None:
            return
        self.calls[driver.call] = driver
        self.idle.clear()
        self.admitted += 1
        self._group.create_task(self._guarded(driver, first), name=f"call {driver.call}")

    def _turned_away(self, event: InviteReceived) -> tuple[Terminal, Denied] | None:
        """Say whether a caller is refused at the door, and why; hotlines and attorneys last."""
        terminal, denied = self._admission.line_of(event)
        if self.draining:
            return terminal, denied or Denied(reason=DenyReason.MAINTENANCE)
        asked = CallClass.ORDINARY if denied else None
        full = self._capacity.at_the_door(
            lambda: asked or self._admission.class_at_the_door(event, terminal)
        )
        if not full:
            return None
        return terminal, denied or Denied(reason=DenyReason.CAPACITY, detail=full)

    async def _guarded(self, driver: CallDriver, first: Step) -> None:
        """Run one call. Whatever goes wrong in it ends this call and no other."""
        try:
            await driver.run(first)
        except Exception:
            log.exception("call %d failed; it is released with its credit", driver.call)
            await self._abandon(driver)
        finally:
            self.calls.pop(driver.call, None)
            self.hearing.pop(driver.call, None)
            self._admission.over(driver)
            if not self.calls:
                self.idle.set()

    async def _abandon(self, driver: CallDriver) -> None:
        try:
            await driver.abandon()
        except Exception:
            log.exception("call %d could not be settled; the next start settles it", driver.call)

    def _registered(self, event: RegisterReceived) -> None:
        rooms = self._rooms
        now = rooms.clock.monotonic()
        known = self._admission.house.terminal_of_user(event.source.name)
        if known is None:
            answer = rooms.stack.respond_to(event.transaction, 403, now=now)
            rooms.pump.apply(answer)
            return
        status, headers = self.bindings.register(
            event.request, event.flow, terminal=known.id, now=now
        )
        rooms.pump.apply(
            rooms.stack.respond_to(event.transaction, status, headers=headers, now=now)
        )
        binding = self.bindings.lookup(known.id, now=now)
        rooms.publisher.publish_nowait(
            RegistrationNews(
                facility=known.facility,
                terminal=known.id,
                contact=binding.contact if binding else "",
                expires_s=round(binding.expires_at - now) if binding else 0,
                at_wall=rooms.clock.wall(),
            )
        )

    # ---- from the media workers

    def on_media(self, event: MediaEvent) -> None:
        """Take a worker's report."""
        driver: CallDriver | None = None
        match event:
            case (
                DigitHeard()
                | FlashHeard()
                | PlayEnded()
                | Recorded()
                | Detected()
                | LegReport()
                | LegResumed()
            ):
                driver = self.calls.get(call_of(event.leg))
            case Hearing(call=call):
                if call in self.calls:
                    self.hearing[call] = event
            case RecordingEnded(call=call):
                self._rooms.recordings.ended(event)
                driver = self.calls.get(call)
            case CallEnded(call=call) | RecordingFailed(call=call):
                driver = self.calls.get(call)
            case WorkerReport():
                self._watch.said(event)
            case WorkerDied():
                self._watch.died(event)
            case CallsLost(calls=calls):
                self._calls_lost(calls)
        if driver is not None:
            driver.on_media(event)
        else:
            self.code_calls.on_media(event)

    def _calls_lost(self, calls: list[CallId]) -> None:
        log.error("%d calls lost each worker they had; they end with their credit", len(calls))
        for call in calls:
            driver = self.calls.get(call)
            if driver is not None:
                driver.media_died()

    # ---- from the meter

    def on_meter(self, news: MeterNews) -> None:
        """Tell a call what its money does."""
        match news:
            case SecondsLeft(call=call, seconds=seconds, balance_micros=micros):
                self._money_left(call, seconds, micros)
            case MoneyAdded(call=call, minutes=minutes):
                driver = self.calls.get(call)
                if driver is not None:
                    script = driver.script
                    driver.post(lambda now: script.money_added(minutes, now=now))
            case _:
                pass

    def _money_left(self, call: CallId, seconds: int, micros: Micros) -> None:
        driver = self.calls.get(call)
        if driver is None:
            return
        script = driver.script
        driver.seconds_left, driver.balance_micros = seconds, micros
        driver.post(lambda now: script.money(seconds, micros, now=now))
        self._publish_balance(driver, seconds, micros)

    def _publish_balance(self, driver: CallDriver, seconds: int, micros: int) -> None:
        self._rooms.publisher.publish_nowait(
            BalanceNews(
                call=driver.call,
                facility=driver.keeper.facility,
                seconds_left=seconds,
                balance_micros=micros,
                at_wall=self._rooms.clock.wall(),
            )
        )

    # ---- from staff

    async def cut(
        self,
        call: int,
        *,
        by: str,
        why: str,
        disable_terminal_s: int = 0,
        block: bool = False,
        joined: bool = False,
        alarm: str = "",
    ) -> None:
        """End a call at once.

        Args:
            call: its id.
            by: who.
            why: kept for good.
            disable_terminal_s: turn its terminal off for so long.
            block: block the number.
            joined: it ends as `joined_calls`, not as `staff_cut`; the payer has a credit.
            alarm: the alarm by its name, where staff know what the switch did not notice.

        Raises:
            UserError: there is no such call, or it cannot end as `joined_calls`.
        """
        driver = self.calls.get(CallId(call))
        if driver is None:
            raise UserError(f"No call {call} is live. `kinline calls` lists those that are.")
        if joined:
            driver.check_joined(alarm)
            self._order(driver, JoinedCalls(by=by, why=why))
        else:
            self._order(driver, StaffCut(by=by, why=why, block=block))
        await self._admission.cut(driver, by=by, why=why, off_s=disable_terminal_s, block=block)

    async def house_changed(self) -> None:
        """Take up rules, terminals and trunks as the store has them now; act on them."""
        house = await self._admission.reload()
        for driver in list(self.calls.values()):
            people, permit = driver.people, driver.permit
            call_class = permit.call_class if permit is not None else None
            due = orders_due(
                house,
                terminal=people.terminal,
                person=people.person.person if people.person is not None else None,
                call_class=call_class,
                order=self._rooms.houses.order_for(people.terminal, call_class),
                told=driver.orders_told,
                at_wall=self._rooms.clock.wall(),
            )
            for order in due:
                self._order(driver, order)
        await self._mind_register()

    async def prove_register(self) -> None:
        """Prove the privileged register, as every night; act on it. calls.md section 6, P8."""
        await self._rooms.houses.register.verify()
        await self._mind_register()

    async def _mind_register(self) -> None:
        """Let nothing be heard that the register as it stands does not allow, live calls too."""
        fault = self.register_fault()
        if fault and fault != self._fault_told:
            text = f"The privileged register is not whole: {fault}. Nothing is heard until it is."
            self._rooms.publisher.publish_nowait(
                AlarmNews(
                    code=REGISTER, text=text, facility=FacilityId(""),
                    at_wall=self._rooms.clock.wall(),
                )
            )  # fmt: skip
        self._fault_told = fault
        for driver in list(self.calls.values()):
            await stop_hearing(driver, self._rooms)

    def _order(self, driver: CallDriver, order: Order) -> None:
        driver.post(lambda now: driver.script.order(order, now=now))

    def end_all(self) -> None:
        """A second SIGTERM: end every call with its reason and credit."""
        for driver in list(self.calls.values()):
            self._order(driver, SwitchFails())

    def look_at(self, call: CallId) -> None:
        """Ask the worker what could hear a call; the answer stands in `hearing`."""
        self._rooms.plane.look_at(call)

    async def selftest(self, *, by: str) -> dict[str, Any]:
        """Place a test call to an attorney; see `switch.lab.privileged_test`.

        Raises:
            UserError: none is configured, or it did not come about.
        """
        if self.self_test is None:
            raise UserError("No test call is configured: [selftest] names no number.")
        return await self.self_test(by)

    # ---- for the consoles

    def live_calls(self) -> list[dict[str, Any]]:
        """One row per live call."""
        now = self._rooms.clock.monotonic()
        return [live_row(driver, now=now) for driver in self.calls.values()]

    def health(self) -> dict[str, Any]:
        """What is held right now: all of it is zero, or lingers, when no call lives."""
        stack, plane = self._rooms.stack.counts(), self._rooms.plane.counts()
        return {
            "calls": len(self.calls),
            "code_calls": len(self.code_calls),
            "dialog_listeners": len(self._dialogs),
            "terminals_busy": len(self.live.terminals),
            "persons_busy": len(self.live.persons),
            "meters": len(self._rooms.book),
            "transactions": stack.transactions,
            "dialogs": stack.dialogs,
            "legs": plane.legs,
            "ports": plane.ports,
            "rings": plane.rings,
            "rows": plane.rows,
            "recorders": plane.recorders,
            "tapes": plane.tapes,
            "recording_files": plane.files,
            "workers": plane.workers,
            "workers_spare": self._rooms.plane.spare_count(),
            "workers_died": self._watch.died_count,
            "worker_pids": list(self._rooms.plane.worker_pids().values()),
            "bindings": len(self.bindings),
            "trunks": self.trunk_rows(),
            "register_fault": self.register_fault(),
            "turned_away": dict(self.turned_away.counts),
            "turned_away_unwritten": self.turned_away.unwritten,
            "shedding": sorted(self._rooms.stack.shedding),
            "dropped": stack.dropped,
            "refused": stack.refused,
        }

    def room_for(self, number: E164 | None) -> RoomFacts:
        """Say which limit one more call to a number would meet, for `kinline why`."""
        return self._capacity.for_call_to(number, now=self._rooms.clock.monotonic())

    def register_fault(self) -> str:
        """Why the privileged register is not whole, so that nothing is heard; '' if it is."""
        return self._rooms.houses.register.fault

    def trunk_rows(self) -> list[dict[str, Any]]:
        """One row per trunk."""
        return self.trunks.rows(now=self._rooms.clock.monotonic())

    def worker_rows(self) -> list[dict[str, Any]]:
        """One row per media worker."""
        return self._watch.rows()
