"""A seal on every day's transfers, chained, so that a changed, missing or added row shows (M15).

A day is sealed by the rows written since the seal before it, in the order in which they were
written; their own stamps may be wrong without harm.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from switch.chain import FIRST_LINK, link
from switch.store.vault import Raw, is_shared, lock_name

_LAST: Final = "SELECT day, last_seq, hash FROM day_hash ORDER BY day DESC LIMIT 1"
_ROWS: Final = """
SELECT seq, id, debit, credit, amount, code, ref, at FROM transfer
 WHERE seq > ? AND seq <= ? ORDER BY seq
"""
_DAYS: Final = """
SELECT date(at, 'unixepoch') AS day, max(seq) FROM transfer WHERE seq > ? AND at < ?
 GROUP BY day ORDER BY day
"""
_DAYS_SHARED: Final = """
SELECT to_char(to_timestamp(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, max(seq) FROM transfer
 WHERE seq > ? AND at < ? GROUP BY day ORDER BY day
"""
_SEAL: Final = """
INSERT INTO day_hash (day, last_seq, count, hash, prev_hash) VALUES (?, ?, ?, ?, ?)
"""
_SEALS: Final = "SELECT day, last_seq, count, hash, prev_hash FROM day_hash ORDER BY day"
DAY_S: Final = 86_400
"""By definition."""

BEFORE_ALL: Final = -(2**63)
"""No row's number is below this one, so that nothing can slip in before the first."""


def seal_days(raw: Raw, *, at: float) -> list[str]:
    """Seal every day (UTC) that is over and has transfers; return their names."""
    lock_name(raw, "seal")
    last = raw.execute(_LAST).fetchone()
    last_day, last_seq, previous = last if last is not None else ("", BEFORE_ALL, FIRST_LINK)
    midnight = at - at % DAY_S
    sealed = []
    days = _DAYS_SHARED if is_shared(raw) else _DAYS
    for day, through in raw.execute(days, (last_seq, midnight)).fetchall():
        if day <= last_day or through <= last_seq:
            continue
        count, body = _body(raw, last_seq, through)
        seal = link(previous, body)
        raw.execute(_SEAL, (day, through, count, seal, previous))
        last_day, last_seq, previous = day, through, seal
        sealed.append(day)
    return sealed


def broken_days(raw: Raw) -> list[str]:
    """Return the sealed days whose rows are not what was sealed."""
    seals = raw.execute(_SEALS).fetchall()
    start = ("", BEFORE_ALL, 0, FIRST_LINK, "")
    broken = []
    for before, (day, last_seq, count, seal, previous) in pairwise([start, *seals]):
        found, body = _body(raw, before[1], last_seq)
        if previous != before[3] or found != count or link(previous, body) != seal:
            broken.append(day)
    return broken


def _body(raw: Raw, after: int, through: int) -> tuple[int, bytes]:
    rows = raw.execute(_ROWS, (after, through)).fetchall()
    return len(rows), body_of(rows)


def body_of(rows: Sequence[Sequence[object]]) -> bytes:
    """What is sealed of a day: seq, id, debit, credit, amount, code, ref, at of each row."""
    return "\n".join("\t".join(map(str, row)) for row in rows).encode()
