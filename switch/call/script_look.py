"""What follows from keys, hookflashes, tones and detections while people talk.

Built for calls that may be heard by machines; a privileged call has no Look. Sources: calls.md
sections 4.1 and 4.2; events in the schema of detection.md section 6.2.
"""

import re
from typing import Any, Final

from switch.call import speech
from switch.call.cause import EndReason
from switch.call.effects import HoldBack, Mark, NoteDetector
from switch.call.ladder import Cut, Ladder, Note, Site, Step, Tier, Warn, read_detection
from switch.call.script_closing import close
from switch.call.script_memory import Effects, Memory, Timer
from switch.call.signals import Side
from switch.screening.permit import DetectionAction

DIAL_TONE_S_MAX: Final = 10.0
"""After so long of nothing but dial tone the other side is gone. calls.md section 4.1."""

DIAL_TONE_GAP_S: Final = 2.5
"""A lasting tone is reported each second; without a report it is over. detection.md section 6.2."""

KEYS_WARNING_GAP_S: Final = 30.0
KEYS_WARNINGS_MAX: Final = 3
"""How often somebody is told to leave the keys alone. Chosen: as rare as the other reminders."""

NOT_MARKED: Final = frozenset({"dtmf"})
"""A key in the sound also comes as a key, and is written down there."""

_NUMBER: Final = re.compile(r"\d+(\.\d+)?")

WARNED_KINDS: Final = frozenset({"three_way", "forwarded"})
"""Detections with a sentence of their own."""


class Look:
    """One call's watch over what the rules forbid."""

    def __init__(self, memory: Memory) -> None:
        permit = memory.facts.allowed
        settings = memory.settings
        self._memory = memory
        self._inspected = permit.inspected
        self._action = permit.detection_action
        self._ladder = Ladder(
            Site(
                action=permit.detection_action,
                opted_in_by=settings.cut_opted_in_by,
                opted_in_for=frozenset(settings.cut_opted_in_for),
                ordinary=not (permit.hotline or permit.tty),
                card=memory.card,
            ),
            memory.random,
        )
        self._warning = "three_way"
        self._warning_plays: dict[Side, int | None] = {}
        self._tone_since: float | None = None
        self._keys_warned: list[float] = []

    @property
    def inspected(self) -> bool:
        """Whether detectors look at this call."""
        return self._inspected

    def digit(self, side: Side, key: str, *, in_band: bool, now: float) -> Effects:
        """A key: logged with its leg, and warned of where the site says so."""
        choice = self._memory.settings.extra_digits
        if choice == "pass":
            return []
        detail = (("leg", side.value), ("key", key), ("in_band", "yes" if in_band else "no"))
        marked: Effects = [Mark("digits", Tier.LOG, f"key on leg {side.value}", detail)]
        if choice != "warn" or not self._may_warn_of_keys(now):
            return marked
        self._keys_warned.append(now)
        return [*marked, *self._memory.voice.say(side, speech.KEYS_WARNING, now=now)]

    def flash(self, side: Side, form: str) -> Effects:
        """A hookflash: logged, told to the detectors, never passed on."""
        marked: Effects = [
            Mark(
                "hookflash",
                Tier.LOG,
                f"hookflash, form {form}",
                (("leg", side.value), ("form", form)),
            )
        ]
        return [*marked, NoteDetector(side, "flash", form)] if self._inspected else marked

    def detected(self, event: dict[str, Any], side: Side, *, now: float) -> Effects:
        """An event: the special ones have their rule, the others climb the ladder."""
        kind = str(event.get("kind", ""))
        if not self._inspected or kind in NOT_MARKED:
            return []
        if kind == "dial_tone" and side is Side.B:
            return self._dial_tone(event, now=now)
        if kind == "tty":
            self._ladder.exempt()
        detection = read_detection(event)
        if detection.kind in WARNED_KINDS:
            self._warning = detection.kind
        steps = self._ladder.detected(detection, now=now)
        effects = self._perform(steps, event, side, now=now)
        if kind == "silence_long" and not self._is_closed():
            effects += self._silence(event, now=now)
        return effects

    def timer(self, timer: Timer, *, now: float) -> Effects:
        """The tone is over, or a warning's random moment has come."""
        if timer is Timer.DIAL_TONE:
            self._tone_since = None
            return [HoldBack(on=False)]
        if timer is Timer.LADDER:
            return self._perform(self._ladder.handle_timers(now=now), {}, Side.B, now=now)
        return []

    def spoken(self, side: Side, *, now: float) -> Effects:
        """Count a warning only when both legs have heard all of it."""
        voice = self._memory.voice
        play = self._warning_plays.get(side)
        if play is None or play != voice.last_ended or not voice.last_completed:
            return []
        self._warning_plays.pop(side)
        if self._warning_plays:
            return []
        self._ladder.warned(now=now)
        told: Effects = [NoteDetector(each, "warned") for each in Side]
        return [*told, Mark("prompt", Tier.LOG, f"warning heard: {self._warning}")]

    def _perform(
        self, steps: list[Step], event: dict[str, Any], side: Side, *, now: float
    ) -> Effects:
        effects: Effects = []
        for step in steps:
            match step:
                case Note():
                    effects.append(_mark(event, side, step))
                case Warn():
                    effects += self._warn(now=now)
                case Cut(reason=reason):
                    effects += close(self._memory, reason, by="switch", now=now)
        deadline = self._ladder.next_deadline()
        if deadline is not None and not self._is_closed():
            self._memory.arm(Timer.LADDER, deadline)
        return effects

    def _warn(self, *, now: float) -> Effects:
        voice = self._memory.voice
        effects: Effects = []
        for side in Side:
            said = speech.phrase(f"warning_{self._warning}")
            effects += voice.say(side, said, now=now)
            self._warning_plays[side] = voice.latest(side)
        return effects

    def _dial_tone(self, event: dict[str, Any], *, now: float) -> Effects:
        memory = self._memory
        if self._action is DetectionAction.OFF:
            return []
        effects: Effects = []
        if self._tone_since is None:
            self._tone_since = now - _seconds(event.get("value"))
            effects = [HoldBack(on=True), _mark(event, Side.B, Note(for_review=False))]
        memory.arm(Timer.DIAL_TONE, now + DIAL_TONE_GAP_S)
        if now - self._tone_since < DIAL_TONE_S_MAX:
            return effects
        return [*effects, *close(memory, EndReason.DIAL_TONE, by="network", now=now)]

    def _silence(self, event: dict[str, Any], *, now: float) -> Effects:
        silent_s_max = self._memory.settings.inactivity_s_max
        if not silent_s_max or _seconds(event.get("value")) < silent_s_max:
            return []
        return close(self._memory, EndReason.INACTIVITY, by="switch", now=now)

    def _may_warn_of_keys(self, now: float) -> bool:
        told = self._keys_warned
        rested = not told or now - told[-1] >= KEYS_WARNING_GAP_S
        return rested and len(told) < KEYS_WARNINGS_MAX

    def _is_closed(self) -> bool:
        return self._memory.facts.reason is not None


def _mark(event: dict[str, Any], side: Side, note: Note) -> Mark:
    kind = str(event.get("kind", ""))
    tier = str(event.get("tier", Tier.LOG))
    detail = [("leg", side.value), ("score_nats", str(event.get("score_nats", "")))]
    detail += [("unmet", condition.value) for condition in note.unmet]
    text = f"{kind} {event.get('value', '')}".strip()
    return Mark(f"detection:{kind}", tier, text, tuple(detail), for_review=note.for_review)


def _seconds(value: object) -> float:
    """Read the length of a lasting fact; detectors say it in words: `3.0`, `3.0 s`."""
    found = _NUMBER.match(str(value))
    return float(found[0]) if found is not None else 0.0
