"""Off-hook, language and PIN: until it is known who calls.

    begin --> Language --key--> Pin --right--> (Name) --> Number, or Screening if it was dialled
                                 +--a hotline's code--------> Screening

What a call does not need is passed through. calls.md section 2.1, rows 1 to 3.
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from typing import Final

from switch.call import speech
from switch.call.effects import CallState, CheckPin, RecordName
from switch.call.keyed_digits import Entry, KeyedDigits
from switch.call.line import KnownPerson
from switch.call.script_closing import close
from switch.call.script_memory import Effects, Memory, Stage, Timer
from switch.call.script_number import Number
from switch.call.script_placing import OWN_ANSWER_S_MAX, Screening
from switch.call.signals import Side
from switch.media.phrase import Phrase
from switch.screening.permit import Denied
from switch.screening.reasons import DenyReason

TYPED_AHEAD_MAX: Final = 24
"""Keys pressed while the PIN is looked up; the rest is dropped. Chosen: one number."""

NAME_TRIES_MAX: Final = 2
"""A name that was not heard is asked for once more; then the call goes on without. Chosen."""

NAME_GRACE_S: Final = 5.0
"""A recording ends so long after its limit or is out of order. Chosen."""


def needs_pin(memory: Memory) -> bool:
    """Whether somebody has to say who they are."""
    asked = memory.line.pin_required and memory.settings.pin_digits > 0
    return asked and memory.facts.person is None


def first_stage(memory: Memory) -> Stage:
    """Return where this call begins to be needed."""
    if memory.line.pin_digits and needs_pin(memory):
        return Pin(memory)
    is_direct = memory.line.dialled is not None and not needs_pin(memory)
    if is_direct or len(memory.languages) < 2:
        return _after_language(memory)
    return Language(memory)


def needs_keys(memory: Memory) -> bool:
    """Whether the caller has anything to key at all."""
    return memory.line.dialled is None or needs_pin(memory)


class Language(Stage):
    """The caller chooses a language, or takes the first by waiting."""

    state = CallState.LANGUAGE

    def enter(self, *, now: float) -> Effects:
        """Offer them."""
        if self.memory.settings.announcements == "none":
            return self._go_on(now=now)
        return self.memory.voice.say(Side.A, *speech.language_menu(self.memory.languages), now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for a key."""
        self.memory.arm(Timer.KEY, now + self.memory.settings.language_wait_s)
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """A language's key chooses; any other begins the PIN, for those in a hurry."""
        memory = self.memory
        if side is not Side.A:
            return []
        hushed = memory.voice.hush(Side.A)
        chosen = int(key) - 1 if key.isdecimal() else -1
        if 0 <= chosen < len(memory.languages):
            memory.spoken_in[Side.A] = memory.languages[chosen]
            memory.facts.language_chosen = True
        else:
            memory.facts.typed_ahead = key
        return [*hushed, *self._go_on(now=now)]

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """The first language, then."""
        if timer is Timer.ENTRY:
            return close(self.memory, DenyReason.NO_INPUT, by="switch", now=now)
        return self._go_on(now=now)

    def _go_on(self, *, now: float) -> Effects:
        self.memory.stop(Timer.KEY)
        return self.memory.move(_after_language(self.memory), now=now)


class Pin(Stage):
    """The caller says who they are; a hotline's code works without."""

    state = CallState.PIN

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._tries = 0
        self._is_asking = False
        self._keyed = self._fresh()

    def enter(self, *, now: float) -> Effects:
        """Look up the PIN that came with the number, or ask for it."""
        memory = self.memory
        if memory.line.pin_digits:
            return self._check(memory.line.pin_digits, now=now)
        ahead, memory.facts.typed_ahead = memory.facts.typed_ahead, ""
        if not ahead:
            return self._ask(speech.ENTER_PIN, now=now)
        return self.digit(Side.A, ahead, in_band=False, now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for the first key."""
        if not self._keyed.digits and not self._is_asking:
            self.memory.arm(Timer.KEY, now + self.memory.settings.first_digit_s)
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take a key; the prompt stops at the first."""
        memory = self.memory
        if side is not Side.A:
            return []
        if self._is_asking:
            memory.facts.typed_ahead = (memory.facts.typed_ahead + key)[:TYPED_AHEAD_MAX]
            return []
        hushed = memory.voice.hush(Side.A)
        memory.arm(Timer.KEY, now + memory.settings.next_digit_s)
        if self._keyed.take(key) is Entry.COMPLETE:
            return [*hushed, *self._complete(now=now)]
        return hushed

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """No key, or no answer."""
        if timer is Timer.ANSWER:
            return close(self.memory, DenyReason.MAINTENANCE, by="switch", now=now)
        if timer is Timer.ENTRY:
            return close(self.memory, DenyReason.NO_INPUT, by="switch", now=now)
        return self._complete(now=now)

    def person_checked(self, person: KnownPerson, *, now: float) -> Effects:
        """It is somebody; go on in their language."""
        if not self._is_asking:
            return []
        memory = self.memory
        memory.stop(Timer.ANSWER)
        memory.facts.person = person
        if person.language in memory.languages and not memory.facts.language_chosen:
            memory.spoken_in[Side.A] = person.language
        after = Name(memory) if person.needs_name else _after_person(memory)
        return memory.move(after, now=now)

    def person_denied(self, denied: Denied, *, now: float) -> Effects:
        """A wrong PIN may be tried again; anything else is the end."""
        if not self._is_asking:
            return []
        memory = self.memory
        memory.stop(Timer.ANSWER)
        self._is_asking = False
        self._tries += 1
        memory.facts.typed_ahead = ""
        may_retry = self._tries < memory.settings.pin_attempts_max
        if denied.reason is not DenyReason.BAD_PIN or not may_retry:
            return close(memory, denied.reason, by="switch", now=now, values=denied.values)
        self._keyed = self._fresh()
        return [
            *memory.hear(Side.A),
            *self._ask(speech.BAD_PIN, speech.ENTER_PIN, now=now),
        ]

    def _fresh(self) -> KeyedDigits:
        return KeyedDigits.pin(self.memory.settings.pin_digits, self.memory.line.hotline_codes)

    def _ask(self, *phrases: Phrase, now: float) -> Effects:
        return self.memory.voice.say(Side.A, *phrases, now=now)

    def _complete(self, *, now: float) -> Effects:
        memory = self.memory
        memory.stop(Timer.KEY)
        digits = self._keyed.digits
        if not digits:
            return close(memory, DenyReason.NO_INPUT, by="switch", now=now)
        if self._keyed.is_code:
            return memory.move(Screening(memory, digits), now=now)
        return self._check(digits, now=now)

    def _check(self, digits: str, *, now: float) -> Effects:
        self._is_asking = True
        self.memory.arm(Timer.ANSWER, now + OWN_ANSWER_S_MAX)
        return [CheckPin(digits)]


class Name(Stage):
    """The name is taken, once in a person's time here; never per call. calls.md section 2.1, 1."""

    state = CallState.PIN

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._tries = 1

    def enter(self, *, now: float) -> Effects:
        """Ask for it."""
        self.memory.stop(Timer.ENTRY)
        return self.memory.voice.say(Side.A, speech.SAY_NAME, now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Take it."""
        seconds_max = self.memory.settings.name_s_max
        self.memory.arm(Timer.ANSWER, now + seconds_max + NAME_GRACE_S)
        return [RecordName(seconds_max)]

    def name_taken(self, *, ok: bool, now: float) -> Effects:
        """Go on; a name that was not heard is asked for once more."""
        self.memory.stop(Timer.ANSWER)
        if ok or self._tries >= NAME_TRIES_MAX:
            return self._go_on(now=now)
        self._tries += 1
        return self.memory.voice.say(Side.A, speech.NAME_NOT_HEARD, speech.SAY_NAME, now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """No answer: the call goes on without a name."""
        return self._go_on(now=now)

    def _go_on(self, *, now: float) -> Effects:
        self.memory.arm(Timer.ENTRY, now + self.memory.settings.entry_s_max)
        return self.memory.move(_after_person(self.memory), now=now)


def _after_language(memory: Memory) -> Stage:
    return Pin(memory) if needs_pin(memory) else _after_person(memory)


def _after_person(memory: Memory) -> Stage:
    if memory.line.dialled is not None:
        return Screening(memory, memory.line.dialled)
    return Number(memory)
