"""Who hears what, and when: the script of one call, from off-hook to its record. Pure.

    OFF_HOOK > LANGUAGE > PIN > NUMBER > SCREENING > VOICE_CHECK > QUOTE > RINGING > GREETING
             > TALKING > CLOSING > DONE

Everything that may happen to a call has one method here; each returns what is to be done, in
order. The stages are in files of their own; this one holds what is common to all of them:

- nothing of either side reaches the other before `Bridge`;
- `Part` comes first, then the reason is spoken, then `HangUp`;
- hanging up works in every state, and every path ends in exactly one `Finish` with a member of
  `EndReason` or `DenyReason`; after it nothing does anything.

Source: calls.md sections 2, 4 and 5.
"""

from random import Random
from typing import Any

from switch.call.cause import EndReason, Reason, release_to_end
from switch.call.effects import AnswerCaller, CallState, HoldBack, RefuseCaller, StateChanged
from switch.call.ladder import ErrorCard
from switch.call.line import KnownPerson, Line
from switch.call.orders import MediaLost, Order
from switch.call.script_closing import Closing, Over, close
from switch.call.script_entry import first_stage, needs_keys
from switch.call.script_memory import BridgeAt, Effects, Facts, LegAt, Memory, Timer
from switch.call.script_orders import obey
from switch.call.script_service import Service
from switch.call.script_talking import Bridging, Talking
from switch.call.settings import ScriptSettings
from switch.call.signals import Fail, Release, Side, Signal
from switch.money import Micros
from switch.screening.permit import Denied, Permit, Verdict
from switch.screening.reasons import UNSPOKEN, DenyReason

_PROMPT_SIDE = {Timer.PROMPT_A: Side.A, Timer.PROMPT_B: Side.B}


class Script:
    """One call.

    Args:
        line: what is known when the terminal goes off hook.
        random: when a warning "at random" falls.
        card: the published error rates of the detectors; without it nothing is ever cut.
    """

    def __init__(
        self,
        *,
        settings: ScriptSettings,
        line: Line,
        random: Random,
        card: ErrorCard | None = None,
    ) -> None:
        self._memory = Memory(settings=settings, line=line, random=random, card=card)

    # -- what is known

    @property
    def state(self) -> CallState:
        """Where the call is."""
        return self._memory.state

    @property
    def facts(self) -> Facts:
        """What came to be known: person, digits, permit, acceptance, warnings, reason."""
        return self._memory.facts

    @property
    def permit(self) -> Permit | None:
        """What screening allowed."""
        return self._memory.facts.permit

    @property
    def reason(self) -> Reason | None:
        """Why it ends, from the closing on."""
        return self._memory.facts.reason

    @property
    def is_bridged(self) -> bool:
        """Whether the two talk."""
        return self._memory.bridge is BridgeAt.ON

    def language(self, side: Side) -> str:
        """Return the language of a leg."""
        return self._memory.spoken_in[side]

    # -- the beginning

    def begin(self, *, now: float) -> Effects:
        """Answer the caller: the site serves and the terminal may dial."""
        memory = self._memory
        memory.legs[Side.A] = LegAt.UP
        line = memory.line
        ears = memory.hear(Side.A) if needs_keys(memory) and line.in_band else []
        memory.arm(Timer.ENTRY, now + memory.settings.entry_s_max)
        first = memory.move(Service(memory) if line.service else first_stage(memory), now=now)
        return [AnswerCaller(), StateChanged(CallState.OFF_HOOK), *ears, *first]

    def refused(self, denied: Denied, *, now: float) -> Effects:
        """Refuse the caller: by status where nothing can be spoken, else by the sentence."""
        memory = self._memory
        if denied.reason in UNSPOKEN or denied.reason is DenyReason.CAPACITY:
            gone: Effects = [RefuseCaller(denied.reason)]
            ending = close(memory, denied.reason, by="switch", now=now, mute=True)
            return [*gone, *ending]
        memory.legs[Side.A] = LegAt.UP
        ending = close(memory, denied.reason, by="switch", now=now, values=denied.values)
        return [AnswerCaller(), StateChanged(CallState.OFF_HOOK), *ending]

    # -- what the two people do

    def digit(self, side: Side, key: str, *, in_band: bool = False, now: float) -> Effects:
        """Take a key."""
        return self._memory.stage.digit(side, key, in_band=in_band, now=now)

    def flash(self, side: Side, form: str, *, now: float) -> Effects:
        """Take a hookflash; it never goes further."""
        return self._memory.stage.flash(side, form, now=now)

    def signal(self, side: Side, signal: Signal, *, now: float) -> Effects:
        """Take what a leg says. A release works in every state."""
        if isinstance(signal, Release):
            return self._released(side, signal, now=now)
        if isinstance(signal, Fail) and side is Side.A:
            return self._released(side, Release(), now=now)
        return self._memory.stage.signal(side, signal, now=now)

    # -- what our own parts answer

    def prompt_ended(self, play: int, *, completed: bool = True, now: float) -> Effects:
        """Take the end of a prompt."""
        return self._memory.voice.ended(play, completed=completed, now=now)

    def person_checked(self, person: KnownPerson, *, now: float) -> Effects:
        """Take the person whose PIN was right."""
        return self._memory.stage.person_checked(person, now=now)

    def person_denied(self, denied: Denied, *, now: float) -> Effects:
        """Take the reason why the person may not dial."""
        return self._memory.stage.person_denied(denied, now=now)

    def name_taken(self, ok: bool, *, now: float) -> Effects:
        """Take the end of the recording of the name."""
        return self._memory.stage.name_taken(ok=ok, now=now)

    def balance_read(self, micros: Micros, minutes: int, *, now: float) -> Effects:
        """Take the person's own balance and what it is enough for."""
        return self._memory.stage.balance_read(micros, minutes, now=now)

    def number_requested(self, ok: bool, *, now: float) -> Effects:
        """Take whether the request was noted down."""
        return self._memory.stage.number_requested(ok=ok, now=now)

    def screened(self, verdict: Verdict, *, now: float) -> Effects:
        """Take the verdict of screening."""
        return self._memory.stage.screened(verdict, now=now)

    def reserved(
        self,
        *,
        ok: bool,
        seconds: int,
        balance: Micros | None = None,
        reason: DenyReason = DenyReason.NO_FUNDS,
        now: float,
    ) -> Effects:
        """Take the answer about the money.

        Args:
            ok: the first money is held.
            seconds: what the payer's money is enough for at this price, not only what is held.
            balance: what the payer has, spoken after the quote key.
            reason: why nothing is held, if it is not.
            now: monotonic seconds.
        """
        self._memory.facts.money_s = seconds
        self._memory.facts.balance = balance
        return self._memory.stage.reserved(ok=ok, reason=reason, now=now)

    def bridged(self, *, now: float) -> Effects:
        """Take the beginning of the talk."""
        return self._memory.stage.bridged(now=now)

    def parted(self, *, by_paid_until: bool, now: float) -> Effects:
        """Take the end of the talk: ours is an echo, the worker's own is a reason."""
        memory = self._memory
        if isinstance(memory.stage, Bridging) and memory.bridge is BridgeAt.ASKED:
            memory.bridge = BridgeAt.PARTED
            return close(memory, EndReason.MEDIA_LOST, by="switch", now=now)
        if isinstance(memory.stage, Talking):
            return memory.stage.parted(by_paid_until=by_paid_until, now=now)
        return []

    def metering_lost(self, *, now: float) -> Effects:
        """Take the worker's end of the talk where the next second could not be asked for."""
        memory = self._memory
        if not isinstance(memory.stage, Talking):
            return []
        memory.bridge = BridgeAt.PARTED
        return close(memory, EndReason.METERING_LOST, by="switch", now=now)

    # -- what happens meanwhile

    def money(self, seconds_left: int, balance: Micros, *, now: float) -> Effects:
        """Take the second hand of the meter."""
        self._memory.facts.balance = balance
        return self._memory.stage.money(seconds_left, now=now)

    def money_added(self, minutes: int, *, now: float) -> Effects:
        """Take a top-up."""
        return self._memory.stage.money_added(minutes, now=now)

    def payer_limit_reached(self, *, now: float) -> Effects:
        """End the call: the payer's own limit is reached."""
        if not isinstance(self._memory.stage, Talking):
            return []
        return close(self._memory, EndReason.PAYER_LIMIT, by="switch", now=now)

    def detected(self, event: dict[str, Any], side: Side, *, now: float) -> Effects:
        """Take an event of the detectors."""
        return self._memory.stage.detected(event, side, now=now)

    def unheard(self, permit: Permit) -> Effects:
        """Look at nothing any more: the register changed, the call is privileged for its sound.

        A caller who was held back for a dial tone is let through again.
        """
        memory = self._memory
        memory.facts.permit = permit
        if not isinstance(memory.stage, Talking) or memory.stage.look is None:
            return []
        memory.stage.look = None
        memory.stop(Timer.DIAL_TONE, Timer.LADDER)
        return [HoldBack(on=False)]

    def silent(self, side: Side, silent_s: float, *, now: float) -> Effects:
        """Take that no packet has come from one side for so long while they talk."""
        memory = self._memory
        if not isinstance(memory.stage, Talking) or silent_s < memory.settings.media_lost_s:
            return []
        return self.order(MediaLost(side), now=now)

    def order(self, order: Order, *, now: float) -> Effects:
        """Take an order from above."""
        if isinstance(self._memory.stage, Closing | Over):
            return []
        own = self._memory.stage.order(order, now=now)
        return obey(self._memory, order, now=now) if own is None else own

    # -- time

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return min(self._memory.deadlines.values(), default=None)

    def handle_timers(self, *, now: float) -> Effects:
        """Do what is due, the earliest first."""
        memory = self._memory
        effects: Effects = []
        while memory.deadlines:
            timer = min(memory.deadlines, key=memory.deadlines.__getitem__)
            at = memory.deadlines[timer]
            if at > now:
                break
            memory.stop(timer)
            if timer in _PROMPT_SIDE:
                effects += memory.voice.overdue(_PROMPT_SIDE[timer], now=now)
            else:
                effects += memory.stage.timer(timer, now=now)
        return effects

    # -- hanging up

    def _released(self, side: Side, release: Release, *, now: float) -> Effects:
        memory = self._memory
        if isinstance(memory.stage, Over):
            return []
        was = memory.legs[side]
        by_caller = side is Side.A
        if isinstance(memory.stage, Closing):
            return memory.stage.left(side)
        memory.legs[side] = LegAt.GONE
        if not by_caller and was is not LegAt.UP:
            return []
        reason = release_to_end(release.q850, by_caller=by_caller)
        if reason is EndReason.CALLED_HANGUP and memory.bridge is BridgeAt.NONE:
            reason = EndReason.REFUSED
        by = "caller" if by_caller else "called"
        if reason is EndReason.NETWORK_FAILURE:
            by = "network"
        return close(memory, reason, by=by, now=now)
