"""Who calls, whom, and whether they may: what one call asks the house and the screening."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from switch.call import effects as fx
from switch.call.cause import EndReason
from switch.call.script import Script
from switch.call.settings import ScriptSettings
from switch.call.switchboard.capacity import Capacity
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.rooms import Rooms
from switch.errors import StoreError
from switch.ids import CallId, PersonId, TerminalId
from switch.routing.terminal import Terminal
from switch.screening.order import check_target, screen
from switch.screening.permit import Denied, Permit
from switch.screening.reasons import DenyReason
from switch.screening.settings import Facility
from switch.store import name_store
from switch.store.engine import driver
from switch.store.facts_store import limit_scopes, record_fields
from switch.store.house_numbers import KeypadScope
from switch.store.pin_store import PersonChecked

if TYPE_CHECKING:
    from switch.routing.number import E164
    from switch.store.account_limits import Scope

DETECTORS: Final = frozenset(
    {
        "dtmf", "hookflash", "dial_tone", "ringback", "busy", "sit", "three_way", "call_waiting",
        "forwarded", "extra_digits", "noise_masking", "tty", "silence_long",
    }
)  # fmt: skip
"""What is looked for on an ordinary call. Each is an event kind of the dsp room."""

DETECTORS_TTY: Final = frozenset({"hookflash", "dial_tone", "busy", "sit", "tty"})
"""On a TTY or relay call: nothing that its tones would set off. calls.md section 8."""

T = TypeVar("T")

Deed = Callable[[fx.Effect, float], Awaitable[list[fx.Effect] | None]]


class LiveHouse:
    """Who is on the phone just now, for the conditions that ask: is this person, this line busy?"""

    def __init__(self) -> None:
        self.persons: dict[PersonId, CallId] = {}
        self.terminals: dict[TerminalId, CallId] = {}


class People:
    """The people of one call.

    Args:
        live: who is on the phone just now.
        capacity: whether there is room for one more call.
    """

    def __init__(
        self,
        rooms: Rooms,
        call: CallId,
        *,
        terminal: Terminal,
        settings: ScriptSettings,
        keeper: RecordKeeper,
        live: LiveHouse,
        capacity: Capacity,
    ) -> None:
        self.terminal = terminal
        self.person: PersonChecked | None = None
        self.permit: Permit | None = None
        self.denied: Denied | None = None
        self._rooms = rooms
        self._call = call
        self._settings = settings
        self._keeper = keeper
        self._live = live
        self._capacity = capacity
        self.outside: E164 | None = None
        """Who called the site's service number; None on every other call."""
        self.scopes: tuple[Scope, ...] = ()
        """What spending limits may be set on, the account apart."""
        self._has_new_name = False

    @property
    def mutes_digits(self) -> bool:
        """Whether the caller's keys are kept from the trunk while people talk."""
        return self._settings.mutes_caller_digits

    def kinds(self, permit: Permit) -> frozenset[str]:
        """What to look for on this call."""
        return DETECTORS_TTY if permit.tty else DETECTORS

    # ---- the person

    def check_pin(self, script: Script) -> Deed:
        """Return the deed that asks who keyed this."""

        async def deed(effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert isinstance(effect, fx.CheckPin)
            answer = await self._rooms.houses.check_pin(
                call=self._call,
                terminal=self.terminal,
                digits=effect.digits,
                busy_persons=self._live.persons,
                at_wall=self._rooms.clock.wall(),
            )
            now = self._rooms.clock.monotonic()
            if isinstance(answer, Denied):
                self._keeper.denied(answer)
                return script.person_denied(answer, now=now)
            self.known(answer)
            return script.person_checked(answer, now=now)

        return deed

    def known(self, person: PersonChecked) -> None:
        """The person is known: by PIN, or because the line is theirs."""
        self.person = person
        self._live.persons[person.person] = self._call
        self._keeper.fields["person"] = person.person

    def name_path(self) -> Path:
        """Where the recorded name of this person goes."""
        assert self.person is not None
        path = name_store.name_file(self._rooms.data, name_store.pending_name(self.person.person))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def name_taken(self, path: str) -> None:
        """The name was recorded (or not: ''); it is kept with the next question to the house."""
        self._has_new_name = bool(path)

    async def _keep_name(self) -> None:
        """Remember that this person's name was taken: it is asked for once, and waits."""
        if not self._has_new_name or self.person is None:
            return
        self._has_new_name = False
        person = self.person.person
        await self._rooms.store.write(lambda c: name_store.taken(driver(c), person))
        self.person = replace(self.person, needs_name=False)

    def read_balance(self, script: Script) -> Deed:
        """Return the deed that reads the person's own balance."""

        async def deed(_effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert self.person is not None
            micros, minutes = await self._rooms.houses.own_balance(self.person.person)
            return script.balance_read(micros, minutes, now=self._rooms.clock.monotonic())

        return deed

    def request_number(self, script: Script) -> Deed:
        """Return the deed that asks for a number to be put on the person's list."""

        async def deed(effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert isinstance(effect, fx.RequestNumber)
            assert self.person is not None
            ok = await self._rooms.houses.request_number(
                person=self.person.person, digits=effect.digits
            )
            return script.number_requested(ok=ok, now=self._rooms.clock.monotonic())

        return deed

    # ---- the number

    def screen(self, script: Script) -> Deed:
        """Return the deed that puts the conditions, in their order, to these digits."""

        async def deed(effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert isinstance(effect, fx.Screen)
            await self._keep_name()
            houses = self._rooms.houses
            self._keeper.fields["digits"] = effect.digits
            try:
                facts = await houses.gather(
                    call=self._call,
                    terminal=self.terminal,
                    person=self.person.person if self.person else None,
                    digits=effect.digits,
                    busy_terminals=_others(self._live.terminals, self._call),
                    busy_persons=_others(self._live.persons, self._call),
                    at_wall=self._rooms.clock.wall(),
                    line_information=self._rooms.lines,
                )
            except StoreError as error:  # nobody knows who may call whom, or who pays
                self.denied = Denied(reason=DenyReason.MAINTENANCE, detail=str(error))
                self._keeper.denied(self.denied)
                return script.screened(self.denied, now=self._rooms.clock.monotonic())
            number = facts.number.number.e164 if facts.number is not None else None
            room = self._capacity.for_call_to(number, now=self._rooms.clock.monotonic())
            facts = replace(facts, room=room)
            self.scopes = tuple(limit_scopes(facts))
            verdict = screen(facts)
            if isinstance(verdict, Denied):
                self.denied = verdict
                self._keeper.denied(verdict)
                self._keeper.fields |= record_fields(facts)
            else:
                self.permit = verdict
                self._keeper.permitted(verdict)
                await houses.note_attempt(facts)
            return script.screened(verdict, now=self._rooms.clock.monotonic())

        return deed

    async def screen_target(self, effect: fx.Effect, _now: float) -> list[fx.Effect]:
        """Say for review if a call was passed on to a number that may not be called."""
        assert isinstance(effect, fx.ScreenTarget)
        facts = await self._rooms.houses.gather(
            call=self._call,
            terminal=self.terminal,
            person=self.person.person if self.person else None,
            digits=effect.digits,
            at_wall=self._rooms.clock.wall(),
        )
        denied = check_target(facts)
        if denied is None:
            return []
        detail = (("reason", denied.reason.value), ("detail", denied.detail))
        text = "The call was passed on to a number that may not be called."
        return [fx.Mark("forwarding_target", "warn", text, detail, for_review=True)]

    async def attempt_over(self, reason: EndReason | DenyReason) -> None:
        """Count what the call was: minutes, calls, refused or unanswered tries."""
        await self._keep_name()
        await self._rooms.houses.attempt_over(
            call=self._call, reason=reason.value, talked_s=int(self._keeper.talked_s())
        )
        if self.person is not None and self._live.persons.get(self.person.person) == self._call:
            del self._live.persons[self.person.person]

    # ---- the called party's own block

    async def block(self, effect: fx.Effect, _now: float) -> None:
        """Write the called party's block."""
        assert isinstance(effect, fx.BlockByKeypad)
        permit = self.permit
        assert permit is not None
        facility = self._rooms.houses.house.facility(self.terminal.facility)
        scope, target = whom_blocked(effect.scope, permit.person, facility)
        await self._rooms.houses.keypad_block(
            number=permit.number, scope=scope, target=target, call=self._call
        )

    async def unblock(self, effect: fx.Effect, _now: float) -> None:
        """Take the called party's blocks back."""
        assert isinstance(effect, fx.UndoKeypadBlock)
        number = self.permit.number if self.permit is not None else self.outside
        assert number is not None
        await self._rooms.houses.undo_keypad_blocks(number)


def whom_blocked(
    scope: fx.BlockScope, person: PersonId | None, facility: Facility
) -> tuple[KeypadScope, str]:
    """Say whom a key of the block menu means, and its id.

    Where nobody keyed a PIN nobody knows the person, so that the facility is blocked instead.
    """
    if scope is fx.BlockScope.AGENCY:
        return "agency", facility.agency
    if scope is fx.BlockScope.PERSON and person is not None:
        return "person", person
    return "facility", facility.id


def _others(busy: Mapping[T, CallId], call: CallId) -> dict[T, CallId]:
    """Who is on the phone with another call than this one."""
    return {who: other for who, other in busy.items() if other != call}
