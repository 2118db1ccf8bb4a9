"""The terminal of the narrated call: a pyVoIP softphone in a process of its own, or our own phone.

pyVoIP has no telephone events; its keys are tones in the sound, which the switch hears as well.
"""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from random import Random
from typing import Any, Final, Literal, Protocol

from switch.clock import SystemClock
from switch.errors import LocalError
from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall

Kind = Literal["pyvoip", "lab"]

EVENT_KEY_MS: Final = 40
EVENT_GAP_FRAMES: Final = 1
"""Keys as a speed dialler presses them: the shortest that ITU-T Q.24 wants accepted."""

TONE_ON_S: Final = 0.05
TONE_OFF_S: Final = 0.045
"""The same as tones, a little longer: a softphone's clock is not ours. Chosen."""

ANSWER_S_MAX: Final = 30.0


class SceneTerminal(Protocol):
    """What the scene asks of its terminal."""

    about: str
    """What it is, for the narration."""

    @property
    def ended(self) -> asyncio.Event:
        """Set when the call is over."""
        ...

    @property
    def reason(self) -> str:
        """The Reason header of what ended the call."""
        ...

    async def register(self, switch: tuple[str, int], user: str, password: str) -> None:
        """Register. Raises LocalError if the switch does not want it."""
        ...

    async def call(self, number: str) -> None:
        """Dial, and wait until it is answered."""
        ...

    def press(self, keys: str) -> None:
        """Press keys."""
        ...

    def say(self, sound: sounds.Sound) -> None:
        """Say something."""
        ...


def chosen_kind(wanted: str) -> Kind:
    """Return which terminal it will be: pyVoIP, unless the extra is not installed."""
    if wanted == "lab" or (not wanted and find_spec("pyVoIP") is None):
        return "lab"
    return "pyvoip"


@asynccontextmanager
async def scene_terminal(kind: Kind) -> AsyncIterator[SceneTerminal]:
    """Open a terminal; it starts at once, beside the switch."""
    if kind == "lab":
        own = LabTerminal()
        try:
            yield own
        finally:
            await own.close()
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "switch.lab.pyvoip_terminal"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.TaskGroup() as group:
            terminal = PyVoipTerminal(process)
            listening = group.create_task(terminal.listen())
            yield terminal
            listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class PyVoipTerminal:
    """The parent's side of `switch.lab.pyvoip_terminal`."""

    about = "a pyVoIP softphone in a process of its own; its keys are tones in the sound"

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.ended = asyncio.Event()
        self.reason = ""
        self._process = process
        self._reports: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=16)

    async def listen(self) -> None:
        """Take its reports."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            report = json.loads(line)
            if report["event"] == "ended":
                self.reason = report["reason"]
                self.ended.set()
            else:
                await self._reports.put(report)
        self.ended.set()
        await self._reports.put({"event": "gone"})

    async def register(self, switch: tuple[str, int], user: str, password: str) -> None:
        """See SceneTerminal."""
        host, port = switch
        self._order(do="register", host=host, port=port, user=user, password=password)
        await self._reported("registered")

    async def call(self, number: str) -> None:
        """See SceneTerminal."""
        self._order(do="call", number=number)
        await self._reported("answered")

    def press(self, keys: str) -> None:
        """See SceneTerminal."""
        self._order(do="press", keys=keys, on_s=TONE_ON_S, off_s=TONE_OFF_S)

    def say(self, sound: sounds.Sound) -> None:
        """See SceneTerminal."""
        self._order(do="say", ulaw=base64.b64encode(sounds.encode(sound)).decode())

    def _order(self, **order: Any) -> None:  # noqa: ANN401 - JSON
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _reported(self, wanted: str) -> None:
        async with asyncio.timeout(ANSWER_S_MAX):
            report = await self._reports.get()
        if report["event"] != wanted:
            raise LocalError(f"the terminal was to be {wanted}, and is: {report}")


class LabTerminal:
    """Our own small telephone as a terminal."""

    about = "the lab telephone on our own stack; its keys are telephone events"

    def __init__(self) -> None:
        self._life = AsyncExitStack()
        self._phone: LabPhone | None = None
        self._call: PhoneCall | None = None

    @property
    def ended(self) -> asyncio.Event:
        """See SceneTerminal."""
        return self._placed.ended

    @property
    def reason(self) -> str:
        """See SceneTerminal."""
        return self._placed.reason

    @property
    def _placed(self) -> PhoneCall:
        assert self._call is not None
        return self._call

    async def register(self, switch: tuple[str, int], user: str, password: str) -> None:
        """See SceneTerminal."""
        random = Random(7)  # noqa: S311 - a softphone's tags
        phone = LabPhone(
            user=user, password=password, switch=switch, clock=SystemClock(), random=random
        )
        self._phone = await self._life.enter_async_context(phone)
        answer = await phone.register()
        if answer is None or answer.status != 200:
            raise LocalError(f"the terminal could not register: {answer}")

    async def call(self, number: str) -> None:
        """See SceneTerminal."""
        assert self._phone is not None
        self._call = await self._phone.call(number)
        self._call.media.background = sounds.encode(sounds.hiss(0.02, level=0.002, seed=3))
        async with asyncio.timeout(ANSWER_S_MAX):
            await self._call.answered.wait()

    def press(self, keys: str) -> None:
        """See SceneTerminal."""
        self._placed.media.press(keys, on_ms=EVENT_KEY_MS, gap_frames=EVENT_GAP_FRAMES)

    def say(self, sound: sounds.Sound) -> None:
        """See SceneTerminal."""
        self._placed.media.say(sound)

    async def close(self) -> None:
        """Put it away."""
        await self._life.aclose()
