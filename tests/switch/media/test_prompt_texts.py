from pathlib import Path

import pytest

from switch.billing.payer import Payer
from switch.call import speech
from switch.call.cause import EndReason, prompt_key
from switch.errors import SettingsError
from switch.media.phrase import Phrase
from switch.media.prompt_texts import PAUSE, Hole, Spoken, read_texts
from switch.screening.reasons import DenyReason

CONFIG = Path(__file__).parents[3] / "config" / "prompts"
TEXTS = read_texts(CONFIG)


@pytest.mark.parametrize("reason", [*EndReason, *DenyReason])
@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_reason_has_a_sentence(reason: EndReason | DenyReason, language: str) -> None:
    for to_caller in (True, False):
        key = prompt_key(reason, to_caller=to_caller)
        assert key is None or key in TEXTS[language].keys


def test_every_language_has_the_same_sentences_with_the_same_holes() -> None:
    english, spanish = TEXTS["en"], TEXTS["es"]
    assert english.keys == spanish.keys
    for key in english.keys:
        holes = [
            {part.name for part in texts.parts(key) if isinstance(part, Hole)}
            for texts in (english, spanish)
        ]
        assert holes[0] == holes[1], key


def test_every_phrase_of_the_script_is_in_the_book() -> None:
    constants = [value for value in vars(speech).values() if isinstance(value, Phrase)]
    assert {phrase.key for phrase in constants} <= TEXTS["en"].keys
    prices = {f"price_{payer}" for payer in Payer} | {
        f"quote_collected_{payer}" for payer in Payer if payer is not Payer.AGENCY_FREE
    }
    lengths = {
        f"{key}_{unit}"
        for key in ("quote_time", "time_allowed", "accepted", "warning_time", "warning_money",
                    "warning_hours", "warning_lockdown", "warning_maintenance")
        for unit in ("minutes", "seconds")
    }  # fmt: skip
    plain = {
        "greeting",
        "greeting_keys",
        "balance",
        "money_added",
        "warning_forwarded",
        "offer",
        "service_greeting",
    }
    assert prices | lengths | plain <= TEXTS["en"].keys


def test_a_sentence_falls_into_pieces_around_its_holes() -> None:
    parts = TEXTS["en"].parts("balance")
    assert parts == (
        Spoken("balance.0", "You have"),
        Hole("x", ""),
        Spoken(PAUSE, ""),
        Spoken("balance.1", "That is enough for"),
        Hole("n", "minutes"),
        Spoken(PAUSE, ""),
    )


def test_a_sentence_without_holes_is_one_piece() -> None:
    assert TEXTS["en"].parts("enter_pin") == (Spoken("enter_pin", "Enter your PIN."),)


def test_a_noun_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(
        'name = "x"\n[voice]\nname = "en"\n[nouns]\n[phrases]\nwait = "{n:weeks}"\n'
    )
    with pytest.raises(SettingsError, match="wait: no noun weeks"):
        read_texts(tmp_path)


def test_a_language_without_grammar_is_named(tmp_path: Path) -> None:
    (tmp_path / "xx.toml").write_text("")
    with pytest.raises(SettingsError, match="no grammar of numbers for xx"):
        read_texts(tmp_path)
