"""What a bank is told about a leg: its side, its law, what to listen for, and what signalling saw.

Source: `Law` is RFC 3551 §6; everything else is chosen.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag, StrEnum

from dsp.event import Event, Kind


class Kernels(Enum):
    """Who runs the per-leg machines."""

    NUMBA = "numba"
    """Compiled: for service."""
    NUMPY = "numpy"
    """The same functions, run by the interpreter: slow; what the compiled ones are held to."""


class Role(Enum):
    """Which side of the call."""

    A = "a"
    """The terminal's leg."""
    B = "b"
    """The outside leg."""


class Law(IntEnum):
    """Companding law of a leg's payload. RFC 3551 §6; the value is the row of `g711.TO_FLOAT`."""

    PCMU = 0
    PCMA = 1


class Flag(IntFlag):
    """What the RTP receiver knows of a leg's 20 ms. A frame without flags is a plain frame."""

    ABSENT = 1 << 0
    """20 ms passed without a frame."""
    LOST = 1 << 1
    """Sequence number missing before this frame."""
    LATE = 1 << 2
    """A frame came too late to be used."""
    CN = 1 << 3
    """20 ms passed, the sender is silent; `payload[row, 0]` is its level in -dBov. RFC 3389."""
    TS_JUMP = 1 << 4
    """First frame after a jump of the timestamp."""
    NEW_SSRC = 1 << 5
    NEW_SOURCE = 1 << 6
    NEW_PT = 1 << 7
    PLAYING = 1 << 8
    """A prompt of ours is on this leg."""


class NoteKind(StrEnum):
    """What signalling tells the bank. The first group is flags when live."""

    LOST = "lost"
    LATE = "late"
    CN = "cn"
    SSRC = "ssrc"
    SOURCE = "source"
    PAYLOAD_TYPE = "payload_type"
    TS_JUMP = "ts_jump"
    PLAY = "play"
    PLAY_END = "play_end"

    ANSWERED = "answered"
    TALKING = "talking"
    HOLD = "hold"
    RESUME = "resume"
    FORWARDING = "forwarding"
    FLASH = "flash"
    DIGIT = "digit"
    TTY = "tty"
    WARNED = "warned"
    ENVELOPE_MATCH = "envelope_match"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was not heard but signalled."""

    note: NoteKind
    form: str = ""
    """`hold`, `resume`, `forwarding`, `flash`: by what means. Never a number."""
    value: str = ""
    """`digit`: the key. `envelope_match`: the other call."""
    frames: int = 0
    """`lost`, `late`: how many."""
    level_dbov: int = 0
    """`cn`: RFC 3389 §3.1, 0 to 127, minus dBov."""
    ms: int = 0
    """`ts_jump`: by how much."""


@dataclass(frozen=True, slots=True)
class LinePrior:
    """What the switch remembers of a number's line; empty at the first call."""

    floor_dbm0: tuple[float, ...] = ()
    """Level of the 24 bands in pauses."""
    clean_talk_s: float = 0.0
    """How much talk it was learned from."""


@dataclass(frozen=True, slots=True)
class LegSpec:
    """How a row is to be opened.

    `kinds` is the off switch: what is not named is not computed where that saves anything,
    and never reported. A leg with `DTMF` alone costs a tenth of a full one.
    """

    role: Role
    law: Law = Law.PCMU
    kinds: frozenset[Kind] = frozenset(Kind)
    prior: LinePrior | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a row leaves behind when it closes."""

    prior: LinePrior | None
    """None below 60 s of clean talk (chosen: a short call has not shown its line)."""
    frames: int
    absent_frames: int
    events: dict[Kind, int]
    unclosed: tuple[Event, ...] = ()
    """A burst of extra digits that the end of the call cut short."""
