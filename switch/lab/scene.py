"""The narrated call of `make run`: one real call between two lab telephones, told line by line.

A person at a terminal calls a contact; the contact accepts, tries to join a third line, and the
money runs out. Everything is real: SIP, RTP, prompts, screening, detectors, meter, ledger.
"""

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from switch.admin.control_client import ControlClient
from switch.clock import SystemClock
from switch.errors import LocalError
from switch.lab import sounds
from switch.lab.narrator import Narrator, dollars
from switch.lab.phone import LabPhone, PhoneCall
from switch.lab.scene_terminal import Kind, SceneTerminal, scene_terminal

TERMINAL: Final = "T1"
USER: Final = "lab"
PERSON: Final = "123456"
PIN: Final = "1234561357"
NUMBER: Final = "15552345678"
TALK_MICROS: Final = 71_500
"""Money for 39 seconds at 11 cents a minute: the length of the scene."""

START_S_MAX: Final = 120.0
CALL_S_MAX: Final = 150.0


class Scene:
    """One narrated call.

    Args:
        switch: its process, just started.
        trunk_port: where its trunk leads; the outside's telephone is there.
        data: its data directory.
        narrator: tells it.
        kind: what the terminal is.
    """

    def __init__(
        self,
        switch: subprocess.Popen[bytes],
        *,
        trunk_port: int,
        data: Path,
        narrator: Narrator,
        kind: Kind,
    ) -> None:
        self._switch = switch
        self._trunk_port = trunk_port
        self._data = data
        self._say = narrator
        self._kind = kind
        self._client = ControlClient(data / "control.sock")
        self._call_id = 0
        self._is_closing = False

    async def play(self, *, once: bool) -> None:
        """Place the call, tell it; then serve until stopped, unless `once`."""
        async with scene_terminal(self._kind) as terminal:
            ready = await self._ready()
            host, port = ready["sip"][0].removeprefix("udp:").rsplit(":", 1)
            await self._telephones(terminal, (host, int(port)))
        if not once:
            await self._serve(ready)

    async def _ready(self) -> dict[str, Any]:
        assert self._switch.stdout is not None
        line = await asyncio.wait_for(
            asyncio.to_thread(self._switch.stdout.readline), timeout=START_S_MAX
        )
        if not line:
            raise LocalError("the switch did not start; its message stands above")
        ready: dict[str, Any] = json.loads(line)
        self._say.line("switch", f"serves at {', '.join(ready['sip'])}", **ready)
        return ready

    async def _telephones(self, terminal: SceneTerminal, switch: tuple[str, int]) -> None:
        random = Random(8)  # noqa: S311 - a softphone's tags
        async with (
            LabPhone(
                user="outside",
                port=self._trunk_port,
                switch=switch,
                clock=SystemClock(),
                random=random,
            ) as outside,
            asyncio.timeout(CALL_S_MAX),
        ):
            await self._fund()
            await self._call(terminal, outside, switch)

    # ---- the call

    async def _call(
        self, terminal: SceneTerminal, outside: LabPhone, switch: tuple[str, int]
    ) -> None:
        say = self._say
        password = (self._data / "keys" / f"terminal-{TERMINAL}.password").read_text().strip()
        await terminal.register(switch, USER, password)
        say.line("terminal", f"{TERMINAL} registers by digest: {terminal.about}")
        await terminal.call("call")
        say.line("terminal", "goes off hook; the switch answers and asks for the language")
        await self._state("language", "pin")
        terminal.press("1")
        await self._state("pin")
        say.line("terminal", "keys 1 for English, then the PIN **********")
        terminal.press(PIN)
        await self._number(terminal)
        say.line("terminal", f"dials +{NUMBER}")
        terminal.press(NUMBER)
        there = await self._incoming(terminal, outside)
        there.ring()
        say.line("outside", "rings", first_ring=True)
        await self._screening()
        there.answer()
        say.line("outside", "picks up and hears: who calls, from where, what it costs, the choices")
        await self._state("greeting")
        await asyncio.sleep(1.0)
        there.media.press("1")
        say.line("outside", "presses 1: the call is accepted")
        row = await self._state("talking")
        say.line("switch", "both legs are joined; charging starts", call=row["call"])
        await self._talk(terminal, there)
        await self._told()

    async def _incoming(self, terminal: SceneTerminal, outside: LabPhone) -> PhoneCall:
        """Wait for the call at the outside, or for a refusal at the terminal."""
        async with asyncio.TaskGroup() as group:
            came = group.create_task(outside.incoming())
            refused = group.create_task(terminal.ended.wait())
            await asyncio.wait((came, refused), return_when=asyncio.FIRST_COMPLETED)
            for task in (came, refused):
                task.cancel()
        if came.cancelled():
            raise LocalError(f"the switch ended the call: {terminal.reason}")
        return came.result()

    async def _number(self, terminal: SceneTerminal) -> None:
        """Pass the PIN; the first time the name is asked for, once."""
        row = await self._state("number", "pin", changed_s=1.8)
        if row["state"] == "pin":
            self._say.line("switch", "asks for the name, once; it is kept for the greeting")
            for _ in range(6):
                if (await self._live())["state"] == "number":
                    break
                terminal.say(self._voice("n1", "n2", speed=0.95))
                await asyncio.sleep(1.0)
        await self._state("number")

    async def _screening(self) -> None:
        why = await self._ask("why", "", terminal=TERMINAL, person=PERSON, number=f"+{NUMBER}")
        self._say.line("switch", "screening, condition by condition:")
        for row in why["conditions"]:
            self._say.item(f"{row['row']:>2}  {row['reason']:<18} {row['outcome']}")

    async def _talk(self, terminal: SceneTerminal, there: PhoneCall) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outside_talks(there))
            group.create_task(self._caller_talks(terminal))
            group.create_task(self._watch(terminal))

    async def _outside_talks(self, there: PhoneCall) -> None:
        say, media = self._say, there.media
        media.background = sounds.encode(sounds.hiss(0.02, level=0.003))
        media.say(sounds.hiss(0.3, level=0.003))
        media.say(self._voice("end_called_hangup", "end_time_limit", noise=0.003))
        await asyncio.sleep(9.0)
        say.line("outside", "puts the caller on hold and calls a third person")
        media.hush()
        media.background = sounds.SILENCE
        media.say(sounds.silence(3.0))
        media.say(sounds.tone(sounds.RINGBACK_HZ, 2.0, level=0.06))
        media.say(sounds.silence(1.0))
        await media.said()
        say.line("outside", "a third voice joins")
        media.background = sounds.encode(sounds.hiss(0.02, level=0.012, seed=5))
        media.say(self._voice("end_funds", "end_no_answer", speed=0.72, level=0.4, noise=0.012))
        media.say(self._voice("end_called_hangup", noise=0.012))

    async def _caller_talks(self, terminal: SceneTerminal) -> None:
        for _ in range(4):
            await asyncio.sleep(4.5)
            if terminal.ended.is_set():
                return
            terminal.say(self._voice("end_refused", speed=1.1, noise=0.002))

    async def _watch(self, terminal: SceneTerminal) -> None:
        """Tell balance and detections each second until the terminal is released."""
        seen: set[tuple[str, str, float]] = set()
        while not terminal.ended.is_set():
            for row in (await self._ask("calls", "list", rows=1))["live"]:
                self._call_id = row["call"]
                self._balance(row)
                for found in row["detections"]:
                    key = (found["kind"], found["tier"], found["at"])
                    if key not in seen:
                        seen.add(key)
                        self._say.flag(f"{found['kind']} · {found['tier']}", **found)
            try:
                async with asyncio.timeout(1.0):
                    await terminal.ended.wait()
            except TimeoutError:
                continue
        self._say.line("terminal", f"is released: {terminal.reason}", reason=terminal.reason)

    def _balance(self, row: dict[str, Any]) -> None:
        if row["state"] == "talking" and row["seconds_left"] is not None:
            self._say.line(
                "meter",
                f"{row['talked_s']:>3} s talked   {dollars(row['balance_micros'])} left   "
                f"{row['seconds_left']:>3} s",
                balance_micros=row["balance_micros"],
                seconds_left=row["seconds_left"],
            )
        elif row["state"] == "closing" and not self._is_closing:
            self._is_closing = True
            self._say.line("switch", "the money is used up: talking and charging have stopped")

    async def _told(self) -> None:
        """Print the record, the legs and the ledger."""
        async with asyncio.timeout(10):
            while (await self._ask("calls", "list", rows=1))["live"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        shown = await self._ask("calls", "show", call=self._call_id)
        record = shown["record"]
        spoken = [k for p in record["prompts"] for k in p["prompts"] if k.startswith("end_")]
        self._say.line("switch", f"spoke to both: {', '.join(sorted(set(spoken)))}")
        self._say.table("the call record", {k: record[k] for k in _SHOWN})
        for leg in shown["legs"]:
            self._say.table(f"CDR of leg {leg['side']}", {k: leg[k] for k in _LEG_SHOWN})
        moves = await self._ask("ledger", "show", call=str(self._call_id), rows=20)
        rows = moves["transfers"] if isinstance(moves, dict) else moves
        self._say.rows("the ledger", rows)
        faults = await self._ask("ledger", "verify")
        self._say.line("ledger", f"proves itself: {json.dumps(faults)}")
        self._say.done(record)

    async def _serve(self, ready: dict[str, Any]) -> None:
        where = f"; its page is {ready['web']}/ops" if ready.get("web") else ""
        self._say.line("switch", f"goes on serving{where}. Ctrl-C ends it.")
        if await asyncio.to_thread(self._switch.wait) != 0:
            raise LocalError("the switch ended by itself; its message stands above")

    # ---- asking

    async def _ask(self, noun: str, verb: str, **given: Any) -> Any:  # noqa: ANN401 - JSON
        return await asyncio.to_thread(lambda: self._client.ask(noun, verb, given))

    async def _live(self) -> dict[str, Any]:
        rows = (await self._ask("calls", "list", rows=1))["live"]
        return dict(rows[0]) if rows else {"state": "done", "call": 0}

    async def _state(self, *states: str, changed_s: float = 30.0) -> dict[str, Any]:
        """Wait for the first of these states; after a while any of them will do."""
        loop = asyncio.get_running_loop()
        until = loop.time() + changed_s
        while True:
            row = await self._live()
            late = loop.time() > until
            if row["state"] == states[0] or (late and row["state"] in states):
                return row
            if late and loop.time() > until + 30:
                raise LocalError(f"the call is {row['state']} and not {states[0]}")
            await asyncio.sleep(0.02)

    async def _fund(self) -> None:
        """Give the contact's account money for one scene, whatever was left."""
        accounts = await self._ask("account", "list", kind="", owner="", rows=100)
        account = next(a for a in accounts if a["owner"] == "Jordan Sample")
        missing = TALK_MICROS - account["available_micros"]
        if missing > 0:
            await self._ask(
                "account",
                "fund",
                account=str(account["id"]),
                amount=f"{missing / 1e6:.6f}",
            )

    def _voice(
        self, *keys: str, speed: float = 1.0, level: float = 0.8, noise: float = 0.0
    ) -> sounds.Sound:
        folder = self._data / "prompts" / "en"
        parts = [
            sounds.voice(path, speed=speed, level=level)
            for key in keys
            for path in sorted(folder.glob(f"{key}*.ulaw"))[:1]
        ]
        said = np.concatenate([*parts, sounds.silence(0.2)])
        return said + sounds.hiss(len(said) / sounds.RATE_HZ, level=noise)[: len(said)]


_SHOWN: Final = (
    "call_id", "facility", "terminal", "person", "class", "payer", "acceptance", "talked_s",
    "limit_s", "reason", "released_by", "warnings", "charge", "taxes", "credits",
    "not_recorded_because",
)  # fmt: skip
_LEG_SHOWN: Final = (
    "trunk_or_terminal", "status", "cause", "codec", "packets", "lost", "late", "jitter_ms",
)  # fmt: skip


async def play(scene: Scene, *, once: bool) -> None:
    """Play; Ctrl-C, SIGTERM and a closed window stop it wherever it is."""
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(scene.play(once=once))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
