"""From the yes to the end of the talk: the last words, the bridge, what is left, warnings.

On a privileged call only these exist: the limit, warnings, money and orders. Keys, flashes and
detections do not reach a line of this file. Sources: calls.md sections 4.1, 4.2 and 6.
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from enum import Enum
from typing import Any, Final

from switch.billing.payer import Payer
from switch.call import speech
from switch.call.cause import EndReason
from switch.call.effects import Bridge, CallState, Mark, Prolong
from switch.call.orders import LockdownKind, LockdownOrder, LockdownWay, MeteringLost, Order
from switch.call.script_closing import close
from switch.call.script_look import Look
from switch.call.script_memory import BridgeAt, Effects, Memory, Stage, Timer
from switch.call.signals import Side
from switch.media.phrase import Count
from switch.screening.permit import LimitCause

CONNECT_S_MAX: Final = 5.0
"""The words between the yes and the bridge take no longer. Chosen."""

BRIDGE_S_MAX: Final = 5.0
"""A worker joins two legs within this time or is out of order. Chosen: far beyond a tick."""

SPEAKABLE_S: Final = 5
"""With less than this left a warning would take the rest of the talk itself. Chosen."""

ROUND_S: Final = 2
"""A warning names its round threshold when it comes at most this late. Chosen."""

LOCKDOWN_NOTICE_S: Final = 60
"""The notice before an announced lockdown. calls.md section 4.1."""

SAME_MOMENT_S: Final = 0.5
"""A worker's cut so near to the limit is the limit's. Chosen: far below a second."""

ALMOST_S: Final = 0.01
"""A timer that comes this early still counts: floats. Chosen: below a tick."""


class LeftCause(Enum):
    """What a call runs out of; the word is in the key of the sentence."""

    TIME = "time"
    MONEY = "money"
    HOURS = "hours"
    LOCKDOWN = "lockdown"
    MAINTENANCE = "maintenance"


_LIMIT_CAUSE: Final = {
    LimitCause.TIME: LeftCause.TIME,
    LimitCause.MINUTES: LeftCause.TIME,
    LimitCause.SCHEDULE: LeftCause.HOURS,
}

_LIMIT_REASON: Final = {
    LeftCause.TIME: EndReason.TIME_LIMIT,
    LeftCause.MONEY: EndReason.FUNDS,
    LeftCause.HOURS: EndReason.SCHEDULE,
    LeftCause.LOCKDOWN: EndReason.LOCKDOWN,
    LeftCause.MAINTENANCE: EndReason.MAINTENANCE,
}


class Bridging(Stage):
    """It was accepted; the last words, then the bridge.

    Args:
        spoken: say "Accepted" and "You are connected"; not to a passive number.
    """

    state = CallState.GREETING

    def __init__(self, memory: Memory, *, spoken: bool) -> None:
        super().__init__(memory)
        self._spoken = spoken
        self._entered = False

    def enter(self, *, now: float) -> Effects:
        """Say it to both, then join."""
        effects: Effects = []
        if not self._spoken:
            effects += self.memory.voice.hush(Side.A)
        else:
            facts = self.memory.facts
            allowed = speech.length("accepted", min(facts.allowed.limit_s, facts.money_s))
            self.memory.arm(Timer.KEY, now + CONNECT_S_MAX)
            effects += self.memory.voice.say(Side.A, allowed, now=now)
            effects += self.memory.voice.say(Side.B, speech.CONNECTED, now=now)
        self._entered = True
        return [*effects, *self._join(now=now)]

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Join when both have heard it."""
        return self._join(now=now)

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Join anyhow; or the worker never did."""
        if timer is Timer.ANSWER:
            return close(self.memory, EndReason.MEDIA_LOST, by="switch", now=now, mute=True)
        hushed = [effect for side in Side for effect in self.memory.voice.hush(side)]
        return [*hushed, *self._join(now=now)]

    def bridged(self, *, now: float) -> Effects:
        """The talk begins."""
        self.memory.stop(Timer.ANSWER)
        self.memory.bridge = BridgeAt.ON
        return self.memory.move(Talking(self.memory, now=now), now=now)

    def _join(self, *, now: float) -> Effects:
        voice = self.memory.voice
        busy = voice.is_speaking(Side.A) or voice.is_speaking(Side.B)
        if not self._entered or busy or self.memory.bridge is not BridgeAt.NONE:
            return []
        self.memory.stop(Timer.KEY)
        self.memory.bridge = BridgeAt.ASKED
        self.memory.arm(Timer.ANSWER, now + BRIDGE_S_MAX)
        hushed = [effect for side in Side for effect in voice.hush(side)]
        return [*hushed, Bridge(self.memory.facts.allowed.limit_s)]


class Talking(Stage):
    """They talk; every second is paid."""

    state = CallState.TALKING

    def __init__(self, memory: Memory, *, now: float) -> None:
        super().__init__(memory)
        permit = memory.facts.allowed
        self._began = now
        self._limit_at = now + permit.limit_s
        self._limit_cause = _LIMIT_CAUSE[permit.limit_cause]
        self._money_at: float | None = None
        self._warned = {w for w in memory.settings.warnings_s if w >= permit.limit_s}
        self._metering_lost = False
        self.look = None if memory.facts.privileged else Look(memory)

    def enter(self, *, now: float) -> Effects:
        """Begin to count down."""
        self.memory.arm(Timer.LIMIT, self._limit_at)
        return self._check(now=now)

    def money(self, seconds_left: int, *, now: float) -> Effects:
        """The meter says what is left; it works, so it is not lost."""
        self._metering_lost = False
        self._money_at = now + seconds_left
        return self._check(now=now)

    def money_added(self, minutes: int, *, now: float) -> Effects:
        """A running warning is cancelled; what there is now, is said."""
        self._money_at = None
        self._warned = {w for w in self._warned if w > minutes * 60}
        said = speech.phrase("money_added", n=Count(min(minutes, 9999)))
        return [
            e for side in self._money_sides() for e in self.memory.voice.say(side, said, now=now)
        ]

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """A warning or the end is due."""
        if timer is Timer.LIMIT:
            return close(self.memory, _LIMIT_REASON[self._limit_cause], by="switch", now=now)
        if timer is Timer.WARNING:
            return self._check(now=now)
        return self.look.timer(timer, now=now) if self.look is not None else []

    def parted(self, *, by_paid_until: bool, now: float) -> Effects:
        """The worker parted the legs by itself."""
        self.memory.bridge = BridgeAt.PARTED
        return close(self.memory, self._part_reason(by_paid_until, now), by="switch", now=now)

    def _part_reason(self, by_paid_until: bool, now: float) -> EndReason:
        if not by_paid_until:
            return EndReason.MEDIA_LOST
        unmetered = self.memory.facts.allowed.account is None
        if unmetered or now >= self._limit_at - SAME_MOMENT_S:
            return _LIMIT_REASON[self._limit_cause]
        return EndReason.METERING_LOST if self._metering_lost else EndReason.FUNDS

    def order(self, order: Order, *, now: float) -> Effects | None:
        """A lockdown with a minute's notice shortens the call; lost metering ends it later."""
        if isinstance(order, MeteringLost):
            self._metering_lost = True
            return [Mark("metering", "log", "metering lost")]
        if not isinstance(order, LockdownOrder) or order.way is not LockdownWay.ANNOUNCE:
            return None
        is_service = order.kind is LockdownKind.MAINTENANCE
        at = now + LOCKDOWN_NOTICE_S
        if at < self._limit_at:
            self._limit_at = at
            self._limit_cause = LeftCause.MAINTENANCE if is_service else LeftCause.LOCKDOWN
            self.memory.arm(Timer.LIMIT, at)
        self._warned |= {w for w in self.memory.settings.warnings_s if w >= LOCKDOWN_NOTICE_S}
        said = self._say_left(LOCKDOWN_NOTICE_S, self._limit_cause, now=now)
        return [*said, *self._check(now=now)]

    def spoken(self, side: Side, *, now: float) -> Effects:
        """A prompt over the talk has ended."""
        return self.look.spoken(side, now=now) if self.look is not None else []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """A key while talking."""
        return self.look.digit(side, key, in_band=in_band, now=now) if self.look else []

    def flash(self, side: Side, form: str, *, now: float) -> Effects:
        """A hookflash; it goes no further."""
        return self.look.flash(side, form) if self.look is not None else []

    def detected(self, event: dict[str, Any], side: Side, *, now: float) -> Effects:
        """Something that the detectors believe."""
        if self.look is None:
            return []
        effects = self.look.detected(event, side, now=now)
        if event.get("kind") == "tty" and self.look.inspected and self.memory.stage is self:
            effects += self._prolong(now=now)
        return effects

    def _prolong(self, *, now: float) -> Effects:
        """Its tones say that it is a text telephone: typing takes longer. calls.md section 8."""
        permit = self.memory.facts.allowed
        at = self._began + permit.tty_limit_s
        is_ordered = self._limit_cause in {LeftCause.LOCKDOWN, LeftCause.MAINTENANCE}
        if is_ordered or at <= self._limit_at:
            return []
        self._limit_at, self._limit_cause = at, _LIMIT_CAUSE[permit.tty_limit_cause]
        self._warned = {w for w in self._warned if w >= at - now}
        self.memory.arm(Timer.LIMIT, at)
        marked = Mark("tty", "log", f"a text telephone: {permit.tty_limit_s} s in all")
        return [Prolong(permit.tty_limit_s), marked, *self._check(now=now)]

    def _left(self, now: float) -> tuple[float, LeftCause]:
        time_left = self._limit_at - now
        if self._money_at is None or self._money_at - now >= time_left:
            return time_left, self._limit_cause
        return self._money_at - now, LeftCause.MONEY

    def _check(self, *, now: float) -> Effects:
        left, cause = self._left(now)
        due = {w for w in self.memory.settings.warnings_s if left <= w + ALMOST_S} - self._warned
        later = [w for w in self.memory.settings.warnings_s if left > w + ALMOST_S]
        self._warned |= due
        if later:
            self.memory.arm(Timer.WARNING, self._limit_at - max(later))
        if not due or left < SPEAKABLE_S:
            return []
        nearest = min(due)
        return self._say_left(nearest if nearest - left <= ROUND_S else int(left), cause, now=now)

    def _say_left(self, seconds: int, cause: LeftCause, *, now: float) -> Effects:
        memory = self.memory
        memory.facts.warnings.append((now, cause.value, seconds))
        said = speech.length(f"warning_{cause.value}", seconds)
        sides = self._money_sides() if cause is LeftCause.MONEY else tuple(Side)
        spoken = [effect for side in sides for effect in memory.voice.say(side, said, now=now)]
        detail = (("cause", cause.value), ("seconds", str(seconds)))
        return [Mark("warning", "log", f"{seconds} s left: {cause.value}", detail), *spoken]

    def _money_sides(self) -> tuple[Side, ...]:
        if self.memory.settings.money_warnings_to == "both":
            return tuple(Side)
        payer = self.memory.facts.allowed.payer
        return (Side.A,) if payer is Payer.CALLER_DEBIT else (Side.B,)
