"""`kinline lab …`: the narrated call, and softphones."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

USAGE: Final = """usage: kinline lab scene [--config F] [--data DIR] [--terminal T] [--once] …
       kinline lab phone --switch HOST:PORT [--user U --password-file F] [--port P] STEP…
       kinline lab load [--calls N] [--seconds S] [--hold S] [--cps R] [--json] …
       kinline lab certificates [--data DIR]

scene   starts the switch, places a narrated call between two lab telephones, then serves on
phone   one lab telephone: registers, calls, answers, presses keys as its steps say
load    many calls at once through a running switch: what came of them, what they cost it
certificates   an authority and two certificates, for trials of TLS and SRTP on one machine
"""

PROGRAMS: Final[Mapping[str, str]] = {
    "scene": "switch.lab.scene_program",
    "phone": "switch.lab.phone_program",
    "load": "switch.lab.load_program",
    "certificates": "switch.lab.certificates",
}
"""Where the `main` of each is; only that one is imported."""


def main(argv: Sequence[str]) -> int:
    """Carry out one lab command; return the exit code."""
    if not argv or argv[0] not in PROGRAMS:
        sys.stdout.write(USAGE)
        return 0 if argv[:1] in ([], ["-h"], ["--help"]) else 2
    code: int = import_module(PROGRAMS[argv[0]]).main(argv[1:])
    return code
