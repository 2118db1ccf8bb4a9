"""What the script of one call remembers, and how it speaks, waits and moves on.

Every stage of the script (`script_entry`, `script_number`, `script_placing`, `script_greeting`,
`script_talking`, `script_closing`) works on one Memory and returns effects. A stage hears only
what it has a method for: an answer that comes late, or a key at the wrong moment, does nothing.
"""

# ruff: noqa: ARG002 (a Stage has one shape, whatever of it a stage needs)

from enum import Enum, auto
from random import Random
from typing import Any, Final

from switch.call.cause import Reason
from switch.call.effects import (
    CallState,
    Deafen,
    Effect,
    HearDigits,
    Play,
    PlayTone,
    StateChanged,
    StopPlaying,
)
from switch.call.ladder import ErrorCard
from switch.call.line import KnownPerson, Line
from switch.call.orders import Order
from switch.call.settings import ScriptSettings
from switch.call.signals import Side, Signal
from switch.media.phrase import Phrase, Tone
from switch.money import Micros
from switch.routing.call_class import Privileged
from switch.screening.permit import Denied, Permit, Verdict
from switch.screening.reasons import DenyReason

Effects = list[Effect]

PROMPT_S_MAX: Final = 60.0
"""A prompt whose end nobody reports counts as ended. Chosen: twice the longest, the full price."""

STATES: Final = tuple(CallState)


class Timer(Enum):
    """What the script waits for."""

    PROMPT_A = auto()
    PROMPT_B = auto()
    ENTRY = auto()
    KEY = auto()
    ANSWER = auto()
    """An answer of our own: the store, the directory, the media plane."""
    RING = auto()
    LIMIT = auto()
    WARNING = auto()
    DIAL_TONE = auto()
    LADDER = auto()
    CLOSING = auto()


_PROMPT_TIMER: Final = {Side.A: Timer.PROMPT_A, Side.B: Timer.PROMPT_B}


class LegAt(Enum):
    """Where one leg is, as the script sees it."""

    NONE = auto()
    TRYING = auto()
    UP = auto()
    GONE = auto()


class BridgeAt(Enum):
    """Where the bridge is."""

    NONE = auto()
    ASKED = auto()
    ON = auto()
    PARTED = auto()


class Memory:
    """One call's memory.

    Args:
        card: the published error rates of the detectors; None forbids every cut.
    """

    def __init__(
        self, *, settings: ScriptSettings, line: Line, random: Random, card: ErrorCard | None
    ) -> None:
        self.settings = settings
        self.line = line
        self.random = random
        self.card = card
        self.stage: Stage = Stage(self)
        self.state = CallState.OFF_HOOK
        self.languages = tuple(line.languages) or settings.languages
        self.spoken_in = {Side.A: self.languages[0], Side.B: self.languages[0]}
        self.legs = {Side.A: LegAt.NONE, Side.B: LegAt.NONE}
        self.bridge = BridgeAt.NONE
        self.voice = Voice(self)
        self.deadlines: dict[Timer, float] = {}
        self.facts = Facts(line)

    def move(self, stage: "Stage", *, now: float) -> Effects:
        """Go on with another stage; states on the way are passed through, not skipped."""
        self.stage = stage
        return [*self.pass_to(stage.state), *stage.enter(now=now)]

    def pass_to(self, state: CallState) -> Effects:
        """Report every state between the present one and `state`."""
        first, last = STATES.index(self.state), STATES.index(state)
        if last > STATES.index(CallState.TALKING):
            first = max(first, last - 1)
        self.state = state
        return [StateChanged(step) for step in STATES[first + 1 : last + 1]]

    def arm(self, timer: Timer, at: float) -> None:
        """Wake the stage at this time."""
        self.deadlines[timer] = at

    def stop(self, *timers: Timer) -> None:
        """Forget these wake-ups."""
        for timer in timers:
            self.deadlines.pop(timer, None)

    def hear(self, side: Side) -> Effects:
        """Listen for keys in the sound of a side, unless it is listened to already."""
        if side in self.facts.heard:
            return []
        self.facts.heard.add(side)
        return [HearDigits(side)]

    def deafen(self, side: Side) -> Effects:
        """Close what `hear` opened."""
        if side not in self.facts.heard:
            return []
        self.facts.heard.discard(side)
        return [Deafen(side)]


class Facts:
    """What came to be known during the call."""

    reason: Reason | None
    """Why it ends; None until the closing."""

    def __init__(self, line: Line) -> None:
        self.person: KnownPerson | None = line.person_known
        self.digits = line.dialled or ""
        self.typed_ahead = ""
        self.language_chosen = False
        self.heard: set[Side] = set()
        self.permit: Permit | None = None
        self.money_s = 0
        """What the payer's money is enough for, when it was reserved."""
        self.balance: Micros | None = None
        self.acceptance = ""
        self.warnings: list[tuple[float, str, int]] = []
        self.reason = None

    @property
    def privileged(self) -> bool:
        """Whether nothing of this call may be heard, decoded or kept."""
        return self.permit is not None and isinstance(self.permit.audibility, Privileged)

    @property
    def allowed(self) -> Permit:
        """The permit of a call that has one."""
        assert self.permit is not None, "no stage after screening runs without a permit"
        return self.permit


class Voice:
    """What is being said to whom. With `announcements = "none"` it never says anything."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._count = 0
        self._plays: dict[Side, int] = {}
        self._tones: set[Side] = set()
        self.last_ended: int | None = None
        self.last_completed = False
        self._silent = memory.settings.announcements == "none"

    def say(self, side: Side, *phrases: Phrase, now: float) -> Effects:
        """Say something; the stage hears `spoken` when it has ended, at once if nothing is said."""
        memory = self._memory
        if self._silent or not phrases:
            self._plays.pop(side, None)
            return memory.stage.spoken(side, now=now)
        self._count += 1
        self._plays[side] = self._count
        self._tones.discard(side)
        memory.arm(_PROMPT_TIMER[side], now + PROMPT_S_MAX)
        return [Play(side, phrases, memory.spoken_in[side], self._count)]

    def tone(self, side: Side, tone: Tone) -> Effects:
        """Play a tone until something else is said."""
        self._forget(side)
        if self._silent:
            return []
        self._tones.add(side)
        return [PlayTone(side, tone)]

    def hush(self, side: Side) -> Effects:
        """Stop whatever a side hears from us."""
        sounding = side in self._plays or side in self._tones
        self._forget(side)
        self._tones.discard(side)
        return [StopPlaying(side)] if sounding else []

    def is_speaking(self, side: Side) -> bool:
        """Whether a prompt runs on this side."""
        return side in self._plays

    def latest(self, side: Side) -> int | None:
        """The number of the prompt that runs on this side."""
        return self._plays.get(side)

    def ended(self, play: int, *, completed: bool, now: float) -> Effects:
        """Take the end of a prompt; only that of the latest one on a side matters."""
        self.last_ended, self.last_completed = play, completed
        for side, latest in tuple(self._plays.items()):
            if latest == play:
                self._forget(side)
                return self._memory.stage.spoken(side, now=now)
        return []

    def overdue(self, side: Side, *, now: float) -> Effects:
        """Go on although nobody reported the end."""
        self.last_ended, self.last_completed = self._plays.get(side), False
        self._forget(side)
        return self._memory.stage.spoken(side, now=now)

    def _forget(self, side: Side) -> None:
        self._plays.pop(side, None)
        self._memory.stop(_PROMPT_TIMER[side])


class Stage:
    """One stretch of a call. Each method is something that may come; by default it does nothing."""

    state = CallState.OFF_HOOK

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def enter(self, *, now: float) -> Effects:
        """Begin."""
        return []

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """Take a key."""
        return []

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Go on after a prompt."""
        return []

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """Go on after a wait."""
        return []

    def signal(self, side: Side, signal: Signal, *, now: float) -> Effects:
        """Take a signal of the trunk's, other than a release."""
        return []

    def person_checked(self, person: KnownPerson, *, now: float) -> Effects:
        """Take a person."""
        return []

    def person_denied(self, denied: Denied, *, now: float) -> Effects:
        """Take a no about the person."""
        return []

    def name_taken(self, *, ok: bool, now: float) -> Effects:
        """Take the end of the recording of the name."""
        return []

    def balance_read(self, micros: Micros, minutes: int, *, now: float) -> Effects:
        """Take the person's own balance."""
        return []

    def number_requested(self, *, ok: bool, now: float) -> Effects:
        """Take the answer to a request for a number."""
        return []

    def screened(self, verdict: Verdict, *, now: float) -> Effects:
        """Take the verdict."""
        return []

    def reserved(self, *, ok: bool, reason: DenyReason, now: float) -> Effects:
        """Take the answer about the money; what it buys is in the facts."""
        return []

    def bridged(self, *, now: float) -> Effects:
        """Take the beginning of the talk."""
        return []

    def money(self, seconds_left: int, *, now: float) -> Effects:
        """Take the seconds that the payer's money still buys."""
        return []

    def money_added(self, minutes: int, *, now: float) -> Effects:
        """Take a top-up."""
        return []

    def detected(self, event: dict[str, Any], side: Side, *, now: float) -> Effects:
        """Take an event of the detectors."""
        return []

    def flash(self, side: Side, form: str, *, now: float) -> Effects:
        """Take a hookflash."""
        return []

    def order(self, order: Order, *, now: float) -> Effects | None:
        """Take an order in a way of this stage's own; None: in the common way."""
        return None
