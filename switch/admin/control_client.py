"""The asking side of `DATA/control.sock` (`control_socket`): light, for short programs."""

import json
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.errors import StoreError, UserError

LINE_BYTES_MAX: Final = 1_048_576
"""Longest question or answer. Chosen: a list of ten thousand rows."""

ANSWER_S_MAX: Final = 60.0
"""How long a command may take. Chosen: far above any, so that nobody waits for ever."""

PEER: Final = struct.Struct("3i")
"""Process, user and group at the other end. unix(7), SO_PEERCRED."""


def credentials(line: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end of a line, as the kernel knows them."""
    process, user, _ = PEER.unpack(
        line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    )
    return process, user


class ControlClient:
    """Asks a running switch.

    Args:
        path: `DATA/control.sock`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_served(self) -> bool:
        """Whether a switch listens there."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._path))
            except OSError:
                return False
            return True

    def process(self) -> int:
        """Return the process that serves there.

        Raises:
            StoreError: none does.
        """
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(self._path))
                return credentials(line)[0]
        except OSError as error:
            raise StoreError(f"No switch answers at {self._path}: {error}") from error

    def ask(self, noun: str, verb: str, given: Mapping[str, Any], *, by: str = "") -> Any:  # noqa: ANN401 - JSON
        """Carry out one command there.

        Args:
            noun: of the command.
            verb: of the command.
            given: its arguments.
            by: what the asking program calls itself; stands beside the user's name.

        Raises:
            UserError: the switch says no; says why.
            StoreError: it does not answer.
        """
        question = {"noun": noun, "verb": verb, "given": dict(given), "by": by}
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(ANSWER_S_MAX)
                line.connect(str(self._path))
                line.sendall(json.dumps(question).encode() + b"\n")
                with line.makefile("rb") as answers:
                    answer = json.loads(answers.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise StoreError(f"The switch does not answer at {self._path}: {error}") from error
        if not answer.get("ok"):
            raise UserError(answer.get("error", "The switch ended the connection."))
        return answer["result"]
