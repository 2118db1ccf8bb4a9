import asyncio

import pytest

from switch.call.switchboard.inbox import Inbox, InboxFullError, Moment


def test_what_came_first_is_taken_first_and_too_much_is_refused() -> None:
    async def scene() -> None:
        inbox: Inbox[int] = Inbox(2)
        inbox.put(1)
        inbox.put(2)
        with pytest.raises(InboxFullError):
            inbox.put(3)
        assert [await inbox.get(), await inbox.get()] == [1, 2]
        assert len(inbox) == 0

    asyncio.run(scene())


def test_whoever_waits_is_woken_by_the_next_one() -> None:
    async def scene() -> None:
        inbox: Inbox[str] = Inbox(2)
        async with asyncio.TaskGroup() as group:
            got = group.create_task(inbox.get())
            await asyncio.sleep(0)
            inbox.put("a")
            inbox.put("b")
        assert got.result() == "a"
        assert await inbox.get() == "b"

    asyncio.run(scene())


def test_a_wait_that_is_given_up_takes_nothing() -> None:
    async def scene() -> None:
        inbox: Inbox[str] = Inbox(2)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(inbox.get())
            await asyncio.sleep(0)
            inbox.put("a")
            waiting.cancel()
        assert waiting.cancelled()
        assert await inbox.get() == "a"

    asyncio.run(scene())


def test_a_moment_is_waited_for_until_it_has_come_and_not_after() -> None:
    async def scene() -> None:
        moment = Moment()
        assert not moment.is_set()
        async with asyncio.TaskGroup() as group:
            group.create_task(moment.wait())
            await asyncio.sleep(0)
            moment.set()
            moment.set()
        assert moment.is_set()
        await moment.wait()

    asyncio.run(scene())
