"""Do ports, open files and the machine fit what the configuration promises? For `kinline check`.

Source: signalling rules, section 7 (Ports); the kernel's ip-sysctl, `ip_local_port_range`.
"""

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switch.media.settings import MediaSettings

FILES_BESIDE: Final = 256
"""Descriptors of a process beside those of its legs. Chosen: connections, the store, its logs."""

FILES_PER_LEG: Final = 2
"""RTP and RTCP; control keeps them for a worker that dies."""

_KERNEL: Final = Path("/proc/sys/net/ipv4")


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine gives."""

    processors: int
    files_max: int
    """Open files of one process: the hard limit, up to which workers raise their own."""
    lent: tuple[int, int]
    """The ports that the kernel lends to whoever asks for any; (0, -1): not known."""
    reserved: tuple[tuple[int, int], ...] = ()
    """Ranges among them that it does not lend."""


def this_machine() -> Machine:
    """Look at the machine that we run on."""
    return Machine(
        processors=len(os.sched_getaffinity(0)),
        files_max=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        lent=_pair(_read("ip_local_port_range").replace("\t", "-")) or (0, -1),
        reserved=tuple(
            pair for part in _read("ip_local_reserved_ports").split(",") if (pair := _pair(part))
        ),
    )


def shortages(media: MediaSettings, machine: Machine) -> list[str]:
    """Return what will be short before `legs_max` is reached, one sentence each."""
    legs = (media.workers or machine.processors) * media.legs_max
    ports = len(range(media.port_min + (media.port_min & 1), media.port_max, 2))
    found: list[str] = []
    if ports < legs:
        found.append(
            f"media.port_min to port_max: {ports} even ports are {ports // 2} calls, legs_max is "
            f"good for {legs // 2}; the calls above get 503"
        )
    files = (machine.files_max - FILES_BESIDE) // FILES_PER_LEG
    if machine.files_max >= 0 and files < min(legs, ports):
        found.append(
            f"open files: {machine.files_max} (ulimit -Hn) are {max(0, files) // 2} calls, the "
            f"configuration is good for {min(legs, ports) // 2}: raise LimitNOFILE to "
            f"{FILES_PER_LEG * min(legs, ports) + FILES_BESIDE}"
        )
    low, high = max(media.port_min, machine.lent[0]), min(media.port_max, machine.lent[1])
    if low <= high and not any(a <= low and high <= b for a, b in machine.reserved):
        found.append(
            f"media.port_min to port_max: the kernel lends {low} to {high} to other programs; set "
            f"net.ipv4.ip_local_reserved_ports = {low}-{high}"
        )
    return found


def _read(name: str) -> str:
    try:
        return (_KERNEL / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _pair(text: str) -> tuple[int, int] | None:
    """Read `20000-29999` or `20000`."""
    low, _, high = text.strip().partition("-")
    if not low.isdigit() or not (high or low).strip().isdigit():
        return None
    return int(low), int(high or low)
