r"""`kinline lab phone`: one lab telephone that does what its command line says, step by step.

kinline lab phone --switch 127.0.0.1:5070 --user lab --password-file FILE \
        register call 15552345678 keys 1234561357 hear 5 hang-up
kinline lab phone --switch 127.0.0.1:5070 --port 15090 wait answer keys 1 tone 1000 5
"""

import argparse
import asyncio
import math
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Final

import numpy as np

from switch.clock import SystemClock
from switch.errors import KinlineError, LocalError, UserError
from switch.lab import sounds
from switch.lab.phone import LabPhone, PhoneCall

ANSWER_S_MAX: Final = 60.0
"""How long a step waits for the other side. Chosen: more than a telephone rings."""

SILENCE_DB: Final = -90.0
"""What is said of no sound at all, in decibels of full scale. Chosen: below µ-law's smallest."""

STEPS: Final = """steps, in order:
  register            register at the switch
  call NUMBER         dial; waits until it is answered or refused
  wait                wait for a call
  ring | answer       what to do with it
  refuse STATUS       turn it down, with 486 or the like
  keys DIGITS         press keys
  tone HZ SECONDS     make a tone, and go on when it is over
  say FILE            say a file of raw µ-law (DATA/prompts/en/*.ulaw)
  hear SECONDS        listen; says how loud it was and which of 440 and 1000 Hz is in it
  hang-up             hang up; at the end it is done anyway
"""

_ARGUMENTS: Final = {"call": 1, "refuse": 1, "keys": 1, "tone": 2, "say": 1, "hear": 1}
_NAMES: Final = ("register", "wait", "ring", "answer", "hang-up", *_ARGUMENTS)

Step = tuple[str, tuple[str, ...]]


def steps_of(words: Sequence[str]) -> list[Step]:
    """Read the steps of a command line.

    Raises:
        UserError: a step is not known, or an argument of it is missing.
    """
    left, found = deque(words), list[Step]()
    while left:
        name = left.popleft()
        if name not in _NAMES:
            raise UserError(f"{name} is no step. `kinline lab phone --help` lists them.")
        wanted = _ARGUMENTS.get(name, 0)
        if len(left) < wanted:
            raise UserError(f"{name} needs {wanted} more: `kinline lab phone --help`.")
        found.append((name, tuple(left.popleft() for _ in range(wanted))))
    return found


class PhoneProgram:
    """Carries the steps out on one telephone.

    Args:
        phone: open.
        tell: takes a line for the person who reads along.
    """

    def __init__(self, phone: LabPhone, tell: Callable[[str], None]) -> None:
        self._phone = phone
        self._tell = tell
        self._call: PhoneCall | None = None
        self._deeds: dict[str, Callable[..., Awaitable[None]]] = {
            "register": self._register,
            "call": self._dial,
            "wait": self._wait,
            "ring": self._ring,
            "answer": self._answer,
            "refuse": self._refuse,
            "keys": self._keys,
            "tone": self._tone,
            "say": self._say,
            "hear": self._hear,
            "hang-up": self._hang_up,
        }

    async def run(self, steps: Sequence[Step]) -> None:
        """Do one after the other; a call that has ended ends the rest of them."""
        for name, given in steps:
            if self._call is not None and self._call.ended.is_set():
                break
            await self._deeds[name](*given)
        if self._call is not None and self._call.ended.is_set():
            self._tell(f"the call is over: {self._call.status or ''} {self._call.reason}".rstrip())

    @property
    def _now(self) -> PhoneCall:
        if self._call is None:
            raise LocalError("there is no call yet: `call NUMBER` or `wait` comes first")
        return self._call

    async def _register(self) -> None:
        answer = await self._phone.register()
        if answer is None or answer.status != 200:
            raise LocalError(f"not registered: {answer.status if answer else 'no answer'}")
        self._tell("registered")

    async def _dial(self, number: str) -> None:
        self._call = await self._phone.call(number)
        await self._first(self._call.answered, self._call.ended)
        if self._call.answered.is_set():
            self._tell("answered")

    async def _wait(self) -> None:
        async with asyncio.timeout(ANSWER_S_MAX):
            self._call = await self._phone.incoming()
        self._tell("a call comes in")

    async def _ring(self) -> None:
        self._now.ring()

    async def _answer(self) -> None:
        self._now.answer()

    async def _refuse(self, status: str) -> None:
        self._now.refuse(int(status))

    async def _keys(self, keys: str) -> None:
        self._now.media.press(keys)
        await self._now.media.said()

    async def _tone(self, frequency_hz: str, seconds: str) -> None:
        self._now.media.say(sounds.tone([float(frequency_hz)], float(seconds)))
        await self._now.media.said()

    async def _say(self, file: str) -> None:
        self._now.media.say(await asyncio.to_thread(Path(file).read_bytes))
        await self._now.media.said()

    async def _hear(self, seconds: str) -> None:
        call, since = self._now, asyncio.get_running_loop().time()
        await self._first(call.ended, seconds_max=float(seconds))
        self._tell(described(call.media.heard_sound(since=since)))

    async def _hang_up(self) -> None:
        self._now.hang_up()

    async def _first(self, *events: asyncio.Event, seconds_max: float = ANSWER_S_MAX) -> None:
        """Wait until one of these happens, or the time is over."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(tasks, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()


def described(sound: sounds.Sound) -> str:
    """Say of a sound how long and loud it is, and whether it is one of the lab's tones."""
    power = float(np.mean(sound**2)) if len(sound) else 0.0
    level_db = 10 * math.log10(power) if power else SILENCE_DB
    tones = " ".join(
        f"{hz} Hz {sounds.power_at(sound, hz):.0%}" for hz in (440, 1000) if len(sound)
    )
    return f"heard {len(sound) / sounds.RATE_HZ:.1f} s at {level_db:.0f} dB; {tones}".rstrip("; ")


def main(argv: Sequence[str]) -> int:
    """`kinline lab phone`: carry it out; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="kinline lab phone",
        description="One lab telephone on our own stack; does its steps and ends.",
        epilog=STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--switch", required=True, metavar="HOST:PORT", help="where it listens")
    parser.add_argument("--user", default="phone", help="its name and digest user")
    parser.add_argument("--password-file", type=Path, help="of its digest")
    parser.add_argument("--port", type=int, default=0, help="its SIP port; 0 takes a free one")
    parser.add_argument("--transport", choices=("udp", "tcp"), default="udp")
    parser.add_argument("steps", nargs="+", metavar="STEP", help="see below")
    given = parser.parse_args(argv)
    steps = steps_of(given.steps)
    faults: list[BaseException] = []
    try:
        asyncio.run(_run(given, steps))
    except* (KinlineError, TimeoutError, OSError) as group:
        faults += group.exceptions
    for fault in faults:
        sys.stderr.write(f"kinline: {str(fault) or 'no answer in time'}\n")
    return 1 if faults else 0


async def _run(given: argparse.Namespace, steps: Sequence[Step]) -> None:
    host, _, port = given.switch.rpartition(":")
    password = given.password_file.read_text().strip() if given.password_file else ""
    phone = LabPhone(
        user=given.user,
        password=password,
        switch=(host.strip("[]"), int(port)),
        ip="::1" if ":" in host else "127.0.0.1",
        port=given.port,
        transport=given.transport,
        clock=SystemClock(),
        random=SystemRandom(),
    )
    async with phone:
        await PhoneProgram(phone, lambda line: _tell(given.user, line)).run(steps)


def _tell(who: str, line: str) -> None:
    sys.stdout.write(f"{who}: {line}\n")
    sys.stdout.flush()
