"""One worker process: a loop of 20 ms around one compiled function.

    pump        packets, until the tick; then announcements and ends of paid time
    desk.tick   what the pump left for Python; one push of the bank over all inspected legs
    orders      from control
    publish     to control

It outlives control: calls go on to their `paid_until`, and what happened is kept. Without calls and
without control it ends after a while. It writes no core dumps: there is sound in its memory.
"""

import argparse
import gc
import json
import logging
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    gc.disable()  # until all is loaded, which makes many objects and no garbage

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy: legs are split over workers, not over threads

from switch.clock import Clock, SystemClock  # noqa: E402 - numpy reads the environment on import
from switch.errors import LocalError  # noqa: E402 - same
from switch.media import estate, wire  # noqa: E402 - same
from switch.media import legs as legs_module  # noqa: E402 - same
from switch.media.ahead import UNTOLD  # noqa: E402 - same
from switch.media.control_line import ControlLine  # noqa: E402 - same
from switch.media.desk import Desk  # noqa: E402 - same
from switch.media.messages import WorkerReport  # noqa: E402 - same
from switch.media.pump import look_again, pump  # noqa: E402 - same
from switch.media.seats import NS  # noqa: E402 - same
from switch.media.shedding import Shedding  # noqa: E402 - same

TICK_S: Final = 0.02
TICKS_PER_S: Final = 50

LATE_S: Final = 0.005
"""A tick whose work begins so much after its time is late. Chosen: what a call may be delayed."""

IDLE_WAIT_S: Final = 0.5
"""Sleep of a worker without legs; an order wakes it. Chosen."""

log = logging.getLogger(__name__)


class Worker:
    """One worker.

    Args:
        number: which.
        path: where control finds it.
        clock: monotonic time.
        legs_max: how many legs.
        orphan_s: how long it stays without calls and without control.
    """

    def __init__(
        self, number: int, *, path: Path, clock: Clock, legs_max: int, orphan_s: float
    ) -> None:
        self._number = number
        self._clock = clock
        self._orphan_s = orphan_s
        own = legs_module.build(legs_max=legs_max, rows_max=legs_max)
        self._legs, self._memory = estate.share(own)
        self._epoll = select.epoll()
        self._line = ControlLine(path, self._watch)
        self._desk = Desk(self._legs, self._epoll, rows_max=legs_max)
        self._ticks = 0
        self._late_ticks = 0
        self._shedding = Shedding()
        self._spent_ms: list[float] = []
        self._used = (time.process_time(), clock.monotonic())
        self._spoken = 0
        self._unread = False
        self._leaving = False
        self._needed_at = clock.monotonic()

    def warm(self) -> None:
        """Compile everything, or load what was compiled."""
        pump(self._legs, self._epoll.fileno(), 0)
        look_again(self._legs)
        self._desk.inspection.warm()
        self._desk.recorders.warm()

    def run(self) -> None:
        """Work until nobody needs it. A late tick is counted, not repeated."""
        self._used = (time.process_time(), self._clock.monotonic())
        deadline = self._clock.monotonic() + TICK_S
        while not self._is_done():
            if not self._desk.seats.by_leg:
                self._line.wait(IDLE_WAIT_S)
                deadline = self._clock.monotonic()
            ended = self.turn(deadline)
            deadline += TICK_S * max(1, -(-(ended - deadline) // TICK_S))

    def turn(self, deadline: float) -> float:
        """Serve packets until `deadline`, then do the tick's work; return when that ended."""
        lagging = pump(self._legs, self._epoll.fileno(), round(deadline * NS))
        began = self._clock.monotonic()
        self._ticks += 1
        self._late_ticks += began - deadline > LATE_S
        wall = self._clock.wall()
        tick, blind = self._ticks, self._shedding.is_on
        self._guard(lambda: self._desk.tick(lagging, tick, blind=blind, now=began, wall=wall))
        self._take_orders(began)
        self._publish(began)
        ended = self._clock.monotonic()
        self._spent_ms.append((ended - began) * 1e3)
        self._shedding.ended(ended - deadline)
        return ended

    def _watch(self, fd: int) -> None:
        """Let the pump notice when control speaks."""
        self._legs.leg_of_fd[fd] = legs_module.CONTROL_INDEX
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)

    def _guard(self, work: Callable[[], None]) -> None:
        """Do one piece of work; whatever goes wrong in it, the worker and all other calls go on."""
        try:
            work()
        except LocalError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("one piece of work failed")

    def _take_orders(self, now: float) -> None:
        """Take what control says; the pump counts when it says something."""
        spoken = int(self._legs.counts[legs_module.COUNT_CONTROL])
        if spoken == self._spoken and self._desk.seats.by_leg and not self._unread:
            return
        self._spoken = spoken
        self._line.answer()
        packets = self._line.poll()
        self._unread = bool(packets)
        for orders, rights in packets:
            for order in orders:
                self._guard(lambda: self._obey(order, rights, now))  # noqa: B023 - called at once

    def _obey(self, order: wire.Order, rights: list[int], now: float) -> None:
        match order:
            case wire.Hello():
                self._welcome()
            case wire.Leave():
                self._leaving = True
            case _:
                self._desk.apply(order, rights, now=now)

    def _welcome(self) -> None:
        """Tell a control that came (back) what lives here, with the sockets of each leg."""
        seats = list(self._desk.seats.by_leg.values())
        self._leaving = False
        self._line.say(
            [
                wire.Welcome(
                    protocol=wire.PROTOCOL,
                    worker=self._number,
                    pid=os.getpid(),
                    legs=len(seats),
                    calls=self._desk.bridges.surviving(),
                )
            ],
            [self._memory],
        )
        for seat in seats:
            self._line.say(
                [wire.LegBack(leg=seat.leg, ip=seat.ip, port=seat.port)],
                [seat.rtp.fileno(), seat.rtcp.fileno()],
            )
        self._desk.tell_rooms()

    def _publish(self, now: float) -> None:
        reports = self._desk.take_reports()
        if self._ticks % TICKS_PER_S == 0:
            reports.append(self._report(now))
        if reports:
            self._line.say(reports)
        else:
            self._line.flush()

    def _report(self, now: float) -> WorkerReport:
        spent = sorted(self._spent_ms)
        self._spent_ms = []
        return WorkerReport(
            worker=self._number,
            at=now,
            legs=len(self._desk.seats.by_leg),
            calls=self._desk.bridges.live_count,
            ticks=self._ticks,
            late_ticks=self._late_ticks,
            tick_ms_p99=round(spent[int(0.99 * len(spent))], 3) if spent else 0.0,
            inspected_legs=self._desk.inspection.rows_count,
            busy=self._busy(now),
            shed_ticks=self._shedding.shed_ticks,
        )

    def _busy(self, now: float) -> float:
        """Return the share of a processor that was used since the last time."""
        used_s, since = time.process_time(), self._used
        self._used = (used_s, now)
        return round((used_s - since[0]) / max(now - since[1], TICK_S), 4)

    def _is_done(self) -> bool:
        now = self._clock.monotonic()
        has_legs = bool(self._desk.seats.by_leg)
        if self._line.is_up or self._desk.bridges.live_count or self._desk.recorders.files_count:
            self._needed_at = now
        is_idle = not has_legs and not self._desk.recorders.files_count
        return (self._leaving and is_idle) or now - self._needed_at > self._orphan_s


def told(line: bytes) -> list[str]:
    """Return the command line that control says once it knows it; write to its log from here on."""
    log_path, *words = [str(word) for word in json.loads(line)]
    with open(log_path, "wb") as file:
        os.dup2(file.fileno(), 2)
    return words


def main() -> None:
    """Run one worker process."""
    words = sys.argv[1:]
    if words == [UNTOLD]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        words = told(line)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--legs-max", type=int, default=4096)
    parser.add_argument("--orphan-s", type=float, default=60.0)
    options = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, legs_module.FDS_MAX), hard))
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    worker = Worker(
        options.number,
        path=wire.socket_path(options.data, options.number),
        clock=SystemClock(),
        legs_max=options.legs_max,
        orphan_s=options.orphan_s,
    )
    worker.warm()
    gc.collect()
    gc.freeze()
    gc.enable()
    worker.run()


if __name__ == "__main__":
    main()
