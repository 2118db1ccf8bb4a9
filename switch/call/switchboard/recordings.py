"""What becomes of recordings: begun at the bridge, registered, closed, sealed, and once removed.

A call asks for a plan at its bridge and gets one, or the reason why it is not recorded. What the
workers say of the files goes through one queue into the store, whether the call still lives or not.
"""

import asyncio
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from switch.call.news import AlarmNews, Publisher
from switch.clock import Clock
from switch.errors import KinlineError, StoreError
from switch.ids import CallId
from switch.media.messages import RecordingEnded
from switch.recording.file_format import Header, build_header
from switch.recording.keys import MasterKey, new_key
from switch.recording.plan import RecordingPlan
from switch.recording.reader import RecordingReader, beside_path
from switch.recording.settings import RecordingSettings
from switch.store.engine import Store
from switch.store.record_store import utc_text
from switch.store.recording_store import ClosedRecording, NewRecording, Recording, RecordingStore

DAY_S: Final = 86_400.0

RETRY_S: Final = 1.0
"""How long to wait after the store refused. Chosen."""

ENDED_MAX: Final = 10_000
"""Closed files that may wait for the store; more are found by the next start. Chosen."""

ROUND_S: Final = 60.0
"""How often open rows and the hour are looked at. Chosen."""

LEFT_S: Final = 30.0
"""A file that nobody wrote to for so long is left behind. Chosen: a recorder writes each second,
and a disk that takes longer to close a file is broken."""

KEPT_AS: Final = "recording.json"
"""In the data folder: the settings that the last start had."""

DISK: Final = "disk"
PURGED_BY: Final = "switch"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Whom a recording is of, as the call knows it."""

    call: CallId
    facility: str
    terminal: str
    person: str
    number: str
    days: int


class RecordingDesk:
    """All recordings of this node.

    Args:
        settings: table `[recording]`.
        store: where they are registered.
        clock: stamps and retention.
        data: the data folder.
        publisher: takes the alarms.
    """

    def __init__(
        self,
        settings: RecordingSettings,
        *,
        store: Store,
        clock: Clock,
        data: Path,
        publisher: Publisher,
    ) -> None:
        self.folder = folder_of(settings, data)
        self.rows = RecordingStore(store)
        self._settings = settings
        self._clock = clock
        self._data = data
        self._publisher = publisher
        self._master: MasterKey | None = None
        self._ended: asyncio.Queue[ClosedRecording] = asyncio.Queue(ENDED_MAX)
        self._live: set[str] = set()
        self._disk_is_full = False
        self._purged_on = ""
        keep_settings(settings, data)

    # ---- what a call asks

    def plan(self, who: Recorded) -> tuple[RecordingPlan, NewRecording] | str:
        """Return where a call's sound goes, or why it cannot go anywhere."""
        if not self._has_room():
            return DISK
        try:
            master = self.master()
        except KinlineError as error:
            self._alarm("recording_key", str(error), who.facility)
            return "key"
        wall = self._clock.wall()
        recording = f"{who.call:x}"
        relative = f"{_day(wall)}/{recording}.rec"
        key = new_key()
        header = Header(
            recording=recording,
            call=who.call,
            began_at=wall,
            key_id=master.id,
            wrapped_key=master.wrap(key, recording),
        )
        plan = RecordingPlan(recording, self.folder / relative, key, build_header(header))
        row = NewRecording(
            id=recording,
            call_id=who.call,
            facility=who.facility,
            terminal=who.terminal,
            person=who.person,
            number=who.number,
            path=relative,
            began_at=wall,
            keep_until=wall + who.days * DAY_S,
        )
        self._live.add(recording)
        return plan, row

    def master(self) -> MasterKey:
        """Return the master key.

        Raises:
            SettingsError: it cannot be read.
        """
        if self._master is None:
            self._master = master_key(self._settings, self._data)
        return self._master

    # ---- what the workers say

    def ended(self, event: RecordingEnded) -> None:
        """A file is closed: register it."""
        self._live.discard(event.recording)
        closed = ClosedRecording(
            id=event.recording,
            because=event.because,
            samples=event.samples,
            size_bytes=event.size_bytes,
            sha256=event.sha256,
        )
        with suppress(asyncio.QueueFull):
            self._ended.put_nowait(closed)

    def abandoned(self, recording: str) -> None:
        """Its call is over and nobody said how the file ended: the next round looks."""
        self._live.discard(recording)

    def failed(self, facility: str, because: str, error: str) -> None:
        """The disk took no more of a recording."""
        self._disk_is_full = True
        self._alarm(f"recording_{because}", f"Recording stopped: {error}. Calls go on.", facility)

    async def run(self) -> None:
        """Register what is closed, and once a night remove what is kept no longer."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._register())
            group.create_task(self._keep_house())

    async def settle(self) -> None:
        """Register everything that waits; before the store closes."""
        while not self._ended.empty():
            await self.rows.close(self._ended.get_nowait())

    async def _register(self) -> None:
        while True:
            closed = await self._ended.get()
            while True:
                try:
                    await self.rows.close(closed)
                    break
                except StoreError as error:
                    log.error("a recording cannot be registered: %s", error)  # noqa: TRY400 - says it all
                    await asyncio.sleep(RETRY_S)

    # ---- what is left behind

    async def recover(self) -> int:
        """Close the rows whose files nobody writes any more: their worker died.

        Returns:
            How many there were.
        """
        count = 0
        for row in await self.rows.find_all(state="open", rows_max=ENDED_MAX):
            if row.id not in self._live and self._is_left(self.folder / row.path):
                await self.rows.close(await asyncio.to_thread(self._closed_by_hand, row))
                count += 1
        return count

    def _is_left(self, path: Path) -> bool:
        """Whether nothing was written to a file for a while: a worker that lives writes more."""
        try:
            return self._clock.wall() - path.stat().st_mtime > LEFT_S
        except OSError:
            return True

    def _closed_by_hand(self, row: Recording) -> ClosedRecording:
        """Read what a dead worker left: everything up to its last whole chunk."""
        path = self.folder / row.path
        try:
            reader = RecordingReader(path, self.master())
            end = reader.end
            return ClosedRecording(
                id=row.id,
                because=end.because if end is not None else "worker lost",
                samples=reader.samples,
                size_bytes=path.stat().st_size,
                sha256=reader.prove(),
            )
        except (KinlineError, OSError) as error:
            log.error("the recording %s cannot be read: %s", row.id, error)  # noqa: TRY400 - one sentence
            return ClosedRecording(
                id=row.id, because="unreadable", samples=0, size_bytes=0, sha256=""
            )

    # ---- retention

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            wall = self._clock.wall()
            hour = int(wall % DAY_S // 3600)
            try:
                await self.recover()
                if hour == self._settings.purge_hour and _day(wall) != self._purged_on:
                    self._purged_on = _day(wall)
                    await self.purge_due()
            except KinlineError as error:
                log.error("old recordings could not be removed: %s", error)  # noqa: TRY400 - says it all

    async def purge_due(self) -> int:
        """Remove what is kept no longer; return how many there were."""
        rows = await self.rows.due(at=self._clock.wall())
        for row in rows:
            await purge(
                self.rows, self.folder, row, by=PURGED_BY, why="Its time is over (recording_days)."
            )
        return len(rows)

    # ---- within

    def _has_room(self) -> bool:
        """Whether the disk has room for one more; says so when that changes."""
        free_mb = free_megabytes(self.folder)
        has_room = free_mb >= self._settings.free_mb_min
        if not has_room and not self._disk_is_full:
            self._alarm(
                "recording_disk",
                f"{self.folder} has {free_mb} MB left: calls go on, unrecorded.",
                "",
            )
        self._disk_is_full = not has_room
        return has_room

    def _alarm(self, code: str, text: str, facility: str) -> None:
        log.error("%s: %s", code, text)
        self._publisher.publish_nowait(
            AlarmNews(code=code, text=text, facility=facility, at_wall=self._clock.wall())
        )


async def purge(rows: RecordingStore, folder: Path, row: Recording, *, by: str, why: str) -> None:
    """Remove the sound of a recording for good; its row stays.

    Raises:
        UserError: somebody holds it, or it is still being written.
    """
    await rows.purged(row.id, by=by, why=why)
    path = folder / row.path
    for one in (path, beside_path(path, "peaks"), beside_path(path, "events")):
        await asyncio.to_thread(one.unlink, missing_ok=True)


def folder_of(settings: RecordingSettings, data: Path) -> Path:
    """Return where the files lie."""
    return Path(settings.folder) if settings.folder else data / "recordings"


def keep_settings(settings: RecordingSettings, data: Path) -> None:
    """Write down where the files and the key are, for commands that run without the switch."""
    path = data / KEPT_AS
    body = msgspec.json.encode(settings)
    if not path.exists() or path.read_bytes() != body:
        path.write_bytes(body)


def kept_settings(data: Path) -> RecordingSettings:
    """Read where the files and the key are."""
    try:
        return msgspec.json.decode((data / KEPT_AS).read_bytes(), type=RecordingSettings)
    except (FileNotFoundError, msgspec.MsgspecError):
        return RecordingSettings()


def master_key(settings: RecordingSettings, data: Path) -> MasterKey:
    """Read the master key; the one in the data folder is made if there is none."""
    if settings.key_file:
        return MasterKey.read(Path(settings.key_file), make=False)
    return MasterKey.read(data / "keys" / "recording.key", make=True)


def free_megabytes(folder: Path) -> int:
    """Return the room left for us where a folder is, or will be."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize // 1_000_000


def _day(wall: float) -> str:
    return utc_text(wall)[:10]
