import re
from pathlib import Path
from string import Formatter

import pytest

from switch.call.cause import EndReason
from switch.call.effects import CallState
from switch.routing.call_class import CallClass
from switch.web.family_calls import TOLD_TO_PAYER
from switch.web.words import WORDS, Words, preferred

TEMPLATES = Path(__file__).parents[3] / "switch" / "web" / "templates"


def holes(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_have_the_same_holes(key: str) -> None:
    english, spanish = WORDS[key]
    assert holes(english) == holes(spanish)
    assert bool(english) == bool(spanish)


def test_templates_say_only_what_has_words() -> None:
    said = set()
    for template in TEMPLATES.glob("*.html"):
        said |= set(re.findall(r"""say\(["']([a-z_.0-9]+)["'][,)]""", template.read_text()))
    assert said - WORDS.keys() == set()
    assert len(said) > 40


def test_every_state_and_class_of_a_call_has_a_word() -> None:
    assert all(f"state.{state.value}" in WORDS for state in CallState)
    assert all(f"class.{one}" in WORDS for one in CallClass)


def test_a_kind_nobody_knows_yet_is_shown_as_it_is() -> None:
    assert Words("es")("kind.new_kind") == "new kind"


@pytest.mark.parametrize(
    ("header", "language"),
    [("es-MX,es;q=0.9,en;q=0.8", "es"), ("fr,en", "en"), ("fr", "en"), ("", "en"), ("en-US", "en")],
)
def test_the_browser_says_which_language(header: str, language: str) -> None:
    assert preferred(header) == language


def test_a_payer_is_told_of_every_ending_in_plain_words() -> None:
    assert all(f"why.{reason}" in WORDS for reason in TOLD_TO_PAYER | {"live", "elsewhere"})
    assert {reason.value for reason in EndReason} <= TOLD_TO_PAYER
    assert "blocked_security" not in TOLD_TO_PAYER
