"""The shape of `struct epoll_event` on this machine. Source: Linux, <sys/epoll.h>."""

import platform
from typing import Final

_PACKED: Final = platform.machine() in {"x86_64", "AMD64", "i686"}

EVENT_WORDS: Final = 3 if _PACKED else 4
"""32-bit words of one event: packed on x86, aligned elsewhere."""

EVENT_DATA_WORD: Final = 1 if _PACKED else 2
"""Which word holds the descriptor (the low half of the 64-bit user data, little-endian)."""
