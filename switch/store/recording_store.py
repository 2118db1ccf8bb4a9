"""The rows of recordings: registered, held, sealed, purged; every change with its audit entry.

The sound lies in files (`switch.recording`); here stands what each file is, what its hash was when
it was closed, and until when it is kept.
"""

import sqlite3
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from switch.errors import UserError
from switch.ids import CallId
from switch.screening.register import RegisterEntry
from switch.store.audit_store import AuditEntry, append
from switch.store.engine import Store, driver

_COLUMNS: Final = (
    "id, call_id, facility, terminal, person, number, path, state, because, began_at, samples,"
    " size_bytes, sha256, keep_until, sealed_at, sealed_because, purged_at"
)
_HELD: Final = (
    "EXISTS (SELECT 1 FROM recording_hold h WHERE h.recording = recording.id"
    " AND h.released_at IS NULL) AS held"
)
_SELECT: Final = f"SELECT {_COLUMNS}, {_HELD} FROM recording"  # noqa: S608 - our own column names
_BEGIN: Final = """
INSERT INTO recording (id, call_id, facility, terminal, person, number, path, state, began_at,
                       keep_until)
VALUES (:id, :call_id, :facility, :terminal, :person, :number, :path, 'open', :began_at,
        :keep_until)
ON CONFLICT (id) DO NOTHING
"""
_CLOSE: Final = """
UPDATE recording SET state = 'closed', because = :because, samples = :samples,
                     size_bytes = :size_bytes, sha256 = :sha256
 WHERE id = :id AND state = 'open'
"""
_RECORD: Final = """
UPDATE call_record
   SET body = json_set(body, '$.hash', :sha256, '$.recording_id', :id,
                       '$.recorded', json(:recorded), '$.not_recorded_because', :because)
 WHERE call_id = (SELECT call_id FROM recording WHERE id = :id)
"""
_LISTENED: Final = """
UPDATE call_record SET body = json_insert(body, '$.listened_by[#]', ?)
 WHERE call_id = (SELECT call_id FROM recording WHERE id = ?)
"""
_LIST: Final = f"""
{_SELECT}
 WHERE (:call = 0 OR call_id = :call) AND (:facility = '' OR facility = :facility)
   AND (:person = '' OR person = :person) AND (:number = '' OR number = :number)
   AND (:state = '' OR state = :state)
 ORDER BY began_at DESC LIMIT :rows_max
"""
_SEAL: Final = """
UPDATE recording SET sealed_at = :at, sealed_because = 'privileged'
 WHERE number = :number AND sealed_at IS NULL
   AND (:facility = '' OR facility = :facility) AND (:person = '' OR person = :person)
"""
_SEAL_ONE: Final = (
    "UPDATE recording SET sealed_at = ?, sealed_because = ? WHERE id = ? AND sealed_at IS NULL"
)
_TELL: Final = "INSERT INTO outbox (kind, recipient, body, at) VALUES (?, ?, ?, ?)"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    id: str
    call_id: CallId
    facility: str
    terminal: str
    person: str
    number: str
    path: str
    """Below the folder of recordings."""
    state: str
    """`open` while it is written, `closed`, `purged`."""
    because: str
    """Why it ended before its call; '' if it did not."""
    began_at: float
    samples: int
    size_bytes: int
    sha256: str
    keep_until: float
    sealed_at: float | None
    sealed_because: str
    purged_at: float | None
    held: bool

    @property
    def seconds(self) -> float:
        """How long it is."""
        return round(self.samples / 8000, 6)


class NewRecording(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a recording begins."""

    id: str
    call_id: CallId
    facility: str
    terminal: str
    person: str
    number: str
    path: str
    began_at: float
    keep_until: float


class ClosedRecording(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when its file is closed."""

    id: str
    because: str
    samples: int
    size_bytes: int
    sha256: str


class RecordingStore:
    """All recordings.

    Args:
        store: the open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, new: NewRecording) -> None:
        """Register a recording that begins."""
        row = msgspec.structs.asdict(new)
        await self._store.write(lambda c: driver(c).execute(_BEGIN, row).rowcount)

    async def close(self, closed: ClosedRecording) -> None:
        """Write what the file was when it was closed, also into the record of its call.

        A record that is written later brings it along itself; the writer keeps the order.
        """

        def deed(connection: Connection) -> None:
            raw = driver(connection)
            values = msgspec.structs.asdict(closed)
            if raw.execute(_CLOSE, values).rowcount:
                recorded = "false" if closed.because else "true"
                raw.execute(_RECORD, values | {"recorded": recorded})

        await self._store.write(deed)

    async def get(self, recording: str) -> Recording | None:
        """Return one row."""
        rows = await self._rows(f"{_SELECT} WHERE id = :id", {"id": recording})
        return rows[0] if rows else None

    async def find_all(
        self,
        *,
        call: int = 0,
        facility: str = "",
        person: str = "",
        number: str = "",
        state: str = "",
        rows_max: int = 100,
    ) -> list[Recording]:
        """List rows, the newest first."""
        key = {
            "call": call,
            "facility": facility,
            "person": person,
            "number": number,
            "state": state,
            "rows_max": rows_max,
        }
        return await self._rows(_LIST, key)

    async def due(self, *, at: float, rows_max: int = 1000) -> list[Recording]:
        """List what is kept no longer: closed, its time over, nobody holds it."""
        found = await self._rows(
            f"{_SELECT} WHERE state = 'closed' AND keep_until <= :at ORDER BY keep_until"
            " LIMIT :rows_max",
            {"at": at, "rows_max": rows_max},
        )
        return [row for row in found if not row.held]

    async def note_use(self, recording: str, *, what: str, by: str, why: str) -> None:
        """Write into the trail that somebody is about to hear this; nothing is heard before.

        Raises:
            UserError: no reason is given.
        """
        _require(why)
        entry = self._entry(what, recording, by=by, why=why)

        def deed(connection: Connection) -> None:
            driver(connection).execute(_LISTENED, (by, recording))
            append(connection, entry)

        await self._store.write(deed)

    async def holds(self, recording: str) -> list[dict[str, Any]]:
        """List who held a recording, and who released it."""
        names = ("by", "why", "at", "released_by", "released_why", "released_at")
        query = f"SELECT {', '.join(names)} FROM recording_hold WHERE recording = ? ORDER BY id"  # noqa: S608 - our own column names
        rows = await self._store.read(lambda c: driver(c).execute(query, (recording,)).fetchall())
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def hold(self, recording: str, *, by: str, why: str) -> None:
        """Let nothing delete this until the hold is released.

        Raises:
            UserError: there is no such recording, it is purged, or no reason is given.
        """
        _require(why)
        at = self._store.clock.wall()
        entry = self._entry("recording_held", recording, by=by, why=why)

        def deed(connection: Connection) -> None:
            raw = driver(connection)
            _existing(raw, recording)
            insert = "INSERT INTO recording_hold (recording, by, why, at) VALUES (?, ?, ?, ?)"
            raw.execute(insert, (recording, by, why, at))
            append(connection, entry)

        await self._store.write(deed)

    async def release(self, recording: str, *, by: str, why: str) -> int:
        """Release every hold on a recording; return how many there were.

        Raises:
            UserError: nobody holds it, or no reason is given.
        """
        _require(why)
        at = self._store.clock.wall()
        entry = self._entry("recording_released", recording, by=by, why=why)

        def deed(connection: Connection) -> int:
            raw = driver(connection)
            _existing(raw, recording)
            released = raw.execute(
                "UPDATE recording_hold SET released_at = ?, released_by = ?, released_why = ?"
                " WHERE recording = ? AND released_at IS NULL",
                (at, by, why, recording),
            ).rowcount
            if not released:
                raise UserError(f"Nobody holds the recording {recording}.")
            append(connection, entry)
            return int(released)

        return await self._store.write(deed)

    async def purged(self, recording: str, *, by: str, why: str) -> None:
        """Write that the file is about to be removed for good.

        Raises:
            UserError: somebody holds it, or it is still being written.
        """
        _require(why)
        at = self._store.clock.wall()
        entry = self._entry("recording_purged", recording, by=by, why=why)

        def deed(connection: Connection) -> None:
            raw = driver(connection)
            row = _existing(raw, recording)
            if row["state"] == "open":
                raise UserError(f"The recording {recording} is still being written.")
            try:
                raw.execute(
                    "UPDATE recording SET state = 'purged', purged_at = ? WHERE id = ?",
                    (at, recording),
                )
            except sqlite3.IntegrityError as error:
                raise UserError(
                    f"The recording {recording} is held. Release it first, with the reason."
                ) from error
            append(connection, entry)

        await self._store.write(deed)

    async def seal(self, recording: str, *, because: str) -> None:
        """Let nobody play this any more, for good."""
        at = self._store.clock.wall()
        entry = self._entry("recording_sealed", recording, by="switch", why=because)

        def deed(connection: Connection) -> None:
            if driver(connection).execute(_SEAL_ONE, (at, because, recording)).rowcount:
                append(connection, entry)

        await self._store.write(deed)

    def _entry(self, what: str, recording: str, *, by: str, why: str) -> AuditEntry:
        return AuditEntry(
            at_micros=round(self._store.clock.wall() * 1e6),
            who=by,
            role="switch" if by == "switch" else "staff",
            address="",
            what=what,
            target=recording,
            why=why,
        )

    async def _rows(self, query: str, key: dict[str, Any]) -> list[Recording]:
        def deed(connection: Connection) -> list[Recording]:
            cursor = driver(connection).execute(query, key)
            names = [column[0] for column in cursor.description]
            return [
                msgspec.convert(dict(zip(names, row, strict=True)), Recording, strict=False)
                for row in cursor.fetchall()
            ]

        return await self._store.read(deed)


def seal_number(connection: Connection, entry: RegisterEntry) -> int:
    """Seal all recordings that a new entry of the privileged register covers; return how many.

    Within the transaction of the entry: from the moment it holds, nobody can play them. The
    attorney is told how many there were. calls.md section 6, P10.
    """
    raw = driver(connection)
    key = {
        "at": entry.at,
        "number": entry.number,
        "facility": entry.facility,
        "person": entry.person,
    }
    count = int(raw.execute(_SEAL, key).rowcount)
    if count:
        body = msgspec.json.encode({"number": entry.number, "recordings": count}).decode()
        raw.execute(_TELL, ("recordings_sealed", entry.tell, body, entry.at))
        append(
            connection,
            AuditEntry(
                at_micros=round(entry.at * 1e6),
                who=", ".join(entry.by),
                role="legal",
                address="",
                what="recordings_sealed",
                target=entry.number,
                after=str(count),
                why="The number is privileged now.",
            ),
        )
    return count


def _existing(raw: sqlite3.Connection, recording: str) -> dict[str, Any]:
    row = raw.execute("SELECT state FROM recording WHERE id = ?", (recording,)).fetchone()
    if row is None:
        raise UserError(f"There is no recording {recording}. `kinline recordings list` shows them.")
    return {"state": row[0]}


def _require(why: str) -> None:
    if not why.strip():
        raise UserError("Say why: it is kept for good.")
