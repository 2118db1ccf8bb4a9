"""The closing: charging stops first, then the reason is spoken to whoever remains, then release.

Bounded by `closing_s_max`, whatever plays and whoever stays on the line. calls.md section 2.1.
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from typing import Final

from switch.call import speech
from switch.call.cause import NORMAL_CLEARING, Reason, cause_of
from switch.call.effects import CallState, CancelDial, Effect, Finish, HangUp, Part, RequestNumber
from switch.call.script_memory import BridgeAt, Effects, LegAt, Memory, Stage, Timer
from switch.call.signals import Side
from switch.media.phrase import Value
from switch.screening.reasons import DenyReason

Values = tuple[tuple[str, Value], ...]

ASK_KEY: Final = "*"
"""Asks for a number that is not on the list. calls.md section 5.1, `pan_missing`."""


def close(
    memory: Memory, reason: Reason, *, by: str, now: float, values: Values = (), mute: bool = False
) -> Effects:
    """End a call from whatever state it is in.

    Args:
        memory: the call's.
        reason: why.
        by: `caller`, `called`, `switch`, `staff` or `network`.
        now: monotonic seconds.
        values: what fills the holes of the sentence.
        mute: nothing can be spoken any more.
    """
    memory.facts.reason = reason
    memory.deadlines.clear()
    effects: Effects = []
    if memory.bridge in {BridgeAt.ASKED, BridgeAt.ON}:
        memory.bridge = BridgeAt.PARTED
        effects.append(Part())
    if memory.legs[Side.B] is LegAt.TRYING:
        memory.legs[Side.B] = LegAt.GONE
        effects.append(CancelDial())
    closing = Closing(memory, reason, by=by, values=values, mute=mute)
    return [*effects, *memory.move(closing, now=now)]


class Closing(Stage):
    """The reason is being spoken."""

    state = CallState.CLOSING

    def __init__(
        self, memory: Memory, reason: Reason, *, by: str, values: Values, mute: bool
    ) -> None:
        super().__init__(memory)
        self._reason = reason
        self._by = by
        self._values = values
        self._mute = mute
        self._may_ask = reason is DenyReason.PAN_MISSING and bool(memory.facts.digits)
        self._is_asked = False

    def enter(self, *, now: float) -> Effects:
        """Speak to each side that is there."""
        effects: Effects = []
        self.memory.arm(Timer.CLOSING, now + self.memory.settings.closing_s_max)
        for side in Side:
            if self.memory.legs[side] is LegAt.UP:
                effects += [*self.memory.deafen(side), *self.memory.voice.hush(side)]
        if self._may_ask and not self._mute:
            effects += self.memory.hear(Side.A)
        for side in Side:
            if self.memory.legs[side] is LegAt.UP:
                effects += self._speak(side, now=now)
        return [*effects, *self._finish_if_alone()]

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Release a side that has heard the reason."""
        if side is Side.A and self._may_ask:
            self.memory.arm(Timer.KEY, now + self.memory.settings.next_digit_s)
            return []
        return [*self._hang_up(side), *self._finish_if_alone()]

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Ask for the number, where the sentence offers it."""
        if side is not Side.A or key != ASK_KEY or not self._may_ask:
            return []
        self._may_ask, self._is_asked = False, True
        memory = self.memory
        memory.stop(Timer.KEY)
        memory.arm(Timer.CLOSING, now + memory.settings.closing_s_max)
        return [*memory.voice.hush(Side.A), RequestNumber(memory.facts.digits)]

    def number_requested(self, *, ok: bool, now: float) -> Effects:
        """Say whether it was noted down."""
        if not self._is_asked or self.memory.legs[Side.A] is not LegAt.UP:
            return []
        self._is_asked = False
        said = speech.NUMBER_REQUESTED if ok else speech.NUMBER_NOT_REQUESTED
        return self.memory.voice.say(Side.A, said, now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Release whoever is left."""
        if timer not in {Timer.CLOSING, Timer.KEY}:
            return []
        hung_up = [effect for side in Side for effect in self._hang_up(side)]
        return [*hung_up, *self._finish_if_alone()]

    def left(self, side: Side) -> Effects:
        """A side went while the reason was spoken."""
        self.memory.legs[side] = LegAt.GONE
        return [*self.memory.voice.hush(side), *self._finish_if_alone()]

    def _speak(self, side: Side, *, now: float) -> Effects:
        said = speech.reason(self._reason, self._values, to_caller=side is Side.A)
        if self._mute or said is None:
            return self._hang_up(side)
        return self.memory.voice.say(side, said, now=now)

    def _hang_up(self, side: Side) -> Effects:
        if self.memory.legs[side] is not LegAt.UP:
            return []
        self.memory.legs[side] = LegAt.GONE
        cause = cause_of(self._reason) if side is Side.A else NORMAL_CLEARING
        text = self._reason.value if side is Side.A else ""
        done: list[Effect] = [*self.memory.voice.hush(side), HangUp(side, cause, text)]
        return done

    def _finish_if_alone(self) -> Effects:
        if self.memory.stage is not self or LegAt.UP in self.memory.legs.values():
            return []
        self.memory.deadlines.clear()
        self.memory.stage = Over(self.memory)
        return [*self.memory.pass_to(CallState.DONE), Finish(self._reason, self._by)]


class Over(Stage):
    """All is said. Nothing does anything any more."""

    state = CallState.DONE
