"""The calls of a load: a gateway that dials, a trunk that answers, calls that come and go."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import numpy as np

from switch.clock import Clock
from switch.lab.load_media import LoadMedia
from switch.lab.phone import LabPhone, PhoneCall
from switch.lab.phone_media import PhoneMedia
from switch.sdp.crypto import Srtp, fresh_keys
from switch.sdp.offer_answer import LocalMedia, RemoteAudio

SETTLE_S: Final = 0.4
"""From the answer to the first word: both legs are joined by then. Chosen."""

LAST_S: Final = 0.4
"""From the last word to the hang-up: what is under way arrives. Chosen."""

SETUP_S_MAX: Final = 20.0
"""A call that is not answered by then has failed. Chosen."""

BYE_S_MAX: Final = 10.0
"""The switch ends the other side of a call by then. Chosen: a goodbye may be lost four times."""

NUMBERS: Final = 4000
"""Each call dials one of so many numbers, +1555 and seven digits, in turn: `config/bench.toml` has
an account for each."""


class LoadLeg(PhoneMedia):
    """A telephone's sound, made by the compiled loop instead of asyncio."""

    def __init__(self, media: LoadMedia, ip: str, random: Random) -> None:
        super().__init__(random)
        self._media = media
        self.leg, self._port = media.open(ip)

    @property
    def port(self) -> int:
        """Where it hears."""
        return self._port

    def talk_to(self, remote: RemoteAudio) -> None:
        """Send there from now on, under the keys that were agreed."""
        super().talk_to(remote)
        if remote.keys is not None:
            self._media.lock(self.leg, remote.keys)
        self._media.point(self.leg, remote.ip, remote.port)

    def hush(self) -> None:
        """Say nothing more."""
        self._media.quiet(self.leg)

    def close(self) -> None:
        """Close it."""
        self._media.close(self.leg)

    async def run(self) -> None:
        """Wait: the loop talks."""
        await asyncio.Event().wait()


class LoadPhone(LabPhone):
    """A telephone with many lines, each of them a `LoadLeg`; it forgets calls that are over.

    With `tls` it offers and takes SRTP and nothing else.
    """

    def __init__(self, media: LoadMedia, **how: object) -> None:
        super().__init__(**how)  # type: ignore[arg-type]  # the same keywords
        self._load_media = media
        self._is_secret = how.get("tls") is not None

    async def __aenter__(self) -> "LoadPhone":
        """Open its sockets."""
        await super().__aenter__()
        return self

    async def _open_media(self) -> PhoneMedia:
        return LoadLeg(self._load_media, self.ip, self._random)

    def _describe(self, media: PhoneMedia) -> LocalMedia:
        plain = super()._describe(media)
        if not self._is_secret:
            return plain
        return replace(plain, srtp=Srtp.REQUIRED, keys=fresh_keys(self._random))

    def forget(self, call: PhoneCall) -> None:
        """Let go of a call that is over."""
        self.calls.remove(call)
        self._by_dialog.pop(call.dialog, None)


@dataclass(frozen=True, slots=True)
class Said:
    """What a call has said. Of each side: with which frame it began, and how many there were."""

    number: str
    near: tuple[int, int]
    far: tuple[int, int]


@dataclass(slots=True)
class Tally:
    """What came of the calls so far."""

    placed: int = 0
    set_up: int = 0
    completed: int = 0
    live: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By status, or `no answer`, `lost` for a call that ended under way."""
    counted: np.ndarray[tuple[int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(3, np.int64)
    )
    """Frames sent, received and wrong of calls that are over."""
    reached_ms: list[float] = field(default_factory=list)
    """From our INVITE to the one that reaches the trunk."""
    said: list[Said] = field(default_factory=list)
    """What the completed calls have said."""


@dataclass(slots=True)
class _Line:
    """A call that has been dialled, and its other end once it is there."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    there: PhoneCall | None = None


class LoadCalls:
    """Places calls until it is stopped.

    Args:
        gateway: dials.
        trunk: is called.
        media: their sound.
        clock: monotonic time.
        random: how long a call is.
    """

    def __init__(
        self,
        *,
        gateway: LoadPhone,
        trunk: LoadPhone,
        media: LoadMedia,
        clock: Clock,
        random: Random,
    ) -> None:
        self.tally = Tally()
        self.stopping = asyncio.Event()
        self._gateway = gateway
        self._trunk = trunk
        self._media = media
        self._clock = clock
        self._random = random
        self._lines: dict[str, _Line] = {}

    async def answer(self) -> None:
        """Answer what comes to the trunk, until cancelled."""
        while True:
            there = await self._trunk.incoming()
            assert there.invite is not None
            dialled = re.search(r"1555\d{7}", there.invite.uri)
            line = self._lines.get(dialled[0]) if dialled else None
            if line is None or line.reached.is_set():
                there.refuse(404)
                continue
            line.there = there
            line.reached.set()
            there.answer()

    async def keep_up(self, calls: int, *, calls_per_s: float, hold_s: float) -> None:
        """Hold so many calls; each lasts `hold_s` on average, and is followed by another one.

        Args:
            calls: how many at once.
            calls_per_s: new ones at most.
            hold_s: mean of an exponential length; 0: until the end.
        """
        async with asyncio.TaskGroup() as group:
            while not self.stopping.is_set():
                if self.tally.live < calls:
                    number = f"1555{self.tally.placed % NUMBERS:07d}"
                    self.tally.placed += 1
                    self.tally.live += 1
                    length_s = self._random.expovariate(1 / hold_s) if hold_s else None
                    group.create_task(self._call(number, length_s))
                await asyncio.sleep(1 / calls_per_s)

    async def _call(self, number: str, length_s: float | None) -> None:
        try:
            await self._whole(number, length_s)
        except TimeoutError:
            self.tally.refused["no answer"] += 1
        finally:
            self._lines.pop(number, None)
            self.tally.live -= 1

    async def _whole(self, number: str, length_s: float | None) -> None:
        began = self._clock.monotonic()
        line = self._lines[number] = _Line()
        here = await self._gateway.call(number)
        try:
            async with asyncio.timeout(SETUP_S_MAX):
                await _any(line.reached, here.ended)
                self.tally.reached_ms.append((self._clock.monotonic() - began) * 1e3)
                await _any(here.answered, here.ended)
            if line.there is None or here.ended.is_set():
                refused = here.status >= 300
                why = str(here.status) if refused else "ended before it was connected"
                self.tally.refused[why] += 1
                return
            self.tally.set_up += 1
            await self._talk(number, here, line.there, length_s)
        finally:
            await self._over(here, line.there)

    async def _talk(
        self, number: str, here: PhoneCall, there: PhoneCall, length_s: float | None
    ) -> None:
        near, far = here.media, there.media
        assert isinstance(near, LoadLeg)
        assert isinstance(far, LoadLeg)
        await asyncio.sleep(SETTLE_S)
        if here.ended.is_set() or there.ended.is_set():
            self.tally.refused["lost"] += 1
            return
        self._media.begin(near.leg, far.leg)
        await _any(self.stopping, here.ended, there.ended, within_s=length_s)
        lost = here.ended.is_set() or there.ended.is_set()
        self._media.quiet(near.leg, far.leg)
        if lost:
            self.tally.refused["lost"] += 1
            return
        await asyncio.sleep(LAST_S)
        self.tally.counted += self._media.counted(near.leg, far.leg)
        stretches = [self._media.stretch(leg) for leg in (near.leg, far.leg)]
        self.tally.said.append(Said(number, *stretches))
        self.tally.completed += 1

    async def _over(self, here: PhoneCall, there: PhoneCall | None) -> None:
        """Hang up; the switch then ends the other side."""
        if not here.ended.is_set():
            here.hang_up()
        self._gateway.forget(here)
        if there is None:
            return
        await _any(there.ended, within_s=BYE_S_MAX)
        if not there.ended.is_set():
            self.tally.refused["not hung up"] += 1
            there.hang_up()
        self._trunk.forget(there)


async def _any(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of these is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]  # noqa: TID251 - cancelled below
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
