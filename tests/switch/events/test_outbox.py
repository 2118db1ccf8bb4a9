import json

from switch.call.news import StatusNews
from switch.events.outbox import Outbox, Sending
from switch.events.topics import Place
from switch.ids import CallId
from tests.switch.events import news_of


def outbox(events_max: int = 100) -> Outbox:
    return Outbox(Place(node="n", site="north"), events_max=events_max, quality_every_s=10)


def taken(box: Outbox) -> list[Sending]:
    out = []
    while (sending := box.take()) is not None:
        out.append(sending)
    return out


def test_events_are_numbered_from_one_in_the_order_they_came() -> None:
    box = outbox()
    box.put(news_of.state(name="ringing"))
    box.put(news_of.state(name="talking"))
    sendings = taken(box)
    assert [s.seq for s in sendings] == [1, 2]
    assert [json.loads(s.announcement.payload)["seq"] for s in sendings] == [1, 2]


def test_a_full_box_drops_the_oldest_and_counts_it() -> None:
    box = outbox(events_max=3)
    for call in range(5):
        box.put(news_of.state(CallId(call)))
    assert box.dropped == 2
    assert [s.seq for s in taken(box)] == [3, 4, 5]


def test_what_was_on_its_way_goes_first_after_a_reconnect() -> None:
    box = outbox()
    for _ in range(3):
        box.put(news_of.state())
    first, second = box.take(), box.take()
    assert first is not None
    assert second is not None
    box.arrived(first)
    box.connected()
    assert [s.seq for s in taken(box)] == [2, 3]


def test_a_broker_that_lost_its_memory_gets_what_is_retained_again() -> None:
    box = outbox()
    box.put(StatusNews(state="up", version="1", at_wall=1.0))
    box.put(news_of.trunk(up=False))
    box.put(news_of.trunk(up=True))
    for sending in taken(box):
        box.arrived(sending)
    assert len(box) == 0
    box.connected()
    assert [s.seq for s in taken(box)] == [1, 3]


def test_a_retained_event_that_still_waits_is_not_said_twice() -> None:
    box = outbox()
    box.put(news_of.trunk())
    box.connected()
    assert [s.seq for s in taken(box)] == [1]


def test_quality_goes_out_every_ten_seconds_per_leg() -> None:
    box = outbox()
    for second in range(21):
        box.put(news_of.quality(at_wall=1000.0 + second))
    assert len(box) == 3


def test_what_is_not_for_the_broker_takes_no_number() -> None:
    box = outbox()
    box.put(news_of.audit())
    box.put(news_of.state())
    assert [s.seq for s in taken(box)] == [1]
