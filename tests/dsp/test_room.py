import numpy as np
import pytest

from dsp.room import (
    AFTER,
    BEFORE,
    GAP_FRAMES_MAX,
    IN_GAP,
    NATS_MAX,
    Rooms,
    add_room,
    allocate,
    end_gap,
    forget_after,
    room_change,
)
from dsp.spectrum import BANDS
from dsp.state import StateOwner


def rooms_of(before_db: float, after_db: float, *, frames: int = 60, tilt_db: float = 0.0) -> Rooms:
    """A leg that heard noise of one level before and of another after, in every band."""
    rng = np.random.default_rng(1)
    rooms = allocate(StateOwner(1))
    tilt = np.linspace(-tilt_db, tilt_db, BANDS)
    for into, level in ((BEFORE, np.full(BANDS, before_db)), (AFTER, after_db + tilt)):
        for _ in range(frames):
            levels = level + 10 * np.log10(rng.gamma(3.0, 1 / 3.0, BANDS))
            add_room(0, levels.astype(np.float32), into, rooms)
    return rooms


def nats(rooms: Rooms) -> float:
    change = room_change(rooms, 0)
    assert change is not None
    return change.nats


def test_the_same_room_says_nothing() -> None:
    assert nats(rooms_of(-60, -60)) == 0.0


def test_a_second_floor_on_top_is_another_room() -> None:
    assert nats(rooms_of(-60, -55, tilt_db=2)) == NATS_MAX


def test_a_telephone_that_is_held_otherwise_is_no_second_room() -> None:
    """All bands louder by the same: a gain."""
    assert nats(rooms_of(-60, -55)) == 0.0


def test_another_colour_is_another_room() -> None:
    assert nats(rooms_of(-60, -60, tilt_db=4)) >= 2.0


def test_a_line_that_becomes_quieter_is_no_second_room() -> None:
    assert nats(rooms_of(-50, -56, tilt_db=4)) == 0.0


def test_with_too_little_nothing_is_said() -> None:
    assert room_change(rooms_of(-60, -50, frames=5), 0) is None
    rooms = rooms_of(-60, -50)
    forget_after(0, rooms)
    assert room_change(rooms, 0) is None


@pytest.mark.parametrize(("frames", "kept"), [(GAP_FRAMES_MAX, True), (GAP_FRAMES_MAX + 1, False)])
def test_a_short_gap_is_a_pause_and_a_long_one_is_not(frames: int, kept: bool) -> None:
    rooms = allocate(StateOwner(1))
    for _ in range(frames):
        add_room(0, np.full(BANDS, -70.0, np.float32), IN_GAP, rooms)
    end_gap(0, BEFORE, rooms)
    assert rooms.frames[0].tolist() == [frames * kept, 0, 0]
    assert bool(rooms.sums[0, BEFORE].any()) is kept
    assert not rooms.sums[0, IN_GAP].any()
