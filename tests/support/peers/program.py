"""Programs of others that the live tests talk to: found or missed, started, ended."""

import asyncio
import os
import shutil
import socket
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from switch.lab import sounds

REQUIRED = os.environ.get("KINLINE_PEERS") == "required"
"""Set where a missing peer is a failure and not a reason to skip."""

END_S_MAX = 5.0
LISTEN_S_MAX = 20.0
WINDOW_S = 0.5
"""Long enough to tell tones apart, short enough to fit between two slips of a peer's clock."""


def needed(program: str, package: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails where required."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        missing(f"{program} is not installed (package {package})")
    return path


def needed_module(module: str, package: str) -> None:
    """The same for a Python package."""
    if find_spec(module) is None:
        missing(f"{module} is not installed (package {package})")


def missing(what: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(what)
    pytest.skip(what)


@asynccontextmanager
async def running(
    folder: Path,
    *words: str,
    env: Mapping[str, str] | None = None,
    piped: bool = False,
    said: Path | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program in a folder; what it says goes to a file there. Ended on the way out.

    Args:
        folder: where it runs.
        words: the program and its arguments.
        env: more environment.
        piped: its input and output are ours.
        said: the file for what it says; None is `said.log` in its folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (said or folder / "said.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if piped else log,
            stderr=log,
        )
        try:
            yield process
        finally:
            await end(process)


async def listening(port: int) -> None:
    """Wait until a program has a UDP port of loopback: before, whatever is sent there bounces."""
    async with asyncio.timeout(LISTEN_S_MAX):
        while _is_free(port):
            await asyncio.sleep(0.05)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def end(process: asyncio.subprocess.Process) -> None:
    """End it: asked first, then killed."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S_MAX)
        except TimeoutError:
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def write_tone(path: Path, frequency_hz: float, seconds: float = 60.0) -> Path:
    """Write a tone as a WAVE file: 8 kHz, 16 bits, mono."""
    samples = (sounds.tone([frequency_hz], seconds, 0.3) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sounds.RATE_HZ, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def read_wave(path: Path) -> sounds.Sound:
    """Return what a peer recorded. The header may be unfinished: what is there counts."""
    data = path.read_bytes()
    at = data.find(b"data")
    even = data[at + 8 : at + 8 + (len(data) - at - 8) // 2 * 2]
    return np.frombuffer(even, "<i2") / 32768.0


def best_share(sound: sounds.Sound, frequency_hz: float) -> float:
    """Return the largest share of power that a tone has in any window."""
    size = round(WINDOW_S * sounds.RATE_HZ)
    starts = range(0, max(1, len(sound) - size + 1), size // 2)
    return max(sounds.power_at(sound[s : s + size], frequency_hz) for s in starts)
