"""One statement for all calls to which the same happens in a second, instead of one for each.

In a beat of twenty thousand calls nearly all talk exactly one second more: where accounts are ample
nothing else of them changes, where they are poor each posts it and is granted one more. SQLite then
needs no numbers from us: it adds one. What is not like that is left out by name and written row by
row. Before, the node's meters are looked at: unless they are the calls of the book, standing where
the book says, everything is written row by row, and refused where it is stale.
Measured, 20,000 calls: 20 ms of processor time instead of 50.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from switch.billing.beat import Beat, Seconds
from switch.billing.rating_columns import Flags, Int64s
from switch.store.meter_decision import Decided, StaleError

_LIVE: Final = "node = ?1 AND epoch = ?2 AND state IN ('RESERVED', 'LIVE') AND state = 'LIVE'"
"""The second condition is the index's, the third ours: who is not bridged does not talk."""

_CHARGED: Final = "micros_per_minute * max(0, seq + 1 - free_s) / 60"
_BUT: Final = " AND call_id NOT IN (SELECT value FROM json_each(?3))"
_TALK: Final = f"UPDATE meter SET seq = seq + 1, charged = {_CHARGED} WHERE {_LIVE}"  # noqa: S608
_TALK_AND_MOVE: Final = f"""
UPDATE meter SET seq = seq + 1, charged = {_CHARGED}, posted = {_CHARGED}, paid_s = paid_s + 1,
                 hold = micros_per_minute * max(0, paid_s + 1 - free_s) / 60 - {_CHARGED}
 WHERE {_LIVE}
"""  # noqa: S608 - our own words
_LOOK: Final = f"""
SELECT count(*), sum(seq * ((call_id - ?3) % ?4 + 1)), sum(hold), sum(posted)
  FROM meter WHERE {_LIVE}
"""  # noqa: S608 - our own words
_SUMS: Final = f"SELECT sum(hold), sum(posted) FROM meter WHERE {_LIVE}"  # noqa: S608

FOLD: Final = 65_521
"""Each call weighs the second it stands at by its own number, folded by this. Chosen: the largest
prime of 16 bits; a day of seconds of a million calls stays within 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What must be written row by row."""

    seconds: Seconds
    """Of calls that do not ask."""
    moves: Int64s
    """Which asks move their money row by row, by their places."""
    talked: Seconds
    """What these asks have still to be charged."""


def step(raw: sqlite3.Connection, beat: Beat, decided: Decided) -> Left:
    """Write the calls to which the same happens, if they are more than half.

    Args:
        raw: the writer's connection, inside a deed.
        beat: what the book says; its bridges are written.
        decided: who of it is granted what.

    Raises:
        StaleError: nothing of this deed counts.
    """
    talked, asks = beat.seconds, beat.asks.talked
    places, every = np.arange(len(asks)), len(talked) + len(asks) + len(beat.still)
    talks, moves = _one(talked), _one(asks) & (decided.granted_s == 1)
    asks_whole = Left(seconds=talked, moves=places, talked=asks)
    if 2 * np.count_nonzero(talks) > every and _look(raw, beat):
        odd = np.concatenate([talked.call[~talks], asks.call[~_one(asks)], beat.still.call])
        _carry_out(raw, _TALK, beat, odd, every - len(odd))
        rest = asks.but_for(_one(asks))
        return Left(seconds=talked.only(~talks), moves=places, talked=rest)
    if 2 * np.count_nonzero(moves) > every and (before := _look(raw, beat)):
        odd = np.concatenate([talked.call, asks.call[~moves], beat.still.call])
        _carry_out(raw, _TALK_AND_MOVE, beat, odd, every - len(odd))
        posted = int(beat.asks.post[moves].sum())
        hold = int(decided.price[moves].sum()) - posted
        if raw.execute(_SUMS, (beat.node, beat.epoch)).fetchone() != (
            before[0] + hold,
            before[1] + posted,
        ):
            raise StaleError("the meters hold, or have posted, something else than the book says")
        return Left(seconds=talked, moves=places[~moves], talked=asks.only(~moves))
    return asks_whole


def _one(talked: Seconds) -> Flags:
    """Say who talked exactly one second more."""
    one: Flags = talked.to_s - talked.from_s == 1
    return one


def _look(raw: sqlite3.Connection, beat: Beat) -> tuple[int, int] | None:
    """Return what the node's live meters hold and have posted; None if they are not the book's.

    They are, if there are as many, and the seconds at which they stand weigh as much.
    """
    parts = (beat.seconds, beat.asks.talked, beat.still)
    call = np.concatenate([part.call for part in parts])
    seq = np.concatenate([part.from_s for part in parts])
    first = int(call.min())
    found = raw.execute(_LOOK, (beat.node, beat.epoch, first, FOLD)).fetchone()
    weighed = int((seq * ((call - first) % FOLD + 1)).sum())
    return (found[2], found[3]) if found[:2] == (len(call), weighed) else None


def _carry_out(raw: sqlite3.Connection, query: str, beat: Beat, odd: Int64s, expected: int) -> None:
    names = (msgspec.json.encode(odd.tolist()).decode(),) if len(odd) else ()
    query = query + _BUT if names else query
    changed = raw.execute(query, (beat.node, beat.epoch, *names)).rowcount
    if changed != expected:
        raise StaleError(f"{changed} meters went on instead of {expected}")
