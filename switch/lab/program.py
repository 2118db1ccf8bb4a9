"""`kinline lab …`: the narrated call, and softphones."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from switch.lab import phone_program, scene

USAGE: Final = """usage: kinline lab scene [--config F] [--data DIR] [--terminal T] [--once] …
       kinline lab phone --switch HOST:PORT [--user U --password-file F] [--port P] STEP…

scene   starts the switch, places a narrated call between two lab telephones, then serves on
phone   one lab telephone: registers, calls, answers, presses keys as its steps say
"""

PROGRAMS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "scene": scene.main,
    "phone": phone_program.main,
}


def main(argv: Sequence[str]) -> int:
    """Carry out one lab command; return the exit code."""
    if not argv or argv[0] not in PROGRAMS:
        sys.stdout.write(USAGE)
        return 0 if argv[:1] in ([], ["-h"], ["--help"]) else 2
    return PROGRAMS[argv[0]](argv[1:])
