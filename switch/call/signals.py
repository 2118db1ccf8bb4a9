"""What legs say to each other. No SIP here: the signal is all that crosses from leg to leg."""

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Which leg of a call."""

    A = "a"
    """The caller's: it came in from a terminal."""
    B = "b"
    """The called party's: it went out to a trunk."""


@dataclass(frozen=True, slots=True)
class Try:
    """Begin to call."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The other end rings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The other end picked up."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The other end cannot or will not, before it answered."""

    status: int
    """SIP status; 0: nothing answered on any trunk."""
    q850: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """The leg is to end, or has ended."""

    q850: int = 16


Signal = Try | Ring | Answer | Fail | Release
