"""How often a sign-in may fail: per name at an address, per address, per name. Pure."""

from collections import OrderedDict
from typing import Final

WINDOW_S: Final = 900.0
"""Failures count for a quarter of an hour. Chosen."""

PAIR_MAX: Final = 5
"""Failures of one name from one address. Chosen: a person who mistypes stops before."""

ADDRESS_MAX: Final = 20
"""Failures from one address, whatever the names. Chosen: an office behind one address."""

NAME_MAX: Final = 50
"""Failures of one name from anywhere: high, so that nobody is locked out by strangers. Chosen."""

KEYS_MAX: Final = 10_000
"""Names and addresses that are remembered; then the oldest goes. Chosen."""

Key = tuple[str, str]


class Attempts:
    """Counts failures; a success forgives the pair."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Key, list[float]] = OrderedDict()

    def wait_s(self, name: str, address: str, *, now: float) -> float:
        """Return how long this name must wait at this address; 0: it may try."""
        return max(
            self._wait((name, address), PAIR_MAX, now=now),
            self._wait(("", address), ADDRESS_MAX, now=now),
            self._wait((name, ""), NAME_MAX, now=now),
        )

    def failed(self, name: str, address: str, *, now: float) -> None:
        """Count a failure."""
        for key in ((name, address), ("", address), (name, "")):
            times = self._failures.setdefault(key, [])
            times.append(now)
            del times[:-NAME_MAX]
            self._failures.move_to_end(key)
        while len(self._failures) > KEYS_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forgive this name at this address."""
        self._failures.pop((name, address), None)

    def _wait(self, key: Key, failures_max: int, *, now: float) -> float:
        recent = [at for at in self._failures.get(key, ()) if now - at < WINDOW_S]
        if len(recent) < failures_max:
            return 0.0
        return recent[-failures_max] + WINDOW_S - now
