"""Evidence: weights in nats, the ledger of one suspicion, and the tiers.

Source: a sum of log-likelihood ratios, held at zero from below, is Page's CUSUM test (1954). The
weights are starting values, chosen; to be fitted on a corpus. Thresholds are chosen so that, were
every second an independent decision, `cut_eligible` would err once in 100 hours: ln(3.6e5) = 12.8.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from itertools import pairwise
from typing import Final, NamedTuple

from dsp.event import Cue, Event, Group, Kind, Tier

LOG_NATS: Final = 6.0
WARN_NATS: Final = 9.0
CUT_NATS: Final = 12.8
GROUP_NATS_MIN: Final = 2.0
"""`cut_eligible` needs two groups of at least this. Chosen."""

HALVING_S: Final = 20.0
"""Outside of a gap and what follows it all contributions halve in this time. Chosen."""
NATS_MIN: Final = 0.05
"""Less is forgotten. Chosen."""
RENEWAL_S: Final = 5.0
RENEWAL_NATS: Final = 2.0
"""The same tier is told again after this time with this much new evidence. Chosen."""


class EvidenceSet(Enum):
    """Cues that say the same thing; of each set only the strongest counts."""

    GAP_FLOOR = Group.GAP, "floor"
    GAP_TIME = Group.GAP, "time"
    CLICK = Group.CLICK, "click"
    TONE_DIAL = Group.TONE, "dial"
    TONE_RING = Group.TONE, "ring"
    TONE_BUSY = Group.TONE, "busy"
    TONE_DIGITS = Group.TONE, "digits"
    TONE_HOLD = Group.TONE, "hold"
    SIGNALLING_HOLD = Group.SIGNALLING, "hold"
    SIGNALLING_STREAM = Group.SIGNALLING, "stream"
    SIGNALLING_FORWARD = Group.SIGNALLING, "forward"
    IDENTITY_ROOM = Group.IDENTITY, "room"
    IDENTITY_VOICE = Group.IDENTITY, "voice"


class Weight(NamedTuple):
    """One line of the list of cues."""

    cue: str
    set: EvidenceSet
    nats: float


_S = EvidenceSet
# fmt: off
G2_WEAK: Final = Weight("G2", _S.GAP_FLOOR, 1.0)             # floor 6 to 10 dB away
G2_STRONG: Final = Weight("G2", _S.GAP_FLOOR, 2.5)           # more than 10 dB
G2_SILENCE: Final = Weight("G2", _S.GAP_FLOOR, 4.0)          # digital silence
G3: Final = Weight("G3", _S.GAP_FLOOR, -4.0)                 # the room is back
G4: Final = Weight("G4", _S.GAP_TIME, 3.0)                   # the most; see gap_nats
U1: Final = Weight("U1", _S.GAP_TIME, 4.0)                   # the most; 0.4 a second
C1: Final = Weight("C1", _S.CLICK, 1.5)
C1_PAIR: Final = Weight("C1", _S.CLICK, 2.5)
C2: Final = Weight("C2", _S.CLICK, -1.0)
T1: Final = Weight("T1", _S.TONE_DIAL, 6.0)
T2: Final = Weight("T2", _S.TONE_RING, 6.0)
T3: Final = Weight("T3", _S.TONE_BUSY, 5.0)
T4_NUMBER: Final = Weight("T4", _S.TONE_DIGITS, 5.0)
T4_ONE: Final = Weight("T4", _S.TONE_DIGITS, 1.5)
T5: Final = Weight("T5", _S.TONE_HOLD, 2.5)                  # music where a voice was
S1: Final = Weight("S1", _S.SIGNALLING_HOLD, 5.0)
S2: Final = Weight("S2", _S.SIGNALLING_STREAM, 1.5)
P1: Final = Weight("P1", _S.IDENTITY_ROOM, 2.0)
P2: Final = Weight("P2", _S.IDENTITY_VOICE, 5.0)             # the most; -3 to +5, measured
P3: Final = Weight("P3", _S.IDENTITY_VOICE, 2.0)
F1: Final = Weight("F1", _S.SIGNALLING_FORWARD, 5.0)
F2: Final = Weight("F2", _S.TONE_RING, 6.0)
F3: Final = Weight("F3", _S.TONE_BUSY, 5.0)
# fmt: on

BRIDGE_SIGNS: Final = frozenset(
    {
        EvidenceSet.TONE_DIAL,
        EvidenceSet.TONE_RING,
        EvidenceSet.TONE_BUSY,
        EvidenceSet.IDENTITY_ROOM,
        EvidenceSet.IDENTITY_VOICE,
    }
)
"""Signs of a second call, or of another person. Seven digits are one too, a single digit is not."""

BRIDGE_NATS_MIN: Final = 2.0
"""A sign is one from here on: a voice that is nearly the same is none. Chosen."""


def gap_nats(gap_s: float) -> float:
    """G4: how much a gap's length speaks for hold against a pause.

    -2 at 1 s, 0 at 4 s, +2.4 at 8 s, +3 from 9 s: hold log-normal with a median of 12 s, against
    the pauses of two talkers (ITU-T P.59, from a secondary source).
    """
    points = ((1.0, -2.0), (4.0, 0.0), (8.0, 2.4), (9.0, 3.0))
    if gap_s <= points[0][0]:
        return points[0][1]
    for (s0, n0), (s1, n1) in pairwise(points):
        if gap_s <= s1:
            return n0 + (n1 - n0) * (gap_s - s0) / (s1 - s0)
    return points[-1][1]


class Ledger:
    """What speaks for and against one suspicion about one leg, and what was told of it.

    The listed nats always add up to the score: there is no other place where it is kept.
    """

    def __init__(self, row: int, kind: Kind, *, needs_bridge_sign: bool) -> None:
        self._row = row
        self._kind = kind
        self._needs_bridge_sign = needs_bridge_sign
        self._entries: dict[tuple[EvidenceSet, bool], Cue] = {}
        self._warned = False
        self._settled_s = 0.0
        self._told: Tier | None = None
        self._told_s = 0.0
        self._fresh_nats = 0.0
        self.last_evidence_s = 0.0

    @property
    def score_nats(self) -> float:
        """Sum of the entries, never below zero."""
        return round(sum(cue.nats for cue in self._entries.values()), 2)

    def nats_of(self, one: EvidenceSet) -> float:
        """What a set counts at present."""
        cue = self._entries.get((one, self._warned))
        return cue.nats if cue else 0.0

    def settle(self, t_s: float, *, holding: bool) -> None:
        """Let time pass: contributions halve every 20 s unless a gap or its sequel is on."""
        passed, self._settled_s = t_s - self._settled_s, t_s
        if holding or passed <= 0 or not self._entries:
            return
        factor = 0.5 ** (passed / HALVING_S)
        entries = {
            key: replace(cue, nats=round(cue.nats * factor, 3))
            for key, cue in self._entries.items()
        }
        self._entries = {k: cue for k, cue in entries.items() if abs(cue.nats) >= NATS_MIN}
        self._clear_if_spent()

    def add(self, weight: Weight, t_s: float, value: str, nats: float | None = None) -> None:
        """Put a cue in; it counts if it is the strongest of its set, or speaks against."""
        new = weight.nats if nats is None else round(nats, 2)
        key = (weight.set, self._warned)
        old = self._entries[key].nats if key in self._entries else 0.0
        if (0 <= new <= old) or (new < 0 and not self._entries):
            return
        group: Group = weight.set.value[0]
        self._entries[key] = Cue(weight.cue, group, t_s, new, value, renewed=self._warned)
        if new > old:
            self._fresh_nats += max(new, 0.0) - max(old, 0.0)
            self.last_evidence_s = t_s
        self._clear_if_spent()

    def retract(self, sets: Iterable[EvidenceSet]) -> None:
        """Take sets back: what they said has turned out to be nothing."""
        for one in sets:
            self._entries.pop((one, self._warned), None)
        self._clear_if_spent()

    def clear(self) -> None:
        """Start again from zero."""
        self._entries.clear()
        self._told = None
        self._fresh_nats = 0.0

    def rearm(self) -> None:
        """The warning was played: every set may count once more."""
        self._warned = True

    def has_bridge_sign(self) -> bool:
        """Whether something speaks of a second call or another person."""
        return any(
            cue.nats >= BRIDGE_NATS_MIN
            and (one in BRIDGE_SIGNS or (cue.cue == "T4" and cue.value == "number"))
            for (one, _), cue in self._entries.items()
        )

    def tell(self, t_s: float) -> list[Event]:
        """The alarm, if its tier rose or new evidence renews it."""
        tier = self._tier()
        if tier is None:
            return []
        order = list(Tier)
        risen = self._told is None or order.index(tier) > order.index(self._told)
        renewed = (
            tier == self._told
            and t_s - self._told_s >= RENEWAL_S
            and self._fresh_nats >= RENEWAL_NATS
        )
        if not (risen or renewed):
            return []
        self._told, self._told_s, self._fresh_nats = tier, t_s, 0.0
        cues = tuple(sorted(self._entries.values(), key=lambda cue: (cue.t_s, cue.cue)))
        return [Event(t_s, self._row, self._kind, tier, self.score_nats, cues)]

    def _tier(self) -> Tier | None:
        score = self.score_nats
        if score < LOG_NATS:
            return None
        if score < WARN_NATS or (self._needs_bridge_sign and not self.has_bridge_sign()):
            return Tier.LOG
        if score < CUT_NATS or self._strong_groups() < 2:
            return Tier.WARN
        return Tier.CUT_ELIGIBLE

    def _strong_groups(self) -> int:
        by_group: dict[Group, float] = {}
        for cue in self._entries.values():
            by_group[cue.group] = by_group.get(cue.group, 0.0) + cue.nats
        return sum(nats >= GROUP_NATS_MIN for nats in by_group.values())

    def _clear_if_spent(self) -> None:
        if self._entries and sum(cue.nats for cue in self._entries.values()) <= 0:
            self.clear()
