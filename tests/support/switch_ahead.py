"""The real switch with a wall clock that a test sets ahead while it runs.

Phone hours end on the grid of 15 minutes; nobody waits that long for a test. `DATA/ahead` holds
by how many seconds the wall is ahead. The clock of durations is left alone.
"""

import sys
from pathlib import Path

from switch.__main__ import main
from switch.clock import SystemClock

FILE = "ahead"


def _put_ahead(file: Path) -> None:
    own = SystemClock.wall

    def wall(clock: SystemClock) -> float:
        return own(clock) + (float(file.read_text() or "0") if file.exists() else 0.0)

    SystemClock.wall = wall  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    _put_ahead(Path(sys.argv[sys.argv.index("--data") + 1]) / FILE)
    sys.exit(main())
