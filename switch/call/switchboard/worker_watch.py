"""What the media workers say of themselves: kept for the page, told outside, alarmed about."""

import logging
from typing import Any, Final

from switch.call.news import AlarmNews, Publisher, WorkerNews
from switch.clock import Clock
from switch.media.messages import WorkerDied, WorkerReport

SHED_ALARM: Final = "inspection_shed"

ALARM_REST_S: Final = 60.0
"""The same alarm is not raised again within this time. Chosen: one a minute is heard."""

LATE_TICKS_MAX: Final = 5
"""A worker with more late ticks than this in a second is late. Chosen: one in ten; a single one is
a hiccup of the machine."""

log = logging.getLogger(__name__)


class WorkerWatch:
    """The last report of each worker.

    Args:
        publisher: takes the news.
        clock: for the time of the news, and the rest between alarms.
    """

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self.died_count = 0
        self.late_at = float("-inf")
        """When a worker last told that it was late, monotonic."""
        self._publisher = publisher
        self._clock = clock
        self._reports: dict[int, WorkerReport] = {}
        self._alarmed_at: dict[int, float] = {}

    def said(self, report: WorkerReport) -> None:
        """A worker has reported."""
        before = self._reports.get(report.worker)
        self._reports[report.worker] = report
        late = report.late_ticks - (before.late_ticks if before is not None else 0)
        if before is not None and late > LATE_TICKS_MAX:
            self.late_at = self._clock.monotonic()
        shed = report.shed_ticks - (before.shed_ticks if before is not None else 0)
        if shed > 0:
            self._shed(report, shed)
        self._tell(report, alive=True)

    def died(self, event: WorkerDied) -> None:
        """A worker is dead; another one takes its calls."""
        count = len(event.calls)
        log.error("media worker %d died with %d calls; another goes on", event.worker, count)
        self.died_count += 1
        self._reports.pop(event.worker, None)
        nothing = WorkerReport(
            worker=event.worker,
            at=self._clock.monotonic(),
            legs=0,
            calls=count,
            ticks=0,
            late_ticks=0,
            tick_ms_p99=0.0,
            inspected_legs=0,
        )
        self._tell(nothing, alive=False)

    def rows(self) -> list[dict[str, Any]]:
        """One row per worker that is there."""
        return [
            {
                "worker": one.worker,
                "legs": one.legs,
                "calls": one.calls,
                "inspected_legs": one.inspected_legs,
                "ticks": one.ticks,
                "late_ticks": one.late_ticks,
                "shed_ticks": one.shed_ticks,
                "tick_ms_p99": round(one.tick_ms_p99, 2),
            }
            for one in self._reports.values()
        ]

    def _shed(self, report: WorkerReport, ticks: int) -> None:
        now = self._clock.monotonic()
        last = self._alarmed_at.get(report.worker)
        if last is not None and now - last < ALARM_REST_S:
            return
        self._alarmed_at[report.worker] = now
        text = (
            f"Media worker {report.worker} with {report.legs} legs cannot keep up: the sound of "
            f"{ticks * 20} ms was not inspected. Calls go on. Give it less: more workers, more "
            "processors, or fewer channels."
        )
        log.error("%s: %s", SHED_ALARM, text)
        at_wall = self._clock.wall()
        self._publisher.publish_nowait(
            AlarmNews(code=SHED_ALARM, text=text, facility="", at_wall=at_wall)
        )

    def _tell(self, report: WorkerReport, *, alive: bool) -> None:
        self._publisher.publish_nowait(
            WorkerNews(
                worker=report.worker,
                legs=report.legs,
                calls=report.calls,
                inspected_legs=report.inspected_legs,
                late_ticks=report.late_ticks,
                shed_ticks=report.shed_ticks,
                tick_ms_p99=report.tick_ms_p99,
                alive=alive,
                at_wall=self._clock.wall(),
            )
        )
