"""Where the sound of one call is to go: what control hands to the media plane."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """Where the sound of a call is to be kept."""

    recording: str
    path: Path
    key: bytes
    """Of this file alone."""
    header: bytes
    """What the file begins with."""
