import wave
from pathlib import Path

import numpy as np
import pytest

from switch.media.phrase import Amount, Clock, Count, Digits, Named, Phrase
from switch.media.prompt_book import PhraseBook
from switch.money import Micros

CONFIG = Path(__file__).parents[3] / "config" / "prompts"


@pytest.fixture
def book(tmp_path: Path) -> PhraseBook:
    return PhraseBook(tmp_path, CONFIG)


def stems(book: PhraseBook, phrase: Phrase, language: str = "en") -> list[str]:
    return [path.name.removesuffix(".ulaw") for path in book.render([phrase], language)]


def lay(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff" * 160)
    return path


def test_a_sentence_is_its_pieces_and_its_values(book: PhraseBook) -> None:
    phrase = Phrase("balance", (("x", Amount(Micros(3_070_000))), ("n", Count(1))))
    assert stems(book, phrase) == [
        "balance.0", "n3", "dollars", "and_cents", "n7", "cents", "pause",
        "balance.1", "n1", "minutes.one", "pause",
    ]  # fmt: skip


def test_a_count_agrees_with_its_noun(book: PhraseBook) -> None:
    values = (("n", Count(1)), ("when", Clock(480)))
    spoken = stems(book, Phrase("deny_limit_calls", values), "es")
    assert spoken[1:3] == ["n1f", "calls.one"]
    assert "at" in spoken


def test_the_short_sentence_is_said_where_a_value_is_missing(book: PhraseBook) -> None:
    assert stems(book, Phrase("deny_suspended")) == ["deny_suspended_short"]


def test_a_version_is_what_is_heard(book: PhraseBook, tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "en"
    for piece in ("offer.0", "n1", "n2", "pause"):
        lay(folder / f"{piece}.ulaw").write_bytes(piece.encode())
    one = Phrase("offer", (("key", Digits("1")),))
    first = book.version(one, "en")
    assert len(first) == 16
    assert book.version(one, "en") == first
    assert book.version(Phrase("offer", (("key", Digits("2")),)), "en") != first
    lay(folder / "n1.ulaw").write_bytes(b"another voice")
    assert book.version(one, "en") != first


def test_a_facility_s_own_recording_is_another_version(book: PhraseBook, tmp_path: Path) -> None:
    silent = book.version(Phrase("enter_pin"), "en")
    lay(tmp_path / "prompts" / "en" / "enter_pin.ulaw")
    ours = book.version(Phrase("enter_pin"), "en")
    lay(tmp_path / "prompts" / "custom" / "en" / "enter_pin.ulaw").write_bytes(b"\xfe" * 160)
    book.forget()
    assert len({silent, ours, book.version(Phrase("enter_pin"), "en")}) == 3


def test_another_language_may_be_asked_for_within_a_prompt(book: PhraseBook) -> None:
    files = book.render([Phrase("offer@es", (("key", Digits("8")),))], "en")
    assert {file.parent.name for file in files} == {"es"}


def test_a_missing_file_is_still_named(book: PhraseBook) -> None:
    assert book.missing([Phrase("enter_pin")], "en") == ["enter_pin"]
    assert stems(book, Phrase("no_such_key")) == ["no_such_key"]


def test_a_facility_s_own_recording_wins(book: PhraseBook, tmp_path: Path) -> None:
    lay(tmp_path / "prompts" / "en" / "enter_pin.ulaw")
    assert book.render([Phrase("enter_pin")], "en")[0].parent.name == "en"
    own = lay(tmp_path / "prompts" / "custom" / "en" / "enter_pin.ulaw")
    book.forget()
    assert book.render([Phrase("enter_pin")], "en") == [own]


def test_a_wav_of_the_facility_is_turned_into_a_prompt(book: PhraseBook, tmp_path: Path) -> None:
    path = tmp_path / "prompts" / "custom" / "es" / "dial_number.wav"
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.full(3200, 1000, "<i2").tobytes())
    (ready,) = book.render([Phrase("dial_number")], "es")
    assert ready == path.with_suffix(".ulaw")
    assert len(ready.read_bytes()) == 800


def test_a_recorded_name_wins_over_a_synthesised_one(book: PhraseBook, tmp_path: Path) -> None:
    greeting = Phrase(
        "greeting",
        (("name", Named("person/7")), ("facility", Named("facility/F1")),
         ("provider", Named("provider/P1"))),
    )  # fmt: skip
    before = book.render([greeting], "en")
    assert before[1] == tmp_path / "prompts" / "en" / "person" / "7.ulaw"
    recorded = lay(tmp_path / "prompts" / "names" / "7.ulaw")
    assert book.render([greeting], "en")[1] == recorded


def test_a_language_that_nobody_has_falls_back_to_one_that_is_there(book: PhraseBook) -> None:
    assert stems(book, Phrase("enter_pin"), "fr") == ["enter_pin"]
