"""The phrase book: phrases in, sound files out.

A piece is looked for in three places: the facility's own recording, the recorded or synthesised
name, the synthesised piece. A file that is nowhere is still named, so that the caller can say
which sentence lacks it.

    DATA/prompts/custom/<language>/<piece or key>.ulaw or .wav     a facility's own
    DATA/prompts/names/<path>.ulaw                                 a person's recorded name
    DATA/prompts/<language>/<piece>.ulaw                           synthesised
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from switch.media.phrase import Count, Named, Phrase, Value
from switch.media.prompt_sound import wav_to_ulaw
from switch.media.prompt_speech import speak, speak_at, speak_count
from switch.media.prompt_texts import AT, SHORT, Hole, PromptTexts, Spoken, read_texts

PIECES_MAX: Final = 4096
"""Pieces whose place is remembered; then all is looked up again. Chosen: four times both
languages."""

RENDERED_MAX: Final = 2048
"""Sentences with the same values whose files are remembered. Chosen: every price and length of a
busy site."""

VERSION_CHARS: Final = 16
"""Of a version. Chosen: 64 bits, as the pieces in `made.json`; nobody forges his own prompts."""


class PhraseBook:
    """All prompts of all languages.

    Args:
        data: the data folder of the node.
        config: `config/prompts`.
    """

    def __init__(self, data: Path, config: Path) -> None:
        self.texts = read_texts(config)
        self._folder = data / "prompts"
        self._rendered: dict[tuple[Phrase, str], tuple[Path, ...]] = {}
        self._places: dict[tuple[str, str], Path] = {}
        self._digests: dict[Path, tuple[tuple[int, int], bytes]] = {}

    def render(self, phrases: Sequence[Phrase], language: str) -> list[Path]:
        """Return the files to play, in order; µ-law, 8 kHz, no header."""
        return [path for phrase in phrases for path in self._files(phrase, language)]

    def version(self, phrase: Phrase, language: str) -> str:
        """Say which wording of a phrase is in force: 16 hexadecimal digits of its sound's hash.

        Another recording, another synthesis or another text is another version. What is filled
        in (a name, an amount) is part of it, as the called party hears it. A missing file counts
        as silence, which is what is played.
        """
        whole = sha256()
        for path in self._files(phrase, language):
            whole.update(self._digest(path))
        return whole.hexdigest()[:VERSION_CHARS]

    def _digest(self, path: Path) -> bytes:
        """Return the hash of a file; it is read again only after it was written again."""
        try:
            found = path.stat()
        except OSError:
            return b""
        stamp = (found.st_mtime_ns, found.st_size)
        known = self._digests.get(path)
        if known is None or known[0] != stamp:
            if len(self._digests) >= PIECES_MAX:
                self._digests.clear()
            known = self._digests[path] = (stamp, sha256(path.read_bytes()).digest())
        return known[1]

    def missing(self, phrases: Sequence[Phrase], language: str) -> list[str]:
        """Return the names of the pieces that have no file."""
        return [path.stem for path in self.render(phrases, language) if not path.is_file()]

    def forget(self) -> None:
        """Look everything up again: a facility has replaced a recording."""
        self._rendered.clear()
        self._places.clear()

    def _files(self, phrase: Phrase, language: str) -> tuple[Path, ...]:
        known = self._rendered.get((phrase, language))
        if known is not None:
            return known
        files = tuple(self._compose(phrase, language))
        if all(path.is_file() for path in files):
            if len(self._rendered) >= RENDERED_MAX:
                self.forget()
            self._rendered[phrase, language] = files
        return files

    def _compose(self, phrase: Phrase, language: str) -> list[Path]:
        key, _, other = phrase.key.partition("@")
        language = other or language
        own = self._own(key, language)
        if own is not None:
            return [own]
        texts = self._texts(language)
        values = dict(phrase.values)
        parts = texts.parts(key)
        if any(isinstance(part, Hole) and part.name not in values for part in parts):
            parts = texts.parts(key + SHORT) or parts
        if not parts:
            return [self._place(key, language)]
        files: list[Path] = []
        for part in parts:
            if isinstance(part, Spoken):
                files.append(self._place(part.piece, language))
            elif part.name in values:
                files += self._value(values[part.name], part.form, texts)
        return files

    def _value(self, value: Value, form: str, texts: PromptTexts) -> list[Path]:
        language = texts.language
        if isinstance(value, Named):
            return [self._name(value.path, language)]
        if form == AT:
            pieces = speak_at(value, language)
        elif form and isinstance(value, Count):
            counted = speak_count(value.number, language, texts.gender(form))
            pieces = (*counted, texts.noun(form, value.number))
        else:
            pieces = speak(value, language)
        return [self._place(piece, language) for piece in pieces]

    def _place(self, piece: str, language: str) -> Path:
        place = self._places.get((piece, language))
        if place is None:
            place = self._own(piece, language)
            place = place or self._folder / language / f"{piece}.ulaw"
            if len(self._places) >= PIECES_MAX:
                self._places.clear()
            self._places[piece, language] = place
        return place

    def _name(self, path: str, language: str) -> Path:
        own = self._own(path, language)
        if own is not None:
            return own
        last = path.rpartition("/")[2]
        recorded = [self._folder / "names" / f"{path}.ulaw"]
        if path.startswith("person/"):
            recorded.append(self._folder / "names" / f"{last}.ulaw")
        synthesised = self._folder / language / f"{path}.ulaw"
        return next((file for file in recorded if file.is_file()), synthesised)

    def _own(self, name: str, language: str) -> Path | None:
        stem = self._folder / "custom" / language / name
        ready = stem.with_name(stem.name + ".ulaw")
        wav = stem.with_name(stem.name + ".wav")
        if wav.is_file() and (not ready.is_file() or wav.stat().st_mtime > ready.stat().st_mtime):
            ready.write_bytes(wav_to_ulaw(wav))
        return ready if ready.is_file() else None

    def _texts(self, language: str) -> PromptTexts:
        return self.texts.get(language) or next(iter(self.texts.values()))
