"""Control's end of the line to one worker: the process, the socket, what waits to be sent."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from switch.media import wire
from switch.media.ahead import MODULE, ROOT, WorkersAhead
from switch.media.settings import MediaSettings

WAITING_MAX: Final = 65_536
"""Orders that may wait for a worker that does not read. Chosen: 16 for each leg of a full one."""

SOCKET_NAME_BYTES_MAX: Final = 100
"""sun_path holds 108 bytes with its end; a longer name goes through the folder's descriptor."""


class WorkerLink:
    """The line to worker `number`.

    Args:
        number: which worker.
        data: the data folder; socket and log of the worker are there.
        settings: of this room.
    """

    def __init__(self, number: int, *, data: Path, settings: MediaSettings) -> None:
        self.number = number
        self.socket: socket.socket | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.spawned = 0
        """How often a process was started."""
        self.welcome: wire.Welcome | None = None
        self.memory = -1
        """Descriptor of what is left when the worker dies."""
        self._process_fd = -1
        self._data = data
        self._settings = settings
        self._buffer = bytearray(wire.MESSAGE_BYTES_MAX)
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque(maxlen=WAITING_MAX)

    def spawn(self, ahead: WorkersAhead) -> None:
        """Start the worker process. It outlives us, has a session of its own and an own log."""
        self.spawned += 1
        wire.socket_path(self._data, self.number).unlink(missing_ok=True)
        words = [
            *("--number", str(self.number), "--data", str(self._data.absolute())),
            *("--legs-max", str(self._settings.legs_max)),
            *("--orphan-s", str(self._settings.orphan_s)),
        ]
        log_path = self._data / f"worker-{self.number}.log"
        self.process = ahead.tell(words, log_path) or self._start(words, log_path)

    def _start(self, words: list[str], log_path: Path) -> subprocess.Popen[bytes]:
        with log_path.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", MODULE, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                cwd=ROOT,
            )

    def connect(self) -> bool:
        """Try to reach the worker and say hello. False: it does not listen (yet)."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connect_by_name(line, wire.socket_path(self._data, self.number))
        except OSError:
            line.close()
            return False
        line.setblocking(False)
        hello = wire.Hello(protocol=wire.PROTOCOL, orphan_s=self._settings.orphan_s)
        wire.send(line, wire.build([hello]))
        self.socket = line
        return True

    def welcomed(self, welcome: wire.Welcome, rights: Sequence[int]) -> None:
        """The worker has answered: it is there, and this is the memory that it would leave."""
        self.welcome = welcome
        self.memory = rights[0] if rights else -1
        with contextlib.suppress(OSError):
            self._process_fd = os.pidfd_open(welcome.pid)

    def take_memory(self) -> int:
        """Return the memory of a worker that is lost, and see to it that it is dead.

        Its line has ended, and nothing but its death ends it. If it lived all the same, two workers
        would serve the same sockets.
        """
        if self._process_fd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process_fd, signal.SIGKILL)
        memory, self.memory = self.memory, -1
        return memory

    def abandon(self) -> None:
        """End a process of ours that has not answered yet: it carries nothing."""
        if self.process is not None and self.welcome is None:
            self.process.kill()

    def send(self, orders: Sequence[wire.Order], rights: Sequence[int] = ()) -> bool:
        """Send orders, or keep them until the line takes them. False: they have to wait.

        The descriptors are duplicated, so that the leg may be closed while its order waits.
        """
        self._waiting.append((wire.build(orders), tuple(os.dup(fd) for fd in rights)))
        return self.flush()

    def flush(self) -> bool:
        """Send what waits. False: something still waits."""
        if self.socket is None or self.welcome is None:
            return True
        while self._waiting:
            data, rights = self._waiting[0]
            try:
                wire.send(self.socket, data, rights)
            except BlockingIOError:
                return False
            except OSError:
                break
            self._waiting.popleft()
            for fd in rights:
                os.close(fd)
        return True

    def receive(self) -> tuple[list[wire.Report], list[int]] | None:
        """Return the reports of one packet and its descriptors; None: the line is dead.

        Raises:
            BlockingIOError: nothing is there.
        """
        if self.socket is None:
            return None
        try:
            data, rights = wire.receive(self.socket, self._buffer)
        except BlockingIOError:
            raise
        except OSError:
            return None
        if not data:
            return None
        return wire.parse_reports(data), rights

    def hang_up(self) -> None:
        """Close the line; the worker goes on by itself."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.welcome = None
        for fd in (self.memory, self._process_fd):
            if fd >= 0:
                os.close(fd)
        self.memory = self._process_fd = -1
        for _, rights in self._waiting:
            for fd in rights:
                os.close(fd)
        self._waiting.clear()


def connect_by_name(line: socket.socket, path: Path) -> None:
    """Connect to a Unix socket, however long its name is.

    Raises:
        OSError: nobody listens there.
    """
    with FolderName(path) as name:
        line.connect(name)


class FolderName:
    """A context that gives a short name for a socket in a folder with a long one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= SOCKET_NAME_BYTES_MAX:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)
