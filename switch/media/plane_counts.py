"""What the media plane says of itself: what lives there, what is left, what outlived control."""

from dataclasses import dataclass

from switch.ids import CallId, LegId


@dataclass(frozen=True, slots=True)
class PlaneCounts:
    """What lives in the media plane; all zero when no call does."""

    legs: int
    ports: int
    rings: int
    rows: int
    workers: int
    recorders: int = 0
    tapes: int = 0
    files: int = 0
    """Recordings that are not yet safe on the disk."""


@dataclass(frozen=True, slots=True)
class Surviving:
    """A call that outlived a former control process."""

    call: CallId
    legs: tuple[LegId, ...]
    bridged_at: float | None
    paid_until: float
    ended_at: float | None
    by_paid_until: bool
    last_both_heard_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneRoom:
    """How much is left for more legs."""

    ports_left: int
    ports: int
    """Those in use among them; not those that rest."""
    places_left: int
    places: int
    """At the workers that are there."""
    places_limit: str = "media.legs_max"
    """The setting that lets no more in."""
