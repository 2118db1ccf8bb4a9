"""What the kernel dropped because a socket's receive buffer was full.

The kernel counts for the whole network namespace, so on a machine of its own this is ours. Counted
from the moment we began to look. Source: RFC 4113 (UDP-MIB), proc(5), `/proc/net/snmp`.
"""

from pathlib import Path
from typing import Final

SNMP: Final = Path("/proc/self/net/snmp")
SNMP6: Final = Path("/proc/self/net/snmp6")


def rcvbuf_errors(snmp: str, snmp6: str) -> int:
    """Add up `RcvbufErrors` of UDP over IPv4 and IPv6.

    Args:
        snmp: a line of names and a line of values for each protocol.
        snmp6: a name and a value on each line.
    """
    total = 0
    names: list[str] = []
    for line in snmp.splitlines():
        protocol, _, rest = line.partition(":")
        if protocol != "Udp":
            continue
        if not names:
            names = rest.split()
            continue
        values = dict(zip(names, rest.split(), strict=False))
        total += int(values.get("RcvbufErrors", 0))
    for line in snmp6.splitlines():
        name, _, value = line.partition(" ")
        if name.strip() == "Udp6RcvbufErrors":
            total += int(value)
    return total


class KernelDrops:
    """Counts from where it began.

    Args:
        snmp: the file of IPv4; one that is not there counts as nothing.
        snmp6: the file of IPv6.
    """

    def __init__(self, snmp: Path = SNMP, snmp6: Path = SNMP6) -> None:
        self._snmp, self._snmp6 = snmp, snmp6
        self._before = self._now()

    def total(self) -> int:
        """Return how many datagrams were dropped since."""
        return max(0, self._now() - self._before)

    def _now(self) -> int:
        return rcvbuf_errors(_text(self._snmp), _text(self._snmp6))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
