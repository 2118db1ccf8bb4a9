from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from switch.sip.deadlines import Deadlines


@dataclass(eq=False)
class Sleeper:
    name: str
    timer_at: float | None = None
    timer_cell: list[Any] = field(default_factory=list)


def test_the_earliest_is_woken_first_and_stale_times_are_skipped() -> None:
    deadlines = Deadlines[Sleeper]()
    a, b, c = Sleeper("a"), Sleeper("b"), Sleeper("c")
    deadlines.arm(a, 5.0)
    deadlines.arm(b, 3.0)
    deadlines.arm(c, 4.0)
    deadlines.arm(b, 6.0)
    deadlines.arm(c, None)
    assert deadlines.next_deadline() == 5.0
    assert deadlines.take_due(now=4.9) is None
    assert deadlines.take_due(now=9.0) is a
    assert deadlines.take_due(now=9.0) is b
    assert deadlines.next_deadline() is None
    assert len(deadlines) == 0


def test_an_owner_that_was_woken_can_be_armed_for_the_same_time_again() -> None:
    deadlines, a = Deadlines[Sleeper](), Sleeper("a")
    deadlines.arm(a, 1.0)
    assert deadlines.take_due(now=1.0) is a
    deadlines.arm(a, 1.0)
    assert deadlines.take_due(now=1.0) is a


def test_a_stopped_deadline_keeps_nobody_alive() -> None:
    deadlines, a = Deadlines[Sleeper](), Sleeper("a")
    deadlines.arm(a, 3600.0)
    deadlines.arm(a, None)
    gone = ref(a)
    del a
    assert gone() is None
