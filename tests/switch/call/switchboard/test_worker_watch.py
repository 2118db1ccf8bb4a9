"""What the media workers say of themselves, as the page and the outside get it."""

from switch.call.news import AlarmNews, News, WorkerNews
from switch.call.switchboard.worker_watch import ALARM_REST_S, LATE_TICKS_MAX, WorkerWatch
from switch.ids import CallId
from switch.media.messages import WorkerDied, WorkerReport
from tests.support.house_rig import HouseClock


class Notebook:
    def __init__(self) -> None:
        self.news: list[News] = []

    def publish_nowait(self, news: News) -> None:
        self.news.append(news)

    def alarms(self) -> list[AlarmNews]:
        return [one for one in self.news if isinstance(one, AlarmNews)]


def report(shed_ticks: int = 0, late_ticks: int = 3) -> WorkerReport:
    return WorkerReport(
        worker=0,
        at=1.0,
        legs=4,
        calls=2,
        ticks=100,
        late_ticks=late_ticks,
        tick_ms_p99=1.234,
        inspected_legs=4,
        shed_ticks=shed_ticks,
    )


def test_a_worker_that_leaves_out_the_look_is_told_of_once_a_minute() -> None:
    book, clock = Notebook(), HouseClock()
    watch = WorkerWatch(book, clock)
    watch.said(report())
    assert not book.alarms()
    watch.said(report(50))
    (alarm,) = book.alarms()
    assert alarm.code == "inspection_shed"
    assert "Media worker 0 with 4 legs" in alarm.text
    assert "1000 ms" in alarm.text
    watch.said(report(100))
    assert len(book.alarms()) == 1
    clock.at += ALARM_REST_S
    watch.said(report(100))
    assert len(book.alarms()) == 1
    watch.said(report(150))
    assert len(book.alarms()) == 2


def test_the_page_has_a_row_for_each_that_is_there() -> None:
    book = Notebook()
    watch = WorkerWatch(book, HouseClock())
    watch.said(report(50))
    (row,) = watch.rows()
    assert (row["worker"], row["late_ticks"], row["shed_ticks"]) == (0, 3, 50)
    assert row["tick_ms_p99"] == 1.23
    watch.died(WorkerDied(worker=0, calls=[CallId(1), CallId(2)]))
    assert watch.rows() == []
    assert watch.died_count == 1
    last = book.news[-1]
    assert isinstance(last, WorkerNews)
    assert (last.alive, last.legs, last.calls) == (False, 0, 2)


def test_a_worker_with_many_late_ticks_in_a_second_is_late_and_a_hiccup_is_not() -> None:
    clock = HouseClock()
    watch = WorkerWatch(Notebook(), clock)
    watch.said(report(late_ticks=1_000))
    assert watch.late_at < 0, "what it counted before we knew it is no news"
    watch.said(report(late_ticks=1_000 + LATE_TICKS_MAX))
    assert watch.late_at < 0
    clock.at += 1.0
    watch.said(report(late_ticks=1_001 + 2 * LATE_TICKS_MAX))
    assert watch.late_at == clock.monotonic()
