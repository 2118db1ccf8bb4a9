"""Somebody outside calls the site's service number: they may take back the blocks of their number.

It is answered by the switch alone, rings no terminal, and joins nobody to anybody. It ends when
they hang up, or after silence as any prompt does. calls.md section 2.2.
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from switch.call import speech
from switch.call.cause import EndReason
from switch.call.effects import CallState, Mark, UndoKeypadBlock
from switch.call.script_closing import close
from switch.call.script_greeting import BLOCK_UNDO_KEY
from switch.call.script_memory import Effects, Memory, Stage, Timer
from switch.call.signals import Side
from switch.media.phrase import Phrase


class Service(Stage):
    """The menu."""

    state = CallState.NUMBER

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._round = 1

    def enter(self, *, now: float) -> Effects:
        """Say where they are, and what they may do."""
        opening = speech.service_greeting(self.memory.line)
        return self.memory.voice.say(Side.A, opening, *self._choices(), now=now)

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Wait for a key."""
        self.memory.arm(Timer.KEY, now + self.memory.settings.answer_wait_s)
        return []

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Ask again, or give up."""
        if timer is Timer.ENTRY or self._round >= self.memory.settings.greeting_rounds_max:
            return close(self.memory, EndReason.NO_RESPONSE, by="switch", now=now)
        self._round += 1
        return self.memory.voice.say(Side.A, *self._choices(), now=now)

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take their key; a wrong one does nothing."""
        memory, settings = self.memory, self.memory.settings
        if key == BLOCK_UNDO_KEY:
            memory.stop(Timer.KEY)
            done = Mark("block_undone", "log", "The owner of the number took their blocks back.")
            said = memory.voice.say(Side.A, speech.BLOCK_UNDONE, now=now)
            return [UndoKeypadBlock(), done, *said]
        if key == settings.language_key and len(memory.languages) > 1:
            memory.stop(Timer.KEY)
            memory.spoken_in[Side.A] = self._other_language()
            return self.enter(now=now)
        return []

    def _choices(self) -> tuple[Phrase, ...]:
        menu = (speech.BLOCK_MENU_UNDO,)
        if len(self.memory.languages) < 2:
            return menu
        return (*menu, speech.offer(self._other_language(), self.memory.settings.language_key))

    def _other_language(self) -> str:
        languages = self.memory.languages
        at = languages.index(self.memory.spoken_in[Side.A])
        return languages[(at + 1) % len(languages)]
