"""The phrase book's texts, and how a sentence falls into pieces.

`Enter your PIN.` is one piece with the name of its key. `You have {x}. That is enough for
{n:minutes}.` is `balance.0`, the pieces of x, `balance.1`, the pieces of n, the noun.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from switch.errors import SettingsError
from switch.media.prompt_speech import LANGUAGES, vocabulary

_HOLE: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")

SHORT: Final = "_short"
"""A sentence for when a value is missing."""

PAUSE: Final = "pause"
"""The piece between two sentences, where a hole ends the first."""

_STOPS: Final = (".", "!", "?")

AT: Final = "at"
"""The form of a hole that takes a preposition."""


class Voice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which synthetic voice speaks, and how fast."""

    name: str
    words_per_minute: int = 165


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    voice: Voice
    nouns: dict[str, tuple[str, str]]
    phrases: dict[str, str]
    genders: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A stretch of fixed words: one piece. Without text it is the pause between two sentences."""

    piece: str
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for a value."""

    name: str
    form: str
    """``, `at`, or a noun that follows in the right number."""


Part = Spoken | Hole


class PromptTexts:
    """All sentences of one language."""

    def __init__(self, language: str, file: _File) -> None:
        self.language = language
        self.voice = file.voice
        self._nouns = file.nouns
        self._genders = file.genders
        self._phrases = {key: tuple(_split(key, text)) for key, text in file.phrases.items()}

    @property
    def keys(self) -> frozenset[str]:
        """Every sentence there is."""
        return frozenset(self._phrases)

    def parts(self, key: str) -> tuple[Part, ...]:
        """Return the parts of a sentence; empty if there is none of that key."""
        return self._phrases.get(key, ())

    def noun(self, name: str, number: int) -> str:
        """Name the piece of a noun in the right number."""
        return f"{name}.one" if number == 1 else f"{name}.many"

    def gender(self, noun: str) -> str:
        """Return the gender of a noun: `m` unless it is said to be `f`."""
        return self._genders.get(noun, "m")

    def pieces(self) -> Mapping[str, str]:
        """Return every piece of this language with its text: what synthesis has to make."""
        spoken = {
            part.piece: part.text
            for parts in self._phrases.values()
            for part in parts
            if isinstance(part, Spoken)
        }
        nouns = {
            f"{name}.{number}": text
            for name, texts in self._nouns.items()
            for number, text in zip(("one", "many"), texts, strict=True)
        }
        return {**vocabulary(self.language), **nouns, **spoken}


def read_texts(folder: Path) -> dict[str, PromptTexts]:
    """Read every language of `config/prompts`.

    Raises:
        SettingsError: a file is not what it claims, a noun is missing, a language is not known.
    """
    texts = {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}
    if not texts:
        raise SettingsError(f"{folder}: no prompts; expected en.toml, es.toml")
    return texts


def _read(path: Path) -> PromptTexts:
    language = path.stem
    if language not in LANGUAGES:
        raise SettingsError(f"{path}: no grammar of numbers for {language}; known: {LANGUAGES}")
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    texts = PromptTexts(language, file)
    for key in sorted(texts.keys):
        for part in texts.parts(key):
            if isinstance(part, Hole) and part.form not in {"", AT, *file.nouns}:
                raise SettingsError(f"{path}: {key}: no noun {part.form}")
    return texts


def _split(key: str, text: str) -> Iterator[Part]:
    if not _HOLE.search(text):
        yield Spoken(key, text)
        return
    at, number = 0, 0
    for hole in _HOLE.finditer(text):
        for part in _words(f"{key}.{number}", text[at : hole.start()]):
            number += part.piece != PAUSE
            yield part
        yield Hole(hole[1], hole[2] or "")
        at = hole.end()
    yield from _words(f"{key}.{number}", text[at:])


def _words(piece: str, text: str) -> Iterator[Spoken]:
    words = text.strip()
    if words.startswith(_STOPS):
        yield Spoken(PAUSE, "")
    words = words.lstrip(".,;:!? ")
    if words:
        yield Spoken(piece, words)
