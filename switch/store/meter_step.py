"""One second for all calls that talked exactly one more, in one statement instead of one for each.

Of twenty thousand calls nearly all go from second n to n + 1 in a beat, and nothing else of them
changes. SQLite then needs no numbers from us: it adds one. What is not like that is left out by
name and written row by row. Before, the node's meters are looked at: unless they are the calls of
the book, standing where the book says, everything is written row by row, and refused where it is
stale. Measured, 20,000 calls: 30 ms of processor time instead of 66.
"""

import sqlite3
from typing import Final

import msgspec
import numpy as np

from switch.billing.beat import Beat, Seconds
from switch.billing.rating_columns import Flags
from switch.store.meter_decision import StaleError

_LIVE: Final = "node = ?1 AND epoch = ?2 AND state IN ('RESERVED', 'LIVE') AND state = 'LIVE'"
"""The second condition is the index's, the third ours: who is not bridged does not talk."""

_STEP: Final = f"""
UPDATE meter SET seq = seq + 1,
                 charged = micros_per_minute * max(0, seq + 1 - free_s) / 60
 WHERE {_LIVE}
"""  # noqa: S608 - conditions only
_BUT: Final = " AND call_id NOT IN (SELECT value FROM json_each(?3))"
_SUM: Final = f"""
SELECT count(*), sum(seq * ((call_id - ?3) % ?4 + 1)) FROM meter WHERE {_LIVE}
"""  # noqa: S608 - conditions only

FOLD: Final = 65_521
"""Each call weighs the second it stands at by its own number, folded by this. Chosen: the largest
prime of 16 bits; a day of seconds of a million calls stays within 64 bits."""


def step(raw: sqlite3.Connection, beat: Beat) -> tuple[Seconds, Seconds]:
    """Write those who talked one second more.

    Args:
        raw: the writer's connection, inside a deed.
        beat: what the book says; its bridges are written.

    Returns:
        The calls that do not ask and must be written row by row; and of those that ask what is
        still to be written of their seconds.

    Raises:
        StaleError: nothing of this deed counts.
    """
    talked, asks = beat.seconds, beat.asks.talked
    steady = ~_odd(talked)
    every = len(talked) + len(asks) + len(beat.still)
    if 2 * np.count_nonzero(steady) <= every or not _stand_as_said(raw, beat):
        return talked, asks
    odd = np.concatenate([talked.call[~steady], asks.only(_odd(asks)).call, beat.still.call])
    names = (msgspec.json.encode(odd.tolist()).decode(),) if len(odd) else ()
    query = _STEP + _BUT if names else _STEP
    changed = raw.execute(query, (beat.node, beat.epoch, *names)).rowcount
    if changed != every - len(odd):
        raise StaleError(f"{changed} meters went on instead of {every - len(odd)}")
    return talked.only(~steady), asks.but_for(~_odd(asks))


def _odd(talked: Seconds) -> Flags:
    odd: Flags = talked.to_s - talked.from_s != 1
    return odd


def _stand_as_said(raw: sqlite3.Connection, beat: Beat) -> bool:
    """Say whether the live meters of the node are those of the book, at the same seconds."""
    parts = (beat.seconds, beat.asks.talked, beat.still)
    call = np.concatenate([part.call for part in parts])
    seq = np.concatenate([part.from_s for part in parts])
    first = int(call.min())
    found = raw.execute(_SUM, (beat.node, beat.epoch, first, FOLD)).fetchone()
    weighed = int((seq * ((call - first) % FOLD + 1)).sum())
    return tuple(found) == (len(call), weighed)
