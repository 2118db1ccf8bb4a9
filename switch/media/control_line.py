"""The worker's end of the line to control: listens, takes orders, keeps what control must hear.

Control may die and come back; the newest connection is the one that counts.
"""

import contextlib
import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from switch.media import wire
from switch.media.link import FolderName
from switch.media.messages import LegReport, WorkerReport

WAITING_MAX: Final = 20_000
"""Packets that wait for a control that does not read; then what is only periodic goes. Chosen."""

PACKETS_PER_POLL_MAX: Final = 64
"""Orders taken in one tick. Chosen: a burst of them must not delay the sound."""

PACKETS_PER_HEIR_MAX: Final = 8192
"""The same for a worker that goes on for another: the sound waits for its orders. Chosen: two for
each leg of a full worker."""


class ControlLine:
    """Listens at `path` from construction on.

    Args:
        path: of the Unix socket.
        watch: told the descriptor of each socket that control may speak on.
    """

    def __init__(self, path: Path, watch: Callable[[int], None]) -> None:
        self._path = path
        self._watch = watch
        self._buffer = bytearray(wire.MESSAGE_BYTES_MAX)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path.unlink(missing_ok=True)
        with FolderName(path) as name:
            self._listener.bind(name)
        path.chmod(0o600)
        self._listener.listen(4)
        self._listener.setblocking(False)
        watch(self._listener.fileno())
        self._line: socket.socket | None = None
        self._waiting: deque[tuple[bytes, tuple[int, ...], bool]] = deque()

    @property
    def is_up(self) -> bool:
        """Control is connected."""
        return self._line is not None

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._drop()

    def wait(self, wait_s: float) -> None:
        """Sleep until control says something, at most `wait_s`."""
        sources = [self._listener] if self._line is None else [self._listener, self._line]
        select.select(sources, [], [], wait_s)

    def answer(self) -> None:
        """Take a new connection if one is there; the one before is dead or will be."""
        with contextlib.suppress(BlockingIOError):
            line, _ = self._listener.accept()
            line.setblocking(False)
            self._drop()
            self._line = line
            self._watch(line.fileno())

    def poll(self) -> list[tuple[list[wire.Order], list[int]]]:
        """Return the packets that came, each with its descriptors."""
        packets: list[tuple[list[wire.Order], list[int]]] = []
        packets_max = PACKETS_PER_POLL_MAX
        while self._line is not None and len(packets) < packets_max:
            try:
                data, rights = wire.receive(self._line, self._buffer)
            except BlockingIOError:
                break
            except ConnectionResetError:
                continue  # it left our reports unread; what it said before is still to come
            except OSError:
                data, rights = memoryview(b""), []
            if not data:
                self._drop()
                break
            orders = wire.parse_orders(data)
            packets.append((orders, rights))
            if isinstance(orders[0], wire.Inherit):
                packets_max = PACKETS_PER_HEIR_MAX
        return packets

    def say(self, reports: Sequence[wire.Report], rights: Sequence[int] = ()) -> None:
        """Send reports, or keep them until control reads; without control they are forgotten."""
        if self._line is None:
            return
        for at in range(0, len(reports), wire.BATCH_MAX):
            part = reports[at : at + wire.BATCH_MAX]
            periodic = all(isinstance(one, LegReport | WorkerReport) for one in part)
            self._waiting.append((wire.build(part), tuple(rights), periodic))
        if len(self._waiting) > WAITING_MAX:
            self._waiting = deque(one for one in self._waiting if not one[2])
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as control reads."""
        while self._waiting and self._line is not None:
            data, rights, _ = self._waiting[0]
            try:
                wire.send(self._line, data, rights)
            except BlockingIOError:
                return
            except OSError:
                self._drop()
                return
            self._waiting.popleft()

    def _drop(self) -> None:
        self._waiting.clear()
        if self._line is not None:
            self._line.close()
        self._line = None
