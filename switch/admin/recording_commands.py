"""`kinline recordings …`: list, show, play, export, hold, release, purge; all of it in the trail.

Nothing is heard of a sealed recording, of a number that is privileged now, or while the privileged
register cannot be proved whole. A file that is not the one that was closed is refused.
"""

import asyncio
import secrets
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import ROWS, open_house, option
from switch.call.switchboard import recordings
from switch.errors import UserError
from switch.recording import export
from switch.recording.export import Given as GivenFile
from switch.recording.file_format import RATE_HZ
from switch.recording.reader import RecordingReader, seconds
from switch.recording.settings import RecordingSettings
from switch.store.record_store import utc_text
from switch.store.recording_store import Recording, RecordingStore

Given = Mapping[str, Any]

ID: Final = Argument(name="recording", help="its id, as `kinline recordings list` shows it")
WHY: Final = Argument(name="--why", help="the reason; kept for good")
FROM: Final = option("--from-s", "from this second on", kind=float, default=0.0)
UNTIL: Final = option("--until-s", "up to this second; 0: to its end", kind=float, default=0.0)


def _settings(desk: Desk) -> tuple[RecordingSettings, Path]:
    data = desk.store.path.parent
    return recordings.kept_settings(data), data


async def _row(desk: Desk, given: Given) -> Recording:
    found = await RecordingStore(desk.store).get(given["recording"])
    if found is None:
        raise UserError(
            f"There is no recording {given['recording']}. `kinline recordings list` shows them."
        )
    return found


async def _audible(desk: Desk, given: Given) -> tuple[Recording, RecordingReader]:
    """Return a recording that may be heard.

    Raises:
        UserError: it may not, or it is gone.
    """
    row = await _row(desk, given)
    if row.sealed_at is not None:
        raise UserError(
            f"The recording {row.id} is sealed ({row.sealed_because}). Nobody plays it."
        )
    if row.state == "purged":
        raise UserError(f"The recording {row.id} was removed for good.")
    house = await open_house(desk)
    answer = house.register.answer(row.number, facility=row.facility, person=row.person or None)
    if not answer.whole:
        raise UserError(
            f"The privileged register cannot be proved whole ({house.register.fault}). Until it is,"
            " nothing is listened to. `kinline privileged verify` says more."
        )
    if answer.entry is not None:
        raise UserError(f"The number of the recording {row.id} is privileged. Nobody plays it.")
    settings, data = _settings(desk)
    path = recordings.folder_of(settings, data) / row.path
    try:
        master = recordings.master_key(settings, data)
        reader = await asyncio.to_thread(RecordingReader, path, master)
        if row.sha256 and await asyncio.to_thread(reader.prove) != row.sha256:
            raise UserError(f"{path} is not the file that was closed: its hash is another one.")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return row, reader


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rows = await RecordingStore(desk.store).find_all(
        call=given["call"],
        facility=given["facility"],
        person=given["person"],
        number=given["number"],
        state=given["state"],
        rows_max=given["rows"],
    )
    return [_shown(row) for row in rows]


def _shown(row: Recording) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(row)
    for name in ("began_at", "keep_until", "sealed_at", "purged_at"):
        values[name] = utc_text(values[name]) if values[name] is not None else None
    values["seconds"] = seconds(row.samples)
    return values


async def _show(desk: Desk, given: Given) -> dict[str, Any]:
    row = await _row(desk, given)
    return {"recording": _shown(row), "holds": await RecordingStore(desk.store).holds(row.id)}


def _range(given: Given, reader: RecordingReader) -> tuple[int, int]:
    first = round(given["from_s"] * RATE_HZ)
    until = round(given["until_s"] * RATE_HZ) or reader.samples
    if not 0 <= first < until:
        raise UserError("--from-s must be before --until-s.")
    if first >= reader.samples:
        raise UserError(f"The recording has {seconds(reader.samples)} s.")
    return first, until


async def _export(desk: Desk, given: Given) -> dict[str, Any]:
    if given["format"] == "opus" and export.opus_program() is None:
        await asyncio.to_thread(export.opus_bytes, b"")
    row, reader = await _audible(desk, given)
    first, until = _range(given, reader)
    folder = Path(given["to"])
    await RecordingStore(desk.store).note_use(
        row.id, what="recording_exported", by=desk.by, why=given["why"]
    )
    facts = {
        "recording": row.id,
        "call": row.call_id,
        "facility": row.facility,
        "terminal": row.terminal,
        "person": row.person,
        "number": row.number,
        "began_at": utc_text(row.began_at),
        "from_s": seconds(first),
        "until_s": seconds(min(until, reader.samples)),
        "whole_s": seconds(reader.samples),
        "source_sha256": row.sha256,
        "source_is_whole": reader.is_closed,
        "ended_because": row.because,
        "exported_at": utc_text(desk.clock.wall()),
        "exported_by": desk.by,
        "why": given["why"],
    }
    _, data = _settings(desk)
    key = data / "keys" / "export.ed25519"
    files = await asyncio.to_thread(
        _write_export, reader, (first, until), folder, given["format"], facts, key
    )
    return {
        "recording": row.id,
        "files": [{"path": str(one.path), "sha256": one.sha256} for one in files],
    }


def _write_export(  # noqa: PLR0917 - runs in a thread
    reader: RecordingReader,
    span: tuple[int, int],
    folder: Path,
    kind: str,
    facts: dict[str, Any],
    key: Path,
) -> list[GivenFile]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.") from error
    sound = reader.sound(*span)
    wave = export.wave_bytes(sound)
    name = reader.header.recording
    sounding = wave if kind == "wav" else export.opus_bytes(wave)
    files = [export.give(folder / f"{name}.{kind}", sounding)]
    events = reader.beside("events")
    if events is not None:
        files.append(export.give(folder / f"{name}.events.json", events))
    facts = facts | {"gaps": export.gaps_in_seconds(sound.gaps)}
    body = export.manifest(facts, files, export.signing_key(key))
    return [*files, export.give(folder / f"{name}.manifest.json", body)]


async def _play(desk: Desk, given: Given) -> dict[str, Any]:
    """Lay the sound where the asking program plays and removes it."""
    row, reader = await _audible(desk, given)
    first, until = _range(given, reader)
    await RecordingStore(desk.store).note_use(
        row.id, what="recording_played", by=desk.by, why=given["why"]
    )
    folder = desk.store.path.parent / "playing"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{row.id}-{secrets.token_hex(8)}.wav"
    sound = await asyncio.to_thread(reader.sound, first, until)
    await asyncio.to_thread(export.give, path, export.wave_bytes(sound))
    gaps = export.gaps_in_seconds(sound.gaps)
    return {"recording": row.id, "path": str(path), "seconds": _length(sound.samples), "gaps": gaps}


def _length(samples: Any) -> float:  # noqa: ANN401 - an array
    return seconds(int(samples.shape[1]))


def _needs_player(given: Given) -> Given:
    if export.player() is None:
        names = ", ".join(words[0] for words in export.PLAYERS)
        raise UserError(
            f"No program that plays sound is here (one of {names})."
            " Use `kinline recordings export` and play the file elsewhere."
        )
    return given


def _hear(_given: Given, result: dict[str, Any]) -> dict[str, Any]:
    """Play what the switch laid down, where the person sits, and remove it."""
    path = Path(result.pop("path"))
    words = export.player()
    try:
        if words is not None:
            subprocess.run([*words, str(path)], check=False)  # noqa: S603 - our own words, no shell
    finally:
        with suppress(OSError):
            path.unlink()
    return result


async def _hold(desk: Desk, given: Given) -> dict[str, Any]:
    await RecordingStore(desk.store).hold(given["recording"], by=desk.by, why=given["why"])
    return {"held": given["recording"]}


async def _release(desk: Desk, given: Given) -> dict[str, Any]:
    holds = await RecordingStore(desk.store).release(
        given["recording"], by=desk.by, why=given["why"]
    )
    return {"released": given["recording"], "holds": holds}


async def _purge(desk: Desk, given: Given) -> dict[str, Any]:
    settings, data = _settings(desk)
    folder = recordings.folder_of(settings, data)
    rows = RecordingStore(desk.store)
    if given["recording"]:
        wanted = [await _row(desk, given)]
    else:
        wanted = await rows.due(at=desk.clock.wall())
    for row in wanted:
        await recordings.purge(rows, folder, row, by=desk.by, why=given["why"])
    return {"purged": [row.id for row in wanted]}


async def _verify(_desk: Desk, given: Given) -> dict[str, Any]:
    faults = await asyncio.to_thread(export.check_manifest, Path(given["manifest_file"]))
    return {"sound": not faults, "faults": faults}


def _absolute(given: Given) -> Given:
    return {**given, "to": str(Path(given["to"]).absolute())}


RECORDING_COMMANDS: Final = (
    Command(
        noun="recordings",
        verb="list",
        help="what was recorded, the newest first",
        arguments=(
            option("--call", "of this call", kind=int, default=0),
            option("--facility", "of this facility"),
            option("--person", "of this person"),
            option("--number", "with this number"),
            option("--state", "open, closed or purged", choices=("", "open", "closed", "purged")),
            option("--why", "the reason; kept for good"),
            ROWS,
        ),
        run=_list,
        examples=('recordings list --number +15552345678 --why "case 12"',),
    ),
    Command(
        noun="recordings",
        verb="show",
        help="one recording: what it is, until when it is kept, who holds it",
        arguments=(ID,),
        run=_show,
    ),
    Command(
        noun="recordings",
        verb="play",
        help="hear one, or a part of it, through a player of this machine",
        arguments=(ID, WHY, FROM, UNTIL),
        run=_play,
        prepare=_needs_player,
        finish=_hear,
        examples=('recordings play 1a2b3c --why "case 12" --from-s 60 --until-s 90',),
    ),
    Command(
        noun="recordings",
        verb="export",
        help="write one as WAV or Opus, with its events and a signed manifest of hashes",
        arguments=(
            ID,
            WHY,
            Argument(name="--to", help="the folder it goes to"),
            option("--format", "wav or opus", choices=("wav", "opus"), default="wav"),
            FROM,
            UNTIL,
        ),
        run=_export,
        prepare=_absolute,
        examples=('recordings export 1a2b3c --to case-12 --why "court order 7"',),
    ),
    Command(
        noun="recordings",
        verb="verify",
        help="prove that an export is what was given out",
        arguments=(Argument(name="manifest_file", help="its manifest.json"),),
        run=_verify,
    ),
    Command(
        noun="recordings",
        verb="hold",
        help="let nothing delete one until it is released",
        arguments=(ID, WHY),
        run=_hold,
    ),
    Command(
        noun="recordings",
        verb="release",
        help="release every hold on one",
        arguments=(ID, WHY),
        run=_release,
    ),
    Command(
        noun="recordings",
        verb="purge",
        help="remove the sound of one for good; without an id: of all whose time is over",
        arguments=(
            Argument(name="recording", help="its id", required=False, default=""),
            WHY,
        ),
        run=_purge,
    ),
)
