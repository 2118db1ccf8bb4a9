"""What the bank is shown when a worker has no time for the look."""

import numpy as np

from dsp.event import Kind
from dsp.leg import Flag
from switch.media import legs as legs_module
from switch.media.inspection import Inspection

ABSENT = int(Flag.ABSENT)
TALK, MENU, PAUSED = range(3)


def test_only_a_menu_is_listened_to_while_the_worker_looks_away() -> None:
    legs = legs_module.build(legs_max=4, rows_max=4)
    inspection = Inspection(legs, rows_max=4)
    for index, kinds in ((TALK, list(Kind)), (MENU, [Kind.DTMF]), (PAUSED, list(Kind))):
        inspection.open(index, is_b=False, kinds=kinds)
    legs.valid[[TALK, MENU]] = True
    legs.flags[TALK] = int(Flag.LOST)
    inspection.look_away()
    rows = legs.row[[TALK, MENU, PAUSED]]
    assert legs.valid[rows].tolist() == [False, True, False]
    assert legs.flags[rows].tolist() == [ABSENT, 0, 0]
    assert not np.any(legs.flags[3:])
