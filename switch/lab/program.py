"""`kinline lab …`: the narrated call, and softphones."""

import sys
from collections.abc import Sequence

from switch.lab import scene

USAGE = """usage: kinline lab scene --config F [--data DIR] [--once] [--json]

scene   starts the switch, places a narrated call between two lab telephones, then serves on
"""


def main(argv: Sequence[str]) -> int:
    """Carry out one lab command; return the exit code."""
    if not argv or argv[0] != "scene":
        sys.stdout.write(USAGE)
        return 0 if argv[:1] in ([], ["-h"], ["--help"]) else 2
    return scene.main(argv[1:])
