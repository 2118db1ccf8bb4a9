"""Notices that wait to be sent, and what came of them. Inside a deed.

    waiting --sent--> sent
    waiting --refused for now--> waiting, later
    waiting --refused for good, or too often--> failed
    failed --retry--> waiting

A notice is written in the transaction of what it tells of, so that neither is without the other.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Final

FAULT_CHARS_MAX: Final = 300
"""What a mail server says is cut here. Chosen: a sentence."""

_COLUMNS: Final = "id, kind, recipient, body, at, state, tries, next_at, fault"
_QUEUE: Final = "INSERT INTO outbox (kind, recipient, body, at) VALUES (?, ?, ?, ?)"
_DUE: Final = f"""
SELECT {_COLUMNS} FROM outbox
 WHERE state = 'waiting' AND next_at <= ? AND (? = 'any' OR (recipient LIKE '+%') = (? = 'sms'))
 ORDER BY next_at, id LIMIT ?
"""  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM outbox WHERE (:state = '' OR state = :state)
 ORDER BY id DESC LIMIT :rows_max
"""  # noqa: S608 - columns only
_SENT: Final = """
UPDATE outbox SET state = 'sent', tries = tries + 1, fault = '', done_at = ? WHERE id = ?
"""
_LATER: Final = "UPDATE outbox SET tries = tries + 1, next_at = ?, fault = ? WHERE id = ?"
_FAILED: Final = """
UPDATE outbox SET state = 'failed', tries = tries + 1, fault = ?, done_at = ? WHERE id = ?
"""
_MARK: Final = """
INSERT INTO bad_address (address, fault, at) VALUES (?, ?, ?)
ON CONFLICT (address) DO UPDATE SET fault = excluded.fault, at = excluded.at
"""
_RETRY: Final = """
UPDATE outbox SET state = 'waiting', tries = 0, next_at = 0, fault = '', done_at = NULL
 WHERE state <> 'sent' AND (:id = 0 OR id = :id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told to somebody."""

    id: int
    kind: str
    recipient: str
    body: dict[str, Any]
    at: float
    state: str
    tries: int
    next_at: float
    fault: str


def queue(
    raw: sqlite3.Connection, kind: str, *, recipient: str, body: dict[str, Any], at: float
) -> None:
    """Let a notice wait to be sent.

    Args:
        raw: the transaction of what it tells of.
        kind: which text; one of `switch.outside.mail_text`.
        recipient: an address for mail. '' fails when it is due, so that staff see who was not told.
        body: what fills the text.
        at: wall seconds.
    """
    raw.execute(_QUEUE, (kind, recipient, json.dumps(body), at))


def due(raw: sqlite3.Connection, *, at: float, rows_max: int, way: str = "any") -> list[Notice]:
    """Return what is to be sent now by `mail`, `sms` or `any`, the longest due first."""
    return [_notice(row) for row in raw.execute(_DUE, (at, way, way, rows_max))]


def listed(raw: sqlite3.Connection, *, state: str, rows_max: int) -> list[Notice]:
    """Return notices, the youngest first."""
    return [_notice(row) for row in raw.execute(_LIST, {"state": state, "rows_max": rows_max})]


def bad_address(raw: sqlite3.Connection, address: str) -> str:
    """Return why an address is not written to any more; '' if it is good."""
    row = raw.execute("SELECT fault FROM bad_address WHERE address = ?", (address,)).fetchone()
    return "" if row is None else str(row[0])


def sent(raw: sqlite3.Connection, notice: int, *, at: float) -> None:
    """The server took it."""
    raw.execute(_SENT, (at, notice))


def later(raw: sqlite3.Connection, notice: int, *, fault: str, next_at: float) -> None:
    """It did not go; try again at a time."""
    raw.execute(_LATER, (next_at, fault[:FAULT_CHARS_MAX], notice))


def failed(raw: sqlite3.Connection, notice: int, *, fault: str, at: float) -> None:
    """It will not go; staff see it in `kinline outbox list`."""
    raw.execute(_FAILED, (fault[:FAULT_CHARS_MAX], at, notice))


def bounced(raw: sqlite3.Connection, notice: Notice, *, fault: str, at: float) -> None:
    """The address does not exist: this fails, and nothing else is sent there."""
    failed(raw, notice.id, fault=fault, at=at)
    raw.execute(_MARK, (notice.recipient, fault[:FAULT_CHARS_MAX], at))


def retry(raw: sqlite3.Connection, notice: int) -> int:
    """Send again what has not been sent, and trust the address again; 0 is everything.

    Returns:
        How many wait now because of it.
    """
    raw.execute(
        "DELETE FROM bad_address WHERE address IN"
        " (SELECT recipient FROM outbox WHERE state <> 'sent' AND (:id = 0 OR id = :id))",
        {"id": notice},
    )
    return raw.execute(_RETRY, {"id": notice}).rowcount


def _notice(row: tuple[int, str, str, str, float, str, int, float, str]) -> Notice:
    id_, kind, recipient, body, at, state, tries, next_at, fault = row
    return Notice(
        id=id_,
        kind=kind,
        recipient=recipient,
        body=json.loads(body),
        at=at,
        state=state,
        tries=tries,
        next_at=next_at,
        fault=fault,
    )
