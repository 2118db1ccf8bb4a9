"""Call records, CDRs and detections: written once at the end, read by reports.

Writing again replaces: a record that was lost in a crash can be made again from the ledger.
Nothing here touches money.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from switch.billing.cdr import CallRecord, Cdr
from switch.ids import CallId
from switch.store.engine import Store, driver

_RECORD: Final = """
INSERT OR REPLACE INTO call_record (call_id, facility, terminal, person, number, class, reason,
                                    off_hook_at, ended_at, talked_s, charge, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CDR: Final = "INSERT OR REPLACE INTO cdr (leg_id, call_id, side, cause, body) VALUES (?,?,?,?,?)"
_DETECTION: Final = """
INSERT INTO detection (call_id, leg_id, at, kind, tier, body) VALUES (?, ?, ?, ?, ?, ?)
"""
_GET: Final = "SELECT body FROM call_record WHERE call_id = ?"
_CDRS: Final = "SELECT body FROM cdr WHERE call_id = ? ORDER BY leg_id"
_DETECTIONS: Final = "SELECT body FROM detection WHERE call_id = ? ORDER BY id"
_LIST: Final = """
SELECT body FROM call_record
 WHERE (:facility = '' OR facility = :facility) AND (:person = '' OR person = :person)
   AND (:number = '' OR number = :number) AND (:reason = '' OR reason = :reason)
 ORDER BY call_id DESC LIMIT :rows_max
"""
_OF_NUMBERS: Final = """
SELECT body FROM call_record WHERE number IN (SELECT value FROM json_each(:numbers))
 ORDER BY call_id DESC LIMIT :rows_max
"""
_FOLLOW: Final = """
SELECT f.position, r.body FROM call_record_feed f JOIN call_record r USING (call_id)
 WHERE f.position > ? ORDER BY f.position LIMIT ?
"""
_FEED: Final = "INSERT INTO call_record_feed (call_id) VALUES (?)"
_HEAD: Final = "SELECT coalesce(max(position), 0) FROM call_record_feed"


class RecordStore:
    """What was written down.

    Args:
        store: the open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, record: CallRecord, cdrs: Sequence[Cdr] = ()) -> None:
        """Write a call's record and its legs' CDRs together."""

        def deed(connection: Connection) -> None:
            raw = driver(connection)
            raw.execute(_RECORD, _row(record))
            raw.execute(_FEED, (record.call_id,))
            raw.executemany(_CDR, [_cdr_row(cdr) for cdr in cdrs])

        await self._store.write(deed)

    async def save_detection(
        self, call: CallId, leg: int, *, at: float, kind: str, tier: str, event: dict[str, Any]
    ) -> None:
        """Write one event of the detectors, as it came."""
        row = (call, leg, at, kind, tier, msgspec.json.encode(event).decode())
        await self._store.write(lambda c: driver(c).execute(_DETECTION, row).rowcount)

    async def get(self, call: CallId) -> CallRecord | None:
        """Return a call's record."""
        row = await self._store.read(lambda c: driver(c).execute(_GET, (call,)).fetchone())
        return None if row is None else msgspec.json.decode(row[0], type=CallRecord)

    async def cdrs(self, call: CallId) -> list[Cdr]:
        """Return a call's legs."""
        rows = await self._store.read(lambda c: driver(c).execute(_CDRS, (call,)).fetchall())
        return [msgspec.json.decode(body, type=Cdr) for (body,) in rows]

    async def detections(self, call: CallId) -> list[dict[str, Any]]:
        """Return what the detectors said in a call."""
        rows = await self._store.read(lambda c: driver(c).execute(_DETECTIONS, (call,)).fetchall())
        return [msgspec.json.decode(body) for (body,) in rows]

    async def find_all(
        self,
        *,
        facility: str = "",
        person: str = "",
        number: str = "",
        reason: str = "",
        rows_max: int = 100,
    ) -> list[CallRecord]:
        """List records, the newest first."""
        key = {
            "facility": facility,
            "person": person,
            "number": number,
            "reason": reason,
            "rows_max": rows_max,
        }
        rows = await self._store.read(lambda c: driver(c).execute(_LIST, key).fetchall())
        return [msgspec.json.decode(body, type=CallRecord) for (body,) in rows]

    async def of_numbers(self, numbers: Sequence[str], *, rows_max: int) -> list[CallRecord]:
        """List the records of calls to some numbers, the newest first."""
        key = {"numbers": msgspec.json.encode(list(numbers)).decode(), "rows_max": rows_max}
        rows = await self._store.read(lambda c: driver(c).execute(_OF_NUMBERS, key).fetchall())
        return [msgspec.json.decode(body, type=CallRecord) for (body,) in rows]

    async def head(self) -> int:
        """Return where `follow` starts for whoever wants only what comes."""
        row = await self._store.read(lambda c: driver(c).execute(_HEAD).fetchone())
        return int(row[0])

    async def follow(self, position: int, *, rows_max: int = 100) -> tuple[int, list[CallRecord]]:
        """Return the records written after `position`, and the position to go on from."""
        rows = await self._store.read(
            lambda c: driver(c).execute(_FOLLOW, (position, rows_max)).fetchall()
        )
        records = [msgspec.json.decode(body, type=CallRecord) for _, body in rows]
        return (rows[-1][0] if rows else position), records


def public(record: CallRecord | Cdr) -> dict[str, Any]:
    """Turn a record into JSON values for people: times in UTC with microseconds."""
    values: dict[str, Any] = msgspec.to_builtins(record)
    return {name: _public(name, value) for name, value in values.items()}


def utc_text(wall: float) -> str:
    """Write a wall time as people and files have it: `2026-11-24T00:17:40.123456Z`."""
    text = datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def _public(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON values are of any type
    if isinstance(value, dict):
        return {key: _public(key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_public("", inner) for inner in value]
    if isinstance(value, float) and (name == "at" or name.endswith("_at")):
        return utc_text(value)
    return value


def _row(record: CallRecord) -> tuple[Any, ...]:
    return (
        record.call_id,
        record.facility,
        record.terminal,
        record.person,
        record.number,
        record.call_class,
        record.reason,
        record.off_hook_at,
        record.ended_at,
        record.talked_s,
        record.charge,
        msgspec.json.encode(record).decode(),
    )


def _cdr_row(cdr: Cdr) -> tuple[Any, ...]:
    return (cdr.leg_id, cdr.call_id, cdr.side, cdr.cause, msgspec.json.encode(cdr).decode())
