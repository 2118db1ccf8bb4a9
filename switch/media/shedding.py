"""When a worker leaves out the look at the sound, so that packets are not delayed.

A tick that ends when the next one is due delays every packet that came meanwhile. The look is what
a call can best go without for a second: its detectors are told that nothing came. Keys for a menu
are looked for all the same.
"""

from typing import Final

FULL_S: Final = 0.018
"""A tick whose work ends so long after its time has no room left. Chosen: nine tenths of it."""

RUN_MAX: Final = 5
"""So many in a row, and it is no hiccup of the machine. Chosen: 100 ms."""

SHED_TICKS: Final = 50
"""What is left out then, before it is tried again. Chosen: a second; so a worker that cannot keep
up spends at least nine tenths of its time on packets alone."""


class Shedding:
    """Counts full ticks, and those whose look is left out."""

    def __init__(self) -> None:
        self.is_on = False
        """Whether the look of the tick at hand is left out."""
        self.shed_ticks = 0
        self._run = 0
        self._left = 0

    def ended(self, late_s: float) -> None:
        """Note how long after its time a tick's work ended."""
        self.shed_ticks += self.is_on
        self._run = self._run + 1 if late_s >= FULL_S else 0
        if self.is_on:
            self._left -= 1
        elif self._run >= RUN_MAX:
            self._left = SHED_TICKS
        self.is_on = self._left > 0
        if self.is_on:
            self._run = 0
