"""Placing a call: screening, the price for a caller who pays, ringing, the bridge.

Screening --permit--> Quoting --money--> Ringing --answer--> Greeting or Bridging
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from typing import Final

from switch.billing.payer import Payer
from switch.call import speech
from switch.call.cause import EndReason, status_to_end
from switch.call.effects import Accepted, CallState, Dial, ReserveMoney, Screen
from switch.call.script_closing import close
from switch.call.script_greeting import Greeting
from switch.call.script_memory import Effects, LegAt, Memory, Stage, Timer
from switch.call.script_talking import Bridging
from switch.call.signals import Answer, Fail, Ring, Side, Signal
from switch.media.phrase import Phrase, Tone
from switch.screening.permit import Denied, Verdict
from switch.screening.reasons import DenyReason

OWN_ANSWER_S_MAX: Final = 10.0
"""The store, the directory or a worker answers in this time or is out of order: `maintenance`.
Chosen: a thousand times what they need; five times what a caller waits without wondering."""

DIAL_S_MAX: Final = 180.0
"""All trunks together are tried this long. Chosen: RFC 3261 timer B (32 s) on five of them."""


class Screening(Stage):
    """The register and the conditions are asked."""

    state = CallState.SCREENING

    def __init__(self, memory: Memory, digits: str) -> None:
        super().__init__(memory)
        memory.facts.digits = digits

    def enter(self, *, now: float) -> Effects:
        """Ask."""
        self.memory.stop(Timer.ENTRY, Timer.KEY)
        self.memory.arm(Timer.ANSWER, now + OWN_ANSWER_S_MAX)
        return [Screen(self.memory.facts.digits)]

    def screened(self, verdict: Verdict, *, now: float) -> Effects:
        """Go on, or say why not."""
        memory = self.memory
        memory.stop(Timer.ANSWER)
        if isinstance(verdict, Denied):
            return close(memory, verdict.reason, by="switch", now=now, values=verdict.values)
        memory.facts.permit = verdict
        deaf = memory.deafen(Side.A) if memory.facts.privileged else []
        if verdict.called_language in memory.languages:
            memory.spoken_in[Side.B] = verdict.called_language
        return [*deaf, *memory.move(Quoting(memory), now=now)]

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Nobody answered."""
        return close(self.memory, DenyReason.MAINTENANCE, by="switch", now=now)


class Quoting(Stage):
    """The first money is reserved; a caller who pays hears the price before anything rings."""

    state = CallState.QUOTE

    def enter(self, *, now: float) -> Effects:
        """Reserve, unless nobody pays."""
        if self.memory.facts.allowed.account is None:
            self.memory.facts.money_s = self.memory.facts.allowed.limit_s
            return self._say(now=now)
        self.memory.arm(Timer.ANSWER, now + OWN_ANSWER_S_MAX)
        return [ReserveMoney()]

    def reserved(self, *, ok: bool, reason: DenyReason, now: float) -> Effects:
        """Say the price, or that there is no money."""
        self.memory.stop(Timer.ANSWER)
        if not ok:
            return close(self.memory, reason, by="switch", now=now)
        return self._say(now=now)

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Any key of the caller's goes on at once."""
        if side is Side.A and self.memory.voice.is_speaking(Side.A):
            return self._dial(now=now)
        return []

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Staying on goes on too."""
        return self._dial(now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Nobody answered."""
        return close(self.memory, DenyReason.MAINTENANCE, by="switch", now=now)

    def _say(self, *, now: float) -> Effects:
        permit = self.memory.facts.allowed
        notice = (speech.HOTLINE_NOTICE,) if permit.monitored_notice else ()
        price: tuple[Phrase, ...] = ()
        if permit.payer is Payer.CALLER_DEBIT and permit.account is not None:
            price = speech.caller_quote(permit, self.memory.facts.money_s)
        if not notice and not price:
            return self._dial(now=now)
        return self.memory.voice.say(Side.A, *notice, *price, now=now)

    def _dial(self, *, now: float) -> Effects:
        return self.memory.move(Ringing(self.memory), now=now)


class Ringing(Stage):
    """The call is out; the caller hears our own ring tone."""

    state = CallState.RINGING

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self._rings = False

    def enter(self, *, now: float) -> Effects:
        """Dial at once; say the time allowed meanwhile."""
        memory = self.memory
        memory.legs[Side.B] = LegAt.TRYING
        memory.arm(Timer.RING, now + DIAL_S_MAX)
        effects = [
            *memory.voice.hush(Side.A),
            *memory.deafen(Side.A),
            Dial(memory.settings.ring_s_max),
        ]
        permit = memory.facts.allowed
        if permit.payer is Payer.CALLER_DEBIT and permit.account is not None:
            return effects
        allowed_s = min(permit.limit_s, memory.facts.money_s)
        allowed = speech.length("time_allowed", allowed_s)
        return [*effects, *memory.voice.say(Side.A, allowed, now=now)]

    def signal(self, side: Side, signal: Signal, *, now: float) -> Effects:
        """Take what the trunk says."""
        if side is not Side.B:
            return []
        match signal:
            case Ring() if not self._rings:
                self._rings = True
                self.memory.arm(Timer.RING, now + self.memory.settings.ring_s_max)
                return [] if self.memory.voice.is_speaking(Side.A) else self._ring_tone()
            case Answer():
                return self._answered(now=now)
            case Fail(status=status, q850=q850):
                self.memory.legs[Side.B] = LegAt.GONE
                return close(self.memory, status_to_end(status, q850), by="network", now=now)
            case _:
                return []

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Go on with the ring tone."""
        return self._ring_tone() if self._rings else []

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Nobody answered, or no trunk did."""
        reason = EndReason.NO_ANSWER if self._rings else EndReason.CONGESTION
        return close(self.memory, reason, by="switch", now=now)

    def _ring_tone(self) -> Effects:
        return self.memory.voice.tone(Side.A, Tone.RINGBACK)

    def _answered(self, *, now: float) -> Effects:
        memory = self.memory
        memory.stop(Timer.RING)
        memory.legs[Side.B] = LegAt.UP
        permit = memory.facts.allowed
        if permit.greeting and not permit.passive:
            return memory.move(Greeting(memory), now=now)
        memory.facts.acceptance = "passive"
        return [Accepted("passive"), *memory.move(Bridging(memory, spoken=False), now=now)]
