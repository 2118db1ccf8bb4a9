"""Everything that is made once on a machine: prompts, compiled caches, the page's scripts.

The three are independent programs, run side by side; each skips what is there and current.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

STEPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("prompts", ("-m", "switch.media.prompt_synthesis", "--data", "{data}")),
    ("packet path and detectors", ("-m", "switch.media.warm")),
    ("scripts of the page", ("-m", "switch.web.vendor")),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps side by side; return how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    data = parser.parse_args(argv).data
    data.mkdir(parents=True, exist_ok=True)
    running = [
        (name, subprocess.Popen([sys.executable, *(w.format(data=data) for w in words)]))  # noqa: S603 - our own modules
        for name, words in STEPS
    ]
    failed = [name for name, process in running if process.wait() != 0]
    for name in failed:
        print(f"set-up failed: {name} (its message stands above)", file=sys.stderr)  # noqa: T201 - a command
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
