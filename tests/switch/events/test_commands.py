import json
from typing import Any

import pytest

from switch.call.news import AuditNews, News
from switch.errors import UserError
from switch.events.commands import (
    Answer,
    CommandDesk,
    CommandReceived,
    may_answer_to,
)
from switch.ids import CallId, FacilityId, TerminalId


class StillClock:
    def monotonic(self) -> float:
        return 5.0

    def wall(self) -> float:
        return 1_900_000_000.0


class Orders:
    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    async def hang_up(self, call: CallId, *, site: FacilityId, by: str, why: str) -> None:
        if call != 7001 or site != "north":
            raise UserError("There is no such call.")
        self.done.append(("hang_up", call, by, why))

    async def lock(
        self, terminal: TerminalId, *, site: FacilityId, locked: bool, by: str, why: str
    ) -> None:
        self.done.append(("lock", terminal, site, locked, by, why))


class Trail:
    def __init__(self) -> None:
        self.entries: list[AuditNews] = []

    def publish_nowait(self, news: News) -> None:
        assert isinstance(news, AuditNews)
        self.entries.append(news)


class Bench:
    def __init__(self) -> None:
        self.orders = Orders()
        self.trail = Trail()
        self.desk = CommandDesk(
            orders=self.orders, audit=self.trail, clock=StillClock(), address="192.0.2.1"
        )

    async def send(
        self, topic: str, body: object, *, retained: bool = False, answer_to: str = "desk/1"
    ) -> Answer | None:
        return await self.desk.carry_out(
            CommandReceived(
                topic=topic,
                payload=json.dumps(body).encode(),
                retained=retained,
                response_topic=answer_to,
                correlation=b"77",
            )
        )


HANG_UP = "kinline/v1/north/cmd/call/7001/hangup"


async def test_a_hangup_is_done_answered_and_audited() -> None:
    bench = Bench()
    answer = await bench.send(HANG_UP, {"by": "lee", "why": "a threat"})
    assert answer == Answer(ok=True, error="", response_topic="desk/1", correlation=b"77")
    assert bench.orders.done == [("hang_up", 7001, "mqtt:lee", "a threat")]
    (entry,) = bench.trail.entries
    assert (entry.who, entry.what, entry.after, entry.why) == (
        "mqtt:lee",
        "command",
        "done",
        "a threat",
    )


async def test_a_site_cannot_reach_the_call_of_another() -> None:
    bench = Bench()
    answer = await bench.send("kinline/v1/south/cmd/call/7001/hangup", {"why": "x"})
    assert answer is not None
    assert not answer.ok
    assert answer.error == "There is no such call."
    assert bench.trail.entries[0].after == "There is no such call."


async def test_a_terminal_is_locked_and_unlocked() -> None:
    bench = Bench()
    topic = "kinline/v1/north/cmd/terminal/B2-4/lock"
    await bench.send(topic, {"why": "search"})
    await bench.send(topic, {"why": "over", "locked": False})
    assert [done[3] for done in bench.orders.done] == [True, False]


async def test_a_retained_command_is_never_obeyed() -> None:
    bench = Bench()
    assert await bench.send(HANG_UP, {"why": "x"}, retained=True) is None
    assert bench.orders.done == []
    assert "retained" in bench.trail.entries[0].after


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (HANG_UP, {"by": "lee"}),
        (HANG_UP, {"why": ""}),
        (HANG_UP, ["why"]),
        (HANG_UP, {"why": "x" * 5000}),
        (HANG_UP, {"why": "x", "unheard_of": 1}),
        ("kinline/v1/north/cmd/call/seven/hangup", {"why": "x"}),
        ("kinline/v1/north/cmd/call/7001/transfer", {"why": "x"}),
        ("kinline/v1/north/cmd", {"why": "x"}),
    ],
)
async def test_what_is_no_command_is_refused_and_written_down(topic: str, body: object) -> None:
    bench = Bench()
    answer = await bench.send(topic, body)
    assert answer is not None
    assert not answer.ok
    assert answer.error
    assert bench.orders.done == []
    assert len(bench.trail.entries) == 1


async def test_with_mqtt_3_the_body_says_where_to_answer() -> None:
    bench = Bench()
    answer = await bench.desk.carry_out(
        CommandReceived(
            topic=HANG_UP,
            payload=b'{"why":"x","response_topic":"desk/2","correlation":"88"}',
            retained=False,
        )
    )
    assert answer == Answer(ok=True, error="", response_topic="desk/2", correlation=b"88")


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        ("desk/1", True),
        ("kinline/v1/north/answer/desk1", True),
        ("kinline/v1/north/cmd/call/1/hangup", False),
        ("kinline/v1/north/node-1/status", False),
        ("desk/#", False),
        ("", False),
    ],
)
def test_an_answer_cannot_be_aimed_at_our_own_topics(topic: str, *, may: bool) -> None:
    assert may_answer_to(topic) is may
