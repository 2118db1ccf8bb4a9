"""The narrated call of `make run`: one real call between two lab telephones, told line by line.

A person at a terminal calls a contact; the contact accepts, tries to join a third line, and the
money runs out. Everything is real: SIP, RTP, prompts, screening, detectors, meter, ledger.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from switch.admin.control_socket import ControlClient
from switch.clock import SystemClock
from switch.errors import KinlineError, LocalError
from switch.lab import sounds
from switch.lab.narrator import Narrator, dollars
from switch.lab.phone import LabPhone, PhoneCall

TERMINAL: Final = "T1"
PERSON: Final = "123456"
PIN: Final = "1234561357"
NUMBER: Final = "15552345678"
TRUNK_PORT: Final = 15090
TALK_MICROS: Final = 71_500
"""Money for 39 seconds at 11 cents a minute: the length of the scene."""

KEY_MS: Final = 40
KEY_GAP_FRAMES: Final = 1
"""Keys as a speed dialler presses them: the shortest that ITU-T Q.24 wants accepted."""

START_S_MAX: Final = 120.0
CALL_S_MAX: Final = 150.0


class Scene:
    """One narrated call.

    Args:
        config: the configuration of the lab.
        data: its data directory.
        narrator: tells it.
    """

    def __init__(self, config: Path, data: Path, narrator: Narrator) -> None:
        self._config = config
        self._data = data
        self._say = narrator
        self._client = ControlClient(data / "control.sock")
        self._clock = SystemClock()
        self._switch: subprocess.Popen[bytes] | None = None
        self._call_id = 0

    async def play(self, *, once: bool) -> None:
        """Start the switch, place the call, tell it; then serve until stopped, unless `once`."""
        try:
            ready = await self._start()
            host, port = ready["sip"][0].removeprefix("udp:").rsplit(":", 1)
            await self._telephones((host, int(port)))
            if not once:
                await self._serve(ready)
        finally:
            self._end()

    async def _start(self) -> dict[str, Any]:
        words = ["-m", "switch", "run", "--config", str(self._config), "--data", str(self._data)]
        self._switch = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE)  # noqa: S603, ASYNC220 - ourselves; returns at once
        assert self._switch.stdout is not None
        line = await asyncio.wait_for(
            asyncio.to_thread(self._switch.stdout.readline), timeout=START_S_MAX
        )
        if not line:
            raise LocalError("the switch did not start; its message stands above")
        ready: dict[str, Any] = json.loads(line)
        self._say.line("switch", f"serves at {', '.join(ready['sip'])}", **ready)
        return ready

    async def _telephones(self, switch: tuple[str, int]) -> None:
        password = (self._data / "keys" / f"terminal-{TERMINAL}.password").read_text().strip()
        random = Random(7)  # noqa: S311 - a softphone's tags
        made = {"switch": switch, "clock": self._clock, "random": random}
        async with (
            LabPhone(user="lab", password=password, **made) as terminal,  # type: ignore[arg-type]
            LabPhone(user="outside", port=TRUNK_PORT, **made) as outside,  # type: ignore[arg-type]
            asyncio.timeout(CALL_S_MAX),
        ):
            await self._fund()
            await self._call(terminal, outside)

    # ---- the call

    async def _call(self, terminal: LabPhone, outside: LabPhone) -> None:
        say = self._say
        answer = await terminal.register()
        if answer is None or answer.status != 200:
            raise LocalError(f"the terminal could not register: {answer}")
        say.line("terminal", f"{TERMINAL} registers by digest: {answer.status} {answer.reason}")
        call = await terminal.call("call")
        await call.answered.wait()
        say.line("terminal", "goes off hook; the switch answers and asks for the language")
        await self._state("language", "pin")
        call.media.press("1", on_ms=KEY_MS)
        await self._state("pin")
        say.line("terminal", "keys 1 for English, then the PIN **********")
        call.media.press(PIN, on_ms=KEY_MS, gap_frames=KEY_GAP_FRAMES)
        await self._number(call)
        say.line("terminal", f"dials +{NUMBER}")
        call.media.press(NUMBER, on_ms=KEY_MS, gap_frames=KEY_GAP_FRAMES)
        there = await outside.incoming()
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
        await self._talk(call, there)
        await self._told()

    async def _number(self, call: PhoneCall) -> None:
        """Pass the PIN; the first time the name is asked for, once."""
        row = await self._state("number", "pin", changed_s=1.8)
        if row["state"] == "pin":
            self._say.line("switch", "asks for the name, once; it is kept for the greeting")
            for _ in range(6):
                if (await self._live())["state"] == "number":
                    break
                call.media.say(self._voice("n1", "n2", speed=0.95))
                await asyncio.sleep(1.0)
        await self._state("number")

    async def _screening(self) -> None:
        why = await self._ask("why", "", terminal=TERMINAL, person=PERSON, number=f"+{NUMBER}")
        self._say.line("switch", "screening, condition by condition:")
        for row in why["conditions"]:
            self._say.item(f"{row['row']:>2}  {row['reason']:<18} {row['outcome']}")

    async def _talk(self, call: PhoneCall, there: PhoneCall) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outside_talks(there))
            group.create_task(self._caller_talks(call))
            group.create_task(self._watch(call))

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

    async def _caller_talks(self, call: PhoneCall) -> None:
        call.media.background = sounds.encode(sounds.hiss(0.02, level=0.002, seed=3))
        for _ in range(4):
            await asyncio.sleep(4.5)
            if call.ended.is_set():
                return
            call.media.say(self._voice("end_refused", speed=1.1, noise=0.002))

    async def _watch(self, call: PhoneCall) -> None:
        """Tell balance and detections each second until the caller's side is released."""
        seen: set[tuple[str, str, float]] = set()
        while not call.ended.is_set():
            rows = (await self._ask("calls", "list", rows=1))["live"]
            for row in rows:
                self._call_id = row["call"]
                self._balance(row)
                for found in row["detections"]:
                    key = (found["kind"], found["tier"], found["at"])
                    if key not in seen:
                        seen.add(key)
                        self._say.flag(f"{found['kind']} · {found['tier']}", **found)
            try:
                async with asyncio.timeout(1.0):
                    await call.ended.wait()
            except TimeoutError:
                continue
        self._say.line("terminal", f"is released: {call.reason}", reason=call.reason)

    def _balance(self, row: dict[str, Any]) -> None:
        if row["state"] == "talking" and row["seconds_left"] is not None:
            self._say.line(
                "meter",
                f"{row['talked_s']:>3} s talked   {dollars(row['balance_micros'])} left   "
                f"{row['seconds_left']:>3} s",
                balance_micros=row["balance_micros"],
                seconds_left=row["seconds_left"],
            )
        elif row["state"] == "closing":
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
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()

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

    def _end(self) -> None:
        if self._switch is None or self._switch.poll() is not None:
            return
        self._switch.send_signal(signal.SIGTERM)
        self._switch.send_signal(signal.SIGTERM)
        try:
            self._switch.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._switch.kill()


_SHOWN: Final = (
    "call_id", "facility", "terminal", "person", "class", "payer", "acceptance", "talked_s",
    "limit_s", "reason", "released_by", "warnings", "charge", "taxes", "credits",
    "not_recorded_because",
)  # fmt: skip
_LEG_SHOWN: Final = (
    "trunk_or_terminal", "status", "cause", "codec", "packets", "lost", "late", "jitter_ms",
)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """`kinline lab scene`: carry it out; return the exit code."""
    parser = argparse.ArgumentParser(prog="kinline lab scene", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/lab.toml"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--once", action="store_true", help="end after the call")
    parser.add_argument("--json", action="store_true", help="one JSON line per event")
    given = parser.parse_args(argv)
    narrator = Narrator(sys.stdout, as_json=given.json)
    try:
        asyncio.run(Scene(given.config, given.data, narrator).play(once=given.once))
    except (KinlineError, TimeoutError, OSError) as error:
        sys.stderr.write(f"kinline: the scene failed: {str(error) or 'no answer in time'}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0
