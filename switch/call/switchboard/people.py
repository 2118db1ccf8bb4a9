"""Who calls, whom, and whether they may: what one call asks the house and the screening."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from switch.call import effects as fx
from switch.call.cause import EndReason
from switch.call.script import Script
from switch.call.settings import ScriptSettings
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.rooms import Rooms
from switch.ids import CallId, PersonId
from switch.routing.number import masked
from switch.routing.terminal import Terminal
from switch.screening.order import screen
from switch.screening.permit import Denied, Permit
from switch.screening.reasons import DenyReason
from switch.store import facts_store, house_store, pin_store
from switch.store.pin_store import PersonChecked

DETECTORS: Final = frozenset(
    {
        "dtmf", "hookflash", "dial_tone", "ringback", "busy", "sit", "three_way", "call_waiting",
        "forwarded", "extra_digits", "noise_masking", "tty", "silence_long",
    }
)  # fmt: skip
"""What is looked for on an ordinary call. Each is an event kind of the dsp room."""

DETECTORS_TTY: Final = frozenset({"hookflash", "dial_tone", "busy", "sit", "tty"})
"""On a TTY or relay call: nothing that its tones would set off. calls.md section 8."""

Deed = Callable[[fx.Effect, float], Awaitable[list[fx.Effect] | None]]


class LiveHouse:
    """Who is on the phone just now, for the conditions that ask: is this person, this line busy?"""

    def __init__(self) -> None:
        self.persons: dict[PersonId, CallId] = {}
        self.terminals: dict[str, CallId] = {}


class People:
    """The people of one call.

    Args:
        live: who is on the phone just now.
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
        self._digits = ""

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
            answer = await pin_store.check_pin(
                self._rooms.store,
                terminal=self.terminal,
                digits=effect.digits,
                settings=self._settings,
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
        return self._rooms.data / "prompts" / "names" / f"{self.person.person}.ulaw"

    def name_taken(self, path: str) -> None:
        """The name was recorded (or not: '')."""
        self._keeper.fields["name_taken"] = bool(path)

    def read_balance(self, script: Script) -> Deed:
        """Return the deed that reads the person's own balance."""

        async def deed(_effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert self.person is not None
            micros, minutes = await house_store.own_balance(
                self._rooms.store, self.person.person, at_wall=self._rooms.clock.wall()
            )
            return script.balance_read(micros, minutes, now=self._rooms.clock.monotonic())

        return deed

    def request_number(self, script: Script) -> Deed:
        """Return the deed that asks for a number to be put on the person's list."""

        async def deed(effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert isinstance(effect, fx.RequestNumber)
            assert self.person is not None
            ok = await house_store.request_number(
                self._rooms.store,
                person=self.person.person,
                digits=effect.digits,
                at_wall=self._rooms.clock.wall(),
            )
            return script.number_requested(ok=ok, now=self._rooms.clock.monotonic())

        return deed

    # ---- the number

    def screen(self, script: Script) -> Deed:
        """Return the deed that puts the conditions, in their order, to these digits."""

        async def deed(effect: fx.Effect, _now: float) -> list[fx.Effect]:
            assert isinstance(effect, fx.Screen)
            self._digits = effect.digits
            facts = await facts_store.gather(
                self._rooms.store,
                call=self._call,
                terminal=self.terminal,
                person=self.person.person if self.person else None,
                digits=effect.digits,
                settings=self._settings,
                busy_persons=self._live.persons,
                at_wall=self._rooms.clock.wall(),
                line_information=self._rooms.lines,
            )
            verdict = screen(facts)
            self._keeper.fields["digits"] = effect.digits
            if isinstance(verdict, Denied):
                self.denied = verdict
                self._keeper.denied(verdict)
                self._keeper.fields |= facts_store.record_fields(facts)
            else:
                self.permit = verdict
                self._keeper.permitted(verdict)
                await facts_store.note_attempt(self._rooms.store, facts)
            return script.screened(verdict, now=self._rooms.clock.monotonic())

        return deed

    async def attempt_over(self, reason: EndReason | DenyReason) -> None:
        """Count what the call was: minutes, calls, refused or unanswered tries."""
        await facts_store.attempt_over(
            self._rooms.store,
            call=self._call,
            reason=reason.value,
            talked_s=int(self._keeper.talked_s()),
        )
        if self.person is not None and self._live.persons.get(self.person.person) == self._call:
            del self._live.persons[self.person.person]

    # ---- the called party's own block

    async def block(self, effect: fx.Effect, _now: float) -> None:
        """Write the called party's block."""
        assert isinstance(effect, fx.BlockByKeypad)
        await self._keypad(effect.scope, block=True)

    async def unblock(self, effect: fx.Effect, _now: float) -> None:
        """Take the called party's block back."""
        assert isinstance(effect, fx.UndoKeypadBlock)
        await self._keypad(effect.scope, block=False)

    async def _keypad(self, scope: fx.BlockScope, *, block: bool) -> None:
        assert self.permit is not None
        await house_store.keypad_block(
            self._rooms.store,
            number=self.permit.number,
            person=self.permit.person if scope is fx.BlockScope.PERSON else None,
            facility=self.terminal.facility,
            block=block,
            at_wall=self._rooms.clock.wall(),
        )


def shown(number: str) -> str:
    """A number as logs may show it."""
    return masked(number)
