"""Worker processes begun before the switch itself is loaded.

A worker takes most of a second to load, and the switch longer; side by side only the longer
counts. Such a process knows nothing yet: it loads, and then waits on its input for what it is told.
If nothing is said, because a worker of a former control goes on or the switch cannot start, its
input ends and it does too, having touched nothing. Only the standard library is imported here.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MODULE: Final = "switch.media.worker"

UNTOLD: Final = "--untold"
"""The one word of a worker that is told the others later."""

ROOT: Final = Path(__file__).parent.parent.parent


class WorkersAhead:
    """Processes that wait to be told which worker they are."""

    def __init__(self) -> None:
        self._waiting: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        """Start one. More would only share the processor that the switch is loaded with."""
        self._waiting.append(
            subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", MODULE, UNTOLD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                cwd=ROOT,
            )
        )

    def tell(self, words: Sequence[str], log: Path) -> subprocess.Popen[bytes] | None:
        """Make one of them a worker; None: there is none (any more).

        Args:
            words: its command line.
            log: where it writes what goes wrong, anew.
        """
        while self._waiting:
            process = self._waiting.pop()
            assert process.stdin is not None
            try:
                with process.stdin as line:
                    line.write(json.dumps([str(log.absolute()), *words]).encode() + b"\n")
            except OSError:
                _end(process)
                continue
            return process
        return None

    def dismiss(self) -> None:
        """End those that nobody needs."""
        while self._waiting:
            _end(self._waiting.pop())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End one that was told nothing: it has touched nothing either."""
    process.kill()
    process.communicate()
