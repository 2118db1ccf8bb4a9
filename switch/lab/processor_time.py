"""What processes have cost: nanoseconds on a processor, from the scheduler.

`/proc/PID/stat` is not used: where it samples at the timer's tick (4 ms), whoever wakes by the
same 4 ms is always or never seen. Measured: it showed 1.2 to 9 us a packet for the same load.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_HELD: Final = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


def spent_s(pids: Sequence[int]) -> float:
    """Return the time that all threads of these processes had a processor. proc(5), schedstat."""
    return sum(spent_ns(pids).values()) / 1e9


def spent_ns(pids: Sequence[int]) -> dict[int, int]:
    """The same, of each thread. One that ends between two looks takes what it had with it."""
    found: dict[int, int] = {}
    for pid in pids:
        with suppress(OSError):
            for task in list(Path(f"/proc/{pid}/task").iterdir()):
                with suppress(OSError):
                    found[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return found


def passed_s(before: Mapping[int, int], after: Mapping[int, int]) -> float:
    """Return what the threads that are there have spent between two looks."""
    return sum(spent - before.get(task, 0) for task, spent in after.items()) / 1e9


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it, itself first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def memory_kb(pids: Sequence[int]) -> int:
    """Return what these processes hold: shared memory is parted among those that share it.

    Pages of files (code, mostly) are not in it: the kernel takes and gives them as it likes,
    tens of megabytes in a minute (measured), whatever the process does. proc(5), smaps_rollup.
    """
    total = 0
    for pid in pids:
        with suppress(OSError):
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(row.split()[1]) for row in rows if row.startswith(_HELD))
    return total


def descriptors(pids: Sequence[int]) -> int:
    """Return how many files and sockets these processes have open."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += len(os.listdir(f"/proc/{pid}/fd"))
    return total


def pin(pids: Sequence[int], core: int) -> None:
    """Let these processes run on one core only, where the machine has it."""
    if core in os.sched_getaffinity(0):
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {core})
