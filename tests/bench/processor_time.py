"""What processes have cost: nanoseconds on a processor, from the scheduler.

`/proc/PID/stat` is not used: where it samples at the timer's tick (4 ms), whoever wakes by the
same 4 ms is always or never seen. Measured: it showed 1.2 to 9 us a packet for the same load.
"""

import os
from collections.abc import Sequence
from pathlib import Path


def spent_s(pids: Sequence[int]) -> float:
    """Return the time that all threads of these processes had a processor. proc(5), schedstat."""
    return sum(_spent_ns(pid) for pid in pids) / 1e9


def _spent_ns(pid: int) -> int:
    return sum(
        int((task / "schedstat").read_text().split()[0])
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def pin(pids: Sequence[int], core: int) -> None:
    """Let these processes run on one core only, where the machine has it."""
    if core in os.sched_getaffinity(0):
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {core})
