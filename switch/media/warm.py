"""Compiles everything that a media worker needs, once, at set-up: `python -m switch.media.warm`."""

import tempfile
from pathlib import Path

from switch.clock import SystemClock
from switch.media.worker import Worker


def main() -> None:
    """Compile, or find that all is compiled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "worker-0.sock"
        Worker(0, path=path, clock=SystemClock(), legs_max=64, orphan_s=1.0).warm()


if __name__ == "__main__":
    main()
