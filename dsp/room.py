"""The room behind a voice: its spectrum in the pauses of both sides, before a hold and after it.

Source: whoever joins brings a second floor, and powers add: no band becomes quieter than before.
A mean of logarithms, because a cough in a pause must not weigh more than the room. Chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp.frame import FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage
from dsp.spectrum import BANDS
from dsp.state import Column, StateOwner

BEFORE, AFTER, IN_GAP = 0, 1, 2

FRAMES_MAX: Final = 500
"""10 s of pauses; then the past counts half. Chosen."""
LEVEL_DB_MIN: Final = np.float32(10 * np.log10(power_of_dbm0(-66.0) / BANDS))
"""Of a band: below a line's own noise all rooms are the same. Chosen."""
GAP_FRAMES_MAX: Final = 50
"""A pause in which the line falls silent shows the room, a hold does not. Chosen: 1 s."""

BEFORE_FRAMES_MIN: Final = 40
AFTER_FRAMES_MIN: Final = 10
"""0.8 s of pauses before the hold and 0.2 s after it; with less there is nothing to compare."""
FRAME_VARIANCE: Final = 11.0
LINE_VARIANCE: Final = 0.05
"""Of one band of one frame in dB², so that a mean of n frames has an n-th; and what no longer mean
takes away. Set by hand after looks at calls of the fitting family without a third party."""
LEVEL_NATS: Final = 1.4
SHAPE_NATS: Final = 2.5
BIAS_NATS: Final = 2.2
NATS_MAX: Final = 4.0
QUIETER_DB: Final = -1.0
"""A line that became quieter has no second room on it. Chosen."""


class Rooms(NamedTuple):
    """State: sums over the frames of pauses."""

    frames: IntArray
    """[rows, 3] before, after, and in the gap that is on."""
    sums: FloatArray
    """[rows, 3, 24] dB."""


def allocate(owner: StateOwner) -> Rooms:
    """The arrays."""
    return owner.allocate(
        Rooms,
        {"frames": Column(np.int32, (3,)), "sums": Column(np.float32, (3, BANDS))},
    )


@stage
def add_room(row: int, levels: FloatArray, into: int, rooms: Rooms) -> None:
    """Take a frame in which nobody speaks: the level of each band in dB."""
    sums = rooms.sums[row, into]
    for band in range(BANDS):
        sums[band] += max(levels[band], LEVEL_DB_MIN)
    rooms.frames[row, into] += 1
    if rooms.frames[row, into] >= FRAMES_MAX:
        rooms.frames[row, into] //= 2
        for band in range(BANDS):
            sums[band] *= np.float32(0.5)


class RoomChange(NamedTuple):
    """How the room differs from before."""

    level_db: float
    """Mean over the bands: up, if a second room has come in."""
    shape_db: float
    """Rms over the bands beside the mean, less what so few frames give by chance."""

    @property
    def nats(self) -> float:
        """How much it speaks for a second room; never against, for a third party may be still."""
        if self.level_db < QUIETER_DB or self.shape_db == 0.0:
            return 0.0  # quieter, or all bands alike: a telephone that is held otherwise
        nats = LEVEL_NATS * max(self.level_db, 0.0) + SHAPE_NATS * self.shape_db - BIAS_NATS
        return min(max(nats, 0.0), NATS_MAX)


def room_change(rooms: Rooms, row: int) -> RoomChange | None:
    """Compare the pauses since the return with those before the hold; None if there are too few."""
    before, after = (int(n) for n in rooms.frames[row, :IN_GAP])
    if before < BEFORE_FRAMES_MIN or after < AFTER_FRAMES_MIN:
        return None
    means = rooms.sums[row].astype(np.float64) / np.maximum(rooms.frames[row], 1)[:, None]
    off = means[AFTER] - means[BEFORE]
    chance = FRAME_VARIANCE * (1.0 / before + 1.0 / after) + LINE_VARIANCE
    shape = float(np.mean((off - off.mean()) ** 2)) - chance
    return RoomChange(float(off.mean()), max(shape, 0.0) ** 0.5)


@stage
def end_gap(row: int, into: int, rooms: Rooms) -> None:
    """The gap is over: a short one was a pause like others."""
    was_pause = rooms.frames[row, IN_GAP] <= GAP_FRAMES_MAX
    for band in range(BANDS):
        if was_pause:
            rooms.sums[row, into, band] += rooms.sums[row, IN_GAP, band]
        rooms.sums[row, IN_GAP, band] = np.float32(0.0)
    if was_pause:
        rooms.frames[row, into] += rooms.frames[row, IN_GAP]
    rooms.frames[row, IN_GAP] = 0


def forget_after(row: int, rooms: Rooms) -> None:
    """What comes now is heard for the first time."""
    rooms.frames[row, AFTER] = 0
    rooms.sums[row, AFTER] = 0.0
