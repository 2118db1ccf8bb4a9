import socket

import pytest

from switch.transport.resolver import ResolveError, Resolver


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


class FakeResolver(Resolver):
    """Answers from a list; None fails."""

    def __init__(self, clock: Clock, *answers: list[str] | None) -> None:
        super().__init__(clock=clock)
        self.answers = list(answers)

    async def _ask(self, host: str) -> list[str]:
        answer = self.answers.pop(0)
        if answer is None:
            raise socket.gaierror("no such name")
        return answer


async def test_a_literal_is_itself() -> None:
    resolver = Resolver(clock=Clock())
    assert await resolver.resolve("192.0.2.1") == ["192.0.2.1"]
    assert await resolver.resolve("[2001:db8::1]") == ["2001:db8::1"]


async def test_an_answer_is_kept_for_a_minute_and_the_last_good_one_beyond() -> None:
    clock = Clock()
    resolver = FakeResolver(clock, ["192.0.2.1"], ["192.0.2.2"], None)
    assert await resolver.resolve("trunk.example") == ["192.0.2.1"]
    clock.now = 59.0
    assert await resolver.resolve("trunk.example") == ["192.0.2.1"]
    clock.now = 61.0
    assert await resolver.resolve("trunk.example") == ["192.0.2.2"]
    clock.now = 200.0
    assert await resolver.resolve("trunk.example") == ["192.0.2.2"]


async def test_a_name_that_never_had_an_address_is_an_error_that_says_so() -> None:
    with pytest.raises(ResolveError, match=r"nowhere\.example"):
        await FakeResolver(Clock(), None).resolve("nowhere.example")
