"""The nightly proof that nothing hears an attorney: a real call, and what exists meanwhile.

A telephone of our own dials the test attorney's number from the test terminal, as anybody would:
registration, PIN, screening, trunk. While it talks, the worker is asked again and again what it
holds for this call; afterwards the record, the store and the disk are asked. Zero bytes written,
zero frames kept, zero taps is the pass. calls.md section 6, P9.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from switch.billing.cdr import CallRecord
from switch.call.news import AlarmNews, AuditNews, Publisher
from switch.call.switchboard.board import Switchboard
from switch.clock import Clock
from switch.errors import KinlineError, UserError
from switch.ids import CallId
from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall
from switch.lab.settings import SelfTestSettings
from switch.media.messages import Hearing
from switch.routing.call_class import CallClass
from switch.store.record_store import RecordStore
from switch.store.recording_store import RecordingStore

ANSWER_S_MAX: Final = 90.0
"""How long the call may take until it talks. Chosen: a telephone rings for a minute."""

RECORD_S_MAX: Final = 15.0
"""How long its record may take. Chosen: far above a settlement."""

LOOK_S: Final = 0.2
"""How often the worker is asked. Chosen: every tenth tick."""

ROUND_S: Final = 60.0
"""How often the hour is looked at. Chosen."""

DAY_S: Final = 86_400.0
ALARM: Final = "privileged_selftest"

log = logging.getLogger(__name__)


class PrivilegedTest:
    """Places the test call and judges it.

    Args:
        settings: table `[selftest]`.
        board: all live calls.
        store_of: the record and the recordings.
        folder: where recordings lie.
        data: the data folder.
        publisher: takes the alarm and the audit entry.
        listens: where the switch listens for SIP.
    """

    def __init__(
        self,
        settings: SelfTestSettings,
        *,
        board: Switchboard,
        records: RecordStore,
        recordings: RecordingStore,
        folder: Path,
        data: Path,
        publisher: Publisher,
        clock: Clock,
        random: Random,
        listens: Callable[[], list[str]],
    ) -> None:
        self._settings = settings
        self._board = board
        self._records = records
        self._recordings = recordings
        self._folder = folder
        self._data = data
        self._publisher = publisher
        self._clock = clock
        self._random = random
        self._listens = listens
        self._last_day = -1
        self._busy = asyncio.Lock()

    async def run(self) -> None:
        """Test every night, at the hour that the settings say."""
        while self._settings.number:
            await asyncio.sleep(ROUND_S)
            day, second = divmod(self._clock.wall(), DAY_S)
            if int(second // 3600) == self._settings.hour and day != self._last_day:
                self._last_day = int(day)
                try:
                    await self.test(by="switch")
                except KinlineError as error:
                    self._alarm(str(error))

    async def test(self, *, by: str) -> dict[str, Any]:
        """Place one call now, and say what came of it.

        Raises:
            UserError: it is not configured, or the call did not come about.
        """
        if not self._settings.number:
            raise UserError("No test call is configured: [selftest] names no number.")
        async with self._busy:
            faults, call, looks = await self._one_call()
        result = {
            "passed": not faults,
            "sound": not faults,
            "call": call,
            "looks": looks,
            "faults": faults,
        }
        if faults:
            self._alarm("; ".join(faults))
        self._publisher.publish_nowait(
            AuditNews(
                who=by,
                role="switch",
                address="",
                what=ALARM,
                target=str(call),
                after="passed" if not faults else "; ".join(faults),
                at_wall=self._clock.wall(),
            )
        )
        return result

    async def _one_call(self) -> tuple[list[str], int, int]:
        before = set(self._board.calls)
        phone = LabPhone(
            user=self._settings.user,
            password=self._secret(self._settings.password_file or self._own_password()),
            switch=self._address(),
            clock=self._clock,
            random=self._random,
        )
        async with phone:
            await self._register(phone)
            number = self._settings.number.removeprefix("+")
            pin = self._secret(self._settings.pin_file) if self._settings.pin_file else ""
            dialled = await phone.call(f"{pin}*{number}" if pin else number)
            try:
                call = await self._until_talking(dialled, before)
                faults, looks = await self._talk(dialled, call)
            finally:
                dialled.hang_up()
        faults += await self._afterwards(call)
        return faults, call, looks

    async def _register(self, phone: LabPhone) -> None:
        answer = await phone.register()
        if answer is None or answer.status != 200:
            status = "nothing" if answer is None else answer.status
            raise UserError(f"The test terminal could not register: {status}.")

    async def _until_talking(self, dialled: PhoneCall, before: set[CallId]) -> CallId:
        """Wait until our call talks; it is the new one of our terminal."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                while not dialled.ended.is_set():
                    for call, driver in self._board.calls.items():
                        is_ours = driver.people.terminal.id == self._settings.terminal
                        if call not in before and is_ours and driver.keeper.bridged_at is not None:
                            return call
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pass
        raise UserError(f"The test call was not answered: {dialled.reason or dialled.status}.")

    async def _talk(self, dialled: PhoneCall, call: CallId) -> tuple[list[str], int]:
        """Talk, and look what hears it meanwhile."""
        faults: list[str] = []
        looks = 0
        dialled.media.say(sounds.tone([440, 1000], self._settings.talk_s))
        until = self._clock.monotonic() + self._settings.talk_s
        while self._clock.monotonic() < until:
            self._board.look_at(call)
            await asyncio.sleep(LOOK_S)
            if call in self._board.hearing:
                looks += 1
                faults += _faults_of(self._board.hearing[call])
        if not looks:
            faults.append("the worker did not say what it holds")
        return sorted(set(faults)), looks

    async def _afterwards(self, call: CallId) -> list[str]:
        """What is left of the call: its record says nothing of its sound, nothing else exists."""
        record = None
        async with asyncio.timeout(RECORD_S_MAX):
            while (record := await self._records.get(call)) is None:  # noqa: ASYNC110 - a row
                await asyncio.sleep(LOOK_S)
        faults = _faults_of_record(record)
        if await self._recordings.find_all(call=call):
            faults.append("a recording is registered")
        files = [path for path in self._folder.rglob(f"{call:x}*") if path.is_file()]
        if files:
            size = sum(path.stat().st_size for path in files)
            faults.append(f"{size} bytes were written")
        return faults

    def _address(self) -> tuple[str, int]:
        for listening in self._listens():
            kind, _, rest = listening.partition(":")
            host, _, port = rest.rpartition(":")
            if kind == "udp" and "[" not in host:
                return ("127.0.0.1" if host == "0.0.0.0" else host), int(port)  # noqa: S104 - compared
        raise UserError("The switch listens on no IPv4 UDP address: the test call needs one.")

    def _own_password(self) -> str:
        return str(self._data / "keys" / f"terminal-{self._settings.terminal}.password")

    def _secret(self, path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error

    def _alarm(self, text: str) -> None:
        log.error("the test call to an attorney failed: %s", text)
        self._publisher.publish_nowait(
            AlarmNews(code=ALARM, text=text, facility="", at_wall=self._clock.wall())
        )


def _faults_of(hearing: Hearing) -> list[str]:
    held = {
        "frame rings": hearing.rings,
        "recorders": hearing.recorders,
        "tapes": hearing.tapes,
        "name recorders": hearing.names,
    }
    return [f"the worker holds {name} for the call" for name, count in held.items() if count]


def _faults_of_record(record: CallRecord) -> list[str]:
    faults = []
    if record.call_class != CallClass.PRIVILEGED.value:
        faults.append(f"the call was {record.call_class}, not privileged")
    if record.recorded or record.recording_id or record.hash:
        faults.append("the call was recorded")
    if record.evidence or record.marks or record.digits_after_accept:
        faults.append("something of the sound stands in the record")
    if record.listened_by or record.barged_by:
        faults.append("somebody listened")
    return faults
