"""What a bank reports: kinds, tiers, cues.

Source: the schema is the product's own and final; the field names are those of the call record.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The nineteen things that can be reported. No others."""

    DTMF = "dtmf"
    HOOKFLASH = "hookflash"
    DIAL_TONE = "dial_tone"
    RINGBACK = "ringback"
    BUSY = "busy"
    SIT = "sit"
    THREE_WAY = "three_way"
    CALL_WAITING = "call_waiting"
    FORWARDED = "forwarded"
    EXTRA_DIGITS = "extra_digits"
    NOISE_MASKING = "noise_masking"
    NOISE_ANOMALY = "noise_anomaly"
    DEVICE_SWITCH = "device_switch"
    INMATE_TO_INMATE = "inmate_to_inmate"
    MACHINE = "machine"
    TTY = "tty"
    FAX = "fax"
    MUSIC = "music"
    SILENCE_LONG = "silence_long"


class Tier(StrEnum):
    """How sure an event is, in rising order. A tier reports; it never acts."""

    LOG = "log"
    WARN = "warn"
    CUT_ELIGIBLE = "cut_eligible"


class Group(StrEnum):
    """Which independent kind of evidence a cue belongs to."""

    GAP = "gap"
    CLICK = "click"
    TONE = "tone"
    SIGNALLING = "signalling"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Cue:
    """One piece of evidence, as it stands in the ledger of an alarm."""

    cue: str
    """`G1` … `P3`, as in the list of `evidence.py`; `rest` for entries merged into one."""
    group: Group
    t_s: float
    nats: float
    value: str = ""
    renewed: bool = False
    """It came after the warning was played."""

    def to_json_dict(self) -> dict[str, object]:
        """The cue in the schema of the call record."""
        entry: dict[str, object] = {
            "cue": self.cue,
            "group": self.group.value,
            "t_s": self.t_s,
            "nats": self.nats,
            "value": self.value,
        }
        if self.renewed:
            entry["renewed"] = True
        return entry


@dataclass(frozen=True, slots=True)
class Event:
    """One report about one leg.

    `t_s` is frames since the row was opened times 0.02; the room has no clock.
    `score_nats` is the sum of `nats` over `cues`.
    """

    t_s: float
    leg: int
    """The row; the worker puts the leg id."""
    kind: Kind
    tier: Tier = Tier.LOG
    score_nats: float = 0.0
    cues: tuple[Cue, ...] = ()
    value: str = ""

    def to_json_dict(self) -> dict[str, object]:
        """The event in the schema of the call record."""
        return {
            "t_s": self.t_s,
            "leg": self.leg,
            "kind": self.kind.value,
            "tier": self.tier.value,
            "score_nats": self.score_nats,
            "cues": [cue.to_json_dict() for cue in self.cues],
            "value": self.value,
        }
