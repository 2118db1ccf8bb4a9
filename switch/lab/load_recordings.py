"""Are the recordings of a load what was said in it? Each file, after its call.

A file must decode to its end, be as long as its call's record says, and hold on each channel what
that side has sent, at full likeness. What the load has said is made again from its talk: where a
leg began, and how many frames it said.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.admin.control_client import ControlClient
from switch.call.switchboard.recordings import folder_of, kept_settings, master_key
from switch.lab import sounds
from switch.lab.load_calls import Said
from switch.lab.load_media import Bytes
from switch.recording.file_format import RecordingError
from switch.recording.keys import MasterKey
from switch.recording.reader import RecordingReader

LENGTH_MS_OFF_MAX: Final = 20.0
"""How much a recording may be longer or shorter than its call: a frame. Chosen."""

LIKENESS_MIN: Final = 0.95
"""Correlation of what was kept with what was sent, over the whole talk. Chosen: the bytes are the
same, but of a talk of a second a frame or two may be lost on a busy machine."""

SEEK_SAMPLES: Final = 4 * sounds.RATE_HZ
"""The talk's first so many samples are looked for in the file. Chosen: enough to be found once."""

CLOSED_S_MAX: Final = 20.0
"""How long the last files may take to be closed after their calls. Chosen."""


@dataclass(slots=True)
class Verdict:
    """What was found in all files."""

    calls: int = 0
    files: int = 0
    length_off_ms: float = 0.0
    """The worst."""
    likeness: float = 1.0
    """The least."""
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it; the first faults only."""
        return {
            "calls": self.calls,
            "files": self.files,
            "length_off_ms_max": round(self.length_off_ms, 2),
            "likeness_min": round(self.likeness, 4),
            "spoilt": len(self.faults),
            "faults": self.faults[:10],
        }


class RecordingJudge:
    """Looks at the recordings of the calls that end after it was made.

    Args:
        client: of the switch.
        data: its data folder.
        sound: [frames, 160] the talk that every leg says a stretch of.
    """

    def __init__(self, client: ControlClient, data: Path, sound: Bytes) -> None:
        self._client = client
        self._data = data
        self._sound = sound
        self._position: int = client.ask("calls", "after", {"position": None})["position"]

    async def judge(self, said: Sequence[Said]) -> Verdict:
        """Return what became of the recordings of these calls."""
        settings = kept_settings(self._data)
        folder, master = folder_of(settings, self._data), master_key(settings, self._data)
        records = await self._records(len(said))
        by_number: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in sorted(records, key=lambda one: int(one["call_id"])):
            by_number[str(record["number"]).lstrip("+")].append(record)
        files = {path.stem: path for path in folder.rglob("*.rec")}
        verdict = Verdict(calls=len(said))
        for one in said:
            mine = by_number[one.number]
            if not mine:
                verdict.faults.append(f"{one.number}: the call has no record")
                continue
            path = files.get(str((record := mine.pop(0))["recording_id"]))
            await asyncio.to_thread(self._look_at, one, record, path, master, verdict)
        return verdict

    async def _records(self, count: int) -> list[dict[str, Any]]:
        """Return the records since then, as soon as that many of them know their recording."""
        found: dict[str, dict[str, Any]] = {}
        loop = asyncio.get_running_loop()
        until = loop.time() + CLOSED_S_MAX
        while True:
            found.update([(str(one["call_id"]), one) async for one in self._all_after()])
            done = sum(bool(one["hash"] or one["not_recorded_because"]) for one in found.values())
            if done >= count or loop.time() > until:
                return list(found.values())
            await asyncio.sleep(0.5)

    async def _all_after(self) -> Any:  # noqa: ANN401 - an asynchronous iterator of rows
        position = self._position
        while True:
            given = {"position": position}
            answer = await asyncio.to_thread(self._client.ask, "calls", "after", given)
            for record in answer["records"]:
                yield record
            if answer["position"] == position:
                return
            position = answer["position"]

    def _look_at(
        self,
        said: Said,
        record: dict[str, Any],
        path: Path | None,
        master: MasterKey,
        verdict: Verdict,
    ) -> None:
        if path is None:
            why = record["not_recorded_because"] or "no file"
            verdict.faults.append(f"{said.number}: not recorded: {why}")
            return
        try:
            reader = RecordingReader(path, master)
            kept = reader.sound().samples
        except (RecordingError, OSError) as error:
            verdict.faults.append(f"{said.number}: {error}")
            return
        verdict.files += 1
        off_ms = abs(reader.samples / sounds.RATE_HZ - float(record["talked_s"])) * 1e3
        verdict.length_off_ms = max(verdict.length_off_ms, off_ms)
        sides = zip(kept, (said.near, said.far), strict=True)
        likeness = least_likeness((channel, self._sent(*side)) for channel, side in sides)
        verdict.likeness = min(verdict.likeness, likeness)
        verdict.faults += [
            f"{said.number}: {fault}" for fault in faults_of(reader, off_ms, likeness, record)
        ]

    def _sent(self, start: int, frames: int) -> Bytes:
        sent: Bytes = self._sound[(start + np.arange(frames)) % len(self._sound)].ravel()
        return sent


def faults_of(
    reader: RecordingReader, off_ms: float, likeness: float, record: dict[str, Any]
) -> Iterator[str]:
    """Tell what is wrong with one recording."""
    if not reader.is_closed:
        yield "the file has no end"
    elif reader.prove() != record["hash"]:
        yield "the file is not the one that was registered"
    if off_ms > LENGTH_MS_OFF_MAX:
        yield f"{off_ms:.0f} ms longer or shorter than the call"
    if likeness < LIKENESS_MIN:
        yield f"only {likeness:.3f} alike"


def least_likeness(sides: Iterable[tuple[Bytes, Bytes]]) -> float:
    """Return the least likeness of what was kept and sent; a side that said nothing has none."""
    return min((likeness_of(kept, sent) for kept, sent in sides if sent.size), default=1.0)


def likeness_of(kept: Bytes, sent: Bytes) -> float:
    """Return the correlation of all that was sent with what was kept, where it fits best.

    Args:
        kept: u-law.
        sent: u-law; 0.0 if nothing was sent, or what was kept is shorter.
    """
    there, wanted = sounds.decode(kept.tobytes()), sounds.decode(sent.tobytes())
    if not wanted.size or there.size < wanted.size:
        return 0.0
    at = _place(there, wanted[:SEEK_SAMPLES])
    piece = there[at : at + wanted.size]
    wanted = wanted[: piece.size]
    power = float((piece @ piece) * (wanted @ wanted))
    return float(piece @ wanted) / power**0.5 if power else 0.0


def _place(there: NDArray[np.float64], wanted: NDArray[np.float64]) -> int:
    """Return where a piece fits best."""
    size = 1 << (there.size + wanted.size).bit_length()
    product = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)))
    return int(np.argmax(product[: there.size]))
