"""Tries and calls that count towards limits. Inside a deed.

A row is a call that screening let through. What failed or ended by our own fault does not count
(calls.md section 2.3); what screening refused has no row at all.
"""

import sqlite3
from typing import Final

from switch.screening.facts import Spent, UseFacts
from switch.store.house_clock import PeriodStarts

OUR_FAULT: Final = frozenset(
    {
        "maintenance",
        "congestion",
        "network_failure",
        "media_lost",
        "terminal_failure",
        "metering_lost",
        "recorder_failure",
        "switch_failure",
        "no_rate",
        "capacity",
    }
)
"""Reasons that are nobody's attempt."""

UNREACHED: Final = ("busy", "no_answer", "refused", "blocked_by_called", "no_response")
"""Refused or unanswered tries, for the cool-down."""

HOUR_S: Final = 3_600.0

_BEGIN: Final = """
INSERT OR REPLACE INTO attempt
 (call_id, facility, person, terminal, number, sent_at, ended_at, reason, talked_s, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, 1)
"""
_END: Final = """
UPDATE attempt SET ended_at = ?, reason = ?, talked_s = ?, counts = ? WHERE call_id = ?
"""
_SPENT: Final = """
SELECT
  coalesce(sum(ended_at >= :day AND talked_s > 0), 0),
  coalesce(sum(ended_at >= :week AND talked_s > 0), 0),
  coalesce(sum(ended_at >= :month AND talked_s > 0), 0),
  coalesce(sum(CASE WHEN ended_at >= :day THEN talked_s ELSE 0 END), 0),
  coalesce(sum(CASE WHEN ended_at >= :week THEN talked_s ELSE 0 END), 0),
  coalesce(sum(CASE WHEN ended_at >= :month THEN talked_s ELSE 0 END), 0)
FROM attempt WHERE {column} = :who AND ended_at >= :since AND counts = 1
"""
_SPENT_BY: Final = {
    column: _SPENT.format(column=column) for column in ("person", "terminal", "number")
}
_TRIES: Final = """
SELECT count(*), coalesce(min(sent_at), 0) FROM attempt
 WHERE {column} = :who AND number = :number AND sent_at > :hour AND counts = 1
   AND call_id <> :call
"""
_TRIES_BY: Final = {column: _TRIES.format(column=column) for column in ("person", "terminal")}
_NUMBERS: Final = """
SELECT count(DISTINCT number) FROM attempt
 WHERE {column} = :who AND ended_at >= :day AND number <> :number AND counts = 1
"""
_NUMBERS_BY: Final = {column: _NUMBERS.format(column=column) for column in ("person", "terminal")}
_RECENT: Final = """
SELECT reason, ended_at FROM attempt
 WHERE {column} = :who AND number = :number AND counts = 1 AND call_id <> :call AND reason <> ''
 ORDER BY ended_at DESC LIMIT 4
"""
_RECENT_BY: Final = {column: _RECENT.format(column=column) for column in ("person", "terminal")}


def begin(
    raw: sqlite3.Connection,
    call: int,
    *,
    facility: str,
    person: str,
    terminal: str,
    number: str,
    at: float,
) -> None:
    """Screening let a call through."""
    raw.execute(_BEGIN, (call, facility, person, terminal, number, at, at))


def end(raw: sqlite3.Connection, call: int, *, reason: str, talked_s: int, at: float) -> None:
    """A call is over; nothing happens if it was never sent."""
    raw.execute(_END, (at, reason, talked_s, reason not in OUR_FAULT, call))


def spent(raw: sqlite3.Connection, column: str, who: str, *, starts: PeriodStarts) -> Spent:
    """Return what a person, a terminal or a number used up in the periods of now."""
    since = min(starts.week, starts.month)
    key = {"who": who, "day": starts.day, "week": starts.week, "month": starts.month}
    row = raw.execute(_SPENT_BY[column], {**key, "since": since}).fetchone()
    return Spent(
        calls_day=row[0],
        calls_week=row[1],
        calls_month=row[2],
        talked_s_day=row[3],
        talked_s_week=row[4],
        talked_s_month=row[5],
    )


def tries(
    raw: sqlite3.Connection,
    *,
    call: int,
    person: str,
    terminal: str,
    number: str,
    starts: PeriodStarts,
    at: float,
) -> UseFacts:
    """Return the tries to a number of a person, or of the terminal where nobody is known."""
    column, who = ("person", person) if person else ("terminal", terminal)
    key = {"who": who, "number": number, "call": call, "hour": at - HOUR_S, "day": starts.day}
    count, oldest = raw.execute(_TRIES_BY[column], key).fetchone()
    (numbers,) = raw.execute(_NUMBERS_BY[column], key).fetchone()
    recent = raw.execute(_RECENT_BY[column], key).fetchall()
    failed = 0
    for reason, _ in recent:
        if reason not in UNREACHED:
            break
        failed += 1
    return UseFacts(
        attempts_hour=count,
        oldest_attempt_s=int(at - oldest) if count else 0,
        numbers_day=numbers,
        last_try_s=max(0, int(at - recent[0][1])) if recent else None,
        failed_in_a_row=failed,
    )
