"""A relay that does nothing but relay: what no switch with one socket a leg can go below.

The same sockets, the same waking by the quantum, one `recvfrom` and one `sendto` a packet,
compiled. No check of the sender, no header of its own, no frame kept, no sound looked at, no money.
Sockets are read once when they are reported (level-triggered): the cheapest way that was found.
"""

import os
import select
import sys

import numpy as np
from numba import njit

from switch.media.epoll_event import EVENT_DATA_WORD, EVENT_WORDS
from switch.media.legs import Bytes, Int32, Int64
from switch.media.libc import (
    CLOCK_MONOTONIC,
    MSG_DONTWAIT,
    TIMER_ABSTIME,
    clock_gettime,
    clock_nanosleep,
    epoll_wait,
    recvfrom,
    sendto,
)
from switch.media.pump import QUANTUM_NS
from tests.bench.rtp_load import say, sockaddr, sockets

EVENTS_MAX = 4096


@njit(cache=True, nogil=True)
def relay(  # noqa: PLR0917 - compiled: no keyword-only arguments there
    epoll: int, fds: Int32, leg_of_fd: Int32, targets: Bytes, quanta: int, time: Int64
) -> None:
    """Pass packets on, each to the other leg of its call."""
    events = np.zeros(EVENTS_MAX * EVENT_WORDS, np.int32)
    packet = np.zeros(2048, np.uint8)
    sender, sender_bytes = np.zeros(28, np.uint8), np.full(1, 28, np.uint32)
    clock_gettime(CLOCK_MONOTONIC, time.ctypes.data)
    begin = time[0] * 1_000_000_000 + time[1]
    for quantum in range(1, quanta + 1):
        due = begin + quantum * QUANTUM_NS
        time[0], time[1] = due // 1_000_000_000, due % 1_000_000_000
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, time.ctypes.data, 0)
        for i in range(epoll_wait(epoll, events.ctypes.data, EVENTS_MAX, 0)):
            leg = leg_of_fd[events[EVENT_WORDS * i + EVENT_DATA_WORD]]
            size = recvfrom(
                fds[leg],
                packet.ctypes.data,
                2048,
                MSG_DONTWAIT,
                sender.ctypes.data,
                sender_bytes.ctypes.data,
            )
            other = leg ^ 1
            sendto(
                fds[other],
                packet.ctypes.data,
                size,
                MSG_DONTWAIT,
                targets[other].ctypes.data,
                16,
            )


def main() -> None:
    """Say our ports; read the telephones'; relay for so many seconds."""
    telephones, seconds = [int(port) for port in sys.argv[2:]], float(sys.argv[1])
    legs = sockets(len(telephones))
    epoll = select.epoll()
    leg_of_fd = np.full(1 << 16, -1, np.int32)
    for index, leg in enumerate(legs):
        epoll.register(leg.fileno(), select.EPOLLIN)
        leg_of_fd[leg.fileno()] = index
    fds = np.array([leg.fileno() for leg in legs], np.int32)
    targets = np.stack([sockaddr(port) for port in telephones])
    time = np.zeros(2, np.int64)
    relay(epoll.fileno(), fds, leg_of_fd, targets, 0, time)
    say({"pid": os.getpid(), "ports": [leg.getsockname()[1] for leg in legs]})
    relay(epoll.fileno(), fds, leg_of_fd, targets, round(seconds * 1e9) // QUANTUM_NS, time)


if __name__ == "__main__":
    main()
