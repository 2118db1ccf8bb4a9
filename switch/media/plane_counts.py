"""What lives in the media plane, by the workers' own last word."""

from dataclasses import dataclass


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
