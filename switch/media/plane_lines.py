"""The lines to all workers: reach them, start them, start them again when they die.

Runs in control's event loop by its callbacks; only `start` and `close` wait.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from switch.errors import LocalError
from switch.media import wire
from switch.media.ahead import WorkersAhead
from switch.media.link import WorkerLink
from switch.media.settings import MediaSettings

START_S: Final = 900.0
"""A worker that does not answer by then stops the start. Measured: a cold compile takes 2 to 4
minutes where two workers share two busy processors; set-up has done it before
(`switch.media.warm`)."""

SLOW_S: Final = 8.0
"""After so long we say what takes so long. Chosen: a warm worker is there in one or two."""

STARTS_MAX: Final = 3
"""A worker that ends so often before it has said a word stops the start. Chosen."""

CONNECT_RETRY_S: Final = 0.02
"""Chosen: a warm worker listens after about half a second."""

RESPAWN_S: Final = 0.5
"""Pause before a worker is started again that died at once, or whose calls another one has taken
up: starting costs most of a second of one processor. Chosen."""

CLOSE_S: Final = 2.0
"""How long `close` waits for workers without calls. Chosen."""

log = logging.getLogger(__name__)


class PlaneLines:
    """One line for each worker.

    Args:
        settings: how many workers, and what they are told.
        data: the data folder.
        on_report: called with the worker's number, each report and its descriptors.
        on_lost: called when a worker that was there has died, with the memory that it left.
        on_ready: called when a worker is there.
        ahead: processes begun before, that only wait to be told which worker they are.
    """

    def __init__(
        self,
        *,
        settings: MediaSettings,
        data: Path,
        on_report: Callable[[int, wire.Report, list[int]], None],
        on_lost: Callable[[int, int], None],
        on_ready: Callable[[int], None],
        ahead: WorkersAhead,
    ) -> None:
        self._settings = settings
        self._data = data
        self._on_report = on_report
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._ahead = ahead
        self._links: list[WorkerLink] = []
        self._spare: set[int] = set()
        self._ready: dict[int, asyncio.Future[None]] = {}
        self._legs_due: dict[int, int] = {}
        self._closing = False

    async def start(self) -> None:
        """Reach the workers that outlived a former control, start the others.

        Raises:
            LocalError: a worker does not answer.
        """
        loop = asyncio.get_running_loop()
        self._data.mkdir(parents=True, exist_ok=True)
        count = self._settings.workers or len(os.sched_getaffinity(0))
        for number in range(count + self._settings.workers_spare):
            link = WorkerLink(number, data=self._data, settings=self._settings)
            self._links.append(link)
            self._ready[number] = loop.create_future()
            if number < count:
                self._reach(link)
            else:
                self._take_up(link)
        self._ahead.dismiss()
        needed = [self._ready[n.number] for n in self._links if n.number < count or n.socket]
        await self._all_ready(needed)
        busy = [link.number for link in self._links if link.welcome and link.welcome.legs]
        idle = [link.number for link in self._links if link.number not in busy]
        self._spare = set(idle[max(0, count - len(busy)) :])
        for link in (one for one in self._links if one.socket is None):
            loop.call_later(self._settings.spare_after_s, self._reach, link)

    async def _all_ready(self, needed: Sequence[asyncio.Future[None]]) -> None:
        """Wait for the workers; say so when the packet path has to be compiled first."""
        _, late = await asyncio.wait(needed, timeout=SLOW_S)
        if late:
            log.warning(
                "the packet path is compiled now, once after a change of version or processor; "
                "that takes minutes (`python -m switch.media.warm` does it ahead)"
            )
        try:
            async with asyncio.timeout(START_S):
                await asyncio.gather(*needed)
        except TimeoutError as error:
            raise self._not_started() from error

    def _not_started(self) -> LocalError:
        return LocalError(f"a media worker did not start: see {self._data / 'worker-*.log'}")

    async def close(self) -> None:
        """Let the workers go: each ends as soon as no leg is open there."""
        self._closing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CLOSE_S
        for link in self._links:
            link.send([wire.Leave()])
        while (  # noqa: ASYNC110 - a full socket has no event outside its reader
            not all(link.flush() for link in self._links) and loop.time() < deadline
        ):
            await asyncio.sleep(CONNECT_RETRY_S)
        for link in self._links:
            link.abandon()
            self._forget(link)
        started = [link.process for link in self._links if link.process is not None]
        while (  # noqa: ASYNC110 - a process has no event either
            any(one.poll() is None for one in started) and loop.time() < deadline
        ):
            await asyncio.sleep(CONNECT_RETRY_S)

    def send(self, worker: int, *orders: wire.Order, rights: Sequence[int] = ()) -> None:
        """Send orders in one packet, now or as soon as the line takes it."""
        link = self._links[worker]
        if not link.send(orders, rights) and link.socket is not None:
            asyncio.get_running_loop().add_writer(link.socket, self._writable, link)

    def pids(self) -> Mapping[int, int]:
        """Return the process of each worker that is there to carry calls."""
        there = {link.number: link.welcome for link in self._links if link.welcome is not None}
        return {n: welcome.pid for n, welcome in there.items() if n not in self._spare}

    def spare_count(self) -> int:
        """Return how many workers are there and carry nothing."""
        return sum(self._links[n].welcome is not None for n in self._spare)

    def succeed(self, worker: int) -> int:
        """Return who goes on for a worker that died: a spare one, or itself, once it is back."""
        spare = next((n for n in sorted(self._spare) if self._links[n].welcome is not None), worker)
        if spare != worker and worker not in self._spare:
            self._spare.remove(spare)
            self._spare.add(worker)
        return spare

    def calls(self) -> list[wire.SurvivingCall]:
        """Return the calls that the workers had when they were reached."""
        return [call for link in self._links if link.welcome for call in link.welcome.calls]

    # -- what the loop calls -------------------------------------------------------------------

    def _reach(self, link: WorkerLink) -> None:
        """Connect; where nobody listens, start a process, and try again until one does."""
        if self._closing or self._take_up(link):
            return
        loop = asyncio.get_running_loop()
        if link.process is None or link.process.poll() is not None:
            ready = self._ready[link.number]
            if link.spawned >= STARTS_MAX and not ready.done():
                ready.set_exception(self._not_started())
                return
            link.spawn(self._ahead)
        loop.call_later(CONNECT_RETRY_S, self._reach, link)

    def _take_up(self, link: WorkerLink) -> bool:
        """Connect, if somebody listens."""
        if not link.connect():
            return False
        assert link.socket is not None
        asyncio.get_running_loop().add_reader(link.socket, self._readable, link)
        return True

    def _readable(self, link: WorkerLink) -> None:
        try:
            packet = link.receive()
        except BlockingIOError:
            return
        if packet is None:
            self._lost(link)
            return
        reports, rights = packet
        for report in reports:
            self._take(link, report, rights)

    def _writable(self, link: WorkerLink) -> None:
        if link.flush() and link.socket is not None:
            asyncio.get_running_loop().remove_writer(link.socket)

    def _take(self, link: WorkerLink, report: wire.Report, rights: list[int]) -> None:
        if isinstance(report, wire.Welcome):
            link.welcomed(report, rights)
            self._legs_due[link.number] = report.legs
        else:
            self._on_report(link.number, report, rights)
        if isinstance(report, wire.LegBack):
            self._legs_due[link.number] -= 1
        ready = self._ready[link.number]
        if self._legs_due.get(link.number) == 0 and not ready.done():
            ready.set_result(None)
            link.flush()
        if isinstance(report, wire.Welcome):
            self._on_ready(link.number)

    def _lost(self, link: WorkerLink) -> None:
        """A worker died, or another control took it over: reach it again, or a new one."""
        was_there = link.welcome is not None
        memory = link.take_memory()
        self._forget(link)
        if self._closing:
            return
        if was_there:
            self._on_lost(link.number, memory)
        is_awaited = was_there and link.number not in self._spare
        asyncio.get_running_loop().call_later(0 if is_awaited else RESPAWN_S, self._reach, link)

    def _forget(self, link: WorkerLink) -> None:
        if link.socket is not None:
            asyncio.get_running_loop().remove_reader(link.socket)
            asyncio.get_running_loop().remove_writer(link.socket)
        link.hang_up()


def adopt(rights: list[int]) -> tuple[socket.socket, socket.socket]:
    """Return the RTP and RTCP sockets that a worker handed back."""
    return socket.socket(fileno=rights[0]), socket.socket(fileno=rights[1])
