"""Names to addresses, for trunks that are configured by name.

A and AAAA through the system's resolver, with a time limit; answers are kept for a minute, and the
last good one when the name server fails. NAPTR and SRV (RFC 3263) will sit on top of this.
"""

import asyncio
import socket
from typing import Final

from switch.clock import Clock
from switch.sip.sources import parse_address

KEPT_S: Final = 60.0
"""How long an answer is used. Chosen: getaddrinfo tells no TTL."""


class ResolveError(Exception):
    """A name has no address now, and never had one before."""


class Resolver:
    """Looks up names.

    Args:
        clock: for the age of answers.
        resolve_s_max: how long a look-up may take.
    """

    def __init__(self, *, clock: Clock, resolve_s_max: float = 5.0) -> None:
        self._clock = clock
        self._resolve_s_max = resolve_s_max
        self._kept: dict[str, tuple[float, list[str]]] = {}

    async def resolve(self, host: str) -> list[str]:
        """Return the IP addresses of a host, best first; an IP literal is itself.

        Raises:
            ResolveError: there is none.
        """
        if parse_address(host) is not None:
            return [host.strip("[]")]
        now = self._clock.monotonic()
        at, known = self._kept.get(host, (0.0, []))
        if known and now - at < KEPT_S:
            return known
        try:
            found = await self._ask(host)
        except (OSError, TimeoutError) as error:
            if known:
                return known
            raise ResolveError(f"{host}: {str(error) or 'no answer in time'}") from error
        self._kept[host] = (now, found)
        return found

    async def _ask(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._resolve_s_max):
            rows = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))
