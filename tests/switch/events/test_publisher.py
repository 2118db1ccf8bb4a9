import asyncio

from switch.call.news import News
from switch.events.publisher import Fanout
from switch.ids import CallId
from tests.switch.events import news_of


class Ear:
    def __init__(self) -> None:
        self.heard: list[News] = []

    def publish_nowait(self, news: News) -> None:
        self.heard.append(news)


def test_every_listener_hears_everything_in_order() -> None:
    left, right = Ear(), Ear()
    fanout = Fanout([left, right], news_max=10)
    said: list[News] = [news_of.state(), news_of.balance(), news_of.ended()]
    for news in said:
        fanout.publish_nowait(news)
    fanout.pass_on_nowait()
    assert left.heard == said
    assert right.heard == said


def test_when_nobody_keeps_up_the_oldest_news_goes_and_is_counted() -> None:
    ear = Ear()
    fanout = Fanout([ear], news_max=2)
    said = [news_of.state(CallId(n)) for n in range(5)]
    for news in said:
        fanout.publish_nowait(news)
    fanout.pass_on_nowait()
    assert fanout.dropped == 3
    assert ear.heard == said[3:]


def test_an_audit_entry_does_not_wait_and_is_not_dropped() -> None:
    ear = Ear()
    fanout = Fanout([ear], news_max=1)
    fanout.publish_nowait(news_of.state())
    fanout.publish_nowait(news_of.audit())
    assert ear.heard == [news_of.audit()]
    assert fanout.dropped == 0


async def test_news_is_passed_on_while_it_runs() -> None:
    ear = Ear()
    fanout = Fanout([ear], news_max=10)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(fanout.run())
        fanout.publish_nowait(news_of.state())
        for _ in range(3):  # one turn to begin, one to wake, one to pass on
            await asyncio.sleep(0)
        running.cancel()
    assert ear.heard == [news_of.state()]
