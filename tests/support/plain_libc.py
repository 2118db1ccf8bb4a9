"""Stands in for libc when the packet path is run by the interpreter: a network of lists.

Datagrams are put into `inbox` by descriptor; what the path sends is in `outbox`. The clock stands
where the test puts it and moves only when the path sleeps.
"""

import ctypes
from collections import defaultdict, deque
from dataclasses import dataclass

import pytest

from switch.media import beat, libsrtp, outlet, pump, ring, srtp_stage, tape
from switch.media.epoll_event import EVENT_DATA_WORD, EVENT_WORDS


@dataclass(frozen=True, slots=True)
class Sent:
    """One datagram that left."""

    fd: int
    data: bytes
    sockaddr: bytes


class PlainLibc:
    """The calls of `switch.media.libc`, by the same names.

    Args:
        now_ns: where the clock stands.
    """

    def __init__(self, now_ns: int = 5_000_000_000) -> None:
        self.now_ns = now_ns
        self.inbox: dict[int, deque[tuple[bytes, bytes]]] = defaultdict(deque)
        self.outbox: list[Sent] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (beat, outlet, pump, ring, tape):
            for name in ("memcpy", "recvfrom", "sendto", "epoll_wait"):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, getattr(self, name))
        for name in ("srtp_protect", "srtp_unprotect"):
            monkeypatch.setattr(srtp_stage, name, libsrtp.plain(name))
        monkeypatch.setattr(pump, "clock_gettime", self.clock_gettime)
        monkeypatch.setattr(pump, "clock_nanosleep", self.clock_nanosleep)

    def recvfrom(
        self, fd: int, buffer: int, size: int, _flags: int, source: int, source_size: int
    ) -> int:
        if not self.inbox[fd]:
            return -1
        data, sockaddr = self.inbox[fd].popleft()
        data = data[:size]
        ctypes.memmove(int(buffer), data, len(data))
        ctypes.memmove(int(source), sockaddr, len(sockaddr))
        ctypes.c_uint32.from_address(int(source_size)).value = len(sockaddr)
        return len(data)

    def sendto(
        self, fd: int, buffer: int, size: int, _flags: int, target: int, target_size: int
    ) -> int:
        data = ctypes.string_at(int(buffer), int(size))
        self.outbox.append(Sent(int(fd), data, ctypes.string_at(int(target), int(target_size))))
        return int(size)

    def epoll_wait(self, _epoll: int, events: int, events_max: int, wait_ms: int) -> int:
        ready = [fd for fd, queue in self.inbox.items() if queue][:events_max]
        if not ready:
            self.now_ns += wait_ms * 1_000_000
        for place, fd in enumerate(ready):
            at = int(events) + 4 * (EVENT_WORDS * place + EVENT_DATA_WORD)
            ctypes.c_int32.from_address(at).value = fd
        return len(ready)

    def clock_gettime(self, _clock: int, timespec: int) -> int:
        both = (ctypes.c_int64 * 2).from_address(int(timespec))
        both[0], both[1] = divmod(self.now_ns, 1_000_000_000)
        return 0

    def clock_nanosleep(self, _clock: int, _flags: int, timespec: int, _rest: int) -> int:
        both = (ctypes.c_int64 * 2).from_address(int(timespec))
        self.now_ns = max(self.now_ns, both[0] * 1_000_000_000 + both[1])
        return 0

    def memcpy(self, target: int, source: int, size: int) -> int:
        ctypes.memmove(int(target), int(source), int(size))
        return target
