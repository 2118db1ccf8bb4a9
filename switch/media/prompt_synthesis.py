"""Makes the sound files of all prompts. A program of its own: the voice never enters the switch.

    python -m switch.media.prompt_synthesis --data DIR [--name facility/F1="North Jail"]
    python -m switch.media.prompt_synthesis --data DIR --check

What exists and is current is left alone, so a second run takes no time.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from switch.errors import KinlineError
from switch.media.prompt_sound import pause_after, to_ulaw, trim
from switch.media.prompt_texts import PromptTexts, read_texts
from switch.media.prompt_voice import SyntheticVoice

RECIPE: Final = "1"
"""Raised when the way from text to sound changes: then everything is made again."""

MADE: Final = "made.json"
"""What each file of a folder was made from."""

CONFIG: Final = Path("config/prompts")


class Maker:
    """Makes the files of one language.

    Args:
        folder: DATA/prompts/<language>.
    """

    def __init__(self, folder: Path, texts: PromptTexts) -> None:
        self._folder = folder
        self._texts = texts
        self._made = _read_made(folder / MADE)

    def stale(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Return the pieces that are missing or were made from something else."""
        return {
            piece: text
            for piece, text in wanted.items()
            if self._made.get(piece) != self._recipe(text) or not self._path(piece).is_file()
        }

    def make(self, wanted: Mapping[str, str], voice: SyntheticVoice) -> None:
        """Make these pieces."""
        settings = self._texts.voice
        for piece, text in wanted.items():
            sound = voice.say(text, voice=settings.name, words_per_minute=settings.words_per_minute)
            spoken = [trim(sound, voice.rate_hz), pause_after(text, voice.rate_hz)]
            path = self._path(piece)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(to_ulaw(np.concatenate(spoken), voice.rate_hz))
            self._made[piece] = self._recipe(text)
        (self._folder / MADE).write_bytes(msgspec.json.encode(self._made, order="sorted"))

    def _path(self, piece: str) -> Path:
        return self._folder / f"{piece}.ulaw"

    def _recipe(self, text: str) -> str:
        settings = self._texts.voice
        said = f"{RECIPE}|{settings.name}|{settings.words_per_minute}|{text}"
        return sha256(said.encode()).hexdigest()[:16]


def synthesise(data: Path, config: Path, names: Mapping[str, str]) -> int:
    """Make whatever is missing, in every language; return how many files were made."""
    made = 0
    voice: SyntheticVoice | None = None
    for language, texts in read_texts(config).items():
        maker = Maker(data / "prompts" / language, texts)
        wanted = maker.stale({**texts.pieces(), **names})
        if wanted:
            voice = voice or SyntheticVoice()
            maker.make(wanted, voice)
            made += len(wanted)
    return made


def missing(data: Path, config: Path, names: Mapping[str, str]) -> list[str]:
    """Return what a call could lack, as `language/piece`; a facility's own recording counts."""
    lacking = []
    for language, texts in read_texts(config).items():
        folders = (data / "prompts" / "custom" / language, data / "prompts" / language)
        for piece in {**texts.pieces(), **names}:
            there = (folder / f"{piece}{end}" for folder in folders for end in (".ulaw", ".wav"))
            if not any(path.is_file() for path in there):
                lacking.append(f"{language}/{piece}")
    return lacking


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if every prompt is there."""
    parser = argparse.ArgumentParser(prog="prompt_synthesis", description="Make all prompts.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder of the node")
    parser.add_argument("--config", type=Path, default=CONFIG, help="folder of the texts")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="PATH=TEXT",
        help="a name with a file of its own: facility/F1, provider/P1, person/123, use/library",
    )
    chosen = parser.parse_args(arguments)
    names = dict(name.split("=", 1) for name in chosen.name if "=" in name)
    try:
        if not chosen.check:
            made = synthesise(chosen.data, chosen.config, names)
            sys.stdout.write(f"{made} prompts made\n")
        lacking = missing(chosen.data, chosen.config, names)
    except (KinlineError, OSError) as error:
        sys.stderr.write(f"prompts: {error}\n")
        return 2
    for name in lacking:
        sys.stderr.write(f"missing: {name}\n")
    return 1 if lacking else 0


def _read_made(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


if __name__ == "__main__":
    sys.exit(main())
