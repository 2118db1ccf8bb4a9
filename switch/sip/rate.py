"""Rate limits: token buckets per line, and silence after failed digests.

    failures in 60 s      1 .. 4        5th             after it, 5 more
    silence               none          60 s            120 s, 240 s … 1 h

Source: `signalling.md` section 8; RFC 3261 section 22 leaves both to the server.
"""

from collections import OrderedDict
from enum import Enum, auto
from typing import Final

LINES_MAX: Final = 10_000
"""Buckets kept; the one used longest ago goes first. Chosen: more lines than any facility has."""

FAILURES_WINDOW_S: Final = 60.0
"""Failures further apart do not add up. `signalling.md` section 8."""

SILENCE_S_MIN: Final = 60.0
"""The first silence. `signalling.md` section 8."""

SILENCE_S_MAX: Final = 3600.0
"""The longest. `signalling.md` section 8."""


class Verdict(Enum):
    """What a bucket says."""

    PASS = auto()
    REFUSE = auto()
    """The first one over the limit: worth a 503."""
    IGNORE = auto()
    """All the next ones until a token is back."""


class Buckets:
    """One token bucket per key.

    Args:
        per_second: tokens that come back each second.
        burst_max: tokens that a rested line has.
    """

    def __init__(self, *, per_second: float, burst_max: int) -> None:
        self._per_second = per_second
        self._burst_max = float(burst_max)
        self._lines: OrderedDict[str, tuple[float, float, bool]] = OrderedDict()

    def take(self, key: str, *, now: float, per_second: float | None = None) -> Verdict:
        """Take one token of this line; `per_second` overrides both rate and burst."""
        rate = per_second or self._per_second
        burst = self._burst_max if per_second is None else max(1.0, per_second)
        tokens, at, told = self._lines.pop(key, (burst, now, False))
        tokens = min(burst, tokens + (now - at) * rate)
        if tokens >= 1.0:
            self._keep(key, (tokens - 1.0, now, False))
            return Verdict.PASS
        self._keep(key, (tokens, now, True))
        return Verdict.IGNORE if told else Verdict.REFUSE

    def _keep(self, key: str, line: tuple[float, float, bool]) -> None:
        self._lines[key] = line
        if len(self._lines) > LINES_MAX:
            self._lines.popitem(last=False)


class DigestFailures:
    """Counts failed digests per user and source.

    Args:
        failures_max: how many within the window bring silence.
    """

    def __init__(self, *, failures_max: int) -> None:
        self._failures_max = failures_max
        self._failed: OrderedDict[str, list[float]] = OrderedDict()
        self._silent: dict[str, tuple[float, float]] = {}

    def is_silent(self, key: str, *, now: float) -> bool:
        """Whether this user at this source gets no answer now."""
        until, _ = self._silent.get(key, (0.0, 0.0))
        return now < until

    def failed(self, key: str, *, now: float) -> bool:
        """Count one failure; True if silence begins with it."""
        recent = [at for at in self._failed.pop(key, []) if now - at < FAILURES_WINDOW_S]
        recent.append(now)
        if len(recent) < self._failures_max:
            self._failed[key] = recent
            if len(self._failed) > LINES_MAX:
                self._failed.popitem(last=False)
            return False
        _, last_s = self._silent.pop(key, (0.0, SILENCE_S_MIN / 2))
        silence_s = min(2 * last_s, SILENCE_S_MAX)
        self._silent[key] = (now + silence_s, silence_s)
        if len(self._silent) > LINES_MAX:
            self._silent.pop(next(iter(self._silent)))
        return True

    def succeeded(self, key: str) -> None:
        """A good digest wipes the slate."""
        self._failed.pop(key, None)
        self._silent.pop(key, None)
