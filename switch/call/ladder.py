"""The action ladder: from what a detector believes to what the site lets us do. Pure.

How strong the evidence is and what may follow from it are two things. A detector reports tiers
and never acts; this file acts, and ends a call only if seven conditions hold, each by name.

Source: calls.md section 4.2; the schema of an event: detection.md section 6.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from random import Random
from typing import Any, Final

import msgspec

from switch.call.cause import EndReason
from switch.screening.permit import DetectionAction

WRONG_CUTS_MAX: Final = 0.0001
"""At most so many calls may be cut wrongly, upper 95 % bound. calls.md section 4.2."""

WARNED_S_MIN: Final = 15.0
"""So long before a cut the warning must have ended on both legs. calls.md section 4.2, 3."""

GROUPS_MIN: Final = 2
GROUP_NATS_MIN: Final = 2.0
"""A cue group agrees from here on. detection.md section 4.5, rule 1."""

RANDOM_DELAY_S: Final = (2.0, 15.0)
"""Between these a warning "at random" falls. Chosen: late enough not to give the cue away."""

WARNINGS_MAX: Final = 3
"""One warning, and with `prompt_random` two more. calls.md section 4.2."""


class Tier(StrEnum):
    """How strong the evidence is."""

    LOG = "log"
    WARN = "warn"
    CUT_ELIGIBLE = "cut_eligible"


class ErrorCard(msgspec.Struct, frozen=True):
    """The published error rates of this release's detectors, upper 95 % bounds."""

    wrong_cuts: dict[str, dict[str, float]]
    """Per kind of detection and path class: the share of honest calls that would be cut."""

    def allows(self, kind: str, path: str) -> bool:
        """Whether the bound for this kind of line is known and small enough."""
        bound = self.wrong_cuts.get(kind, {}).get(path)
        return bound is not None and bound <= WRONG_CUTS_MAX


def read_card(text: bytes) -> ErrorCard:
    """Read `dsp/card.json`.

    Raises:
        msgspec.DecodeError: it is not a card; the caller then has none.
    """
    return msgspec.json.decode(text, type=ErrorCard)


@dataclass(frozen=True, slots=True)
class Cue:
    """One entry of the ledger of evidence."""

    cue: str
    group: str
    nats: float
    renewed: bool
    """It came after the warning."""
    lossy: bool
    """It fell within an interval of packet loss."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An event of a detector, as the ladder reads it."""

    kind: str
    tier: Tier
    score_nats: float
    cues: tuple[Cue, ...]
    path: str
    """Path class of the line: `g711`, `amr`, … `unknown`."""


class CutCondition(Enum):
    """What must hold before a call may be ended. calls.md section 4.2, in its order."""

    OPTED_IN = "opted_in"
    TWO_GROUPS = "two_groups"
    WARNED = "warned"
    RENEWED = "renewed"
    NO_LOSS = "no_loss"
    ORDINARY = "ordinary"
    CARD = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the site allows on this call."""

    action: DetectionAction
    opted_in_by: str
    """Who opted in to cutting, in writing, and when; '' is nobody."""
    opted_in_for: frozenset[str]
    ordinary: bool
    """Neither privileged nor a hotline nor TTY or relay."""
    card: ErrorCard | None


@dataclass(frozen=True, slots=True)
class Note:
    """Write it down; for review or not."""

    for_review: bool
    unmet: tuple[CutCondition, ...] = ()
    """Where a cut was asked for: what did not hold."""


@dataclass(frozen=True, slots=True)
class Warn:
    """Speak the warning on both legs. `Ladder.warned` is told when both have heard all of it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """End the call."""

    reason: EndReason


Step = Note | Warn | Cut

CUT_REASON: Final[Mapping[str, EndReason]] = {
    "three_way": EndReason.THREE_WAY,
    "forwarded": EndReason.FORWARD,
}
"""The only kinds that can ever end a call; every other fact is at most a note."""


def read_detection(event: Mapping[str, Any]) -> Detection:
    """Read an event in the schema of the detectors."""
    cues = tuple(
        Cue(
            cue=str(cue.get("cue", "")),
            group=str(cue.get("group", "")),
            nats=float(cue.get("nats", 0.0)),
            renewed=bool(cue.get("renewed", False)),
            lossy=bool(cue.get("lossy", False)),
        )
        for cue in event.get("cues", ())
    )
    tier = str(event.get("tier", "log"))
    return Detection(
        kind=str(event.get("kind", "")),
        tier=Tier(tier) if tier in Tier.__members__.values() else Tier.LOG,
        score_nats=float(event.get("score_nats", 0.0)),
        cues=cues,
        path=str(event.get("path", "unknown")),
    )


def unmet(
    detection: Detection, site: Site, *, warned_at: float | None, now: float
) -> tuple[CutCondition, ...]:
    """Return which of the seven conditions do not hold; empty: the call may be ended."""
    renewed = [cue for cue in detection.cues if cue.renewed]
    holds = {
        CutCondition.OPTED_IN: bool(site.opted_in_by) and detection.kind in site.opted_in_for,
        CutCondition.TWO_GROUPS: len(_agreeing_groups(detection)) >= GROUPS_MIN,
        CutCondition.WARNED: warned_at is not None and now - warned_at >= WARNED_S_MIN,
        CutCondition.RENEWED: bool(renewed),
        CutCondition.NO_LOSS: not any(cue.lossy for cue in detection.cues),
        CutCondition.ORDINARY: site.ordinary,
        CutCondition.CARD: site.card is not None
        and site.card.allows(detection.kind, detection.path),
    }
    return tuple(condition for condition in CutCondition if not holds[condition])


def cut_reason(detection: Detection) -> EndReason:
    """Name the ending: renewed evidence from the called party's keys says so by itself."""
    if any(cue.renewed and cue.cue == "T4" for cue in detection.cues):
        return EndReason.EXTRA_DIGITS
    return CUT_REASON[detection.kind]


def _agreeing_groups(detection: Detection) -> set[str]:
    nats: dict[str, float] = {}
    for cue in detection.cues:
        nats[cue.group] = nats.get(cue.group, 0.0) + cue.nats
    return {group for group, total in nats.items() if total >= GROUP_NATS_MIN}


class Ladder:
    """One call's ladder.

    Args:
        random: when a warning "at random" falls.
    """

    def __init__(self, site: Site, random: Random) -> None:
        self._site = site
        self._random = random
        self._warnings = 0
        self._warned_at: float | None = None
        self._warn_at: float | None = None

    def detected(self, detection: Detection, *, now: float) -> list[Step]:
        """Take an event; return what to do, in order."""
        site = self._site
        if site.action is DetectionAction.OFF or detection.kind not in CUT_REASON:
            return [Note(for_review=False)]
        if detection.tier is Tier.LOG:
            return [Note(for_review=False)]
        if not site.ordinary:
            return [Note(for_review=True)]
        if detection.tier is Tier.CUT_ELIGIBLE and site.action is DetectionAction.CUT:
            missing = unmet(detection, site, warned_at=self._warned_at, now=now)
            if not missing:
                return [Note(for_review=True), Cut(cut_reason(detection))]
            return [Note(for_review=True, unmet=missing), *self._warn(detection.tier, now=now)]
        return [Note(for_review=True), *self._warn(detection.tier, now=now)]

    def warned(self, *, now: float) -> None:
        """Both legs have heard the warning to its end."""
        self._warned_at = now

    def exempt(self) -> None:
        """This turned out to be a TTY or relay call: nothing may follow from now on."""
        self._site = replace(self._site, ordinary=False)
        self._warn_at = None

    def next_deadline(self) -> float | None:
        """Return when `handle_timers` must next be called, or None."""
        return self._warn_at

    def handle_timers(self, *, now: float) -> list[Step]:
        """Give a warning whose random moment has come."""
        if self._warn_at is None or now < self._warn_at:
            return []
        self._warn_at = None
        self._warnings += 1
        return [Warn()]

    def _warn(self, tier: Tier, *, now: float) -> list[Step]:
        match self._site.action:
            case DetectionAction.OFF | DetectionAction.FLAG:
                return []
            case DetectionAction.PROMPT_ONCE | DetectionAction.CUT:
                if self._warnings:
                    return []
                self._warnings += 1
                return [Warn()]
            case DetectionAction.PROMPT_RANDOM:
                again = tier is Tier.CUT_ELIGIBLE and self._warnings < WARNINGS_MAX
                if self._warn_at is None and (not self._warnings or again):
                    self._warn_at = now + self._random.uniform(*RANDOM_DELAY_S)
                return []
