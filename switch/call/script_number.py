"""The number: keys become digits; `*` opens a small menu. calls.md section 2.1, row 4."""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from typing import Final

from switch.call import speech
from switch.call.effects import CallState, ReadBalance, RequestNumber
from switch.call.keyed_digits import Entry, KeyedDigits
from switch.call.script_closing import close
from switch.call.script_memory import Effects, Memory, Stage, Timer
from switch.call.script_placing import OWN_ANSWER_S_MAX, Screening
from switch.call.signals import Side
from switch.media.phrase import Phrase
from switch.money import Micros
from switch.screening.reasons import DenyReason

MENU_KEY: Final = "*"
BALANCE_KEY: Final = "1"
REQUEST_KEY: Final = "2"
"""Keys of the menu. Chosen."""


class Number(Stage):
    """The caller dials."""

    state = CallState.NUMBER

    def __init__(self, memory: Memory, *, before: Phrase | None = None) -> None:
        super().__init__(memory)
        self._before = before
        self._keyed = KeyedDigits.number(memory.line.hotline_codes)

    def enter(self, *, now: float) -> Effects:
        """Ask for the number, unless it is being keyed already."""
        memory = self.memory
        ahead, memory.facts.typed_ahead = memory.facts.typed_ahead, ""
        if not ahead:
            said = [self._before] if self._before is not None else []
            return memory.voice.say(Side.A, *said, speech.DIAL_NUMBER, now=now)
        effects: Effects = []
        for key in ahead:
            effects += memory.stage.digit(Side.A, key, in_band=False, now=now)
        return effects

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for the first key."""
        if not self._keyed.digits:
            self.memory.arm(Timer.KEY, now + self.memory.settings.first_digit_s)
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take a key; the prompt stops at the first."""
        if side is not Side.A:
            return []
        memory = self.memory
        hushed = memory.voice.hush(Side.A)
        if key == MENU_KEY and not self._keyed.digits and not self._keyed.may_begin_with(key):
            return [*hushed, *memory.move(Menu(memory), now=now)]
        memory.arm(Timer.KEY, now + memory.settings.next_digit_s)
        if self._keyed.take(key) is Entry.COMPLETE:
            return [*hushed, *self._complete(now=now)]
        return hushed

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """No key came: what was keyed counts."""
        if timer is Timer.ENTRY:
            return close(self.memory, DenyReason.NO_INPUT, by="switch", now=now)
        return self._complete(now=now)

    def _complete(self, *, now: float) -> Effects:
        memory = self.memory
        digits = self._keyed.digits
        if not digits:
            return close(memory, DenyReason.NO_INPUT, by="switch", now=now)
        if digits == MENU_KEY:
            return memory.move(Menu(memory), now=now)
        return memory.move(Screening(memory, digits), now=now)


class Menu(Stage):
    """Balance, and asking for a number. Whatever is not on it leads back."""

    state = CallState.NUMBER

    def enter(self, *, now: float) -> Effects:
        """Say what there is."""
        self.memory.stop(Timer.KEY)
        return self.memory.voice.say(Side.A, speech.MENU, now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for a choice."""
        self.memory.arm(Timer.KEY, now + self.memory.settings.first_digit_s)
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take the choice."""
        memory = self.memory
        if side is not Side.A:
            return []
        hushed = memory.voice.hush(Side.A)
        if key == BALANCE_KEY:
            memory.arm(Timer.KEY, now + OWN_ANSWER_S_MAX)
            return [*hushed, ReadBalance()]
        if key == REQUEST_KEY:
            return [*hushed, *memory.move(NumberRequest(memory), now=now)]
        return [*hushed, *_back(memory, None, now=now)]

    def balance_read(self, micros: Micros, minutes: int, *, now: float) -> Effects:
        """Say it, and go back."""
        return _back(self.memory, speech.balance(micros, minutes), now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """No choice, or no answer."""
        if timer is Timer.ENTRY:
            return close(self.memory, DenyReason.NO_INPUT, by="switch", now=now)
        return _back(self.memory, None, now=now)


class NumberRequest(Stage):
    """The caller keys a number that should be put on their list."""

    state = CallState.NUMBER

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._keyed = KeyedDigits.number(frozenset())
        self._is_sent = False

    def enter(self, *, now: float) -> Effects:
        """Ask which."""
        self.memory.stop(Timer.KEY)
        return self.memory.voice.say(Side.A, speech.ASK_WHICH_NUMBER, now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for the first key."""
        self.memory.arm(Timer.KEY, now + self.memory.settings.first_digit_s)
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take a key; `*` leads back."""
        memory = self.memory
        if side is not Side.A or self._is_sent:
            return []
        hushed = memory.voice.hush(Side.A)
        if key == MENU_KEY:
            return [*hushed, *_back(memory, None, now=now)]
        memory.arm(Timer.KEY, now + memory.settings.next_digit_s)
        if self._keyed.take(key) is Entry.COMPLETE:
            return [*hushed, *self._send(now=now)]
        return hushed

    def number_requested(self, *, ok: bool, now: float) -> Effects:
        """Say whether it was noted down, and go back."""
        said = speech.NUMBER_REQUESTED if ok else speech.NUMBER_NOT_REQUESTED
        return _back(self.memory, said, now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """What was keyed counts; nothing, or no answer, leads back."""
        if timer is Timer.ENTRY:
            return close(self.memory, DenyReason.NO_INPUT, by="switch", now=now)
        if self._keyed.digits and not self._is_sent:
            return self._send(now=now)
        return _back(self.memory, None, now=now)

    def _send(self, *, now: float) -> Effects:
        self._is_sent = True
        self.memory.arm(Timer.KEY, now + OWN_ANSWER_S_MAX)
        return [RequestNumber(self._keyed.digits)]


def _back(memory: Memory, before: Phrase | None, *, now: float) -> Effects:
    memory.stop(Timer.KEY)
    return memory.move(Number(memory, before=before), now=now)
