"""Recordings on the real switch: what is sent is what is kept, and of an attorney nothing is."""

import asyncio
import json
import os
import resource
import signal
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import g711
from switch.errors import UserError
from switch.lab import sounds
from switch.lab.phone import LabPhone
from switch.recording.keys import MasterKey
from switch.recording.reader import RecordingReader, Sound
from tests.support.switch_rig import SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

ATTORNEY = "15553000001"
LENGTH_S_OFF = 0.020


def recorded(text: str) -> str:
    """The open house records, and keeps what it has for a month."""
    rules = "rules = { velocity = false, pan_required = false"
    assert rules in text
    on = 'recording_days = 30, recording_accepted_by = "Sheriff Sample, 2026-11-01"'
    return text.replace(rules, f"{rules}, recording = true, {on}")


def reader_of(rig: SwitchRig) -> RecordingReader:
    master = MasterKey.read(rig.data / "keys" / "recording.key", make=False)
    (path,) = (rig.data / "recordings").rglob("*.rec")
    return RecordingReader(path, master)


def linear(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = g711.ULAW_TO_LINEAR14[codes].astype(np.float64)
    return values


def likeness(kept: NDArray[np.uint8], sent: bytes) -> float:
    """The largest correlation of what was sent with any place of what was kept."""
    there, wanted = linear(kept), linear(np.frombuffer(sent, np.uint8))
    size = 1 << (len(there) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)))
    at = int(np.argmax(product[: len(there)]))
    piece = there[at : at + len(wanted)]
    wanted = wanted[: len(piece)]
    return float(piece @ wanted / np.sqrt((piece @ piece) * (wanted @ wanted)))


def noise(seconds: float, seed: int) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 4000, round(8000 * seconds))
    return bytes(g711.encode_ulaw(samples.astype(np.int16)))


async def talk(rig: SwitchRig, number: str) -> tuple[bytes, bytes]:
    """Let two telephones talk for three seconds; return what each said."""
    outside, gateway = await _phones(rig)
    call = await gateway.call(number)
    await within(10, call.answered)
    there = await next_call(outside)
    there.answer()
    await rig.until("talking")
    left, right = noise(2.0, 1), noise(2.0, 2)
    call.media.say(left)
    there.media.say(right)
    await asyncio.sleep(3.0)
    call.hang_up()
    await within(10, there.ended)
    return left, right


def whole(reader: RecordingReader) -> Sound:
    return reader.sound(0, None)


async def test_what_is_said_is_kept_on_two_channels_as_long_as_the_call(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        left, right = await talk(rig, "15551000001")
        record = await rig.last_record()
        assert record["recorded"] is True, record["not_recorded_because"]
        assert record["not_recorded_because"] == ""
        reader = reader_of(rig)
        assert reader.is_closed
        assert record["hash"] == reader.prove()
        assert record["recording_id"] == reader.header.recording
        assert abs(reader.samples / 8000 - record["talked_s"]) <= LENGTH_S_OFF
        sound = whole(reader)
        assert likeness(sound.samples[0], left) > 0.99
        assert likeness(sound.samples[1], right) > 0.99
        assert likeness(sound.samples[0], right) < 0.1, "the channels are apart"
        held = await rig.quiet()
        assert held["recorders"] == held["tapes"] == 0
        raw = reader.path.read_bytes()
        assert left[1600:1760] not in raw, "nothing lies on the disk in the clear"


async def test_a_privileged_call_leaves_no_recorder_file_or_row(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call(ATTORNEY)
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        call.media.say(sounds.tone([440], 1.0))
        await asyncio.sleep(2.0)
        held = await rig.asked("health")
        assert held["legs"] == 2
        assert held["recorders"] == held["tapes"] == held["recording_files"] == 0
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["recorded"] is False
        assert record["not_recorded_because"] == "privileged"
        assert record["recording_id"] == record["hash"] == ""
        assert list((rig.data / "recordings").rglob("*")) == []


async def test_what_is_exported_is_what_was_said_and_the_trail_knows_who_and_why(
    tmp_path: Path,
) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        left, right = await talk(rig, "15551000001")
        await rig.quiet()  # the sidecar is written last
        (row,) = await rig.asked("recordings", "list")
        assert row["state"] == "closed"
        folder = tmp_path / "case"
        given = await rig.asked(
            "recordings", "export", recording=row["id"], why="case 12", to=str(folder)
        )
        assert len(given["files"]) == 3
        manifest = folder / f"{row['id']}.manifest.json"
        assert (await rig.asked("recordings", "verify", manifest_file=str(manifest)))["sound"]
        said = json.loads(manifest.read_text())
        assert said["why"] == "case 12"
        assert said["source_sha256"] == (await rig.last_record())["hash"]
        with wave.open(str(folder / f"{row['id']}.wav")) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8000)
            frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        for side, sent in ((0, left), (1, right)):
            kept = g711.encode_ulaw(np.ascontiguousarray(frames[:, side]))
            assert likeness(kept, sent) > 0.99
        (folder / f"{row['id']}.wav").write_bytes(b"another sound")
        proved = await rig.asked("recordings", "verify", manifest_file=str(manifest))
        assert proved["faults"] == [f"{row['id']}.wav is not what was exported"]
        with pytest.raises(UserError, match="why"):
            await rig.asked("recordings", "export", recording=row["id"], why=" ", to=str(folder))
        trail = await rig.asked("audit", "list", rows=50)
        exports = [entry for entry in trail if entry["what"] == "recording_exported"]
        assert [(entry["target"], entry["why"]) for entry in exports] == [(row["id"], "case 12")]
        assert any(entry["what"] == "recordings list" for entry in trail)
        assert (await rig.last_record())["listened_by"] == [exports[0]["who"]]


async def test_a_hold_keeps_a_recording_and_a_purge_takes_the_sound_for_good(
    tmp_path: Path,
) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        await talk(rig, "15551000001")
        (row,) = await rig.asked("recordings", "list")
        name = row["id"]
        await rig.asked("recordings", "hold", recording=name, why="court order")
        with pytest.raises(UserError, match="held"):
            await rig.asked("recordings", "purge", recording=name, why="space")
        assert (await rig.asked("recordings", "list"))[0]["held"] is True
        await rig.asked("recordings", "release", recording=name, why="case closed")
        assert (await rig.asked("recordings", "purge", recording=name, why="asked"))["purged"]
        assert [p for p in (rig.data / "recordings").rglob("*") if p.is_file()] == []
        with pytest.raises(UserError, match="removed for good"):
            await rig.asked("recordings", "export", recording=name, why="late", to=str(tmp_path))
        assert (await rig.asked("recordings", "show", recording=name))["holds"][0]["why"]
        trail = [entry["what"] for entry in await rig.asked("audit", "list", rows=50)]
        wanted = ["recording_held", "recording_released", "recording_purged"]
        assert [what for what in trail if what in wanted] == wanted
        assert (await rig.asked("audit", "verify"))["sound"] is True


async def test_a_number_that_becomes_privileged_stops_and_seals_its_recordings(
    tmp_path: Path,
) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        await talk(rig, "15551000001")
        old = (await rig.asked("recordings", "list"))[0]["id"]
        outside, gateway = await _phones(rig)
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        call.media.say(noise(6.0, 3))
        await asyncio.sleep(1.5)
        assert (await rig.asked("health"))["recorders"] == 1
        await rig.asked(
            *("privileged", "add"),
            number="+15551000001",
            name="Casey Counsel",
            by="legal",
        )
        await asyncio.sleep(0.5)
        held = await rig.asked("health")
        assert (held["calls"], held["recorders"], held["tapes"]) == (1, 0, 0)
        await asyncio.sleep(1.5)
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record(2)
        assert record["recorded"] is False
        assert record["not_recorded_because"] == "privileged"
        rows = await rig.asked("recordings", "list")
        assert {row["sealed_because"] for row in rows} == {"privileged"}
        assert rows[0]["seconds"] < 2.5
        for name in (old, rows[0]["id"]):
            with pytest.raises(UserError, match="sealed"):
                await rig.asked("recordings", "export", recording=name, why="x", to=str(tmp_path))
            with pytest.raises(UserError, match="sealed"):
                await rig.asked("recordings", "play", recording=name, why="x")


async def test_a_full_disk_ends_the_recording_and_not_the_call(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        outside, gateway = await _phones(rig)
        (worker,) = (await rig.asked("health"))["worker_pids"]
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (30_000, 30_000))
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        said = noise(4.0, 1)
        call.media.say(said)
        await asyncio.sleep(5.0)
        assert (await rig.asked("health"))["calls"] == 1
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"
        assert record["talked_s"] > 4.5
        assert record["recorded"] is False
        assert record["not_recorded_because"] == "disk"
        (row,) = await rig.asked("recordings", "list")
        assert (row["because"], row["seconds"]) == ("disk", 1.0)
        assert likeness(whole(reader_of(rig)).samples[0], said[:6400]) > 0.9
        assert "recording_disk" in rig.log_text()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda text: text.replace(", recording_days = 30", ""), "retention"),
        (lambda text: text.replace("recording = true, ", ""), "facility"),
        (lambda text: text.replace("Sheriff Sample, 2026-11-01", ""), "acceptance"),
        (
            lambda text: text.replace(
                "treatment = { passive = true }",
                "treatment = { passive = true, recorded = false }",
                1,
            ),
            "number",
        ),
        (lambda text: f"{text}\n[recording]\nfree_mb_min = 1_000_000\n", "disk"),
    ],
)
async def test_a_call_that_is_not_recorded_says_why(
    tmp_path: Path, changed: Callable[[str], str], why: str
) -> None:
    async with SwitchRig(tmp_path, edit=lambda text: changed(recorded(text))) as rig:
        outside, gateway = await _phones(rig)
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        await asyncio.sleep(1.0)
        assert (await rig.asked("health"))["recorders"] == 0
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert (record["recorded"], record["not_recorded_because"]) == (False, why)
        assert record["reason"] == "caller_hangup"
        assert await rig.asked("recordings", "list") == []


async def test_a_site_that_refuses_to_talk_unrecorded_ends_with_its_reason_and_credit(
    tmp_path: Path,
) -> None:
    def strict(text: str) -> str:
        return recorded(text).replace(
            "recording_days = 30", "recording_days = 30, refuse_unrecorded = true"
        )

    async with SwitchRig(tmp_path, edit=strict) as rig:
        outside, gateway = await _phones(rig)
        (worker,) = (await rig.asked("health"))["worker_pids"]
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (30_000, 30_000))
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        await within(20, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "recorder_failure"
        assert record["credits"]
        assert (await rig.asked("ledger", "verify"))["sound"] is True
        assert call.ended is not None


async def _only(rig: SwitchRig) -> int:
    """The one worker that is there; 0 while there is none."""
    pids = (await rig.asked("health"))["worker_pids"]
    return int(pids[0]) if len(pids) == 1 else 0


async def _phones(rig: SwitchRig) -> tuple[LabPhone, LabPhone]:
    """The two telephones, opened once."""
    if not hasattr(rig, "phones"):
        rig.phones = (await rig.outside(), await rig.gateway())  # type: ignore[attr-defined]
    phones: tuple[LabPhone, LabPhone] = rig.phones  # type: ignore[attr-defined]
    return phones


UNWRITTEN_S_MAX = 2.5
"""Sound waits 0.2 s for late packets, then up to a second for its second and one for its turn."""


async def test_a_worker_that_is_killed_leaves_a_gap_and_its_heir_goes_on(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=recorded) as rig:
        outside, gateway = await _phones(rig)
        call = await gateway.call("15551000001")
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        async with asyncio.timeout(10):
            while not (await rig.asked("health"))["recorders"]:
                await asyncio.sleep(0.05)
        before, after = noise(2.0, 1), noise(2.0, 2)
        call.media.say(before)
        await asyncio.sleep(2.0 + UNWRITTEN_S_MAX)
        (worker,) = (await rig.asked("health"))["worker_pids"]
        os.kill(worker, signal.SIGKILL)
        killed_at = rig.clock.monotonic()
        async with asyncio.timeout(30):
            while not (await rig.asked("health"))["recorders"] or await _only(rig) == worker:
                await asyncio.sleep(0.1)
        silent_s = rig.clock.monotonic() - killed_at
        await asyncio.sleep(0.5)
        call.media.say(after)
        await asyncio.sleep(3.0)
        call.hang_up()
        await within(10, there.ended)
        record = await rig.last_record()
        assert record["reason"] == "caller_hangup"
        assert record["recorded"] is True, record["not_recorded_because"]
        reader = reader_of(rig)
        assert reader.is_closed
        assert record["hash"] == reader.prove()
        assert abs(reader.samples / 8000 - record["talked_s"]) <= LENGTH_S_OFF
        sound = whole(reader)
        assert likeness(sound.samples[0], before) > 0.99
        assert likeness(sound.samples[0], after) > 0.99
        longest = max(length for _, length in sound.gaps[0]) / 8000
        assert 0.02 < longest < silent_s + UNWRITTEN_S_MAX, "nobody heard it, or wrote it yet"
