"""The recording of one call: asked for at its bridge, and what its record says of it."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from switch.call.switchboard.inbox import Moment
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.call.switchboard.recordings import Recorded
from switch.call.switchboard.rooms import Rooms
from switch.ids import CallId
from switch.media.messages import RecordingEnded, RecordingFailed
from switch.recording.keys import seal_beside
from switch.recording.reader import beside_path
from switch.routing.call_class import Inspectable
from switch.routing.terminal import Terminal
from switch.screening.permit import Permit

if TYPE_CHECKING:
    from switch.recording.plan import RecordingPlan
    from switch.store.recording_store import NewRecording

CLOSE_WAIT_S: Final = 1.0
"""How long the record of a call waits for the hash of its file. Chosen: an fsync; what comes later
is written into the record when it comes."""

PRIVILEGED: Final = "privileged"


class CallRecording:
    """Begins, watches and names the recording of one call.

    Args:
        rooms: the neighbours.
        call: the id.
        keeper: gets what the record says of it.
    """

    def __init__(self, rooms: Rooms, call: CallId, keeper: RecordKeeper) -> None:
        self.recording = ""
        """Its name while there is one; '' if the call is not recorded."""
        self._rooms = rooms
        self._call = call
        self._keeper = keeper
        self._row: NewRecording | None = None
        self._plan: RecordingPlan | None = None
        self._closed = Moment()
        self._stopped_because = ""

    def begin(self, permit: Permit, terminal: Terminal, *, now: float) -> bool:
        """Let the worker record from the bridge on; return whether the call may go on without.

        Args:
            permit: what screening allowed.
            terminal: where the call comes from.
            now: the moment of the bridge.
        """
        audibility = permit.audibility
        if not permit.recorded or not isinstance(audibility, Inspectable):
            return True
        rules = self._rooms.houses.house.facility(terminal.facility).rules
        who = Recorded(
            call=self._call,
            facility=terminal.facility,
            terminal=terminal.id,
            person=permit.person or "",
            number=permit.number,
            days=rules.recording_days or 0,
        )
        found = self._rooms.recordings.plan(who)
        if isinstance(found, str):
            self._keeper.not_recorded(found)
            return not rules.refuse_unrecorded
        plan, self._row = found
        self._plan = plan
        self.recording = plan.recording
        self._rooms.plane.record(audibility, plan, began=now)
        self._keeper.recorded(plan.recording)
        return True

    async def register(self) -> None:
        """Write the row of what was begun."""
        if self._row is not None:
            await self._rooms.recordings.rows.begin(self._row)

    def said(self, event: RecordingEnded | RecordingFailed, must_end: Callable[[], None]) -> None:
        """The worker closed the file, or could not write it.

        Args:
            event: what it said.
            must_end: called where the site refuses to talk unrecorded.
        """
        if isinstance(event, RecordingFailed):
            if not self._failed(event):
                must_end()
            return
        self._keeper.recording_closed(event.sha256, self._stopped_because or event.because)
        self._closed.set()

    def _failed(self, event: RecordingFailed) -> bool:
        facility = self._keeper.facility
        self._stopped_because = event.because
        self._keeper.not_recorded(event.because)
        self._rooms.recordings.failed(facility, event.because, event.error)
        return not self._rooms.houses.house.facility(facility).rules.refuse_unrecorded

    async def seal_if_privileged(self, permit: Permit | None) -> None:
        """The register has changed: a number that is privileged now is recorded no more.

        The worker stops on its next tick and forgets what is on the tapes; what is on the disk is
        sealed. calls.md section 6, P10.
        """
        if not self.recording or self._stopped_because or permit is None:
            return
        answer = self._rooms.houses.register.answer(
            permit.number, facility=self._keeper.facility, person=permit.person
        )
        if answer.whole and answer.entry is None:
            return
        self._stopped_because = PRIVILEGED if answer.whole else "register"
        self._rooms.plane.stop_recording(self._call, because=self._stopped_because)
        self._keeper.not_recorded(self._stopped_because)
        if answer.whole:
            await self._rooms.recordings.rows.seal(self.recording, because=PRIVILEGED)

    async def write_events(self) -> None:
        """Lay what happened in the call beside its sound, sealed like it."""
        plan = self._plan
        if plan is None or self._stopped_because:
            return
        body = msgspec.json.encode({"recording": plan.recording, "events": self._keeper.events()})
        try:
            await asyncio.to_thread(_seal_events, plan, body)
        except OSError as error:
            self._rooms.recordings.failed(self._keeper.facility, "disk", str(error))

    async def wait_closed(self) -> None:
        """Wait for the hash, but not long."""
        if self.recording:
            try:
                async with asyncio.timeout(CLOSE_WAIT_S):
                    await self._closed.wait()
            except TimeoutError:
                self._rooms.recordings.abandoned(self.recording)


def _seal_events(plan: "RecordingPlan", body: bytes) -> None:
    sealed = seal_beside(plan.key, plan.recording, "events", body)
    beside_path(plan.path, "events").write_bytes(sealed)
