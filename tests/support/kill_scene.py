"""Media workers are killed at random moments under live calls, and what became of the calls."""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from switch.lab.phone import LabPhone, PhoneCall
from tests.support.switch_rig import SwitchRig, within

GAP_S_MIN = 0.1
"""A shorter pause between two packets is the machine's, not a worker's death. Chosen."""


@dataclass
class Talk:
    """One call, each side saying a byte that nobody else says."""

    number: str
    here: PhoneCall
    there: PhoneCall

    def sides(self) -> tuple[PhoneCall, PhoneCall]:
        return self.here, self.there


@dataclass
class KillScene:
    """Calls from the gateway to the outside, while workers die.

    Args:
        rig: the switch.
        calls: how many.
        seed: decides when a worker dies.
    """

    rig: SwitchRig
    calls: int
    seed: int
    talks: list[Talk] = field(default_factory=list)
    killed_at: list[float] = field(default_factory=list)
    """Loop times."""

    async def place(self) -> None:
        """Place all calls and wait until all talk."""
        gateway = await self.rig.gateway()
        outside = await self.rig.outside()
        for n in range(self.calls):
            number = f"1555100{n:04d}"
            call = await gateway.call(number)
            there = await self._there(outside, number)
            call.media.background, there.media.background = _sound(n, 0), _sound(n, 1)
            there.answer()
            self.talks.append(Talk(number, call, there))
        async with asyncio.timeout(60):
            while await self.talking() < self.calls or not await self._has_spare():
                await asyncio.sleep(0.2)

    async def _there(self, outside: LabPhone, number: str) -> PhoneCall:
        async with asyncio.timeout(30):
            while True:
                for call in outside.calls:
                    if call.invite is not None and f"+{number}@" in call.invite.uri:
                        return call
                await asyncio.sleep(0.01)

    async def talking(self) -> int:
        """How many calls talk."""
        rows = (await self.rig.asked("calls", "list", rows=1))["live"]
        return sum(row["state"] == "talking" for row in rows)

    async def _has_spare(self) -> bool:
        return bool((await self.rig.asked("health"))["workers_spare"])

    async def kill(self, times: int, *, apart_s: tuple[float, float]) -> None:
        """Kill a worker that carries calls, so many times, at random moments."""
        random, loop = Random(self.seed), asyncio.get_running_loop()
        for _ in range(times):
            await asyncio.sleep(random.uniform(*apart_s))
            pids = await self._workers()
            self.killed_at.append(loop.time())
            os.kill(random.choice(pids), signal.SIGKILL)
        await asyncio.sleep(1.0)
        await self._workers()
        await asyncio.sleep(1.0)

    async def _workers(self) -> list[int]:
        """Wait until all calls have a worker; on a busy machine one is long in coming."""
        async with asyncio.timeout(60):
            while True:
                health = await self.rig.asked("health")
                if health["worker_pids"] and health["legs"] == 2 * self.calls:
                    return list(health["worker_pids"])
                await asyncio.sleep(0.1)

    def gaps_s(self) -> list[float]:
        """For each kill and each side that lost sound by it: how long it heard nothing."""
        gaps: list[float] = []
        ends = [*self.killed_at[1:], float("inf")]
        for side in (phone for talk in self.talks for phone in talk.sides()):
            times = [one.at for one in side.media.heard]
            for killed, end in zip(self.killed_at, ends, strict=True):
                around = [at for at in times if killed - 1 < at < end]
                over = [b - a for a, b in pairwise(around) if b > killed and a < killed + 0.1]
                gaps += [gap for gap in over if gap > GAP_S_MIN]
        return gaps

    def heard_after_the_last_kill(self) -> list[bool]:
        """Tell of each side whether it heard the other one, and only it, again."""
        last = self.killed_at[-1]
        found = []
        for n, talk in enumerate(self.talks):
            for side, phone in enumerate(talk.sides()):
                late = {one.payload for one in phone.media.heard if one.at > last + 0.02}
                everything = {one.payload for one in phone.media.heard}
                wanted = _sound(n, 1 - side)
                found.append(wanted in late and not (everything - {wanted}) & _others(n))
        return found

    async def hang_up(self) -> None:
        """End all calls from the caller's side."""
        for talk in self.talks:
            talk.here.hang_up()
            await asyncio.sleep(0.005)
        for talk in self.talks:
            await within(20, talk.there.ended)


def _sound(n: int, side: int) -> bytes:
    """One frame of 20 ms that is known again byte by byte."""
    return bytes([0x10 + n % 100, 0x90 + side]) * 80


def _others(n: int) -> set[bytes]:
    return {_sound(m, s) for m in range(100) for s in (0, 1) if m != n % 100}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
