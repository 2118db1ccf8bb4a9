"""What the real switch detects in a call is what `kinline inspect` finds in its bank's input."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from switch.media import inspect_file
from tests.corpus import scenes, tones
from tests.corpus.voices import WOMAN, noise, silence, talk
from tests.support.switch_rig import ROOT, SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

TAP = ROOT / "tests" / "support" / "tap"
Facts = list[tuple[str, str, str, str]]


def facts(events: list[dict[str, Any]]) -> Facts:
    """Leg, kind, tier and value of each event, by time."""
    ordered = sorted(events, key=lambda event: float(event["t_s"]))
    return [(e["leg"], e["kind"], e["tier"], e.get("value", "")) for e in ordered]


def inspected(folder: Path, name: str) -> list[dict[str, Any]]:
    """What `kinline inspect` prints for a tapped call."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(folder / f"{name}.wav"), "--sidecar", str(folder / f"{name}.json"), "--json"]
    assert inspect_file.main(words, out, err) == 0, err.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def many_facts() -> tuple[bytes, bytes]:
    """The terminal keys digits in the sound; outside are tones, a TTY and keys."""
    rng = np.random.default_rng(3)
    b = [talk(WOMAN, 2.0, rng), tones.dial_tone(0.6), silence(0.5), tones.ringback(2.0)]
    b += [silence(0.5), tones.sit("SSL", "LLL"), silence(0.5), tones.busy(3)]
    b += [tones.digits("5551234", 0.1, 0.1), talk(WOMAN, 1.0, rng), tones.tty(2.0, rng)]
    sound = np.concatenate(b)
    sound = sound + noise(len(sound) / 8000 + 1, -55, rng)[: len(sound)]
    a = np.concatenate([silence(1.0), tones.digits("19*0", 0.1, 0.1)])
    return scenes.frames(a).tobytes(), scenes.frames(sound).tobytes()


async def played(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sounds: tuple[bytes, bytes], hold_s: float = 0.0
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Let two lab telephones say it through the switch; return the bank's events, the record."""
    taps = folder / "taps"
    taps.mkdir()
    monkeypatch.setenv("KINLINE_TEST_TAP", str(taps))
    monkeypatch.setenv("PYTHONPATH", f"{TAP}:{ROOT}")
    async with SwitchRig(folder) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call("15551000001")
        await within(10, call.answered)
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        call.media.say(sounds[0])
        there.media.say(sounds[1])
        if hold_s:
            await asyncio.sleep(hold_s)
            there.hold()
        await there.media.said()
        await asyncio.sleep(1.0)
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        async with asyncio.timeout(10):
            while not (found := list(taps.glob("*.events"))):
                await asyncio.sleep(0.1)
    return json.loads(found[0].read_text()), record


async def test_tones_and_keys_in_a_live_call_are_those_of_inspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, record = await played(tmp_path, monkeypatch, many_facts())
    assert facts(inspected(tmp_path / "taps", "call-0")) == facts(live)
    kinds = {event["kind"] for event in live}
    assert kinds >= {"dtmf", "dial_tone", "ringback", "sit", "busy", "tty", "extra_digits"}
    told = {kind for _, kind, _, _ in facts(live)} - {"dtmf"}
    assert {event["kind"] for event in record["evidence"]} == told


async def test_a_third_party_in_a_live_call_is_that_of_inspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = scenes.second_call(1)
    sounds = (scene.a.tobytes(), scene.b.tobytes())
    live, record = await played(tmp_path, monkeypatch, sounds, scene.held_s)
    found = inspected(tmp_path / "taps", "call-0")
    assert facts(found) == facts(live)
    alarms = [event for event in live if event["kind"] == "three_way"]
    assert alarms, facts(live)
    scores = [event["score_nats"] for event in found if event["kind"] == "three_way"]
    assert scores == pytest.approx([event["score_nats"] for event in alarms], abs=0.5)
    kept = [event for event in record["evidence"] if event["kind"] == "three_way"]
    assert facts(kept) == facts(alarms)
