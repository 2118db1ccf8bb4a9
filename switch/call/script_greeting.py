"""The greeting: the called party hears who calls and decides; the caller waits with a soft tone.

Silence is not a yes, a wrong key is not a yes. Sources: calls.md sections 2.2 and 2.4.
"""

from collections.abc import Mapping
from typing import Any, Final

from switch.call import speech
from switch.call.cause import EndReason
from switch.call.effects import Accepted, BlockByKeypad, BlockScope, CallState, UndoKeypadBlock
from switch.call.script_closing import close
from switch.call.script_memory import Effects, Memory, Stage, Timer
from switch.call.script_talking import Bridging
from switch.call.signals import Side
from switch.media.phrase import Named, Phrase, Tone

BLOCK_PERSON_KEY: Final = "1"
BLOCK_FACILITY_KEY: Final = "9"
BLOCK_AGENCY_KEY: Final = "0"
BLOCK_UNDO_KEY: Final = "7"
BLOCK_BACK_KEY: Final = "*"
"""Keys of the block menu; calls.md section 2.4. 0 and 7 are ours."""

BLOCK_KEYS: Final[Mapping[str, BlockScope]] = {
    BLOCK_PERSON_KEY: BlockScope.PERSON,
    BLOCK_FACILITY_KEY: BlockScope.FACILITY,
    BLOCK_AGENCY_KEY: BlockScope.AGENCY,
}
"""Whom each key blocks."""

ANSWERED_BY: Final[Mapping[str, EndReason]] = {
    "sit": EndReason.BAD_NUMBER,
    "machine": EndReason.VOICEMAIL,
    "fax": EndReason.FAX,
}
"""What the detectors may find instead of a person. A machine cannot accept."""


class Greeting(Stage):
    """The called party is being asked."""

    state = CallState.GREETING

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._round = 1
        self._in_block_menu = False

    def enter(self, *, now: float) -> Effects:
        """Greet, and tell the caller to wait."""
        memory = self.memory
        permit = memory.facts.allowed
        ears = permit.accept_in_band and not memory.facts.privileged
        return [
            *memory.voice.say(Side.A, speech.ANSWERED_WAIT, now=now),
            *(memory.hear(Side.B) if ears else []),
            *self._greet(now=now),
        ]

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for a key, and keep the caller company."""
        if side is Side.A:
            return self.memory.voice.tone(Side.A, Tone.WAIT)
        self.memory.arm(Timer.KEY, now + self.memory.settings.answer_wait_s)
        return []

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Greet again, or give up: silence is not a yes."""
        if timer is not Timer.KEY:
            return []
        self._in_block_menu = False
        if self._round >= self.memory.settings.greeting_rounds_max:
            return close(self.memory, EndReason.NO_RESPONSE, by="switch", now=now)
        self._round += 1
        return self._greet(now=now)

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take the called party's key; a wrong one does nothing."""
        if side is not Side.B or (in_band and self.memory.facts.privileged):
            return []
        if self._in_block_menu:
            return self._block(key, now=now)
        settings = self.memory.settings
        if key == settings.accept_key:
            return self._accept(key, now=now)
        if key == settings.refuse_key:
            return close(self.memory, EndReason.REFUSED, by="called", now=now)
        if key == settings.quote_key:
            return self._full_price(now=now)
        if key == settings.block_key:
            return self._ask_block(now=now)
        if key == settings.language_key and len(self.memory.languages) > 1:
            return self._next_language(now=now)
        return []

    def detected(self, event: dict[str, Any], side: Side, *, now: float) -> Effects:
        """A machine, a fax or the network answered, and no person."""
        reason = ANSWERED_BY.get(str(event.get("kind")))
        if reason is None or side is not Side.B or self.memory.facts.privileged:
            return []
        return close(self.memory, reason, by="network", now=now)

    def _greet(self, *, now: float) -> Effects:
        memory = self.memory
        permit = memory.facts.allowed
        opening = speech.greeting(memory.line, permit, self._name(), memory.facts.money_s)
        return self._ask(*opening, *self._choices(), now=now)

    def _ask(self, *phrases: Phrase, now: float) -> Effects:
        self.memory.stop(Timer.KEY)
        return self.memory.voice.say(Side.B, *phrases, now=now)

    def _choices(self) -> tuple[Phrase, ...]:
        return speech.choices(self.memory.settings, self._other_language())

    def _name(self) -> Named | None:
        """Return the approved recorded name. None: the greeting is said without a name."""
        person = self.memory.facts.person
        return Named(person.name_path) if person is not None and person.name_path else None

    def _other_language(self) -> str | None:
        languages = self.memory.languages
        if len(languages) < 2:
            return None
        present = self.memory.spoken_in[Side.B]
        at = languages.index(present) if present in languages else 0
        return languages[(at + 1) % len(languages)]

    def _accept(self, key: str, *, now: float) -> Effects:
        memory = self.memory
        memory.stop(Timer.KEY)
        memory.facts.acceptance = key
        deaf = memory.deafen(Side.B)
        return [Accepted(key), *deaf, *memory.move(Bridging(memory, spoken=True), now=now)]

    def _full_price(self, *, now: float) -> Effects:
        facts = self.memory.facts
        return self._ask(
            *speech.full_price(facts.allowed, facts.balance), *self._choices(), now=now
        )

    def _next_language(self, *, now: float) -> Effects:
        language = self._other_language()
        assert language is not None, "the key does nothing at a site of one language"
        self.memory.spoken_in[Side.B] = language
        return self._greet(now=now)

    def _ask_block(self, *, now: float) -> Effects:
        self._in_block_menu = True
        undo = (speech.BLOCK_MENU_UNDO,) if self._may_undo() else ()
        return self._ask(speech.BLOCK_MENU, speech.BLOCK_MENU_AGENCY, *undo, now=now)

    def _may_undo(self) -> bool:
        return self.memory.facts.allowed.undo_offered

    def _block(self, key: str, *, now: float) -> Effects:
        if key == BLOCK_BACK_KEY:
            self._in_block_menu = False
            return self._ask(*self._choices(), now=now)
        if key == BLOCK_UNDO_KEY and self._may_undo():
            self._in_block_menu = False
            undone = self._ask(speech.BLOCK_UNDONE, *self._choices(), now=now)
            return [UndoKeypadBlock(), *undone]
        if key not in BLOCK_KEYS:
            return []
        blocked = BlockByKeypad(BLOCK_KEYS[key])
        return [blocked, *close(self.memory, EndReason.BLOCKED_BY_CALLED, by="called", now=now)]
