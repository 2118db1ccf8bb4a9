"""The system calls of the packet path, for compiled code only: pointers are plain numbers.

Source: POSIX.1-2017 (recvfrom, sendto, clock_gettime, clock_nanosleep), Linux epoll(7). A call
goes straight to libc: an `ExternalFunction` is found by its name, so that what calls it can be
cached; a ctypes pointer could not. The interpreter cannot call these: a test that walks the path
puts ctypes in their place (`tests/support/plain_libc.py`).
"""

from typing import Any, Final

from numba import types

CLOCK_MONOTONIC: Final = 1
TIMER_ABSTIME: Final = 1
MSG_DONTWAIT: Final = 0x40
"""Linux, <bits/time.h>, <bits/socket.h>."""

_INT, _LONG, _SIZE, _POINTER = types.int32, types.int64, types.uint64, types.uintp


def _external(name: str, result: Any, *arguments: Any) -> Any:  # noqa: ANN401 - numba has no types
    return types.ExternalFunction(name, result(*arguments))


recvfrom = _external("recvfrom", _LONG, _INT, _POINTER, _SIZE, _INT, _POINTER, _POINTER)
sendto = _external("sendto", _LONG, _INT, _POINTER, _SIZE, _INT, _POINTER, types.uint32)
epoll_wait = _external("epoll_wait", _INT, _INT, _POINTER, _INT, _INT)
clock_gettime = _external("clock_gettime", _INT, _INT, _POINTER)
clock_nanosleep = _external("clock_nanosleep", _INT, _INT, _INT, _POINTER, _POINTER)
memcpy = _external("memcpy", _POINTER, _POINTER, _POINTER, _SIZE)
