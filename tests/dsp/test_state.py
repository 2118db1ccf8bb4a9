from typing import NamedTuple

import numpy as np

from dsp.frame import FloatArray, IntArray
from dsp.state import Column, StateOwner


class Pair(NamedTuple):
    one: FloatArray
    two: IntArray


def test_a_cleared_row_is_fresh_and_its_neighbours_keep_what_they_have() -> None:
    owner = StateOwner(3)
    pair = owner.allocate(Pair, {"one": Column(np.float32, (2,), -1.0), "two": Column(np.int32)})
    pair.one[:] = 7
    pair.two[:] = 7
    owner.clear(1)
    assert pair.one.tolist() == [[7, 7], [-1, -1], [7, 7]]
    assert pair.two.tolist() == [7, 0, 7]
