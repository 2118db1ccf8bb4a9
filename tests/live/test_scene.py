import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from switch.lab.scene import TALK_MICROS
from tests.support.peers.program import needed_module, running
from tests.support.switch_rig import ROOT, free_port, prompts

pytestmark = [pytest.mark.live, pytest.mark.slow]

SCENE_S_MAX = 180.0
STOP_S_MAX = 30.0

Event = dict[str, Any]


def lab_config(folder: Path) -> Path:
    """The lab's own configuration on ports of the test."""
    shutil.copytree(ROOT / "config", folder / "config")
    config = folder / "config" / "lab.toml"
    text = config.read_text()
    for port in (":5070", "= 1884", "= 15090"):
        assert port in text
        sign = port.rstrip("0123456789")
        text = text.replace(port, f"{sign}{free_port()}")
    if "[web]" not in text:
        text += "\n[web]\nport = 0\n"
    config.write_text(text)
    prompts(folder / "data")
    return config


@asynccontextmanager
async def scene(folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    config = lab_config(folder)
    async with running(
        ROOT,
        *(sys.executable, "-m", "switch", "lab", "scene", "--json"),
        *("--config", str(config), "--data", str(folder / "data"), *words),
        said=folder / "said.log",
        piped=True,
    ) as process:
        yield process


async def event_of(process: asyncio.subprocess.Process, name: str) -> Event:
    assert process.stdout is not None
    async with asyncio.timeout(SCENE_S_MAX):
        while line := await process.stdout.readline():
            event: Event = json.loads(line)
            if name in event:
                return event
    raise AssertionError(f"the scene ended without {name}")


async def told(folder: Path, terminal: str) -> list[Event]:
    async with scene(folder, "--once", "--terminal", terminal) as process:
        async with asyncio.timeout(SCENE_S_MAX):
            out, _ = await process.communicate()
        assert process.returncode == 0, (folder / "said.log").read_text()[-3000:]
        return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("terminal", ["pyvoip", "lab"])
async def test_the_narrated_call_is_flagged_cut_at_zero_and_charged_exactly(
    tmp_path: Path, terminal: str
) -> None:
    if terminal == "pyvoip":
        needed_module("pyVoIP", "pyVoIP, of the extra `lab`")
    events = await told(tmp_path, terminal)
    record = next(event["done"] for event in events if "done" in event)
    assert (record["reason"], record["released_by"]) == ("funds", "switch")
    assert record["charge"] == TALK_MICROS
    assert record["talked_s"] == pytest.approx(39.0, abs=0.1)
    assert record["acceptance"]["how"] == "1"
    flags = [event for event in events if event.get("who") == "flag"]
    three_way = next(event for event in flags if event["kind"] == "three_way")
    assert three_way["tier"] in {"warn", "cut_eligible"}
    released = next(event for event in events if "reason" in event and "done" not in event)
    assert released["at_s"] > three_way["at_s"]
    assert 'text="funds"' in released["reason"]
    said = [key for prompt in record["prompts"] for key in prompt["prompts"]]
    assert said.count("end_funds") == 2
    left = [event["seconds_left"] for event in events if event.get("who") == "meter"]
    assert left == sorted(left, reverse=True)
    assert len(left) > 30
    proof = next(event for event in events if event.get("who") == "ledger")
    assert '"sound": true' in proof["text"]


async def test_a_stopped_scene_takes_its_switch_with_it(tmp_path: Path) -> None:
    async with scene(tmp_path, "--terminal", "lab") as process:
        await event_of(process, "first_ring")
        process.terminate()
        async with asyncio.timeout(STOP_S_MAX):
            assert await process.wait() == 0
        assert not (tmp_path / "data" / "control.sock").exists()
