"""The path of one RTP packet, and the look at its sound.

The pump is compiled in service; here the interpreter runs the very same functions over a network of
lists, so that its files show in the walk. The bank runs its plain kernels for the same reason.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dsp.bank import Bank
from dsp.leg import Kernels
from switch.clock import SystemClock
from switch.media import estate, inspection, pump, ring, worker
from switch.media import legs as legs_module
from switch.media.worker import Worker
from tests.support.leg_pair import A, B, LegPair
from tests.support.walk import walk

THE_PATH = [
    "switch.media.worker",
    "switch.media.pump",
    "switch.media.far_end",
    "switch.rtp.packet",
    "switch.rtp.source",
    "switch.media.ring",
    "switch.media.outlet",
    "switch.rtp.serial",
]
"""To the tick; waits, receives; from our far end; RTP; its numbers; the ring; our numbers; sent."""

THE_LOOK = [
    "switch.media.beat",
    "switch.media.ring",
    "switch.clock",
    "switch.media.worker",
    "switch.media.desk",
    "switch.media.inspection",
    "dsp.bank",
]
"""On the tick: a frame from each ring; then Python: one push over all legs."""

HUBS = {"switch.media.worker", "switch.media.pump", "switch.rtp.packet", "switch.media.inspection"}
"""The loop, the pump, the header's bytes, the rows: entered for each question."""


class Rig:
    """A worker whose pump is run by the interpreter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        monkeypatch.setattr(worker, "pump", pump.serve_until)
        monkeypatch.setattr(inspection, "look_again", ring.look_again)
        monkeypatch.setattr(inspection, "Bank", lambda rows, _: Bank(rows, Kernels.NUMPY))
        self.pair = LegPair(monkeypatch)
        monkeypatch.setattr(legs_module, "build", lambda **_: self.pair.legs)
        monkeypatch.setattr(estate, "share", lambda legs: (legs, -1))
        self.worker = Worker(
            0, path=folder / "line.sock", clock=SystemClock(), legs_max=4, orphan_s=1.0
        )

    def inspect(self) -> None:
        looked = self.worker._desk.inspection
        looked.open(A, is_b=False, kinds=["dtmf"])
        looked.open(B, is_b=True, kinds=["dtmf"])

    def turn(self, sequence: int) -> list[str]:
        """Let one packet come in one tick; return the modules that it walks through."""
        self.pair.post(A, self.pair.packet(sequence))
        with walk() as path:
            self.worker.turn(self.pair.libc.now_ns / 1e9 + 0.02)
        return path

    def close(self) -> None:
        self.worker._line.close()


def halves(path: list[str]) -> tuple[list[str], list[str]]:
    """Part a walk where the two halves meet: at the tick."""
    tick = path.index(THE_LOOK[0])
    return path[:tick], path[tick:]


def first_visits(path: list[str]) -> list[str]:
    return list(dict.fromkeys(path))


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(monkeypatch, tmp_path)
    made.pair.join()
    yield made
    made.close()


def test_the_path_of_one_packet_and_the_look_at_it(rig: Rig) -> None:
    rig.inspect()
    rig.turn(1)
    path, look = halves(rig.turn(2))
    assert first_visits(path) == THE_PATH
    assert first_visits(look)[: len(THE_LOOK)] == THE_LOOK
    assert rig.pair.heard(B)


def test_no_file_is_entered_more_than_twice_in_one_half(rig: Rig) -> None:
    rig.inspect()
    rig.turn(1)
    for half in halves(rig.turn(2)):
        ours = [module for module in half if module.startswith("switch.") and module not in HUBS]
        assert max(ours.count(module) for module in ours) <= 2


def test_a_call_that_nobody_may_hear_walks_the_first_half_only(rig: Rig) -> None:
    rig.turn(1)
    path, look = halves(rig.turn(2))
    assert first_visits(path) == [stop for stop in THE_PATH if stop != "switch.media.ring"]
    assert not [module for module in look if module.startswith("dsp")]
    assert rig.pair.heard(B)
