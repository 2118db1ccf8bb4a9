import asyncio
from collections.abc import Mapping

from switch.web.live_feed import Beat, LiveFeed, Scope
from tests.switch.web.scene import StillClock

NORTH = Scope(frozenset({"north"}), frozenset(), node=False, language="en")
SOUTH = Scope(frozenset({"south"}), frozenset(), node=False, language="en")


class Desk:
    """Draws what it is told to, and counts."""

    def __init__(self) -> None:
        self.sections = {"calls": "one", "summary": "1"}
        self.drawn: list[Scope] = []
        self.feed = LiveFeed(self.draw, clock=StillClock(), viewers_max=3)

    def draw(self, scope: Scope) -> Mapping[str, str]:
        self.drawn.append(scope)
        return dict(self.sections)


async def test_a_page_gets_everything_once_and_then_what_changed() -> None:
    desk = Desk()
    pages = desk.feed.follow(NORTH, last_seen=None)
    assert (await anext(pages)).sections == {"calls": "one", "summary": "1"}
    desk.feed.beat()
    await anext(pages)  # the first beat of a scope repeats all: nothing was drawn before
    desk.sections["calls"] = "two"
    desk.feed.beat()
    assert (await anext(pages)).sections == {"calls": "two"}
    desk.feed.beat()
    assert (await anext(pages)).sections == {}
    await pages.aclose()  # type: ignore[attr-defined]  # an async generator
    assert desk.feed.viewers == 0


async def test_people_who_see_the_same_share_one_drawing() -> None:
    desk = Desk()
    pages = [desk.feed.follow(scope, last_seen=None) for scope in (NORTH, NORTH, SOUTH)]
    for page in pages:
        await anext(page)
    desk.drawn.clear()
    desk.feed.beat()
    assert sorted(desk.drawn, key=str) == sorted([NORTH, SOUTH], key=str)
    assert desk.feed.is_full


async def test_a_slow_page_has_two_beats_and_misses_no_change() -> None:
    desk = Desk()
    page = desk.feed.follow(NORTH, last_seen=None)
    await anext(page)
    desk.feed.beat()
    desk.sections["summary"] = "changed once"
    desk.feed.beat()
    for n in range(5):
        desk.sections["calls"] = f"beat {n}"
        desk.feed.beat()
    first: Beat = await anext(page)
    second: Beat = await anext(page)
    assert first.sections["summary"] == "changed once"
    assert (first.sections["calls"], second.sections["calls"]) == ("beat 3", "beat 4")
    assert second.number == desk.feed.number


async def test_a_page_that_comes_back_up_to_date_is_not_sent_all_again() -> None:
    desk = Desk()
    page = desk.feed.follow(NORTH, last_seen=desk.feed.number)
    waiting = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(_one(page, waiting))
        await asyncio.sleep(0)
        assert not waiting.done()
        desk.feed.beat()
    assert waiting.result().number == desk.feed.number


async def _one(page: object, waiting: "asyncio.Future[Beat]") -> None:
    waiting.set_result(await anext(page))  # type: ignore[call-overload]  # an async iterator


async def test_closing_lets_every_page_go() -> None:
    desk = Desk()
    seen = []
    async with asyncio.TaskGroup() as group:

        async def read() -> None:
            seen.extend([beat async for beat in desk.feed.follow(NORTH, last_seen=None)])

        group.create_task(read())
        await asyncio.sleep(0)
        desk.feed.close()
    assert len(seen) == 1
    assert desk.feed.viewers == 0
